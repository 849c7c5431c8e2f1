/* Tells valgrind which memory is the stack of an ASYNC job. Without that it takes a switch to a stack
 * nearby for the end of many frames, and everything in between for freed. */
#ifndef AKV_TESTS_JOB_VALGRIND_H
#define AKV_TESTS_JOB_VALGRIND_H

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>

/* The size that libcrypto gives all of them. */
#define JOB_STACK 32768
#define MOST_STACKS 4096

static pthread_mutex_t stacks_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    void *memory;
    unsigned id;
} registered[MOST_STACKS];
/* All places from here on have never been used. */
static int unused;

static inline void forget_stack(void *memory)
{
    pthread_mutex_lock(&stacks_lock);
    for (int i = 0; memory != NULL && i < unused; i++)
        if (registered[i].memory == memory) {
            VALGRIND_STACK_DEREGISTER(registered[i].id);
            registered[i].memory = NULL;
            break;
        }
    pthread_mutex_unlock(&stacks_lock);
}

static void *allocate(size_t size, const char *file, int line)
{
    char *memory = malloc(size);

    (void)file;
    (void)line;
    if (memory == NULL || size != JOB_STACK)
        return memory;
    pthread_mutex_lock(&stacks_lock);
    for (int i = 0; i < MOST_STACKS; i++)
        if (registered[i].memory == NULL) {
            registered[i].memory = memory;
            unused = i < unused ? unused : i + 1;
            registered[i].id = VALGRIND_STACK_REGISTER(memory, memory + size);
            break;
        }
    pthread_mutex_unlock(&stacks_lock);
    return memory;
}

static void *reallocate(void *memory, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    forget_stack(memory);
    return realloc(memory, size);
}

static void release(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    forget_stack(memory);
    free(memory);
}

__attribute__((constructor)) static void register_job_stacks(void)
{
    if (RUNNING_ON_VALGRIND)
        CRYPTO_set_mem_functions(allocate, reallocate, release);
}
#endif
#endif

#endif
