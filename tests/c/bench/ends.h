/* The ends of TLS connections in an event loop (epoll), of a server or of its clients. */
#ifndef AKV_BENCH_ENDS_H
#define AKV_BENCH_ENDS_H

#include "clock.h"
#include "common.h"
#include "durations.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/async.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256

/* One end of a connection. */
struct end {
    SSL *ssl;
    int socket;
    /* The descriptor of its paused job, in the server's epoll. */
    int job;
    /* Whether it has sent its request. */
    int has_sent;
    double started;
    /* The clients that are not late, the oldest first. */
    struct end *older, *younger;
    int is_late;
    /* Closed ends are freed after the current events, which may name them twice. */
    struct end *next_closed;
};

/* What clients do and have seen. */
struct clients {
    struct sockaddr_in address;
    /* Sends a request over HTTP, and waits for the response. */
    int requests;
    /* Resumes this session. */
    SSL_SESSION *session;
    /* Another client takes the place of one that waits for more than these seconds, if any. */
    double patience;
    struct end *oldest, *youngest;
    struct durations durations;
    /* Of those that failed, some were not late. */
    unsigned long done, resumed, failed, failed_early;
};

struct side {
    SSL_CTX *context;
    int epoll;
    int listener;
    /* NULL for the server. */
    struct clients *clients;
    struct end *closed;
    int has_failed;
};

static void watch(struct side *side, int descriptor, struct end *end)
{
    struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLET, {.ptr = end}};

    if (epoll_ctl(side->epoll, EPOLL_CTL_ADD, descriptor, &event) != 0)
        die("epoll_ctl");
}

static struct end *open_end(struct side *side, int socket)
{
    struct end *end = calloc(1, sizeof(*end));

    if (end == NULL || (end->ssl = SSL_new(side->context)) == NULL)
        die("no connection");
    end->socket = socket;
    end->job = -1;
    SSL_set_fd(end->ssl, socket);
    if (side->clients == NULL)
        SSL_set_accept_state(end->ssl);
    else
        SSL_set_connect_state(end->ssl);
    watch(side, socket, end);
    return end;
}

static int connect_to(const struct sockaddr_in *address, int flags)
{
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

    if (client < 0
        || (connect(client, (const struct sockaddr *)address, sizeof(*address)) != 0
            && errno != EINPROGRESS))
        die("cannot connect");
    return client;
}

static void connect_one(struct side *side)
{
    struct clients *clients = side->clients;
    double started = now();
    struct end *end = open_end(side, connect_to(&clients->address, SOCK_NONBLOCK));

    end->started = started;
    end->older = clients->youngest;
    *(end->older != NULL ? &end->older->younger : &clients->oldest) = end;
    clients->youngest = end;
    if (clients->session != NULL)
        SSL_set_session(end->ssl, clients->session);
}

/* Takes a client out of the list of those that are not late. */
static void leave(struct clients *clients, struct end *end)
{
    *(end->older != NULL ? &end->older->younger : &clients->oldest) = end->younger;
    *(end->younger != NULL ? &end->younger->older : &clients->youngest) = end->older;
}

static void close_end(struct side *side, struct end *end)
{
    SSL_free(end->ssl);
    close(end->socket);
    end->ssl = NULL;
    end->next_closed = side->closed;
    side->closed = end;
    if (side->clients == NULL || end->is_late)
        return;
    leave(side->clients, end);
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

/* Clients that wait for too long stay, but others take their places. */
static void replace_late(struct side *side)
{
    struct clients *clients = side->clients;
    struct end *end;

    if (clients == NULL || clients->patience <= 0)
        return;
    while ((end = clients->oldest) != NULL && now() - end->started > clients->patience) {
        leave(clients, end);
        end->is_late = 1;
        connect_one(side);
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

/* Sends the request of a client whose handshake is done, once. Returns whether the response has begun. */
static int has_response(struct end *end)
{
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char response[512];

    if (!end->has_sent && SSL_write(end->ssl, request, sizeof(request) - 1) < 1)
        die("the request cannot be sent");
    end->has_sent = 1;
    if (SSL_read(end->ssl, response, sizeof(response)) < 12)
        return 0;
    if (memcmp(response, "HTTP/1.1 200", 12) != 0)
        die("the response is not 200");
    return 1;
}

/* Closes an end whose handshake is done. */
static void finish(struct side *side, struct end *end)
{
    struct clients *clients = side->clients;

    if (clients != NULL) {
        if (clients->requests && !has_response(end))
            return;
        clients->done++;
        clients->resumed += SSL_session_reused(end->ssl) != 0;
        add_duration(&clients->durations, now() - end->started);
    }
    /* Without an alert. The session can still be resumed. */
    SSL_set_shutdown(end->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    close_end(side, end);
}

static void advance(struct side *side, struct end *end)
{
    int result, reason;

    if (end->ssl == NULL)
        return;
    ERR_clear_error();
    result = SSL_do_handshake(end->ssl);
    if (result == 1) {
        finish(side, end);
        return;
    }
    reason = SSL_get_error(end->ssl, result);
    if (reason == SSL_ERROR_WANT_ASYNC) {
        watch_job(side, end);
    } else if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE
               && reason != SSL_ERROR_WANT_ASYNC_JOB) {
        if (!side->has_failed) {
            side->has_failed = 1;
            fprintf(stderr, "the first failure at the %s:\n",
                    side->clients == NULL ? "server" : "client");
            ERR_print_errors_fp(stderr);
        }
        if (side->clients != NULL) {
            side->clients->failed++;
            side->clients->failed_early += !end->is_late;
        }
        close_end(side, end);
    }
}

static void loop(struct side *side, double until)
{
    struct epoll_event events[EVENTS];

    while (now() < until) {
        int count = epoll_wait(side->epoll, events, EVENTS, 20);

        for (int i = 0; i < count; i++) {
            int socket;

            if (events[i].data.ptr != NULL) {
                advance(side, events[i].data.ptr);
                continue;
            }
            while ((socket = accept4(side->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC))
                   >= 0)
                open_end(side, socket);
        }
        free_closed(side);
        replace_late(side);
    }
}

#endif
