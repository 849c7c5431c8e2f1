/* Searches for secrets in all writable memory of the process: heaps, data, the stacks of all
 * threads. Does not use OpenSSL. */
#ifndef AKV_TESTS_RESIDUE_H
#define AKV_TESTS_RESIDUE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Parts of secrets are passed masked, so that this program does not find its own copies of them. */
#define NEEDLE_LEN 20
#define NEEDLE_MASK 0x5a
#define NEEDLES_MAX 512
/* How long threads have to close unused connections, in milliseconds. */
#define RESIDUE_PATIENCE 10000

static unsigned char needles[NEEDLES_MAX][NEEDLE_LEN];
static size_t needle_count;
/* The first bytes of the needles. */
static unsigned char begins[256];

static inline void residue_fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(2);
}

/* Reads the masked parts of the secrets. */
static inline void residue_load(const char *file)
{
    FILE *in = fopen(file, "rb");

    if (in == NULL)
        residue_fail(file);
    needle_count = fread(needles, NEEDLE_LEN, NEEDLES_MAX, in);
    fclose(in);
    if (needle_count == 0 || needle_count == NEEDLES_MAX)
        residue_fail("the number of needles");
    for (size_t n = 0; n < needle_count; n++)
        begins[needles[n][0] ^ NEEDLE_MASK] = 1;
}

/* The number of needles in a piece of memory; prints each. */
static inline int residue_in_piece(const unsigned char *piece, size_t len, uintptr_t address,
                                   const char *where, int tell)
{
    int found = 0;

    for (size_t i = 0; i + NEEDLE_LEN <= len; i++) {
        for (size_t n = 0; n < needle_count && begins[piece[i]]; n++) {
            size_t same = 0;

            while (same < NEEDLE_LEN && (piece[i + same] ^ NEEDLE_MASK) == needles[n][same])
                same++;
            if (same == NEEDLE_LEN) {
                found++;
                if (tell)
                    printf("needle %zu at %#lx in %s", n, (unsigned long)(address + i), where);
            }
        }
    }
    return found;
}

/* The number of needles in writable memory. */
static inline int residue_count(int tell)
{
    enum { ROOM = 1 << 20 };
    unsigned char *room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int memory = open("/proc/self/mem", O_RDONLY), found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];

    if (room == MAP_FAILED || memory < 0 || maps == NULL)
        residue_fail("/proc/self");
    while (fgets(line, sizeof(line), maps) != NULL) {
        unsigned long start, end;
        char rights[5];

        if (sscanf(line, "%lx-%lx %4s", &start, &end, rights) != 3 || rights[1] != 'w')
            continue;
        while (start < end) {
            size_t len = end - start < ROOM ? end - start : ROOM;
            ssize_t got;

            /* Skip the copies made here. */
            if (start < (unsigned long)room + ROOM && start + len > (unsigned long)room) {
                if (start < (unsigned long)room) {
                    len = (unsigned long)room - start;
                } else {
                    start = (unsigned long)room + ROOM;
                    continue;
                }
            }
            got = pread(memory, room, len, (off_t)start);
            if (got <= 0)
                break;
            found += residue_in_piece(room, (size_t)got, start, line, tell);
            if ((size_t)got <= NEEDLE_LEN || start + (size_t)got >= end)
                break;
            start += (size_t)got - NEEDLE_LEN + 1;
        }
    }
    fclose(maps);
    close(memory);
    munmap(room, ROOM);
    return found;
}

/* Ends the process if a secret stays in memory. Threads get some time to close connections. */
static inline void residue_check(void)
{
    const struct timespec pause = { 0, 20 * 1000000 };

    for (int waited = 0; waited < RESIDUE_PATIENCE; waited += 20) {
        if (residue_count(0) == 0) {
            printf("clean\n");
            return;
        }
        nanosleep(&pause, NULL);
    }
    residue_count(1);
    exit(1);
}

/* Ends the process if a secret that must be in memory is not found. This checks the search itself.
 */
static inline void residue_works(void)
{
    unsigned char *copy = malloc(NEEDLE_LEN);

    if (copy == NULL)
        residue_fail("malloc");
    for (size_t i = 0; i < NEEDLE_LEN; i++)
        copy[i] = needles[0][i] ^ NEEDLE_MASK;
    if (residue_count(0) == 0)
        residue_fail("the search finds nothing");
    for (volatile unsigned char *byte = copy; byte < copy + NEEDLE_LEN; byte++)
        *byte = 0;
    free(copy);
}

#endif
