/* descriptors KEY HOW FOLDER [limit]: tests the handling of file descriptors, with and without
 * threads.
 *   standard  the standard streams are closed: none of our descriptors takes their place, and all
 *             of ours are close-on-exec
 *   all       after a signature the program closes all descriptors, opens files, eventfds and
 *             epolls of its own under the same numbers, and signs again
 *   each      our descriptors are replaced one by one by each of these */
#include "common.h"
#include "restrict.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Copies of the program's own standard output and error. */
#define REPORT 200
#define MOST 199
#define NO_MORE 77

enum kind { PLAIN, EVENT, EPOLL, KINDS };

struct own {
    int number;
    enum kind kind;
    struct stat was;
};

static const char *folder;

static void fail(const char *what, int number)
{
    dprintf(REPORT, "%s (descriptor %d)\n", what, number);
    _exit(1);
}

static void sign(EVP_PKEY *key, unsigned long number)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t length = sizeof(signature);

    if (!sign_once(key, number, signature, &length)) {
        char text[1024];

        ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
        dprintf(REPORT, "%s\n", text);
        fail("cannot sign", -1);
    }
    if (!verify_once(key, number, signature, length))
        fail("the signature is wrong", -1);
}

/* Enough signatures in a row for this thread to drive the library's runtime itself. */
static void sign_series(EVP_PKEY *key)
{
    for (unsigned long number = 0; number < 16; number++)
        sign(key, number);
}

static int open_own(enum kind kind)
{
    static int count;
    char path[512];

    switch (kind) {
    case EVENT:
        return eventfd(0, EFD_NONBLOCK);
    case EPOLL:
        return epoll_create1(0);
    default:
        snprintf(path, sizeof(path), "%s/own-%d-%d", folder, (int)getpid(), count++);
        return open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    }
}

/* Checks that the file is unchanged: nobody wrote to it, closed it or waits for it. */
static void check(const struct own *own)
{
    struct stat now;
    struct epoll_event event;
    uint64_t counter;

    if (fstat(own->number, &now) != 0)
        fail("a file of the program's was closed", own->number);
    if (now.st_dev != own->was.st_dev || now.st_ino != own->was.st_ino)
        fail("a file of the program's was replaced", own->number);
    if (own->kind == PLAIN && (now.st_size != 0 || lseek(own->number, 0, SEEK_CUR) != 0))
        fail("a file of the program's was written to or read from", own->number);
    if (own->kind == EVENT && read(own->number, &counter, sizeof(counter)) >= 0)
        fail("an eventfd of the program's was written to", own->number);
    if (own->kind == EPOLL && epoll_wait(own->number, &event, 1, 0) != 0)
        fail("an epoll of the program's waits for something", own->number);
}

static struct own put(int number, enum kind kind)
{
    struct own own = {number, kind, {0}};
    int opened = open_own(kind);

    if (opened < 0 || (opened != number && (dup2(opened, number) < 0 || close(opened) != 0))
        || fstat(number, &own.was) != 0)
        fail("cannot open a file of the program's", number);
    return own;
}

/* The descriptors above 2 that do not belong to the program. */
static int ours(int *numbers)
{
    DIR *listing = opendir("/proc/self/fd");
    struct dirent *entry;
    int count = 0;

    if (listing == NULL)
        fail("no /proc/self/fd", -1);
    while ((entry = readdir(listing)) != NULL) {
        int number = atoi(entry->d_name);

        if (number > 2 && number < MOST && number != dirfd(listing))
            numbers[count++] = number;
    }
    closedir(listing);
    return count;
}

static atomic_int watching;

/* A placeholder in a free number must not be usable. */
static void *watch(void *argument)
{
    while (atomic_load(&watching))
        for (int number = 0; number < 3; number++) {
            int flags = fcntl(number, F_GETFL);

            if (flags >= 0 && !(flags & O_PATH))
                fail("a standard stream is taken", number);
        }
    return argument;
}

