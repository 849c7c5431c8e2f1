/* stack KEY-FILE [CERTIFICATE [RSA]]: how much stack the provider takes, in bytes, one line for each
 * step: `entry NAME BYTES` is libcrypto and an entry of the provider, `handshake NAME BYTES` a whole
 * TLS server with libssl. The first of each kind is the first use in this process.
 * Without a certificate the vault is one that is out of reach. */
#include "common.h"
#include "stack.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>

struct data {
    EVP_PKEY *key;
    const char *uri;
    unsigned char bytes[SIGNATURE_MAX];
    size_t length;
};

static int load(void *argument)
{
    struct data *data = argument;

    data->key = load_key(data->uri);
    return 1;
}

static int sign(void *argument)
{
    struct data *data = argument;

    data->length = sizeof(data->bytes);
    return sign_once(data->key, 1, data->bytes, &data->length);
}

static int verify(void *argument)
{
    struct data *data = argument;

    return verify_once(data->key, 1, data->bytes, data->length);
}

static int oaep(struct data *data, int decrypt)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, data->key, NULL);
    unsigned char out[SIGNATURE_MAX];
    size_t length = sizeof(out);
    int ok = context != NULL
        && (decrypt ? EVP_PKEY_decrypt_init(context) : EVP_PKEY_encrypt_init(context)) == 1
        && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1
        && (decrypt ? EVP_PKEY_decrypt(context, out, &length, data->bytes, data->length)
                    : EVP_PKEY_encrypt(context, out, &length, (const unsigned char *)"secret", 6))
            == 1;

    EVP_PKEY_CTX_free(context);
    memcpy(data->bytes, out, sizeof(out));
    data->length = length;
    return ok;
}

static int encrypt(void *argument)
{
    return oaep(argument, 0);
}

static int decrypt(void *argument)
{
    return oaep(argument, 1);
}

static int print_key(void *argument)
{
    struct data *data = argument;
    BIO *bio = BIO_new(BIO_s_mem());
    int ok = EVP_PKEY_print_private(bio, data->key, 0, NULL) == 1;

    BIO_free(bio);
    return ok;
}

static int write_key(void *argument)
{
    struct data *data = argument;
    BIO *bio = BIO_new(BIO_s_mem());
    int ok = PEM_write_bio_PrivateKey(bio, data->key, NULL, NULL, 0, NULL, NULL) == 1;

    BIO_free(bio);
    return ok;
}

/* No such key, or no such vault: errors are formatted and put into the queue. */
static int fail(void *argument)
{
    struct data *data = argument;
    OSSL_STORE_CTX *store = OSSL_STORE_open(data->uri, NULL, NULL, NULL, NULL);
    OSSL_STORE_INFO *info = store == NULL ? NULL : OSSL_STORE_load(store);
    int ok = info == NULL && ERR_peek_error() != 0;

    OSSL_STORE_INFO_free(info);
    OSSL_STORE_close(store);
    ERR_clear_error();
    return ok;
}

static void entry(const char *name, int (*step)(void *), struct data *data)
{
    size_t used = 0;

    if (!on_painted_stack(step, data, &used))
        die(name);
    printf("entry %s %zu\n", name, used);
}

static int accept_more(void *server)
{
    return SSL_do_handshake(server);
}

static void handshake(const char *name, EVP_PKEY *key, const char *certificate, int version)
{
    SSL_CTX *contexts[2] = {SSL_CTX_new(TLS_server_method()), SSL_CTX_new(TLS_client_method())};
    SSL *server, *client;
    BIO *pair[2];
    size_t used = 0;

    if (SSL_CTX_use_certificate_chain_file(contexts[0], certificate) != 1
        || SSL_CTX_use_PrivateKey(contexts[0], key) != 1
        || SSL_CTX_set_max_proto_version(contexts[0], version) != 1)
        die("no server");
    server = SSL_new(contexts[0]);
    client = SSL_new(contexts[1]);
    if (BIO_new_bio_pair(&pair[0], 65536, &pair[1], 65536) != 1)
        die("no pair of BIOs");
    SSL_set_bio(server, pair[0], pair[0]);
    SSL_set_bio(client, pair[1], pair[1]);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    for (int i = 0; i < 20 && !(SSL_is_init_finished(server) && SSL_is_init_finished(client)); i++) {
        SSL_do_handshake(client);
        on_painted_stack(accept_more, server, &used);
    }
    if (!SSL_is_init_finished(server) || !SSL_is_init_finished(client)
        || SSL_version(server) != version)
        die(name);
    printf("handshake %s %zu\n", name, used);
    SSL_free(server);
    SSL_free(client);
    SSL_CTX_free(contexts[0]);
    SSL_CTX_free(contexts[1]);
    ERR_clear_error();
}

int main(int argc, char **argv)
{
    struct data data = {0}, wrong = {0};

    if (argc < 2)
        die("usage: stack KEY-FILE [CERTIFICATE [RSA]]");
    data.uri = argv[1];
    wrong.uri = "vault:testvault:no-such-key";
    OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL);
    entry("load-first", load, &data);
    if (argc == 2) {
        entry("unreachable-first", fail, &wrong);
        entry("unreachable", fail, &wrong);
        return 0;
    }
    handshake("tls1.3-first", data.key, argv[2], TLS1_3_VERSION);
    handshake("tls1.3", data.key, argv[2], TLS1_3_VERSION);
    handshake("tls1.2", data.key, argv[2], TLS1_2_VERSION);
    entry("sign", sign, &data);
    entry("verify", verify, &data);
    entry("print", print_key, &data);
    entry("write", write_key, &data);
    entry("fail", fail, &wrong);
    entry("fail-again", fail, &wrong);
    if (argc > 3) {
        entry("encrypt", encrypt, &data);
        entry("decrypt", decrypt, &data);
    }
    return 0;
}
