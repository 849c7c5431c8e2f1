/* Ways in which hosts forbid themselves threads. */
#ifndef AKV_TESTS_RESTRICT_H
#define AKV_TESTS_RESTRICT_H

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534

static inline void *start_nothing(void *argument)
{
    return argument;
}

/* Like HAProxy and Dovecot. The limit does not apply to root. */
static inline int forbid_by_limit(void)
{
    const struct rlimit none = {0, 0};

    return setrlimit(RLIMIT_NPROC, &none) == 0
        && (geteuid() != 0
            || (setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0));
}

/* Like a sandbox, for all threads of the process. */
static inline int forbid_by_filter(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone3, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        && syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program)
            == 0;
}

/* Forbids threads by "limit" or "filter", and verifies it. Returns 1 on success. */
static inline int forbid_threads(const char *how)
{
    pthread_t thread;
    int done = strcmp(how, "filter") == 0 ? forbid_by_filter() : forbid_by_limit();

    return done && pthread_create(&thread, NULL, start_nothing, NULL) != 0;
}

#endif
