/* Two keys of the same type and size: one in the vault, and one of the default provider. */
#ifndef AKV_TESTS_PAIR_H
#define AKV_TESTS_PAIR_H

#include "common.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/provider.h>

static inline EVP_PKEY *read_key(const char *path, int private_key)
{
    FILE *file = fopen(path, "r");
    EVP_PKEY *key = NULL;

    if (file != NULL)
        key = private_key ? PEM_read_PrivateKey(file, NULL, NULL, NULL)
                          : PEM_read_PUBKEY(file, NULL, NULL, NULL);
    if (key == NULL)
        die(path);
    fclose(file);
    return key;
}

static inline EVP_PKEY_CTX *context_of(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

    if (context == NULL)
        die("no context");
    return context;
}

/* Clears the error queue. Returns the number of our errors in it. */
static inline int our_errors(void)
{
    unsigned long code;
    int ours = 0;

    while ((code = ERR_get_error()) != 0) {
        const char *library = ERR_lib_error_string(code);

        if (library != NULL && strcmp(library, "akv_provider") == 0)
            ours++;
    }
    return ours;
}

/* Compares two lists or arrays: both contain the same entries. */
static inline int lists(const OSSL_PARAM *list, const char *name)
{
    return list != NULL && OSSL_PARAM_locate_const(list, name) != NULL;
}

#endif
