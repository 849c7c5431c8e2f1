/* secure_load CONFIG KEY: loads a key like a set-user-ID program, which the kernel marks as such.
 * The program itself names the configuration, since the environment is not trusted. */
#include "base.h"

#include <openssl/store.h>
#include <sys/auxv.h>

int main(int argc, char **argv)
{
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();
    OSSL_STORE_CTX *store;
    OSSL_STORE_INFO *info;

    if (argc != 3)
        die("usage: secure_load CONFIG KEY");
    if (getauxval(AT_SECURE) == 0)
        die("this is no secure-execution process");
    if (context == NULL || OSSL_LIB_CTX_load_config(context, argv[1]) != 1)
        die("cannot load the configuration");
    store = OSSL_STORE_open_ex(argv[2], context, NULL, NULL, NULL, NULL, NULL, NULL);
    if (store == NULL || !OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY))
        die("cannot open the store");
    info = OSSL_STORE_load(store);
    if (info == NULL || OSSL_STORE_INFO_get0_PKEY(info) == NULL)
        die("no private key");
    OSSL_STORE_INFO_free(info);
    OSSL_STORE_close(store);
    OSSL_LIB_CTX_free(context);
    puts("loaded");
    return 0;
}
