/* cancel EC-KEY RSA-KEY EXPECTED: cancels threads that load keys, sign and decrypt, including the
 * first use of the provider. Each operation completes and returns EXPECTED: 1, or 0 if the vault
 * does not answer in time. In either case the next operation works, in a thread that is not
 * cancelled. EXPECTED is 0 only for three signatures. */
#include "cancel.h"
#include "common.h"

#include <openssl/rsa.h>

struct ciphertext {
    EVP_PKEY *key;
    unsigned char data[SIGNATURE_MAX];
    size_t length;
};

static int load(void *uri)
{
    EVP_PKEY_free(load_key(uri));
    return 1;
}

static int sign(void *key)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t length = sizeof(signature);
    int ok = sign_once(key, 1, signature, &length);

    ERR_clear_error();
    return ok;
}

static EVP_PKEY_CTX *oaep(EVP_PKEY *key, int (*init)(EVP_PKEY_CTX *))
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

    if (context == NULL || init(context) != 1
        || EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) != 1)
        die("no context");
    return context;
}

static int decrypt(void *argument)
{
    struct ciphertext *ciphertext = argument;
    EVP_PKEY_CTX *context = oaep(ciphertext->key, EVP_PKEY_decrypt_init);
    unsigned char plain[SIGNATURE_MAX];
    size_t length = sizeof(plain);
    int ok = EVP_PKEY_decrypt(context, plain, &length, ciphertext->data, ciphertext->length);

    EVP_PKEY_CTX_free(context);
    return ok == 1 && length == 6 && memcmp(plain, "secret", 6) == 0;
}

static void encrypt(struct ciphertext *ciphertext)
{
    EVP_PKEY_CTX *context = oaep(ciphertext->key, EVP_PKEY_encrypt_init);

    ciphertext->length = sizeof(ciphertext->data);
    if (EVP_PKEY_encrypt(context, ciphertext->data, &ciphertext->length,
                         (const unsigned char *)"secret", 6)
        != 1)
        die("cannot encrypt");
    EVP_PKEY_CTX_free(context);
}

int main(int argc, char **argv)
{
    struct ciphertext ciphertext;
    EVP_PKEY *key;
    int expected;

    if (argc != 4)
        die("usage: cancel EC-KEY RSA-KEY EXPECTED");
    expected = atoi(argv[3]);
    /* libcrypto itself reads its configuration here, without cancellation points of ours. */
    OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
    if (expected)
        run_cancelled_always(load, argv[1], 1);
    key = load_key(argv[1]);
    run_cancelled_always(sign, key, expected);
    if (!sign_rounds(key, 2))
        die("the next operation fails");
    if (expected) {
        ciphertext.key = load_key(argv[2]);
        encrypt(&ciphertext);
        run_cancelled_always(decrypt, &ciphertext, 1);
        EVP_PKEY_free(ciphertext.key);
    }
    EVP_PKEY_free(key);
    return 0;
}
