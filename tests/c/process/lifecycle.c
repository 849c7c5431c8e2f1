/* lifecycle MODULE KEY CYCLES SIGNATURES: CYCLES times, loads the module into two library contexts,
 * loads the key file KEY in each, signs SIGNATURES times, and unloads everything. Settings come
 * from the environment. Before the first signature there is only the main thread. Afterwards the
 * numbers of threads and open files do not grow, and in the end no connection is left. Prints
 * resident memory in KiB after the second cycle and at the end. */
#include "common.h"

#include <dirent.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/provider.h>
#include <unistd.h>

struct host {
    OSSL_LIB_CTX *context;
    OSSL_PROVIDER *standard, *ours;
    EVP_PKEY *key;
};

static int entries(const char *folder)
{
    DIR *open = opendir(folder);
    int count = 0;

    if (open == NULL)
        die("no /proc");
    while (readdir(open) != NULL)
        count++;
    closedir(open);
    return count - 2;
}

static int threads(void)
{
    return entries("/proc/self/task");
}

/* Open sockets: the connections, and any sockets of the runtime itself. */
static int sockets(void)
{
    DIR *open = opendir("/proc/self/fd");
    struct dirent *entry;
    int count = 0;

    if (open == NULL)
        die("no /proc");
    while ((entry = readdir(open)) != NULL) {
        char target[64];

        count += readlinkat(dirfd(open), entry->d_name, target, sizeof(target)) > 7
            && memcmp(target, "socket:", 7) == 0;
    }
    closedir(open);
    return count;
}

static EVP_PKEY *load_from_file(OSSL_LIB_CTX *context, const char *file)
{
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *decoder =
        OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, NULL, 0, context, NULL);
    BIO *bio = BIO_new_file(file, "r");

    if (decoder == NULL || bio == NULL || !OSSL_DECODER_from_bio(decoder, bio) || key == NULL)
        die("cannot load the key file");
    BIO_free(bio);
    OSSL_DECODER_CTX_free(decoder);
    return key;
}

static struct host load(const char *module, const char *file)
{
    struct host host;

    host.context = OSSL_LIB_CTX_new();
    if (host.context == NULL)
        die("no library context");
    host.standard = OSSL_PROVIDER_load(host.context, "default");
    host.ours = OSSL_PROVIDER_load(host.context, module);
    if (host.standard == NULL || host.ours == NULL)
        die("cannot load the providers");
    host.key = load_from_file(host.context, file);
    return host;
}

static void sign(const struct host *host, unsigned long count)
{
    unsigned char signature[SIGNATURE_MAX], digest[32] = {0};

    for (unsigned long i = 0; i < count; i++) {
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(host->context, host->key, NULL);
        size_t length = sizeof(signature);

        memcpy(digest, &i, sizeof(i));
        if (context == NULL || EVP_PKEY_sign_init(context) != 1
            || EVP_PKEY_sign(context, signature, &length, digest, sizeof(digest)) != 1)
            die("cannot sign");
        EVP_PKEY_CTX_free(context);
        context = EVP_PKEY_CTX_new_from_pkey(host->context, host->key, NULL);
        if (context == NULL || EVP_PKEY_verify_init(context) != 1
            || EVP_PKEY_verify(context, signature, length, digest, sizeof(digest)) != 1)
            die("the signature is wrong");
        EVP_PKEY_CTX_free(context);
    }
}

static void unload(struct host *host)
{
    EVP_PKEY_free(host->key);
    if (!OSSL_PROVIDER_unload(host->ours) || !OSSL_PROVIDER_unload(host->standard))
        die("cannot unload the providers");
    OSSL_LIB_CTX_free(host->context);
}

int main(int argc, char **argv)
{
    unsigned long cycles, signatures;
    int files = 0, most_threads = 0;
    long before = -1;

    if (argc != 5)
        die("usage: lifecycle MODULE KEY CYCLES SIGNATURES");
    alarm(1800);
    cycles = strtoul(argv[3], NULL, 10);
    signatures = strtoul(argv[4], NULL, 10);
    for (unsigned long i = 0; i < cycles; i++) {
        struct host first = load(argv[1], argv[2]), second = load(argv[1], argv[2]);

        if (i == 0 && threads() != 1)
            die("a thread was started before the first use");
        sign(&first, signatures);
        if (i == 0 && signatures > 0 && threads() == 1)
            die("the count of threads is of no use");
        sign(&second, signatures);
        unload(&first);
        /* The other one is not affected. */
        sign(&second, signatures);
        unload(&second);
        if (i == 1) {
            before = resident_kib();
            files = entries("/proc/self/fd");
            most_threads = threads();
        }
        /* The runtime closes the connection of an unloaded provider shortly afterwards; threads for
         * blocking work (name lookups) come and go. */
        if (i > 1 && (entries("/proc/self/fd") > files + 8 || threads() > most_threads + 4))
            die("threads or open files become more");
    }
    /* On a busy machine the runtime's thread may be late. */
    for (int i = 0; sockets() > 2; i++) {
        if (i > 3000)
            die("a connection stays open although its provider is gone");
        usleep(10000);
    }
    if (ERR_peek_error() != 0)
        die("success has left something in the error queue");
    printf("%ld %ld\n", before, resident_kib());
    return 0;
}
