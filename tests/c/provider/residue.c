/* residue MODULE NEEDLES KEY CIPHERTEXT: signs and decrypts with the provider, frees and unloads
 * everything, and searches its own memory for the token and the plaintext. Prints "clean". */
#include "common.h"
#include "residue.h"

#include <openssl/provider.h>
#include <openssl/rsa.h>

static void decrypt(EVP_PKEY *key, const char *file)
{
    unsigned char cipher[1024], *plain;
    FILE *in = fopen(file, "rb");
    size_t cipher_len = in == NULL ? 0 : fread(cipher, 1, sizeof(cipher), in), length = 0;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

    if (in == NULL || context == NULL || EVP_PKEY_decrypt_init(context) != 1
        || EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) != 1
        || EVP_PKEY_decrypt(context, NULL, &length, cipher, cipher_len) != 1)
        die("cannot start");
    plain = OPENSSL_malloc(length);
    if (plain == NULL || EVP_PKEY_decrypt(context, plain, &length, cipher, cipher_len) != 1
        || length == 0)
        die("cannot decrypt");
    OPENSSL_clear_free(plain, length);
    EVP_PKEY_CTX_free(context);
    fclose(in);
}

int main(int argc, char **argv)
{
    OSSL_PROVIDER *standard, *ours;
    EVP_PKEY *key;

    if (argc != 5)
        die("usage: residue MODULE NEEDLES KEY CIPHERTEXT");
    residue_load(argv[2]);
    residue_works();
    standard = OSSL_PROVIDER_load(NULL, "default");
    ours = OSSL_PROVIDER_load(NULL, argv[1]);
    if (standard == NULL || ours == NULL)
        die("no provider");
    key = load_key(argv[3]);
    for (int round = 0; round < 3; round++) {
        if (!sign_rounds(key, 1))
            die("cannot sign");
        decrypt(key, argv[4]);
    }
    EVP_PKEY_free(key);
    OSSL_PROVIDER_unload(ours);
    OSSL_PROVIDER_unload(standard);
    OPENSSL_cleanup();
    residue_check();
    return 0;
}
