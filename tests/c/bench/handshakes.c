/* handshakes KEY CERTIFICATE CLIENTS SECONDS async|blocking: TLS handshakes of a server with one
 * thread and an event loop (epoll). Prints the completed handshakes per second. CLIENTS connections
 * are open at any time; their other ends are on a thread of their own.
 *
 * handshakes connect PORT CLIENTS SECONDS: the clients only, of another server. */
#include "common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/async.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 256

/* One end of a connection. */
struct end {
    SSL *ssl;
    int socket;
    /* The descriptor of its paused job, in the server's epoll. */
    int job;
    /* Closed ends are freed after the current events, which may name them twice. */
    struct end *next_closed;
};

struct side {
    SSL_CTX *context;
    int epoll;
    int is_server;
    /* The server is another program, which sends nothing after the handshake. */
    int is_alone;
    struct sockaddr_in address;
    struct end *closed;
    unsigned long done;
};

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void watch(struct side *side, int descriptor, struct end *end)
{
    struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLET, {.ptr = end}};

    if (epoll_ctl(side->epoll, EPOLL_CTL_ADD, descriptor, &event) != 0)
        die("epoll_ctl");
}

static void open_end(struct side *side, int socket)
{
    struct end *end = calloc(1, sizeof(*end));

    if (end == NULL || (end->ssl = SSL_new(side->context)) == NULL)
        die("no connection");
    end->socket = socket;
    end->job = -1;
    SSL_set_fd(end->ssl, socket);
    if (side->is_server)
        SSL_set_accept_state(end->ssl);
    else
        SSL_set_connect_state(end->ssl);
    watch(side, socket, end);
}

static void connect_one(struct side *side)
{
    int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (client < 0
        || (connect(client, (struct sockaddr *)&side->address, sizeof(side->address)) != 0
            && errno != EINPROGRESS))
        die("cannot connect");
    open_end(side, client);
}

static void close_end(struct side *side, struct end *end)
{
    /* Closing a descriptor removes it from the epoll. */
    SSL_free(end->ssl);
    close(end->socket);
    end->ssl = NULL;
    end->next_closed = side->closed;
    side->closed = end;
    if (!side->is_server)
        connect_one(side);
}

static void free_closed(struct side *side)
{
    while (side->closed != NULL) {
        struct end *end = side->closed;

        side->closed = end->next_closed;
        free(end);
    }
}

/* The descriptor of the job stays the same as long as the connection lives. */
static void watch_job(struct side *side, struct end *end)
{
    OSSL_ASYNC_FD job = -1;
    size_t count = 0;

    if (end->job >= 0)
        return;
    if (SSL_get_all_async_fds(end->ssl, NULL, &count) != 1 || count != 1
        || SSL_get_all_async_fds(end->ssl, &job, &count) != 1)
        die("no descriptor of the job");
    watch(side, job, end);
    end->job = job;
}

static void advance(struct side *side, struct end *end)
{
    unsigned char byte = 0;
    int result, reason;

    if (end->ssl == NULL)
        return;
    result = SSL_do_handshake(end->ssl);
    if (result == 1) {
        /* The client closes after the server's first byte, the server when the client is gone. */
        if (side->is_server && SSL_write(end->ssl, "k", 1) == 1) {
            side->done++;
            SSL_shutdown(end->ssl);
            close_end(side, end);
        } else if (side->is_alone) {
            side->done++;
            close_end(side, end);
        } else if (!side->is_server && SSL_read(end->ssl, &byte, 1) == 1) {
            close_end(side, end);
        }
        return;
    }
    reason = SSL_get_error(end->ssl, result);
    if (reason == SSL_ERROR_WANT_ASYNC)
        watch_job(side, end);
    else if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE
             && reason != SSL_ERROR_WANT_ASYNC_JOB) {
        if (side->is_server)
            die("a handshake failed");
        close_end(side, end);
    }
}

static void loop(struct side *side, int listener, double until)
{
    struct epoll_event events[EVENTS];

    while (now() < until) {
        int count = epoll_wait(side->epoll, events, EVENTS, 50);

        for (int i = 0; i < count; i++) {
            int socket;

            if (events[i].data.ptr != NULL) {
                advance(side, events[i].data.ptr);
                continue;
            }
            while ((socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
                open_end(side, socket);
        }
        free_closed(side);
    }
}

static void *clients(void *side)
{
    loop(side, -1, now() + 3600);
    return NULL;
}

static SSL_CTX *client_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    /* The cheapest group, so that the key is what is measured. */
    if (context == NULL || SSL_CTX_set1_groups_list(context, "X25519") != 1)
        die("no client");
    return context;
}

/* Runs one side, and prints its rate. The first second warms up. */
static void measure(struct side *side, int listener, double seconds)
{
    unsigned long before;

    loop(side, listener, now() + 1);
    before = side->done;
    loop(side, listener, now() + seconds);
    printf("%.1f\n", (double)(side->done - before) / seconds);
    fflush(stdout);
    _exit(0);
}

static void connect_only(char **argv)
{
    struct side client = {.is_alone = 1};

    client.context = client_context();
    client.epoll = epoll_create1(EPOLL_CLOEXEC);
    client.address.sin_family = AF_INET;
    client.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client.address.sin_port = htons((uint16_t)atoi(argv[2]));
    for (int i = atoi(argv[3]); i > 0; i--)
        connect_one(&client);
    measure(&client, -1, atof(argv[4]));
}

int main(int argc, char **argv)
{
    struct side server = {.is_server = 1}, client = {.is_server = 0};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof(server.address);
    pthread_t thread;
    EVP_PKEY *key;

    if (argc == 5 && strcmp(argv[1], "connect") == 0)
        connect_only(argv);
    if (argc != 6)
        die("usage: handshakes KEY CERTIFICATE CLIENTS SECONDS async|blocking");
    key = load_key(argv[1]);
    server.context = SSL_CTX_new(TLS_server_method());
    client.context = client_context();
    SSL_CTX_set_session_cache_mode(server.context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(server.context, 0);
    if (SSL_CTX_use_certificate_chain_file(server.context, argv[2]) != 1
        || SSL_CTX_use_PrivateKey(server.context, key) != 1)
        die("no server");
    if (strcmp(argv[5], "async") == 0)
        SSL_CTX_set_mode(server.context, SSL_MODE_ASYNC);
    server.address.sin_family = AF_INET;
    server.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (struct sockaddr *)&server.address, length) != 0
        || listen(listener, 4096) != 0
        || getsockname(listener, (struct sockaddr *)&server.address, &length) != 0)
        die("no listener");
    client.address = server.address;
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    client.epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(&server, listener, NULL);
    for (int i = atoi(argv[3]); i > 0; i--)
        connect_one(&client);
    if (pthread_create(&thread, NULL, clients, &client) != 0)
        die("no thread");
    measure(&server, listener, atof(argv[4]));
    return 0;
}
