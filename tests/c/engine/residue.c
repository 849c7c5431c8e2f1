/* engine_residue MODULE NEEDLES KEY CIPHERTEXT: signs and decrypts with the ENGINE, frees and
 * unloads everything, and searches its own memory for the token and the plaintext. Prints "clean".
 * For OpenSSL 1.1.1 and 3.x. */
#include "engine_common.h"
#include "residue.h"

static void decrypt(EVP_PKEY *key, const char *file)
{
    unsigned char cipher[1024], *plain;
    FILE *in = fopen(file, "rb");
    int cipher_len = in == NULL ? 0 : (int)fread(cipher, 1, sizeof(cipher), in), length;
    RSA *rsa = EVP_PKEY_get1_RSA(key);

    CHECK(in != NULL && rsa != NULL);
    plain = OPENSSL_malloc((size_t)RSA_size(rsa));
    CHECK(plain != NULL);
    length = RSA_private_decrypt(cipher_len, cipher, plain, rsa, RSA_PKCS1_OAEP_PADDING);
    CHECK(length > 0);
    OPENSSL_clear_free(plain, (size_t)RSA_size(rsa));
    RSA_free(rsa);
    fclose(in);
}

int main(int argc, char **argv)
{
    ENGINE *engine;
    EVP_PKEY *key;

    if (argc != 5)
        die("usage: engine_residue MODULE NEEDLES KEY CIPHERTEXT");
    residue_load(argv[2]);
    residue_works();
    engine = load_engine(argv[1]);
    key = load_key(engine, argv[3]);
    for (int round = 0; round < 3; round++) {
        CHECK(sign_and_verify(key, (unsigned long)round));
        decrypt(key, argv[4]);
    }
    EVP_PKEY_free(key);
    unload_engine(engine);
    OPENSSL_cleanup();
    residue_check();
    return 0;
}
