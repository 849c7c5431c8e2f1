/* A buffer of exactly the documented size, followed by guard bytes. Does not use OpenSSL. */
#ifndef AKV_TESTS_GUARD_H
#define AKV_TESTS_GUARD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than the longest result of the tests. */
#define GUARD_LEN 16384
#define GUARD_BYTE 0xa5

struct room {
    unsigned char *data;
    size_t size;
};

static inline struct room room_of(size_t size)
{
    struct room room = { malloc(size + GUARD_LEN), size };

    if (room.data == NULL)
        exit(2);
    memset(room.data, GUARD_BYTE, size + GUARD_LEN);
    return room;
}

/* Prints the result of an operation: `written` is negative if it was refused. Ends the process if
 * data was written past the buffer. */
static inline void close_room(struct room room, long written)
{
    for (size_t i = 0; i < GUARD_LEN; i++) {
        if (room.data[room.size + i] != GUARD_BYTE) {
            fprintf(stderr, "written %zu bytes behind a room of %zu\n", i + 1, room.size);
            exit(3);
        }
    }
    if (written > (long)room.size) {
        fprintf(stderr, "%ld bytes are announced in a room of %zu\n", written, room.size);
        exit(4);
    }
    if (written < 0)
        printf("refused\n");
    else
        printf("%ld\n", written);
    free(room.data);
}

#endif
