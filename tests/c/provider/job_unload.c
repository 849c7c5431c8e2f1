/* job_unload MODULE KEY-FILE: unloads the provider while a job is paused, which is then resumed or
 * forgotten. Settings come from the environment. */
#include "common.h"
#include "job.h"

#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/provider.h>

/* A library context with the provider and a key. */
struct host {
    OSSL_LIB_CTX *context;
    OSSL_PROVIDER *standard, *ours;
    EVP_PKEY *key;
    unsigned char digest[32], signature[SIGNATURE_MAX];
    size_t length;
};

static void load(struct host *host, const char *module, const char *file)
{
    OSSL_DECODER_CTX *decoder;
    BIO *bio = BIO_new_file(file, "r");

    memset(host, 0, sizeof(*host));
    host->context = OSSL_LIB_CTX_new();
    host->standard = OSSL_PROVIDER_load(host->context, "default");
    host->ours = OSSL_PROVIDER_load(host->context, module);
    decoder = OSSL_DECODER_CTX_new_for_pkey(&host->key, NULL, NULL, NULL, 0, host->context, NULL);
    if (host->standard == NULL || host->ours == NULL || bio == NULL
        || OSSL_DECODER_from_bio(decoder, bio) != 1)
        die("no key");
    OSSL_DECODER_CTX_free(decoder);
    BIO_free(bio);
}

static int sign(void *argument)
{
    struct host *host = *(struct host **)argument;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(host->context, host->key, NULL);
    int ok;

    host->length = sizeof(host->signature);
    ok = context != NULL && EVP_PKEY_sign_init(context) == 1
        && EVP_PKEY_sign(context, host->signature, &host->length, host->digest,
                         sizeof(host->digest))
            == 1;
    EVP_PKEY_CTX_free(context);
    return ok;
}

static int is_right(const struct host *host)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(host->context, host->key, NULL);
    int ok = context != NULL && EVP_PKEY_verify_init(context) == 1
        && EVP_PKEY_verify(context, host->signature, host->length, host->digest,
                           sizeof(host->digest))
            == 1;

    EVP_PKEY_CTX_free(context);
    return ok;
}

static void unload(struct host *host)
{
    if (OSSL_PROVIDER_unload(host->ours) != 1 || OSSL_PROVIDER_unload(host->standard) != 1)
        die("the provider is not unloaded");
}

/* Its own references keep the provider until the operation has ended. */
static void resumed(const char *module, const char *file)
{
    struct host host;
    struct job job;

    load(&host, module, file);
    job_open_for(&job, sign, &host);
    job_start(&job);
    unload(&host);
    job_wait(&job);
    if (job_run(&job) != ASYNC_FINISH || job.result != 1 || !is_right(&host))
        die("no signature");
    job_close(&job);
    EVP_PKEY_free(host.key);
    OSSL_LIB_CTX_free(host.context);
    passed("resumed");
}

/* The host frees all that it has, but cannot free the job. */
static void forgotten(const char *module, const char *file)
{
    static struct host hosts[MANY];
    struct host other;

    for (int i = 0; i < MANY; i++) {
        struct job job;

        load(&hosts[i], module, file);
        job_open_for(&job, sign, &hosts[i]);
        job_start(&job);
        job_close(&job);
        EVP_PKEY_free(hosts[i].key);
        unload(&hosts[i]);
        OSSL_LIB_CTX_free(hosts[i].context);
    }
    load(&other, module, file);
    if (!sign(&(void *){&other}) || !is_right(&other))
        die("the provider does not sign any more");
    EVP_PKEY_free(other.key);
    unload(&other);
    OSSL_LIB_CTX_free(other.context);
    passed("forgotten");
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage: job_unload MODULE KEY-FILE");
    resumed(argv[1], argv[2]);
    forgotten(argv[1], argv[2]);
    return 0;
}
