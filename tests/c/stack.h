/* Runs functions on a stack that was filled with a pattern, and measures how much of it they use.
 */
#ifndef AKV_TESTS_STACK_H
#define AKV_TESTS_STACK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

/* An OpenSSL ASYNC job has 32 KiB; a larger stack also measures functions that use more. */
#define STACK_ROOM (1024 * 1024)
#define STACK_PAINT 0x5a

static unsigned char *stack_memory;
static ucontext_t stack_caller, stack_callee;
static int (*stack_function)(void *);
static void *stack_argument;
static int stack_result;

static void stack_entry(void)
{
    stack_result = stack_function(stack_argument);
}

/* Calls a function on the painted stack and returns its result. `used` is raised to the number of
 * bytes of stack that the function used, if that is more. */
static inline int on_painted_stack(int (*function)(void *), void *argument, size_t *used)
{
    size_t untouched = 0;

    if (stack_memory == NULL)
        stack_memory = malloc(STACK_ROOM);
    if (stack_memory == NULL || getcontext(&stack_callee) != 0) {
        fprintf(stderr, "no stack\n");
        exit(1);
    }
    memset(stack_memory, STACK_PAINT, STACK_ROOM);
    stack_callee.uc_stack.ss_sp = stack_memory;
    stack_callee.uc_stack.ss_size = STACK_ROOM;
    stack_callee.uc_link = &stack_caller;
    stack_function = function;
    stack_argument = argument;
    makecontext(&stack_callee, stack_entry, 0);
    swapcontext(&stack_caller, &stack_callee);
    while (untouched < STACK_ROOM && stack_memory[untouched] == STACK_PAINT)
        untouched++;
    if (STACK_ROOM - untouched > *used)
        *used = STACK_ROOM - untouched;
    return stack_result;
}

#endif
