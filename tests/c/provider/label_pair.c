/* label_pair URI: loads a private and a public key object from one store without an expected type,
 * as BIND does with a label. Signs with one and verifies with the other. Prints their type. */
#include "common.h"

int main(int argc, char **argv)
{
    EVP_PKEY *private_key = NULL, *public_key = NULL;
    unsigned char signature[SIGNATURE_MAX];
    size_t length = sizeof(signature);
    OSSL_STORE_CTX *store;

    if (argc != 2)
        die("usage: label_pair URI");
    store = OSSL_STORE_open(argv[1], NULL, NULL, NULL, NULL);
    if (store == NULL)
        die("cannot open the store");
    while (!OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info == NULL) {
            if (OSSL_STORE_error(store))
                die("an object cannot be loaded");
            continue;
        }
        switch (OSSL_STORE_INFO_get_type(info)) {
        case OSSL_STORE_INFO_PKEY:
            if (private_key != NULL)
                die("two private keys");
            private_key = OSSL_STORE_INFO_get1_PKEY(info);
            break;
        case OSSL_STORE_INFO_PUBKEY:
            if (private_key == NULL)
                die("the public key comes before the private one");
            if (public_key != NULL)
                die("two public keys");
            public_key = OSSL_STORE_INFO_get1_PUBKEY(info);
            break;
        }
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    if (private_key == NULL || public_key == NULL)
        die("a private and a public key are needed");
    if (EVP_PKEY_get_base_id(private_key) != EVP_PKEY_get_base_id(public_key)
        || EVP_PKEY_eq(private_key, public_key) != 1)
        die("the keys are no pair");
    if (!sign_once(private_key, 7, signature, &length)
        || !verify_once(public_key, 7, signature, length)
        || verify_once(public_key, 8, signature, length))
        die("what the one signs the other does not verify");
    ERR_clear_error();
    if (sign_once(public_key, 7, signature, &length))
        die("the public key signs");
    printf("%s\n", EVP_PKEY_get0_type_name(public_key));
    EVP_PKEY_free(private_key);
    EVP_PKEY_free(public_key);
    return 0;
}
