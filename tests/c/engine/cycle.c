/* engine_cycle MODULE KEY LOADS CYCLES: LOADS times, loads the module, then CYCLES times loads the
 * key, signs with it and frees it, then unloads the module. Before the first key there is only the
 * main thread. Prints resident memory in KiB after a tenth of the loads and at the end. */
#include "engine_common.h"

#include <dirent.h>
#include <unistd.h>

static int threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    int count = 0;

    CHECK(folder != NULL);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 2;
}

/* Open sockets: the connections, and any sockets of the runtime itself. */
static int sockets(void)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    int count = 0;

    CHECK(folder != NULL);
    while ((entry = readdir(folder)) != NULL) {
        char target[64];

        count += readlinkat(dirfd(folder), entry->d_name, target, sizeof(target)) > 7
            && memcmp(target, "socket:", 7) == 0;
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    unsigned long loads, cycles, done = 0;
    long before = -1;

    if (argc != 5)
        die("usage: engine_cycle MODULE KEY LOADS CYCLES");
    loads = strtoul(argv[3], NULL, 10);
    cycles = strtoul(argv[4], NULL, 10);
    for (unsigned long load = 0; load < loads; load++) {
        ENGINE *engine = load_engine(argv[1]);

        CHECK(load > 0 || threads() == 1);
        for (unsigned long cycle = 0; cycle < cycles; cycle++) {
            EVP_PKEY *key = load_key(engine, argv[2]);

            CHECK(sign_and_verify(key, cycle));
            EVP_PKEY_free(key);
            if (++done == (loads * cycles + 9) / 10)
                before = resident_kib();
        }
        unload_engine(engine);
    }
    QUIET();
    /* The runtime closes connections of a freed engine shortly afterwards. */
    for (int i = 0; sockets() > 2; i++) {
        CHECK(i < 3000);
        usleep(10000);
    }
    printf("%ld %ld\n", before, resident_kib());
    return 0;
}
