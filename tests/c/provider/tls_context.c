/* tls_context KEY CERTIFICATE OTHER_KEY CA: a server whose SSL_CTX is created before the provider's
 * first key, as in servers that read their configuration first. Then performs handshakes in memory,
 * in both versions, with a client that verifies the certificate. OTHER_KEY does not match the
 * certificate. Prints the number of handshakes. */
#include "common.h"

#include <openssl/ssl.h>
#include <openssl/x509err.h>

static SSL_CTX *new_context(const SSL_METHOD *method)
{
    SSL_CTX *context = SSL_CTX_new(method);

    if (context == NULL)
        die("no SSL_CTX");
    return context;
}

/* The wrong key is refused, and the certificate stays without a key. */
static void refuse(SSL_CTX *server, EVP_PKEY *other)
{
    if (SSL_CTX_use_PrivateKey(server, other) == 1 || SSL_CTX_check_private_key(server) == 1)
        die("a wrong key was taken");
    if (ERR_GET_REASON(ERR_peek_error()) != X509_R_KEY_VALUES_MISMATCH)
        die("another reason");
    ERR_clear_error();
}

/* Both ends take turns until both are done. */
static int shake(SSL *server, SSL *client)
{
    int served = 0, connected = 0;

    for (int turn = 0; turn < 20 && !(served && connected); turn++) {
        if (!connected)
            connected = SSL_do_handshake(client) == 1;
        if (!served)
            served = SSL_do_handshake(server) == 1;
    }
    return served && connected;
}

static void handshake(SSL_CTX *server_context, SSL_CTX *client_context, int version)
{
    SSL *server = SSL_new(server_context), *client = SSL_new(client_context);
    BIO *ours, *theirs;
    char byte = 0;

    if (server == NULL || client == NULL || BIO_new_bio_pair(&ours, 0, &theirs, 0) != 1)
        die("no connection");
    SSL_set_bio(server, ours, ours);
    SSL_set_bio(client, theirs, theirs);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    if (X509_VERIFY_PARAM_set1_host(SSL_get0_param(client), "localhost", 0) != 1
        || SSL_set_min_proto_version(client, version) != 1
        || SSL_set_max_proto_version(client, version) != 1)
        die("cannot prepare the client");
    if (!shake(server, client))
        die("no handshake");
    if (SSL_get_verify_result(client) != X509_V_OK || SSL_version(client) != version)
        die("another result than wanted");
    if (SSL_write(client, "!", 1) != 1 || SSL_read(server, &byte, 1) != 1 || byte != '!')
        die("no data");
    /* An error left in the queue would affect the next call. */
    if (ERR_peek_error() != 0)
        die("success has left something in the error queue");
    SSL_free(server);
    SSL_free(client);
}

int main(int argc, char **argv)
{
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    SSL_CTX *server, *client;
    EVP_PKEY *key, *other;
    int done = 0;

    if (argc != 5)
        die("usage: tls_context KEY CERTIFICATE OTHER_KEY CA");
    server = new_context(TLS_server_method());
    client = new_context(TLS_client_method());
    SSL_CTX_set_verify(client, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_load_verify_locations(client, argv[4], NULL) != 1)
        die("no authority");
    if (SSL_CTX_use_certificate_chain_file(server, argv[2]) != 1)
        die("no certificate");
    key = load_key(argv[1]);
    other = load_key(argv[3]);
    refuse(server, other);
    if (SSL_CTX_use_PrivateKey(server, key) != 1 || SSL_CTX_check_private_key(server) != 1)
        die("the right key is refused");
    /* The contexts hold their own references. */
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++, done++)
            handshake(server, client, versions[i]);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    printf("%d\n", done);
    return 0;
}
