/* A TLS server on one thread whose private key stays in a vault, with the libssl of AWS-LC (BoringSSL
 * has the same functions). No handshake waits for the signature of another one.
 *
 *     aws_lc_server CERTIFICATES KEY PORT
 *
 * CERTIFICATES is a PEM file with the server's certificate first, KEY a reference such as
 * vault:myVault:myKey. With port 0 the system chooses one. Each client gets a line of text.
 * SIGTERM ends the server. A real server also limits the time of a handshake. */
#include <akv.h>

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CONNECTIONS 1024
/* RSA with 4096 bits. */
#define MAX_SIGNATURE 512

static const char greeting[] = "signed in the vault\n";

enum state { FREE, HANDSHAKE, GREETING, FAREWELL };

struct connection {
    enum state state;
    SSL *ssl;
    int socket;
    /* The operation in flight, and its descriptor. */
    AkvPending *pending;
    int pending_fd;
};

static struct connection connections[MAX_CONNECTIONS];
static AkvKey *key;
static int is_ec, events_fd, listener;
static volatile sig_atomic_t stopping;

/* The private key */

/* What a TLS signature algorithm is called in the vault. */
static const char *vault_algorithm(uint16_t algorithm)
{
    switch (algorithm) {
    case SSL_SIGN_RSA_PSS_RSAE_SHA256: return "PS256";
    case SSL_SIGN_RSA_PSS_RSAE_SHA384: return "PS384";
    case SSL_SIGN_RSA_PSS_RSAE_SHA512: return "PS512";
    case SSL_SIGN_RSA_PKCS1_SHA256: return "RS256";
    case SSL_SIGN_RSA_PKCS1_SHA384: return "RS384";
    case SSL_SIGN_RSA_PKCS1_SHA512: return "RS512";
    case SSL_SIGN_ECDSA_SECP256R1_SHA256: return "ES256";
    case SSL_SIGN_ECDSA_SECP384R1_SHA384: return "ES384";
    case SSL_SIGN_ECDSA_SECP521R1_SHA512: return "ES512";
    default: return NULL;
    }
}

/* Ends the operation, if there is one. Whether it has a result does not matter. */
static void end_operation(struct connection *connection)
{
    /* Closes the descriptor, which epoll then forgets. */
    akv_pending_cancel(connection->pending);
    connection->pending_fd = -1;
    connection->pending = NULL;
}

/* Starts a signature. SSL_get_error then returns SSL_ERROR_WANT_PRIVATE_KEY_OPERATION. */
static enum ssl_private_key_result_t sign(SSL *ssl, uint8_t *out, size_t *out_len, size_t max_out,
                                          uint16_t algorithm, const uint8_t *in, size_t in_len)
{
    struct connection *connection = SSL_get_app_data(ssl);
    struct epoll_event event = {EPOLLIN, {.ptr = connection}};
    const char *name = vault_algorithm(algorithm);
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;

    (void)out, (void)out_len, (void)max_out;
    /* `in` is the message; the vault signs digests. */
    if (name == NULL
        || !EVP_Digest(in, in_len, digest, &digest_len,
                       SSL_get_signature_algorithm_digest(algorithm), NULL)
        || akv_sign_start(key, name, digest, digest_len, &connection->pending) != AKV_CODE_OK
        || akv_pending_fd(connection->pending, &connection->pending_fd) != AKV_CODE_OK
        || epoll_ctl(events_fd, EPOLL_CTL_ADD, connection->pending_fd, &event) != 0)
        /* close_connection() frees the operation. */
        return ssl_private_key_failure;
    return ssl_private_key_retry;
}

/* Called by SSL_do_handshake while the operation is in flight. */
static enum ssl_private_key_result_t complete(SSL *ssl, uint8_t *out, size_t *out_len,
                                              size_t max_out)
{
    struct connection *connection = SSL_get_app_data(ssl);
    uint8_t signature[MAX_SIGNATURE];
    size_t len = sizeof(signature);
    int code = akv_pending_wait(connection->pending, 0);

    if (code == AKV_CODE_TIMEOUT)
        return ssl_private_key_retry;
    if (code == AKV_CODE_OK)
        code = akv_pending_finish(connection->pending, signature, &len);
    end_operation(connection);
    *out_len = max_out;
    if (code == AKV_CODE_OK && is_ec)
        code = akv_ecdsa_der(signature, len, out, out_len);
    else if (code == AKV_CODE_OK && len <= max_out)
        memcpy(out, signature, *out_len = len);
    else
        return ssl_private_key_failure;
    return code == AKV_CODE_OK ? ssl_private_key_success : ssl_private_key_failure;
}

