/* What programs run on a painted stack: single steps, and TLS servers with their clients. */
#ifndef AKV_TESTS_STACK_STEPS_H
#define AKV_TESTS_STACK_STEPS_H

#include "base.h"
#include "stack.h"

#include <openssl/async.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>

static inline void entry(const char *name, int (*step)(void *), void *argument)
{
    size_t used = 0;

    if (!on_painted_stack(step, argument, &used))
        die(name);
    printf("entry %s %zu\n", name, used);
}

/* Encrypts a secret, or decrypts `bytes`; the result replaces them. */
static inline int oaep(EVP_PKEY *key, unsigned char *bytes, size_t *length, int decrypt)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    unsigned char out[SIGNATURE_MAX];
    size_t out_length = sizeof(out);
    int ok = context != NULL
        && (decrypt ? EVP_PKEY_decrypt_init(context) : EVP_PKEY_encrypt_init(context)) == 1
        && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1
        && (decrypt
                ? EVP_PKEY_decrypt(context, out, &out_length, bytes, *length)
                : EVP_PKEY_encrypt(context, out, &out_length, (const unsigned char *)"secret", 6))
            == 1;

    EVP_PKEY_CTX_free(context);
    memcpy(bytes, out, sizeof(out));
    *length = out_length;
    return ok;
}

/* A server and a client that are connected to each other. */
struct tls {
    SSL_CTX *contexts[2];
    SSL *server, *client;
};

static inline struct tls tls_open(EVP_PKEY *key, const char *certificate, int version)
{
    struct tls tls = {{SSL_CTX_new(TLS_server_method()), SSL_CTX_new(TLS_client_method())}, 0, 0};
    BIO *pair[2];

    if (SSL_CTX_use_certificate_chain_file(tls.contexts[0], certificate) != 1
        || SSL_CTX_use_PrivateKey(tls.contexts[0], key) != 1
        || SSL_CTX_set_max_proto_version(tls.contexts[0], version) != 1)
        die("no server");
    tls.server = SSL_new(tls.contexts[0]);
    tls.client = SSL_new(tls.contexts[1]);
    if (BIO_new_bio_pair(&pair[0], 65536, &pair[1], 65536) != 1)
        die("no pair of BIOs");
    SSL_set_bio(tls.server, pair[0], pair[0]);
    SSL_set_bio(tls.client, pair[1], pair[1]);
    SSL_set_accept_state(tls.server);
    SSL_set_connect_state(tls.client);
    return tls;
}

static inline int tls_done(const struct tls *tls)
{
    return SSL_is_init_finished(tls->server) && SSL_is_init_finished(tls->client);
}

static inline void tls_close(struct tls *tls, int version)
{
    if (!tls_done(tls) || SSL_version(tls->server) != version)
        die("no handshake");
    SSL_free(tls->server);
    SSL_free(tls->client);
    SSL_CTX_free(tls->contexts[0]);
    SSL_CTX_free(tls->contexts[1]);
    ERR_clear_error();
}

static inline int accept_more(void *server)
{
    return SSL_do_handshake(server);
}

/* A whole handshake whose server runs on a painted stack. */
static inline void handshake(const char *name, EVP_PKEY *key, const char *certificate, int version)
{
    struct tls tls = tls_open(key, certificate, version);
    size_t used = 0;

    for (int i = 0; i < 20 && !tls_done(&tls); i++) {
        SSL_do_handshake(tls.client);
        on_painted_stack(accept_more, tls.server, &used);
    }
    tls_close(&tls, version);
    printf("handshake %s %zu\n", name, used);
}

/* A whole handshake whose server runs in real ASYNC jobs with 32 KiB each. */
static inline void in_job(EVP_PKEY *key, const char *certificate, int version)
{
    struct tls tls = tls_open(key, certificate, version);

    if (!ASYNC_is_capable())
        die("no jobs");
    SSL_set_mode(tls.server, SSL_MODE_ASYNC);
    for (int i = 0; i < 100000 && !tls_done(&tls); i++) {
        SSL_do_handshake(tls.client);
        SSL_do_handshake(tls.server);
    }
    tls_close(&tls, version);
}

#endif
