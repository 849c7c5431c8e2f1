/* Stacks of ASYNC jobs from the host (ASYNC_set_mem_functions, seen in OpenSSL 3.5), with a guard page
 * below each: a job that needs more than its stack ends the program. */
#ifndef AKV_TESTS_JOB_STACKS_H
#define AKV_TESTS_JOB_STACKS_H

#include "base.h"

#include <openssl/async.h>
#include <sys/mman.h>
#include <unistd.h>

#if OPENSSL_VERSION_NUMBER >= 0x30500000L
static int stacks_of_ours;

static inline void *take_stack(size_t *size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = 2 * page + *size;
    char *start = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (start == MAP_FAILED || mprotect(start + page, page, PROT_NONE) != 0)
        return NULL;
    memcpy(start, &whole, sizeof(whole));
    stacks_of_ours++;
    return start + 2 * page;
}

static inline void give_stack(void *stack)
{
    size_t whole;
    char *start = (char *)stack - 2 * (size_t)sysconf(_SC_PAGESIZE);

    memcpy(&whole, start, sizeof(whole));
    munmap(start, whole);
}

/* Before the first job. */
static inline void use_stacks_of_ours(void)
{
    if (ASYNC_set_mem_functions(take_stack, give_stack) != 1)
        die("the host's stacks are refused");
}

static inline void check_stacks_of_ours(void)
{
    if (stacks_of_ours == 0)
        die("no job has a stack of the host");
}
#else
static inline void use_stacks_of_ours(void)
{
}

static inline void check_stacks_of_ours(void)
{
}
#endif

#endif