/* Only RSA key exchange calls this, for RSA without padding. No vault does that, and the list of
 * ciphers below has no such key exchange. */
static enum ssl_private_key_result_t decrypt(SSL *ssl, uint8_t *out, size_t *out_len,
                                             size_t max_out, const uint8_t *in, size_t in_len)
{
    (void)ssl, (void)out, (void)out_len, (void)max_out, (void)in, (void)in_len;
    return ssl_private_key_failure;
}

static const SSL_PRIVATE_KEY_METHOD key_method = {sign, decrypt, complete};

/* Connections */

/* Without waiting connections in the backlog, or without room for them, epoll must not report them. */
static void accept_connections(int on)
{
    struct epoll_event event = {on ? EPOLLIN : 0, {.ptr = NULL}};

    epoll_ctl(events_fd, EPOLL_CTL_MOD, listener, &event);
}

static void close_connection(struct connection *connection)
{
    end_operation(connection);
    SSL_free(connection->ssl);
    close(connection->socket);
    connection->state = FREE;
    accept_connections(1);
}

static void report(const struct connection *connection)
{
    uint32_t error = ERR_peek_last_error();
    const char *reason = error != 0 ? ERR_reason_error_string(error) : "the client left";

    if (connection->state != HANDSHAKE)
        return;
    if (ERR_GET_LIB(error) == ERR_LIB_SSL
        && ERR_GET_REASON(error) == SSL_R_PRIVATE_KEY_OPERATION_FAILED)
        reason = akv_last_error();
    fprintf(stderr, "handshake failed: %s\n", reason);
}

static int step(struct connection *connection)
{
    int result;

    ERR_clear_error();
    switch (connection->state) {
    case HANDSHAKE: return SSL_do_handshake(connection->ssl);
    case GREETING: return SSL_write(connection->ssl, greeting, sizeof(greeting) - 1);
    default:
        /* The first call sends our end, the second one waits for the client's. */
        result = SSL_shutdown(connection->ssl);
        return result == 0 ? SSL_shutdown(connection->ssl) : result;
    }
}

static void advance(struct connection *connection)
{
    struct epoll_event event = {0, {.ptr = connection}};
    int result;

    while ((result = step(connection)) > 0) {
        if (connection->state == FAREWELL) {
            close_connection(connection);
            return;
        }
        connection->state++;
    }
    switch (SSL_get_error(connection->ssl, result)) {
    case SSL_ERROR_WANT_READ: event.events = EPOLLIN; break;
    case SSL_ERROR_WANT_WRITE: event.events = EPOLLOUT; break;
    /* The operation's descriptor is watched as well; here only whether the client leaves. */
    case SSL_ERROR_WANT_PRIVATE_KEY_OPERATION: event.events = EPOLLRDHUP; break;
    default:
        report(connection);
        close_connection(connection);
        return;
    }
    if (epoll_ctl(events_fd, EPOLL_CTL_MOD, connection->socket, &event) != 0)
        close_connection(connection);
}

static struct connection *free_connection(void)
{
    for (int i = 0; i < MAX_CONNECTIONS; i++)
        if (connections[i].state == FREE)
            return &connections[i];
    return NULL;
}

static void open_connection(SSL_CTX *context)
{
    struct connection *connection = free_connection();
    struct epoll_event event = {EPOLLIN, {.ptr = connection}};
    int socket = connection != NULL ? accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) : -1;

    if (socket < 0) {
        /* Too many connections: accepted again when one is closed. */
        if (connection == NULL || errno == EMFILE || errno == ENFILE)
            accept_connections(0);
        return;
    }
    *connection = (struct connection){HANDSHAKE, SSL_new(context), socket, NULL, -1};
    if (connection->ssl == NULL || !SSL_set_fd(connection->ssl, socket)
        || epoll_ctl(events_fd, EPOLL_CTL_ADD, socket, &event) != 0) {
        close_connection(connection);
        return;
    }
    SSL_set_app_data(connection->ssl, connection);
    SSL_set_accept_state(connection->ssl);
}

/* The server */

static void stop(int signal)
{
    (void)signal;
    stopping = 1;
}

static void serve(SSL_CTX *context, const sigset_t *signals)
{
    while (!stopping) {
        struct epoll_event event;
        struct connection *connection;

        /* One event at a time: handling it may close the connection that another one is for. */
        if (epoll_pwait(events_fd, &event, 1, -1, signals) != 1)
            continue;
        connection = event.data.ptr;
        if (connection == NULL)
            open_connection(context);
        else if (connection->pending != NULL && !(event.events & EPOLLIN))
            /* The client has left, which cancels the signature. */
            close_connection(connection);
        else
            advance(connection);
    }
    for (int i = 0; i < MAX_CONNECTIONS; i++)
        if (connections[i].state != FREE)
            close_connection(&connections[i]);
}

