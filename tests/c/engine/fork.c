/* engine_fork MODULE KEY CHILDREN: threads sign with one key while the process forks. Every child
 * signs with that key and with one that it loads itself.
 *
 * libcrypto has a lock for all its engines, which is not handled across a fork and is taken when an
 * operation for an engine's key is created. The program therefore forks while no thread creates an
 * operation; it is enough that threads are signing. */
#include "engine_common.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static EVP_PKEY *key;
static atomic_int stop, signatures;
static pthread_mutex_t engines = PTHREAD_MUTEX_INITIALIZER;

static EVP_PKEY_CTX *new_operation(void)
{
    EVP_PKEY_CTX *context;

    pthread_mutex_lock(&engines);
    context = EVP_PKEY_CTX_new(key, NULL);
    CHECK(context != NULL && EVP_PKEY_sign_init(context) == 1);
    pthread_mutex_unlock(&engines);
    return context;
}

static void free_operation(EVP_PKEY_CTX *context)
{
    pthread_mutex_lock(&engines);
    EVP_PKEY_CTX_free(context);
    pthread_mutex_unlock(&engines);
}

static void *work(void *unused)
{
    unsigned char signature[SIGNATURE_MAX], digest[32] = {0};

    (void)unused;
    while (!atomic_load(&stop)) {
        size_t length = sizeof(signature);
        EVP_PKEY_CTX *context = new_operation();

        CHECK(EVP_PKEY_sign(context, signature, &length, digest, sizeof(digest)) == 1);
        free_operation(context);
        atomic_fetch_add(&signatures, 1);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    ENGINE *engine;
    int children, status;

    if (argc != 4)
        die("usage: engine_fork MODULE KEY CHILDREN");
    alarm(300);
    children = atoi(argv[3]);
    engine = load_engine(argv[1]);
    key = load_key(engine, argv[2]);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0);
    while (atomic_load(&signatures) < THREADS)
        usleep(1000);
    for (int i = 0; i < children; i++) {
        pid_t child;

        pthread_mutex_lock(&engines);
        child = fork();
        pthread_mutex_unlock(&engines);
        CHECK(child >= 0);
        if (child == 0) {
            EVP_PKEY *own;

            alarm(60);
            if (!sign_and_verify(key, i))
                _exit(2);
            own = ENGINE_load_private_key(engine, argv[2], NULL, NULL);
            if (own == NULL || !sign_and_verify(own, i) || EVP_PKEY_cmp(own, key) != 1)
                _exit(3);
            EVP_PKEY_free(own);
            exit(0);
        }
    }
    for (int i = 0; i < children; i++) {
        CHECK(wait(&status) > 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            fprintf(stderr, "a child ended with %d\n", status);
            return 1;
        }
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    EVP_PKEY_free(key);
    unload_engine(engine);
    QUIET();
    return 0;
}
