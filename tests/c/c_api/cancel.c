/* capi_cancel KEY CODE: cancels threads that sign with libakv; the signatures return CODE. */
#include "cancel.h"

#include <akv.h>

static int sign(void *key)
{
    static const uint8_t digest[32] = {1, 2, 3};
    uint8_t signature[64];
    size_t len = sizeof(signature);

    return akv_sign(key, "ES256", digest, sizeof(digest), signature, &len);
}

static int open_and_sign(void *name)
{
    AkvClient *client = NULL;
    AkvKey *key = NULL;
    int code = akv_client_new(NULL, &client);

    if (code == AKV_CODE_OK)
        code = akv_key_open(client, name, &key);
    if (code == AKV_CODE_OK)
        code = sign(key);
    akv_key_free(key);
    akv_client_free(client);
    return code;
}

int main(int argc, char **argv)
{
    AkvClient *client = NULL;
    AkvKey *key = NULL;

    if (argc != 3 || akv_client_new(NULL, &client) != AKV_CODE_OK
        || akv_key_open(client, argv[1], &key) != AKV_CODE_OK) {
        fprintf(stderr, "no key: %s\n", akv_last_error());
        return 1;
    }
    run_cancelled_always(sign, key, atoi(argv[2]));
    if (sign(key) != AKV_CODE_OK) {
        fprintf(stderr, "the next operation fails: %s\n", akv_last_error());
        return 1;
    }
    run_cancelled_always(open_and_sign, argv[1], AKV_CODE_OK);
    akv_key_free(key);
    akv_client_free(client);
    return 0;
}
