/* own_keys KEY: a host that uses a vault key also generates other keys, which the default provider
 * must do: when the vault key is used first, after libcrypto has dropped its fetch cache, and
 * before and after each operation. Prints the number of generated keys. */
#include "common.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/provider.h>

static unsigned made;

/* A key of the default provider, which is exported, imported and still signs. */
static void use_own(EVP_PKEY *own, const char *type)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t length = sizeof(signature);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *copy = NULL;
    OSSL_PARAM *params = NULL;

    if (own == NULL)
        die("cannot make a key");
    if (strcmp(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(own)), "default") != 0)
        die("another provider has made the key");
    if (EVP_PKEY_todata(own, EVP_PKEY_KEYPAIR, &params) != 1 || context == NULL
        || EVP_PKEY_fromdata_init(context) != 1
        || EVP_PKEY_fromdata(context, &copy, EVP_PKEY_KEYPAIR, params) != 1)
        die("cannot copy the key");
    if (!sign_once(copy, made, signature, &length) || !verify_once(own, made, signature, length))
        die("cannot sign with the key");
    OSSL_PARAM_free(params);
    EVP_PKEY_free(copy);
    EVP_PKEY_free(own);
    EVP_PKEY_CTX_free(context);
    made++;
}

static void make_own(void)
{
    use_own(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), "EC");
    use_own(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048), "RSA");
}

/* Signs with an explicitly fetched algorithm. libcrypto then fetches our key management before any
 * other for the type. */
static void sign_by_name(EVP_PKEY *key)
{
#if OPENSSL_VERSION_NUMBER >= 0x30400000L
    unsigned char signature[SIGNATURE_MAX];
    size_t length = sizeof(signature);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    EVP_SIGNATURE *algorithm = EVP_SIGNATURE_fetch(
        NULL, EVP_PKEY_is_a(key, "RSA") ? "RSA-SHA256" : "ECDSA-SHA256", "provider=akv_provider");

    if (EVP_PKEY_sign_message_init(context, algorithm, NULL) != 1
        || EVP_PKEY_sign(context, signature, &length, (unsigned char *)"", 1) != 1)
        die("cannot sign with the algorithm of that name");
    EVP_SIGNATURE_free(algorithm);
    EVP_PKEY_CTX_free(context);
#else
    (void)key;
#endif
}

/* Loading and unloading a provider clears libcrypto's cache. */
static void forget(void)
{
    OSSL_PROVIDER *base = OSSL_PROVIDER_load(NULL, "base");

    if (base == NULL || OSSL_PROVIDER_unload(base) != 1)
        die("cannot load the base provider");
}

int main(int argc, char **argv)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t length = sizeof(signature);
    EVP_PKEY *key;

    if (argc != 2)
        die("usage: own_keys KEY");
    key = load_key(argv[1]);
    make_own();
    forget();
    if (!sign_once(key, 1, signature, &length))
        die("cannot sign in the vault");
    make_own();
    forget();
    if (!verify_once(key, 1, signature, length))
        die("the signature is wrong");
    make_own();
    forget();
    sign_by_name(key);
    make_own();
    forget();
    EVP_PKEY_free(key);
    key = load_key(argv[1]);
    make_own();
    if (ERR_peek_error() != 0)
        die("success has left something in the error queue");
    EVP_PKEY_free(key);
    printf("%u\n", made);
    return 0;
}