static void standard(EVP_PKEY *key, int may_start_threads)
{
    int numbers[MOST], count;
    pthread_t watcher;

    atomic_store(&watching, 1);
    if (may_start_threads && pthread_create(&watcher, NULL, watch, NULL) != 0)
        fail("cannot start a thread", -1);
    for (unsigned long i = 0; i < 4; i++)
        sign(key, i);
    atomic_store(&watching, 0);
    if (may_start_threads)
        pthread_join(watcher, NULL);
    for (int number = 0; number < 3; number++)
        if (fcntl(number, F_GETFD) != -1)
            fail("a standard stream is taken", number);
    /* The listing itself uses the first free number. */
    count = ours(numbers);
    if (count < 4)
        fail("where are the connection and the event loop?", count);
    for (int i = 0; i < count; i++)
        if (!(fcntl(numbers[i], F_GETFD) & FD_CLOEXEC))
            fail("not close-on-exec", numbers[i]);
}

static void all(EVP_PKEY *key)
{
    struct own own[40];

    sign(key, 0);
    for (unsigned long round = 1; round <= 6; round++) {
        pid_t child;
        int status;

        for (int number = 3; number <= MOST; number++)
            close(number);
        for (int i = 0; i < 40; i++)
            own[i] = put(3 + i, (enum kind)((i + round) % KINDS));
        sign(key, round);
        if (round % 2 == 0)
            sign_series(key);
        child = fork();
        if (child == 0) {
            sign(key, round);
            for (int i = 0; i < 40; i++)
                check(&own[i]);
            _exit(0);
        }
        if (child < 0 ? errno != EAGAIN
                      : waitpid(child, &status, 0) != child || status != 0)
            fail("the child failed", -1);
        for (int i = 0; i < 40; i++)
            check(&own[i]);
    }
}

/* In a child: replaces our descriptor at this position, if there is one. */
static void replace(EVP_PKEY *key, int place, enum kind kind, int limited, int in_series)
{
    int numbers[MOST];
    struct own own;

    if (limited && !forbid_threads("limit"))
        fail("threads are not forbidden", -1);
    if (in_series)
        sign_series(key);
    else
        sign(key, 0);
    if (place >= ours(numbers))
        _exit(NO_MORE);
    own = put(numbers[place], kind);
    sign(key, 1);
    sign(key, 2);
    check(&own);
    _exit(0);
}

static void each(EVP_PKEY *key, int limited, int in_series)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++)
        for (int place = 0;; place++) {
            int status = -1;
            pid_t child = fork();

            if (child == 0)
                replace(key, place, kind, limited, in_series);
            if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
                fail("the child failed", place);
            if (WEXITSTATUS(status) == NO_MORE && place > 4)
                break;
            if (status != 0)
                fail("the child failed", place);
        }
}

int main(int argc, char **argv)
{
    EVP_PKEY *key;
    int limited = argc == 5;

    if (argc != 4 && !limited)
        die("usage: descriptors KEY standard|all|each FOLDER [limit]");
    alarm(120);
    folder = argv[3];
    /* Descriptors that the parent left open are not tested. */
    for (int number = 3; number < 1024; number++)
        close(number);
    if (dup3(2, REPORT, O_CLOEXEC) < 0)
        die("no place to report to");
    if (strcmp(argv[2], "standard") == 0)
        for (int number = 0; number < 3; number++)
            close(number);
    key = load_key(argv[1]);
    if (strcmp(argv[2], "each") == 0)
        for (int in_series = 0; in_series < 2; in_series++)
            each(key, limited, in_series);
    else if (limited && !forbid_threads("limit"))
        fail("threads are not forbidden", -1);
    if (strcmp(argv[2], "standard") == 0)
        standard(key, !limited);
    if (strcmp(argv[2], "all") == 0)
        all(key);
    EVP_PKEY_free(key);
    return 0;
}
