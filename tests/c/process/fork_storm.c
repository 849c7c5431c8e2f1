/* fork_storm KEY FORKS THREADS [jobs]: THREADS threads sign from the start, also while the library makes
 * its first connection. The main thread forks FORKS times in the meantime. Children sign at once
 * and end in various ways; some have threads or children of their own, some become daemons, some
 * just end. In between, programs are started with posix_spawn, vfork and system. With `jobs`, all of
 * them sign inside ASYNC jobs. Prints the number of children that succeeded.
 *
 * libcrypto takes locks of its own when a thread first uses it and when it first fetches an
 * algorithm. A child forked at that moment would wait for them for ever, independently of the
 * provider. The program therefore does these things before the first fork, without a signature: any
 * later hang is ours. */
#include "common.h"
#include "job.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

/* Seconds after which the kernel ends a process that hangs. */
#define PATIENCE 90
/* Signatures of each child. */
#define ROUNDS 3
/* Number of concurrent children. */
#define CROWD 12

static atomic_int stop;
static atomic_ulong signed_by_threads;
static pthread_barrier_t ready;
static EVP_PKEY *key;
static int in_jobs;

static int rounds_in_job(void *argument)
{
    return sign_rounds(key, **(unsigned long **)argument);
}

static int sign_some(unsigned long rounds)
{
    struct job job;
    int ok;

    if (!in_jobs)
        return sign_rounds(key, rounds);
    job_open_for(&job, rounds_in_job, &rounds);
    ok = job_end(&job);
    job_close(&job);
    return ok;
}

/* Makes libcrypto do its one-time work for the process and for the thread. */
static void warm_up(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char nothing[64] = {0};

    if (context == NULL || EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL) != 1)
        die("cannot prepare a signature");
    EVP_MD_CTX_free(context);
    if (verify_once(key, 0, nothing, sizeof(nothing)))
        die("nothing is a signature");
    ERR_clear_error();
}

static void *keep_signing(void *unused)
{
    (void)unused;
    warm_up();
    pthread_barrier_wait(&ready);
    while (!atomic_load(&stop)) {
        if (!sign_some(1))
            die("a thread of the parent cannot sign");
        atomic_fetch_add(&signed_by_threads, 1);
    }
    return NULL;
}

static void *sign_in_thread(void *ok)
{
    *(int *)ok = sign_some(ROUNDS);
    return NULL;
}

static int ended_well(pid_t child, int status)
{
    if (WIFSIGNALED(status))
        fprintf(stderr, "process %d was ended by signal %d\n", (int)child, WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int wait_for(pid_t child)
{
    int status;

    return child > 0 && waitpid(child, &status, 0) == child && ended_well(child, status);
}

/* A grandchild without a terminal and without a parent; it reports through a pipe. */
static int daemonize(void)
{
    int ends[2];
    char answer = 0;
    pid_t child;

    if (pipe(ends) != 0)
        return 0;
    child = fork();
    if (child == 0) {
        setsid();
        if (fork() == 0) {
            alarm(PATIENCE);
            answer = (char)sign_some(ROUNDS);
            exit(write(ends[1], &answer, 1) == 1 && answer ? 0 : 1);
        }
        _exit(0);
    }
    close(ends[1]);
    if (!wait_for(child) || read(ends[0], &answer, 1) != 1)
        answer = 0;
    close(ends[0]);
    return answer;
}

static int with_threads(void)
{
    pthread_t threads[2];
    int ok[2] = {0, 0};

    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, sign_in_thread, &ok[i]) != 0)
            return 0;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return ok[0] && ok[1];
}

static int with_grandchild(void)
{
    pid_t other = fork();

    if (other == 0) {
        alarm(PATIENCE);
        exit(sign_some(ROUNDS) ? 0 : 1);
    }
    /* Both sign at the same time. */
    return sign_some(ROUNDS) & wait_for(other);
}

/* Lets this process run on every processor. The parent may be pinned to one. There, a process in a
 * session of its own has been seen runnable but not running for ten seconds: Linux schedules
 * sessions as groups. */
static void leave_processor(void)
{
    cpu_set_t all;

    memset(&all, 0xff, sizeof(all));
    if (sched_setaffinity(0, sizeof(all), &all) != 0)
        die("cannot leave the parent's processor");
}

static void child(unsigned long number)
{
    alarm(PATIENCE);
    leave_processor();
    switch (number % 6) {
    case 0:
        exit(sign_some(ROUNDS) ? 0 : 1);
    case 1:
        _exit(sign_some(ROUNDS) ? 0 : 1);
    case 2:
        exit(with_grandchild() ? 0 : 1);
    case 3:
        _exit(daemonize() ? 0 : 1);
    case 4:
        exit(with_threads() ? 0 : 1);
    default:
        /* Ends without using anything it inherited. */
        exit(0);
    }
}

/* Starts programs in the ways that temporarily share memory with this process. */
static void start_programs(void)
{
    char *arguments[] = {(char *)"true", NULL}, *environment[] = {NULL};
    pid_t started;

    if (posix_spawn(&started, "/bin/true", NULL, NULL, arguments, environment) != 0
        || !wait_for(started))
        die("posix_spawn has failed");
    started = vfork();
    if (started == 0) {
        execve("/bin/true", arguments, environment);
        _exit(127);
    }
    if (!wait_for(started))
        die("vfork has failed");
    if (system("true") != 0)
        die("system has failed");
}

static unsigned long reap(void)
{
    int status;
    pid_t ended = wait(&status);

    if (ended < 0)
        die("a child is missing");
    return (unsigned long)ended_well(ended, status);
}

int main(int argc, char **argv)
{
    unsigned long forks, threads, running = 0, succeeded = 0;
    pthread_t *signers;

    if (argc != 4 && argc != 5)
        die("usage: fork_storm KEY FORKS THREADS [jobs]");
    in_jobs = argc == 5;
    alarm(3 * PATIENCE);
    forks = strtoul(argv[2], NULL, 10);
    threads = strtoul(argv[3], NULL, 10);
    signers = calloc(threads, sizeof(*signers));
    key = load_key(argv[1]);
    warm_up();
    if (signers == NULL || pthread_barrier_init(&ready, NULL, threads + 1) != 0)
        die("no memory");
    for (unsigned long i = 0; i < threads; i++)
        if (pthread_create(&signers[i], NULL, keep_signing, NULL) != 0)
            die("cannot start a thread");
    pthread_barrier_wait(&ready);
    for (unsigned long i = 0; i < forks; i++) {
        pid_t forked = fork();

        if (forked < 0)
            die("cannot fork");
        if (forked == 0)
            child(i);
        if (++running >= CROWD) {
            succeeded += reap();
            running--;
        }
        if (i % 20 == 10) {
            for (; running > 0; running--)
                succeeded += reap();
            start_programs();
        }
    }
    for (; running > 0; running--)
        succeeded += reap();
    atomic_store(&stop, 1);
    for (unsigned long i = 0; i < threads; i++)
        pthread_join(signers[i], NULL);
    if (atomic_load(&signed_by_threads) == 0 || !sign_some(1))
        die("the parent did not go on signing");
    printf("%lu\n", succeeded);
    free(signers);
    EVP_PKEY_free(key);
    return 0;
}
