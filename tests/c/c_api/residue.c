/* capi_residue NEEDLES KEY CIPHERTEXT: signs and decrypts with libakv, frees everything, and
 * searches its own memory for the token and the plaintext. Prints "clean". */
#include "residue.h"

#include <akv.h>

static void need(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "%s: %s\n", what, akv_last_error());
        exit(1);
    }
}

int main(int argc, char **argv)
{
    uint8_t digest[32] = { 7 }, cipher[1024], out[512];
    AkvClient *client = NULL;
    AkvKey *key = NULL;
    FILE *in;
    size_t cipher_len;

    need(argc == 4, "usage: capi_residue NEEDLES KEY CIPHERTEXT");
    residue_load(argv[1]);
    residue_works();
    in = fopen(argv[3], "rb");
    need(in != NULL, "no ciphertext");
    cipher_len = fread(cipher, 1, sizeof(cipher), in);
    fclose(in);
    need(akv_client_new(NULL, &client) == AKV_CODE_OK, "akv_client_new");
    need(akv_key_open(client, argv[2], &key) == AKV_CODE_OK, "akv_key_open");
    for (int round = 0; round < 3; round++) {
        size_t len = sizeof(out);

        need(akv_sign(key, "RS256", digest, sizeof(digest), out, &len) == AKV_CODE_OK, "akv_sign");
        len = sizeof(out);
        need(akv_decrypt(key, "RSA-OAEP", cipher, cipher_len, out, &len) == AKV_CODE_OK && len > 0,
             "akv_decrypt");
        for (volatile uint8_t *byte = out; byte < out + sizeof(out); byte++)
            *byte = 0;
    }
    akv_key_free(key);
    akv_client_free(client);
    residue_check();
    return 0;
}
