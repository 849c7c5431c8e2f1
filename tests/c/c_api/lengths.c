/* capi_lengths KEY OPERATION ALGORITHM [FILE]: runs one operation of libakv, with a buffer of the
 * reported size. Prints the length of the result, or `refused`. FILE contains the ciphertext or the
 * wrapped key. */
#include "guard.h"

#include <akv.h>

typedef int32_t (*operation)(const AkvKey *, const char *, const uint8_t *, size_t, uint8_t *,
                             size_t *);

static void need(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "%s: %s\n", what, akv_last_error());
        exit(1);
    }
}

int main(int argc, char **argv)
{
    uint8_t input[1024] = { 7 };
    size_t input_len = 32, len = 0;
    AkvClient *client = NULL;
    AkvKey *key = NULL;
    operation run;
    struct room room;

    need(argc >= 4, "usage: capi_lengths KEY OPERATION ALGORITHM [FILE]");
    if (argc == 5) {
        FILE *in = fopen(argv[4], "rb");

        need(in != NULL, "no input");
        input_len = fread(input, 1, sizeof(input), in);
        fclose(in);
    }
    if (strcmp(argv[2], "sign") == 0)
        run = akv_sign;
    else if (strcmp(argv[2], "decrypt") == 0)
        run = akv_decrypt;
    else if (strcmp(argv[2], "wrap") == 0)
        run = akv_wrap;
    else
        run = akv_unwrap;
    need(akv_client_new(NULL, &client) == AKV_CODE_OK, "akv_client_new");
    need(akv_key_open(client, argv[1], &key) == AKV_CODE_OK, "akv_key_open");
    need(run(key, argv[3], input, input_len, NULL, &len) == AKV_CODE_OK, "no length");
    room = room_of(len);
    close_room(room, run(key, argv[3], input, input_len, room.data, &len) == AKV_CODE_OK ? (long)len
                                                                                         : -1);
    akv_key_free(key);
    akv_client_free(client);
    return 0;
}
