/* Signs with libakv in the shape of the SSL_PRIVATE_KEY_METHOD of BoringSSL and AWS-LC (and of gRPC's
 * private-key offload): `sign` starts and asks to be called again, `complete` gives the result or asks
 * once more. An event loop with poll() drives as many connections as there are arguments, on one thread.
 *
 *     private_key_method KEY ALGORITHM DIGEST-IN-HEX [DIGEST-IN-HEX ...]
 *
 * KEY is a reference such as vault:myVault:myKey, ALGORITHM a name such as ES256. Prints one signature
 * in hexadecimal digits for each digest. */
#include <akv.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As ssl_private_key_result_t. */
enum result { SUCCESS, RETRY, FAILURE };

/* What a server keeps for each connection (SSL_set_ex_data). */
struct connection {
    const AkvKey *key;
    const char *algorithm;
    AkvPending *pending;
    int fd;
};

/* SSL_PRIVATE_KEY_METHOD::sign. Its caller then returns SSL_ERROR_WANT_PRIVATE_KEY_OPERATION. */
static enum result sign(struct connection *connection, const uint8_t *digest, size_t digest_len)
{
    if (akv_sign_start(connection->key, connection->algorithm, digest, digest_len,
                       &connection->pending) != AKV_CODE_OK
        || akv_pending_fd(connection->pending, &connection->fd) != AKV_CODE_OK)
        return FAILURE;
    return RETRY;
}

/* SSL_PRIVATE_KEY_METHOD::complete. ECDSA signatures still have to become DER: akv_ecdsa_der(). */
static enum result complete(struct connection *connection, uint8_t *out, size_t *len)
{
    int code = akv_pending_wait(connection->pending, 0);

    if (code == AKV_CODE_TIMEOUT)
        return RETRY;
    if (code == AKV_CODE_OK)
        code = akv_pending_finish(connection->pending, out, len);
    akv_pending_cancel(connection->pending);
    connection->pending = NULL;
    connection->fd = -1;
    return code == AKV_CODE_OK ? SUCCESS : FAILURE;
}

/* Call this when a connection is closed: it cancels an operation in flight. */
static void close_connection(struct connection *connection)
{
    akv_pending_cancel(connection->pending);
    connection->pending = NULL;
}

static size_t from_hex(const char *text, uint8_t *bytes, size_t room)
{
    size_t count = 0;

    while (count < room && sscanf(text + 2 * count, "%2hhx", &bytes[count]) == 1)
        count++;
    return count;
}

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, akv_last_error());
    return 1;
}

int main(int argc, char **argv)
{
    AkvClient *client = NULL;
    AkvKey *key = NULL;
    int count = argc - 3, open = count, status = 0;
    struct connection *connections;
    struct pollfd *events;

    if (argc < 4) {
        fprintf(stderr, "usage: private_key_method KEY ALGORITHM DIGEST-IN-HEX ...\n");
        return 1;
    }
    if (akv_client_new(NULL, &client) != AKV_CODE_OK
        || akv_key_open(client, argv[1], &key) != AKV_CODE_OK)
        return fail(argv[1]);
    connections = calloc((size_t)count, sizeof(*connections));
    events = calloc((size_t)count, sizeof(*events));
    for (int i = 0; i < count; i++) {
        uint8_t digest[64];
        size_t digest_len = from_hex(argv[3 + i], digest, sizeof(digest));

        connections[i] = (struct connection){key, argv[2], NULL, -1};
        if (sign(&connections[i], digest, digest_len) != RETRY)
            return fail("sign");
        events[i] = (struct pollfd){connections[i].fd, POLLIN, 0};
    }
    while (open > 0 && poll(events, (nfds_t)count, -1) > 0) {
        for (int i = 0; i < count; i++) {
            uint8_t signature[512];
            size_t len = sizeof(signature);
            enum result result;

            if (events[i].revents == 0)
                continue;
            result = complete(&connections[i], signature, &len);
            if (result == RETRY)
                continue;
            /* A negative descriptor is not polled. */
            events[i].fd = -1;
            open--;
            if (result == FAILURE) {
                status = fail(argv[3 + i]);
                continue;
            }
            printf("%d ", i);
            for (size_t byte = 0; byte < len; byte++)
                printf("%02x", signature[byte]);
            printf("\n");
        }
    }
    for (int i = 0; i < count; i++)
        close_connection(&connections[i]);
    free(connections);
    free(events);
    akv_key_free(key);
    akv_client_free(client);
    return status;
}
