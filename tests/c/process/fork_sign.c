/* fork_sign KEY CHILDREN ROUNDS: the parent loads the key, signs, and forks CHILDREN children while
 * two of its threads continue signing. All children sign ROUNDS times concurrently, and every other
 * child forks a child of its own. Prints the number of children that succeeded. */
#include "common.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

/* Seconds after which the kernel ends a process that hangs. */
#define PATIENCE 60

static atomic_int stop;
static atomic_ulong signed_by_threads;

static void *keep_signing(void *key)
{
    while (!atomic_load(&stop)) {
        if (!sign_rounds(key, 1))
            die("a thread of the parent cannot sign");
        atomic_fetch_add(&signed_by_threads, 1);
    }
    return NULL;
}

static int ended_well(pid_t child)
{
    int status;

    if (waitpid(child, &status, 0) != child)
        return 0;
    if (WIFSIGNALED(status))
        fprintf(stderr, "a child was ended by signal %d\n", WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* In a child: signs, optionally with a child of its own, and ends. */
static void child(EVP_PKEY *key, unsigned long rounds, int grandchild)
{
    pid_t other = 0;
    int ok;

    alarm(PATIENCE);
    ok = sign_rounds(key, rounds);
    if (grandchild && (other = fork()) == 0) {
        alarm(PATIENCE);
        _exit(sign_rounds(key, rounds) ? 0 : 1);
    }
    if (other > 0 && !ended_well(other))
        ok = 0;
    /* exit, not _exit: a forked child must also end cleanly. */
    exit(ok ? 0 : 1);
}

int main(int argc, char **argv)
{
    EVP_PKEY *key;
    unsigned long children, rounds, succeeded = 0;
    pthread_t threads[2];
    pid_t *running;

    if (argc != 4)
        die("usage: fork_sign KEY CHILDREN ROUNDS");
    alarm(2 * PATIENCE);
    children = strtoul(argv[2], NULL, 10);
    rounds = strtoul(argv[3], NULL, 10);
    running = calloc(children, sizeof(*running));
    key = load_key(argv[1]);
    if (running == NULL || !sign_rounds(key, 1))
        die("the parent cannot sign");
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, keep_signing, key) != 0)
            die("cannot start a thread");
    for (unsigned long i = 0; i < children; i++) {
        running[i] = fork();
        if (running[i] < 0)
            die("cannot fork");
        if (running[i] == 0)
            child(key, rounds, i % 2 == 0);
    }
    for (unsigned long i = 0; i < children; i++)
        succeeded += ended_well(running[i]);
    atomic_store(&stop, 1);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    if (atomic_load(&signed_by_threads) == 0 || !sign_rounds(key, 1))
        die("the parent did not go on signing");
    printf("%lu\n", succeeded);
    free(running);
    EVP_PKEY_free(key);
    return 0;
}
