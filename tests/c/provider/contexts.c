/* contexts MODE MODULE KEY: tests one way to load the provider into library contexts, with the
 * settings in OPENSSL_CONF or in the environment. KEY is a reference. Prints "fine". */
#include "common.h"

#include <pthread.h>

#include <openssl/core_dispatch.h>
#include <openssl/provider.h>

static const char *module, *reference;

static EVP_PKEY *load_in(OSSL_LIB_CTX *context, const char *query)
{
    OSSL_STORE_CTX *store
        = OSSL_STORE_open_ex(reference, context, query, NULL, NULL, NULL, NULL, NULL);
    OSSL_STORE_INFO *info = store == NULL ? NULL : OSSL_STORE_load(store);
    EVP_PKEY *key = info == NULL ? NULL : OSSL_STORE_INFO_get1_PKEY(info);

    OSSL_STORE_INFO_free(info);
    OSSL_STORE_close(store);
    return key;
}

static int signs_in(OSSL_LIB_CTX *context, EVP_PKEY *key, const char *query)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t length = sizeof(signature);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int ok = EVP_DigestSignInit_ex(md, NULL, "SHA256", context, query, key, NULL) == 1
        && EVP_DigestSign(md, signature, &length, (unsigned char *)"", 1) == 1
        && EVP_DigestVerifyInit_ex(md, NULL, "SHA256", context, query, key, NULL) == 1
        && EVP_DigestVerify(md, signature, length, (unsigned char *)"", 1) == 1;

    EVP_MD_CTX_free(md);
    return ok;
}

/* Generates keys of the default provider. */
static void make_own_in(OSSL_LIB_CTX *context)
{
    EVP_PKEY *ec = EVP_PKEY_Q_keygen(context, NULL, "EC", "P-256");
    EVP_PKEY *rsa = EVP_PKEY_Q_keygen(context, NULL, "RSA", (size_t)1024);

    if (ec == NULL || rsa == NULL)
        die("cannot make a key");
    EVP_PKEY_free(ec);
    EVP_PKEY_free(rsa);
}

static void use_in(OSSL_LIB_CTX *context)
{
    EVP_PKEY *key = load_in(context, NULL);

    if (key == NULL || !signs_in(context, key, NULL))
        die("cannot use the key");
    EVP_PKEY_free(key);
}

static OSSL_LIB_CTX *configured(void)
{
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();

    if (context == NULL || OSSL_LIB_CTX_load_config(context, getenv("OPENSSL_CONF")) != 1)
        die("cannot load the configuration");
    return context;
}

/* Two contexts, one of which is freed while the other one's key is in use. */
static void two(void)
{
    OSSL_LIB_CTX *first = configured(), *second = configured();
    EVP_PKEY *mine = load_in(first, NULL), *other = load_in(second, NULL);

    if (mine == NULL || other == NULL)
        die("cannot load the key");
#if OPENSSL_VERSION_NUMBER > 0x3000002fL
    /* 3.0.2 requires the private key to compare public keys. */
    if (EVP_PKEY_eq(mine, other) != 1)
        die("two contexts have different keys");
#endif
    make_own_in(first);
    if (!signs_in(first, mine, NULL) || !signs_in(second, other, NULL))
        die("cannot sign");
    EVP_PKEY_free(mine);
    OSSL_LIB_CTX_free(first);
    if (!signs_in(second, other, NULL))
        die("cannot sign when the other context is gone");
    make_own_in(second);
    EVP_PKEY_free(other);
    OSSL_LIB_CTX_free(second);
}

/* By the module's path, without a configuration, several times. */
static void by_path(void)
{
    for (int round = 0; round < 5; round++) {
        OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();
        OSSL_PROVIDER *ours = OSSL_PROVIDER_load(context, module);
        OSSL_PROVIDER *theirs = OSSL_PROVIDER_load(context, "default");

        if (ours == NULL || theirs == NULL || OSSL_PROVIDER_self_test(ours) != 1)
            die("cannot load the providers");
        use_in(context);
        make_own_in(context);
        OSSL_PROVIDER_unload(ours);
        make_own_in(context);
        ours = OSSL_PROVIDER_load(context, module);
        use_in(context);
        make_own_in(context);
        if (round % 2 == 0)
            OSSL_PROVIDER_unload(ours);
        OSSL_PROVIDER_unload(theirs);
        OSSL_LIB_CTX_free(context);
    }
}

/* Twice in one context, with two names. */
static void twice(void)
{
    OSSL_LIB_CTX *context = configured();
    OSSL_PROVIDER *again = OSSL_PROVIDER_load(context, module);

    if (again == NULL)
        die("cannot load the provider again");
    make_own_in(context);
    use_in(context);
    make_own_in(context);
    OSSL_PROVIDER_unload(again);
    use_in(context);
    make_own_in(context);
    OSSL_LIB_CTX_free(context);
}

