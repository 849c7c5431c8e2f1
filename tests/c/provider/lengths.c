/* lengths KEY OPERATION [FILE]: runs one operation of the provider, with a buffer of the reported
 * size. Prints the length of the result, or `refused`. FILE contains the ciphertext. */
#include "common.h"
#include "guard.h"

#include <openssl/rsa.h>

typedef int (*initialise)(EVP_PKEY_CTX *);
typedef int (*operate)(EVP_PKEY_CTX *, unsigned char *, size_t *, const unsigned char *, size_t);

static size_t read_file(const char *name, unsigned char *data, size_t room)
{
    FILE *in = name == NULL ? NULL : fopen(name, "rb");
    size_t length = in == NULL ? 0 : fread(data, 1, room, in);

    if (in == NULL)
        die("no input");
    fclose(in);
    return length;
}

static void run(EVP_PKEY *key, initialise init, operate operation, int padding,
                const unsigned char *input, size_t length)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    size_t written = 0;
    struct room room;

    if (context == NULL || init(context) != 1)
        die("cannot start");
    if (padding != 0 && EVP_PKEY_CTX_set_rsa_padding(context, padding) != 1)
        die("cannot set the padding");
    if (operation(context, NULL, &written, input, length) != 1)
        die("no length");
    room = room_of(written);
    close_room(room, operation(context, room.data, &written, input, length) == 1 ? (long)written
                                                                                : -1);
    EVP_PKEY_CTX_free(context);
}

static void digest_sign(EVP_PKEY *key)
{
    struct room room = room_of((size_t)EVP_PKEY_get_size(key));
    size_t length = room.size;

    close_room(room, sign_once(key, 1, room.data, &length) ? (long)length : -1);
}

int main(int argc, char **argv)
{
    unsigned char input[1024] = { 7 };
    const char *file = argc == 4 ? argv[3] : NULL;
    EVP_PKEY *key;

    if (argc < 3)
        die("usage: lengths KEY OPERATION [FILE]");
    key = load_key(argv[1]);
    if (strcmp(argv[2], "sign") == 0)
        run(key, EVP_PKEY_sign_init, EVP_PKEY_sign, 0, input, 32);
    else if (strcmp(argv[2], "digest-sign") == 0)
        digest_sign(key);
    else if (strcmp(argv[2], "wrap") == 0)
        run(key, EVP_PKEY_encrypt_init, EVP_PKEY_encrypt, 0, input, 32);
    else if (strcmp(argv[2], "unwrap") == 0)
        run(key, EVP_PKEY_decrypt_init, EVP_PKEY_decrypt, 0, input,
            read_file(file, input, sizeof(input)));
    else if (strcmp(argv[2], "pkcs1") == 0)
        run(key, EVP_PKEY_decrypt_init, EVP_PKEY_decrypt, RSA_PKCS1_PADDING, input,
            read_file(file, input, sizeof(input)));
    else if (strcmp(argv[2], "oaep") == 0)
        run(key, EVP_PKEY_decrypt_init, EVP_PKEY_decrypt, RSA_PKCS1_OAEP_PADDING, input,
            read_file(file, input, sizeof(input)));
    else
        die("no such operation");
    EVP_PKEY_free(key);
    return 0;
}
