/* Common code of the test programs: loading a key and signing with it, like a server. */
#ifndef AKV_TESTS_COMMON_H
#define AKV_TESTS_COMMON_H

#include "base.h"

#include <openssl/store.h>

/* Loads the private key of a reference or key file. The configuration file in OPENSSL_CONF has
 * activated the providers. */
static inline EVP_PKEY *load_key(const char *uri)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
    EVP_PKEY *key = NULL;

    if (store == NULL)
        die("cannot open the store");
    if (!OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY))
        die("cannot ask for private keys");
    while (key == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info == NULL)
            break;
        key = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    if (key == NULL)
        die("no private key");
    return key;
}

/* Signs a message that depends on `number` with SHA-256. Returns 1 on success. */
static inline int sign_once(EVP_PKEY *key, unsigned long number, unsigned char *signature,
                            size_t *length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = context != NULL
        && EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL) == 1
        && EVP_DigestSign(context, signature, length, (unsigned char *)&number, sizeof(number))
            == 1;

    EVP_MD_CTX_free(context);
    return ok;
}

/* Verifies a signature of sign_once. Returns 1 if it is valid. */
static inline int verify_once(EVP_PKEY *key, unsigned long number,
                              const unsigned char *signature, size_t length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = context != NULL
        && EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL) == 1
        && EVP_DigestVerify(context, signature, length, (unsigned char *)&number, sizeof(number))
            == 1;

    EVP_MD_CTX_free(context);
    return ok;
}

/* Signs and verifies several times. Returns 1 on success; otherwise prints the error. */
static inline int sign_rounds(EVP_PKEY *key, unsigned long rounds)
{
    unsigned char signature[SIGNATURE_MAX];

    for (unsigned long i = 0; i < rounds; i++) {
        size_t length = sizeof(signature);

        if (!sign_once(key, i, signature, &length) || !verify_once(key, i, signature, length)) {
            ERR_print_errors_fp(stderr);
            return 0;
        }
    }
    return 1;
}

#endif