/* Many threads that are the first to use a context, with vault keys and with generated keys. */
static void *first_use(void *context)
{
    make_own_in(context);
    use_in(context);
    make_own_in(context);
    return NULL;
}

static void threads(void)
{
    for (int round = 0; round < 4; round++) {
        OSSL_LIB_CTX *context = configured();
        pthread_t all[8];
        for (int i = 0; i < 8; i++)
            if (pthread_create(&all[i], NULL, first_use, context) != 0)
                die("cannot start a thread");
        for (int i = 0; i < 8; i++)
            pthread_join(all[i], NULL);
        OSSL_LIB_CTX_free(context);
    }
}

/* Without any other provider. */
static void alone(void)
{
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *ours = OSSL_PROVIDER_load(context, module);
    EVP_PKEY *key = ours == NULL ? NULL : load_in(context, NULL);

    if (key == NULL || !signs_in(context, key, NULL))
        die("cannot use the key");
#if OPENSSL_VERSION_NUMBER >= 0x40000000L
    /* libcrypto reports that it has no digest, and continues without. */
    ERR_clear_error();
#endif
    EVP_PKEY_free(key);
    OSSL_PROVIDER_unload(ours);
    OSSL_LIB_CTX_free(context);
}

/* A provider with a child of its host's context, which contains all providers of the host. */
static OSSL_LIB_CTX *child;

static void parent_teardown(void *context)
{
    OSSL_LIB_CTX_free(context);
}

static int parent_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                       const OSSL_DISPATCH **out, void **context)
{
    static const OSSL_DISPATCH functions[]
        = { { OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))parent_teardown }, { 0, NULL } };

    *context = child = OSSL_LIB_CTX_new_child(handle, in);
    *out = functions;
    return child != NULL;
}

static void children(int own_first)
{
    OSSL_LIB_CTX *context = configured();
    OSSL_PROVIDER *parent;

    if (OSSL_PROVIDER_add_builtin(context, "parent", parent_init) != 1
        || (parent = OSSL_PROVIDER_load(context, "parent")) == NULL)
        die("cannot load a provider with a child context");
    if (own_first)
        make_own_in(child);
    use_in(child);
    make_own_in(child);
    use_in(context);
    make_own_in(context);
    OSSL_PROVIDER_unload(parent);
    OSSL_LIB_CTX_free(context);
}

/* Vault keys are not in a FIPS module of OpenSSL. A query that requires one does not find them. */
static void fips(void)
{
    OSSL_LIB_CTX *context = configured();
    EVP_PKEY *key = load_in(context, NULL);

    if (key == NULL || !signs_in(context, key, "?fips=yes"))
        die("cannot sign where FIPS is preferred");
    if (signs_in(context, key, "fips=yes"))
        die("a key in a vault passes for one in a FIPS module");
    ERR_clear_error();
    EVP_PKEY_free(key);
    if ((key = load_in(context, "fips=yes")) != NULL)
        die("a key in a vault is loaded from a FIPS module");
    ERR_clear_error();
    OSSL_LIB_CTX_free(context);
}

/* With an invalid setting, the provider is loaded and reports the error when it is used. */
static int found;

static int look(OSSL_PROVIDER *provider, void *arg)
{
    (void)arg;
    if (strcmp(OSSL_PROVIDER_get0_name(provider), "akv_provider") == 0) {
        found = 1;
        if (OSSL_PROVIDER_self_test(provider) == 1)
            die("a wrong setting passes for a right one");
        if (strstr(ERR_reason_error_string(ERR_peek_error()), "setting") == NULL)
            die("the error is another one");
        ERR_clear_error();
    }
    return 1;
}

static void wrong(void)
{
    OSSL_LIB_CTX *context = configured();

    if (OSSL_PROVIDER_do_all(context, look, NULL) != 1 || !found)
        die("the provider is not there");
    make_own_in(context);
    if (load_in(context, NULL) != NULL)
        die("a key is loaded");
    ERR_clear_error();
    make_own_in(context);
    OSSL_LIB_CTX_free(context);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        die("usage: contexts MODE MODULE KEY");
    module = argv[2];
    reference = argv[3];
    if (strcmp(argv[1], "two") == 0)
        two();
    else if (strcmp(argv[1], "by-path") == 0)
        by_path();
    else if (strcmp(argv[1], "twice") == 0)
        twice();
    else if (strcmp(argv[1], "threads") == 0)
        threads();
    else if (strcmp(argv[1], "alone") == 0)
        alone();
    else if (strcmp(argv[1], "child") == 0)
        children(0);
    else if (strcmp(argv[1], "child-own-first") == 0)
        children(1);
    else if (strcmp(argv[1], "fips") == 0)
        fips();
    else if (strcmp(argv[1], "wrong") == 0)
        wrong();
    else
        die("unknown mode");
    if (ERR_peek_error() != 0)
        die("success has left something in the error queue");
    puts("fine");
    return 0;
}
