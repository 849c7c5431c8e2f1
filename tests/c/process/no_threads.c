/* no_threads KEY limit|filter THREADS ROUNDS [FOLDER]: loads the key and starts THREADS threads,
 * changes its root directory to FOLDER if given, forbids new threads, and signs ROUNDS times in
 * each thread. In the end only the program's own threads exist. */
#include "common.h"
#include "restrict.h"

#include <fcntl.h>

static EVP_PKEY *key;
static unsigned long rounds;
static pthread_barrier_t forbidden;

static void *sign(void *argument)
{
    pthread_barrier_wait(&forbidden);
    if (!sign_rounds(key, rounds))
        exit(1);
    return argument;
}

/* The number of threads of the process, read from a file that was opened while /proc was available.
 */
static long threads_now(int status)
{
    char text[4096];
    ssize_t length = pread(status, text, sizeof(text) - 1, 0);
    const char *line;

    if (length <= 0)
        die("no /proc/self/status");
    text[length] = 0;
    line = strstr(text, "\nThreads:");
    return line == NULL ? -1 : strtol(line + 9, NULL, 10);
}

int main(int argc, char **argv)
{
    unsigned long threads;
    pthread_t *running;
    int status;

    if (argc != 5 && argc != 6)
        die("usage: no_threads KEY limit|filter THREADS ROUNDS [FOLDER]");
    alarm(120);
    key = load_key(argv[1]);
    threads = strtoul(argv[3], NULL, 10);
    rounds = strtoul(argv[4], NULL, 10);
    status = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    running = calloc(threads + 1, sizeof(*running));
    if (status < 0 || running == NULL || pthread_barrier_init(&forbidden, NULL, threads + 1) != 0)
        die("cannot prepare");
    for (unsigned long i = 0; i < threads; i++)
        if (pthread_create(&running[i], NULL, sign, NULL) != 0)
            die("cannot start a thread");
    if (argc == 6 && (clearenv() != 0 || chroot(argv[5]) != 0 || chdir("/") != 0))
        die("cannot change the root directory");
    if (!forbid_threads(argv[2]))
        die("threads are not forbidden");
    pthread_barrier_wait(&forbidden);
    if (!sign_rounds(key, rounds))
        return 1;
    if (threads_now(status) > (long)threads + 1)
        die("there are more threads than the program's");
    for (unsigned long i = 0; i < threads; i++)
        pthread_join(running[i], NULL);
    if (threads_now(status) != 1)
        die("threads are left behind");
    if (ERR_peek_error() != 0)
        die("success has left something in the error queue");
    free(running);
    EVP_PKEY_free(key);
    puts("signed");
    return 0;
}
