/* engine_commands MODULE KEY ROUNDS: commands that change a setting while other threads load keys
 * take effect for the next key that is loaded. */
#include "engine_common.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define THREADS 2

static ENGINE *engine;
static atomic_int done;
/* Loads by the other threads. */
static atomic_ulong begun, ended;

static void *load_again_and_again(void *reference)
{
    while (!atomic_load(&done)) {
        atomic_fetch_add(&begun, 1);
        EVP_PKEY_free(ENGINE_load_private_key(engine, reference, NULL, NULL));
        ERR_clear_error();
        atomic_fetch_add(&ended, 1);
    }
    return NULL;
}

static void set(const char *timeout)
{
    CHECK(ENGINE_ctrl_cmd_string(engine, "TIMEOUT", timeout, 0) == 1);
}

/* Waits until the other threads have started, or finished, this many loads. */
static void wait_for(atomic_ulong *loads, unsigned long more)
{
    const unsigned long before = atomic_load(loads);

    while (atomic_load(loads) < before + more)
        sched_yield();
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    unsigned long rounds;

    if (argc != 4)
        die("usage: engine_commands MODULE KEY ROUNDS");
    engine = load_engine(argv[1]);
    rounds = strtoul(argv[3], NULL, 10);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, load_again_and_again, argv[2]) == 0);
    for (unsigned long i = 0; i < rounds; i++) {
        /* A load with the first settings is in progress while the second ones are set. */
        set("10s");
        wait_for(&begun, 1);
        set("soon");
        wait_for(&ended, THREADS);
        if (ENGINE_load_private_key(engine, argv[2], NULL, NULL) != NULL)
            die("the last command is lost");
        expect_error("timeout");
    }
    set("10s");
    EVP_PKEY_free(load_key(engine, argv[2]));
    atomic_store(&done, 1);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    unload_engine(engine);
    return 0;
}
