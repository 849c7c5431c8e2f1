/* make_key TYPE NAME: generates a key in the vault, of type RSA or EC, and signs with it. Then
 * generates another one with it as a template, and a key outside the vault, which the default
 * provider must generate. Prints the bits of all three. */
#include "common.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>

static void made_by(EVP_PKEY *key, const char *provider)
{
    if (strcmp(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)), provider) != 0)
        die("another provider has made the key");
    printf("%d\n", EVP_PKEY_get_bits(key));
}

/* Generates a key, with a template if there is one. */
static EVP_PKEY *make(const char *type, EVP_PKEY *template, char *name)
{
    const char *ours = "provider=akv_provider";
    EVP_PKEY_CTX *context = template != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, template, ours)
                                             : EVP_PKEY_CTX_new_from_name(NULL, type, ours);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string("akv-name", name, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;

    if (context == NULL || EVP_PKEY_keygen_init(context) != 1
        || EVP_PKEY_CTX_set_params(context, params) != 1)
        die("cannot begin to make a key");
    if (template == NULL
        && (strcmp(type, "RSA") == 0 ? EVP_PKEY_CTX_set_rsa_keygen_bits(context, 3072)
                                     : EVP_PKEY_CTX_set_group_name(context, "P-384"))
            != 1)
        die("cannot say what key to make");
    if (EVP_PKEY_generate(context, &key) != 1)
        die("cannot make the key");
    EVP_PKEY_CTX_free(context);
    return key;
}

/* A template from a vault without a new name must not result in a key outside the vault. */
static void nowhere(EVP_PKEY *template)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, template, NULL);
    EVP_PKEY *key = NULL;

    if (context == NULL || EVP_PKEY_keygen_init(context) != 1)
        die("cannot begin to make a key");
    if (EVP_PKEY_generate(context, &key) == 1)
        die("made a key that is in no vault");
    if (strstr(ERR_reason_error_string(ERR_peek_error()), "invalid argument") == NULL)
        die("no reason");
    ERR_clear_error();
    EVP_PKEY_CTX_free(context);
}

int main(int argc, char **argv)
{
    char second[256];
    EVP_PKEY *key, *like, *own;

    if (argc != 3)
        die("usage: make_key TYPE NAME");
    snprintf(second, sizeof(second), "%s-like", argv[2]);
    key = make(argv[1], NULL, argv[2]);
    made_by(key, "akv_provider");
    like = make(NULL, key, second);
    made_by(like, "akv_provider");
    nowhere(key);
    if (EVP_PKEY_eq(key, like) == 1 || !sign_rounds(key, 2) || !sign_rounds(like, 2))
        die("the keys are of no use");
    own = strcmp(argv[1], "RSA") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
                                      : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    if (own == NULL || !sign_rounds(own, 1))
        die("cannot make a key of one's own");
    made_by(own, "default");
    if (ERR_peek_error() != 0)
        die("success has left something in the error queue");
    EVP_PKEY_free(key);
    EVP_PKEY_free(like);
    EVP_PKEY_free(own);
    return 0;
}
