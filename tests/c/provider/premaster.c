/* premaster KEY CIPHERTEXT CLIENT_VERSION NEGOTIATED_VERSION ROOM: decrypts a client's encrypted
 * premaster secret like libssl. A negotiated version of 0 is not set. Prints the reported length,
 * the actual length and the secret in hexadecimal, or `refused`. */
#include "common.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

static size_t read_file(const char *name, unsigned char *data, size_t room)
{
    FILE *in = fopen(name, "rb");
    size_t length = in == NULL ? 0 : fread(data, 1, room, in);

    if (in == NULL)
        die("no ciphertext");
    fclose(in);
    return length;
}

static void set_versions(EVP_PKEY_CTX *context, unsigned client, unsigned negotiated)
{
    OSSL_PARAM params[3], *next = params;

    *next++ = OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &client);
    if (negotiated != 0)
        *next++ = OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION,
                                            &negotiated);
    *next = OSSL_PARAM_construct_end();
    if (EVP_PKEY_CTX_set_params(context, params) != 1)
        die("cannot set the versions");
}

int main(int argc, char **argv)
{
    unsigned char cipher[1024], secret[1024];
    size_t cipher_length, announced = 0, room;
    EVP_PKEY *key;
    EVP_PKEY_CTX *context;

    if (argc != 6)
        die("usage: premaster KEY CIPHERTEXT CLIENT_VERSION NEGOTIATED_VERSION ROOM");
    key = load_key(argv[1]);
    cipher_length = read_file(argv[2], cipher, sizeof(cipher));
    room = strtoul(argv[5], NULL, 0);
    context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    if (context == NULL || EVP_PKEY_decrypt_init(context) != 1
        || EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_WITH_TLS_PADDING) != 1)
        die("cannot start");
    set_versions(context, (unsigned)strtoul(argv[3], NULL, 0),
                 (unsigned)strtoul(argv[4], NULL, 0));
    if (EVP_PKEY_decrypt(context, NULL, &announced, cipher, cipher_length) != 1)
        die("no length");
    printf("%zu ", announced);
    if (EVP_PKEY_decrypt(context, secret, &room, cipher, cipher_length) == 1) {
        printf("%zu ", room);
        for (size_t i = 0; i < room; i++)
            printf("%02x", secret[i]);
        if (ERR_peek_error() != 0)
            die("success has left something in the error queue");
    } else {
        printf("refused");
        ERR_print_errors_fp(stderr);
    }
    printf("\n");
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    return 0;
}
