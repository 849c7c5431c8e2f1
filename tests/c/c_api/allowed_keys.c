/* capi_allowed ALLOWED REFUSED VAULT FILE: sets allowed-keys in the program and calls every
 * function of libakv that takes a reference. Prints "refused" if all but the first are refused. */
#include <akv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(const char *what, int32_t code, int32_t expected)
{
    if (code == expected
        && (code == AKV_CODE_OK
            || (strstr(akv_last_error(), "not allowed") != NULL
                && strstr(akv_last_error(), "allowed-keys") != NULL)))
        return;
    fprintf(stderr, "%s: %d, %s\n", what, (int)code, akv_last_error());
    exit(1);
}

int main(int argc, char **argv)
{
    AkvSettings *settings = NULL;
    AkvClient *client = NULL;
    AkvKey *key = NULL;
    AkvKeyList *list = NULL;
    const char *name = NULL;
    uint8_t pem[4096];
    size_t len;
    FILE *file;

    if (argc != 5)
        return 2;
    file = fopen(argv[4], "rb");
    if (file == NULL)
        return 2;
    len = fread(pem, 1, sizeof(pem), file);
    fclose(file);
    if (akv_settings_new(&settings) != AKV_CODE_OK
        || akv_settings_set(settings, "allowed-keys", argv[1]) != AKV_CODE_OK
        || akv_client_new(settings, &client) != AKV_CODE_OK) {
        fprintf(stderr, "%s\n", akv_last_error());
        return 1;
    }
    expect("open", akv_key_open(client, argv[2], &key), AKV_CODE_NOT_ALLOWED);
    expect("open_file", akv_key_open_file(client, pem, len, &key), AKV_CODE_NOT_ALLOWED);
    if (akv_key_list_open(client, argv[3], &list) == AKV_CODE_OK)
        expect("list_next", akv_key_list_next(list, &name), AKV_CODE_NOT_ALLOWED);
    akv_key_list_free(list);
    puts("refused");
    fflush(stdout);
    if (getenv("OPEN_ALLOWED") != NULL)
        expect("open allowed", akv_key_open(client, argv[1], &key), AKV_CODE_OK);
    akv_key_free(key);
    akv_client_free(client);
    if (akv_settings_set(settings, "allowed-keys", "") != AKV_CODE_OK
        || akv_client_new(settings, &client) != AKV_CODE_SETTINGS)
        return 1;
    akv_settings_free(settings);
    return 0;
}
