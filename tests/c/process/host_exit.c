/* host_exit KEY THREADS HOW: ends the process while all THREADS threads are waiting for a
 * signature, which the vault does not return. HOW is `return` (from main), `exit` (by another
 * thread), `_exit`, or `storm`: the vault answers, and the process exits while threads keep
 * signing. Exit code 7 is success. */
#include "common.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define EXPECTED 7

static atomic_ulong begun, done;
static EVP_PKEY *key;
static int storm;

static void *sign(void *unused)
{
    unsigned char signature[SIGNATURE_MAX];

    (void)unused;
    do {
        size_t length = sizeof(signature);

        atomic_fetch_add(&begun, 1);
        if (!sign_once(key, 1, signature, &length) && storm)
            die("cannot sign");
        atomic_fetch_add(&done, 1);
    } while (storm);
    return NULL;
}

static void *end(void *unused)
{
    (void)unused;
    exit(EXPECTED);
}

int main(int argc, char **argv)
{
    unsigned long threads;
    pthread_t thread;

    if (argc != 4)
        die("usage: host_exit KEY THREADS HOW");
    alarm(30);
    threads = strtoul(argv[2], NULL, 10);
    storm = strcmp(argv[3], "storm") == 0;
    /* libcrypto's own cleanup at exit does not expect concurrent use. */
    if (storm && !OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL))
        die("cannot initialize");
    key = load_key(argv[1]);
    for (unsigned long i = 0; i < threads; i++)
        if (pthread_create(&thread, NULL, sign, NULL) != 0)
            die("cannot start a thread");
    /* In the storm some signatures are done; otherwise all have started and are in progress. */
    while (storm ? atomic_load(&done) < 4 * threads : atomic_load(&begun) < threads)
        usleep(1000);
    if (!storm)
        usleep(100000);
    if (atomic_load(&done) > 0 && !storm)
        die("a signature came that should not have");
    if (strcmp(argv[3], "exit") == 0) {
        if (pthread_create(&thread, NULL, end, NULL) != 0)
            die("cannot start a thread");
        pause();
    }
    if (strcmp(argv[3], "_exit") == 0)
        _exit(EXPECTED);
    return EXPECTED;
}