/* What the key can sign: its only curve and digest, or RSA with both paddings. */
static int set_algorithms(SSL_CTX *context, const EVP_PKEY *public_key)
{
    static const uint16_t rsa[] = {
        SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_RSA_PSS_RSAE_SHA384, SSL_SIGN_RSA_PSS_RSAE_SHA512,
        SSL_SIGN_RSA_PKCS1_SHA256,    SSL_SIGN_RSA_PKCS1_SHA384,    SSL_SIGN_RSA_PKCS1_SHA512};
    static const uint16_t p256 = SSL_SIGN_ECDSA_SECP256R1_SHA256;
    static const uint16_t p384 = SSL_SIGN_ECDSA_SECP384R1_SHA384;
    static const uint16_t p521 = SSL_SIGN_ECDSA_SECP521R1_SHA512;
    int bits = EVP_PKEY_bits(public_key);

    is_ec = EVP_PKEY_id(public_key) == EVP_PKEY_EC;
    if (!is_ec)
        return SSL_CTX_set_signing_algorithm_prefs(context, rsa, sizeof(rsa) / sizeof(rsa[0]));
    return SSL_CTX_set_signing_algorithm_prefs(
        context, bits == 256 ? &p256 : bits == 384 ? &p384 : &p521, 1);
}

/* Without the check, each client would find out that the signature is another key's. */
static int is_key_of(const EVP_PKEY *certified)
{
    uint8_t der[1024];
    size_t len = sizeof(der);
    EVP_PKEY *public_key;
    int same;
    CBS cbs;

    if (akv_key_public_key(key, der, &len) != AKV_CODE_OK)
        return 0;
    CBS_init(&cbs, der, len);
    public_key = EVP_parse_public_key(&cbs);
    same = public_key != NULL && EVP_PKEY_cmp(public_key, certified) == 1;
    EVP_PKEY_free(public_key);
    return same;
}

static SSL_CTX *new_context(const char *certificates)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    EVP_PKEY *public_key = NULL;

    if (context != NULL && SSL_CTX_use_certificate_chain_file(context, certificates))
        public_key = X509_get_pubkey(SSL_CTX_get0_certificate(context));
    if (public_key == NULL || !is_key_of(public_key) || !set_algorithms(context, public_key)
        || !SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION)
        || !SSL_CTX_set_strict_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20")) {
        SSL_CTX_free(context);
        context = NULL;
    } else {
        SSL_CTX_set_private_key_method(context, &key_method);
    }
    EVP_PKEY_free(public_key);
    return context;
}

/* Returns the port, or 0. */
static int listen_on(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    struct epoll_event event = {EPOLLIN, {.ptr = NULL}};
    socklen_t len = sizeof(address);
    int on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    events_fd = epoll_create1(EPOLL_CLOEXEC);
    if (listener < 0 || events_fd < 0
        || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0
        || bind(listener, (struct sockaddr *)&address, len) != 0
        || listen(listener, SOMAXCONN) != 0
        || getsockname(listener, (struct sockaddr *)&address, &len) != 0
        || epoll_ctl(events_fd, EPOLL_CTL_ADD, listener, &event) != 0)
        return 0;
    return ntohs(address.sin_port);
}

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    return 1;
}

int main(int argc, char **argv)
{
    struct sigaction on_stop = {.sa_handler = stop};
    AkvClient *client = NULL;
    SSL_CTX *context = NULL;
    sigset_t term, signals;
    int port, status = 0;

    if (argc != 4)
        return fail("usage", "aws_lc_server CERTIFICATES KEY PORT");
    signal(SIGPIPE, SIG_IGN);
    /* Only epoll_pwait() is interrupted; the library's thread inherits the mask. */
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, &signals);
    sigaction(SIGTERM, &on_stop, NULL);

    if (akv_client_new(NULL, &client) != AKV_CODE_OK
        || akv_key_open(client, argv[2], &key) != AKV_CODE_OK)
        status = fail(argv[2], akv_last_error());
    else if ((context = new_context(argv[1])) == NULL)
        status = fail(argv[1], "no certificate of this key");
    else if ((port = listen_on(argv[3])) == 0)
        status = fail(argv[3], strerror(errno));
    if (status == 0) {
        printf("listening on 127.0.0.1:%d\n", port);
        fflush(stdout);
        serve(context, &signals);
        close(listener);
        close(events_fd);
    }
    SSL_CTX_free(context);
    akv_key_free(key);
    akv_client_free(client);
    return status;
}
