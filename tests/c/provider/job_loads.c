/* job_loads KEY KEY-FILE CERTIFIED-KEY VAULT: loads keys, certificates and lists inside ASYNC jobs. The
 * key file has to be completed by a request. */
#include "common.h"
#include "job_load_steps.h"

/* What KEY is. */
static EVP_PKEY *known;

static void *load_uri(const char *uri)
{
    return load_key(uri);
}

static void check_key(void *found)
{
    if (EVP_PKEY_eq(found, known) != 1 || !sign_rounds(found, 1))
        die("another key");
    EVP_PKEY_free(found);
}

static OSSL_STORE_CTX *open_store(const char *uri, int expected)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);

    if (store == NULL || OSSL_STORE_expect(store, expected) != 1)
        die("no store");
    return store;
}

static void *load_certificate(const char *uri)
{
    OSSL_STORE_CTX *store = open_store(uri, OSSL_STORE_INFO_CERT);
    OSSL_STORE_INFO *info = OSSL_STORE_load(store);
    X509 *certificate = info == NULL ? NULL : OSSL_STORE_INFO_get1_CERT(info);

    OSSL_STORE_INFO_free(info);
    OSSL_STORE_close(store);
    return certificate;
}

static void free_certificate(void *found)
{
    X509_free(found);
}

/* The number of keys in a vault, in memory of its own. */
static void *count_names(const char *uri)
{
    OSSL_STORE_CTX *store = open_store(uri, OSSL_STORE_INFO_NAME);
    int *count = calloc(1, sizeof(*count));

    while (!OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info != NULL)
            ++*count;
        else if (OSSL_STORE_error(store))
            die("no list");
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    return count;
}

static void check_count(void *found)
{
    if (*(int *)found != 3)
        die("not every key is listed");
    free(found);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        die("usage: job_loads KEY KEY-FILE CERTIFIED-KEY VAULT");
    known = load_key(argv[1]);
    load_together("uri", load_uri, argv[1], check_key);
    load_together("key file", load_file, argv[2], check_key);
    load_together("certificate", load_certificate, argv[3], free_certificate);
    load_together("list", count_names, argv[4], check_count);
    load_abandoned(load_uri, argv[1]);
    EVP_PKEY_free(known);
    return 0;
}
