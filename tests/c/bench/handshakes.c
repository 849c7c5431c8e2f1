/* handshakes -k KEY -c CERTIFICATE [-a] [OPTION]…: TLS handshakes of a server with one thread and an
 * event loop; -a serves them in ASYNC jobs. Its clients are on another thread.
 *
 * handshakes -p PORT [-r] [-q] [OPTION]…: the clients only, of another server; -r resumes a session,
 * -q sends a request over HTTP after each handshake.
 *
 * -n CLIENTS are connected at any time; -w SECONDS warm up, and -s SECONDS are measured. With
 * -m SECONDS another client takes the place of one that waits for longer.
 *
 * Prints what the clients have seen, as JSON. Failures are early before those SECONDS have passed. */
#include "ends.h"

#include <pthread.h>
#include <signal.h>

static struct sockaddr_in local(unsigned short port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void *serve(void *side)
{
    loop(side, now() + 3600);
    return NULL;
}

/* Starts the server on a thread of its own, and returns its address. */
static struct sockaddr_in start_server(const char *key, const char *certificate, int is_async)
{
    static struct side server;
    struct sockaddr_in address = local(0);
    socklen_t length = sizeof(address);
    pthread_t thread;

    server.context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_session_cache_mode(server.context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(server.context, 0);
    if (SSL_CTX_use_certificate_chain_file(server.context, certificate) != 1
        || SSL_CTX_use_PrivateKey(server.context, load_key(key)) != 1)
        die("no server");
    if (is_async)
        SSL_CTX_set_mode(server.context, SSL_MODE_ASYNC);
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server.listener < 0 || bind(server.listener, (struct sockaddr *)&address, length) != 0
        || listen(server.listener, 4096) != 0
        || getsockname(server.listener, (struct sockaddr *)&address, &length) != 0)
        die("no listener");
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(&server, server.listener, NULL);
    if (pthread_create(&thread, NULL, serve, &server) != 0)
        die("no thread");
    return address;
}

static SSL_CTX *client_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    /* The cheapest group, so that the key is what is measured. */
    if (context == NULL || SSL_CTX_set1_groups_list(context, "X25519") != 1)
        die("no client");
    return context;
}

/* A session to resume, from a connection of its own. In TLS 1.3 it follows the handshake. */
static SSL_SESSION *new_session(const struct side *side)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int socket = connect_to(&side->clients->address, 0);
    SSL *ssl = SSL_new(side->context);
    SSL_SESSION *session;
    char answer[512];

    SSL_set_fd(ssl, socket);
    if (SSL_connect(ssl) != 1 || SSL_write(ssl, request, sizeof(request) - 1) < 1
        || SSL_read(ssl, answer, sizeof(answer)) < 1)
        die("no session");
    session = SSL_get1_session(ssl);
    if (session == NULL || !SSL_SESSION_is_resumable(session))
        die("the session cannot be resumed");
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl);
    close(socket);
    return session;
}

static void measure(struct side *side, double warm_up, double seconds)
{
    struct clients *clients = side->clients;

    loop(side, now() + warm_up);
    clients->done = clients->resumed = clients->failed = clients->failed_early = 0;
    clients->durations.count = 0;
    loop(side, now() + seconds);
    sort_durations(&clients->durations);
    printf("{\"per_second\": %.2f, \"done\": %lu, \"resumed\": %lu, \"failed\": %lu, "
           "\"failed_early\": %lu, \"min_ms\": %.3f, \"p50_ms\": %.3f, \"p99_ms\": %.3f}\n",
           (double)clients->done / seconds, clients->done, clients->resumed, clients->failed,
           clients->failed_early, quantile_ms(&clients->durations, 0),
           quantile_ms(&clients->durations, 0.5), quantile_ms(&clients->durations, 0.99));
    fflush(stdout);
    _exit(0);
}

int main(int argc, char **argv)
{
    struct clients clients = {0};
    struct side side = {.listener = -1, .clients = &clients};
    const char *key = NULL, *certificate = NULL;
    double warm_up = 1, seconds = 4;
    int option, count = 64, is_async = 0, resumes = 0;

    while ((option = getopt(argc, argv, "k:c:ap:rqn:w:s:m:")) != -1) {
        switch (option) {
        case 'k': key = optarg; break;
        case 'c': certificate = optarg; break;
        case 'a': is_async = 1; break;
        case 'p': clients.address = local((unsigned short)atoi(optarg)); break;
        case 'r': resumes = 1; break;
        case 'q': clients.requests = 1; break;
        case 'n': count = atoi(optarg); break;
        case 'w': warm_up = atof(optarg); break;
        case 's': seconds = atof(optarg); break;
        case 'm': clients.patience = atof(optarg); break;
        default: die("see the first lines of handshakes.c");
        }
    }
    if (key != NULL && certificate != NULL)
        clients.address = start_server(key, certificate, is_async);
    if (clients.address.sin_port == 0)
        die("neither the key and the certificate of a server, nor the port of another one");
    signal(SIGPIPE, SIG_IGN);
    side.context = client_context();
    side.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (resumes)
        clients.session = new_session(&side);
    while (count-- > 0)
        connect_one(&side);
    measure(&side, warm_up, seconds);
    return 0;
}
