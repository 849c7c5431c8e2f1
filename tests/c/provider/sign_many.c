/* sign_many KEY COUNT THREADS: signs COUNT times with one loaded key, shared by THREADS threads,
 * after a warm-up with a tenth as many signatures. Prints the process's resident memory in KiB
 * after the warm-up and at the end. */
#include "common.h"

#include <pthread.h>

struct work {
    EVP_PKEY *key;
    unsigned long first, count;
};

static void *sign(void *argument)
{
    const struct work *work = argument;
    unsigned char signature[SIGNATURE_MAX];
    size_t length = 0;

    for (unsigned long i = 0; i < work->count; i++) {
        length = sizeof(signature);
        if (!sign_once(work->key, work->first + i, signature, &length))
            die("cannot sign");
    }
    if (work->count > 0
        && !verify_once(work->key, work->first + work->count - 1, signature, length))
        die("the signature is wrong");
    if (ERR_peek_error() != 0)
        die("success has left something in the error queue");
    return NULL;
}

static void sign_all(EVP_PKEY *key, unsigned long count, unsigned long threads)
{
    pthread_t *running = calloc(threads, sizeof(*running));
    struct work *works = calloc(threads, sizeof(*works));

    if (running == NULL || works == NULL)
        die("no memory");
    for (unsigned long i = 0; i < threads; i++) {
        works[i] = (struct work){key, i * (count / threads), count / threads};
        if (pthread_create(&running[i], NULL, sign, &works[i]) != 0)
            die("cannot start a thread");
    }
    for (unsigned long i = 0; i < threads; i++)
        pthread_join(running[i], NULL);
    free(works);
    free(running);
}

int main(int argc, char **argv)
{
    EVP_PKEY *key;
    unsigned long count, threads;
    long before;

    if (argc != 4)
        die("usage: sign_many KEY COUNT THREADS");
    count = strtoul(argv[2], NULL, 10);
    threads = strtoul(argv[3], NULL, 10);
    key = load_key(argv[1]);
    sign_all(key, count / 10, threads);
    before = resident_kib();
    sign_all(key, count, threads);
    printf("%ld %ld\n", before, resident_kib());
    EVP_PKEY_free(key);
    return 0;
}
