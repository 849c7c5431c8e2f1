/* store_list URI EXPECTED LOADS: opens a URI, sets the expected type (a number,
 * OSSL_STORE_INFO_...) and loads LOADS times, or up to the end. Prints a line for each object,
 * "none" for a load without one, "error" for a failed one, and "end" at the end. */
#include "common.h"

#include <openssl/x509.h>

static void print_certificate(const X509 *certificate)
{
    char subject[256];

    X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof(subject));
    printf("certificate %s\n", subject);
}

static void print_info(const OSSL_STORE_INFO *info)
{
    int type = OSSL_STORE_INFO_get_type(info);

    if (type == OSSL_STORE_INFO_NAME) {
        const char *description = OSSL_STORE_INFO_get0_NAME_description(info);

        printf("name %s%s%s\n", OSSL_STORE_INFO_get0_NAME(info),
               description == NULL ? "" : " | ", description == NULL ? "" : description);
    } else if (type == OSSL_STORE_INFO_CERT) {
        print_certificate(OSSL_STORE_INFO_get0_CERT(info));
    } else {
        printf("%s\n", OSSL_STORE_INFO_type_string(type));
    }
}

int main(int argc, char **argv)
{
    OSSL_STORE_CTX *store;
    int expected, failed = 0;

    if (argc != 4)
        die("usage: store_list URI EXPECTED LOADS");
    store = OSSL_STORE_open(argv[1], NULL, NULL, NULL, NULL);
    expected = atoi(argv[2]);
    if (store == NULL || (expected != 0 && !OSSL_STORE_expect(store, expected)))
        die("cannot open the store");
    for (int loads = atoi(argv[3]); loads > 0 && !OSSL_STORE_eof(store); loads--) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info != NULL) {
            print_info(info);
            OSSL_STORE_INFO_free(info);
        } else if (ERR_peek_error() != 0) {
            if (!OSSL_STORE_error(store))
                die("an error that the store does not know of");
            failed = 1;
            puts("error");
            ERR_print_errors_fp(stderr);
        } else if (!OSSL_STORE_eof(store)) {
            puts("none");
        }
    }
    if (OSSL_STORE_eof(store))
        puts("end");
    OSSL_STORE_close(store);
    if (!failed && ERR_peek_error() != 0)
        die("success has left something in the error queue");
    return 0;
}
