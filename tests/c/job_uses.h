/* What else is done with a key inside ASYNC jobs: decryption, and the certificate of a TLS client. For
 * OpenSSL 1.1.1 and later. */
#ifndef AKV_TESTS_JOB_USES_H
#define AKV_TESTS_JOB_USES_H

#include "job_steps.h"

#include <openssl/rsa.h>

struct decryption {
    EVP_PKEY *key;
    unsigned char ciphertext[SIGNATURE_MAX], plaintext[SIGNATURE_MAX];
    size_t ciphertext_length, length;
};

/* OAEP. */
static inline int crypt_oaep(struct decryption *use, int decrypt)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(use->key, NULL);
    int ok = context != NULL
        && (decrypt ? EVP_PKEY_decrypt_init(context) : EVP_PKEY_encrypt_init(context)) == 1
        && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1;

    use->length = sizeof(use->plaintext);
    if (decrypt)
        ok = ok
            && EVP_PKEY_decrypt(context, use->plaintext, &use->length, use->ciphertext,
                                use->ciphertext_length)
                == 1;
    else
        ok = ok
            && EVP_PKEY_encrypt(context, use->ciphertext, &use->ciphertext_length,
                                (const unsigned char *)"secret", 6)
                == 1;
    EVP_PKEY_CTX_free(context);
    return ok;
}

static inline int decrypt_in_job(void *argument)
{
    return crypt_oaep(*(struct decryption **)argument, 1);
}

static inline void decrypts(EVP_PKEY *key)
{
    struct decryption uses[MANY];
    struct job jobs[MANY];

    for (int i = 0; i < MANY; i++) {
        uses[i] = (struct decryption){.key = key, .ciphertext_length = SIGNATURE_MAX};
        if (!crypt_oaep(&uses[i], 0))
            die("no ciphertext");
        job_open_for(&jobs[i], decrypt_in_job, &uses[i]);
        job_start(&jobs[i]);
    }
    for (int i = 0; i < MANY; i++) {
        job_wait(&jobs[i]);
        if (job_run(&jobs[i]) != ASYNC_FINISH || jobs[i].result != 1 || uses[i].length != 6
            || memcmp(uses[i].plaintext, "secret", 6) != 0)
            die("no plaintext");
        job_close(&jobs[i]);
    }
    passed("decrypts");
}

/* The client signs with the key, in jobs of its own. The server has a key of its own. */
static inline void client(EVP_PKEY *key, const char *certificate, const char *server)
{
    SSL_CTX *contexts[2] = {SSL_CTX_new(TLS_server_method()), SSL_CTX_new(TLS_client_method())};
    struct handshake tls;

    if (SSL_CTX_use_certificate_chain_file(contexts[0], server) != 1
        || SSL_CTX_use_PrivateKey_file(contexts[0], server, SSL_FILETYPE_PEM) != 1
        || SSL_CTX_load_verify_locations(contexts[0], certificate, NULL) != 1
        || SSL_CTX_use_certificate_chain_file(contexts[1], certificate) != 1
        || SSL_CTX_use_PrivateKey(contexts[1], key) != 1)
        die("no client");
    SSL_CTX_set_verify(contexts[0], SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    tls = handshake_new(contexts);
    SSL_clear_mode(tls.server, SSL_MODE_ASYNC);
    SSL_set_mode(tls.client, SSL_MODE_ASYNC);
    for (int i = 0; i < 4 && !SSL_waiting_for_async(tls.client); i++) {
        SSL_do_handshake(tls.client);
        SSL_do_handshake(tls.server);
    }
    if (!SSL_waiting_for_async(tls.client))
        die("the client does not wait for its key");
    finish_async(tls.client);
    handshake_finish(&tls);
    if (SSL_get_verify_result(tls.server) != X509_V_OK)
        die("the client's certificate");
    SSL_free(tls.server);
    SSL_free(tls.client);
    SSL_CTX_free(contexts[0]);
    SSL_CTX_free(contexts[1]);
    passed("client");
}

#endif
