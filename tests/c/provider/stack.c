/* stack KEY-FILE [CERTIFICATE [RSA]]: prints the stack usage of the provider in bytes, one line for
 * each step: `entry NAME BYTES` for libcrypto and a function of the provider, `handshake NAME
 * BYTES` for a whole TLS server with libssl. The first line of each kind is the first use in this
 * process. Without a certificate, the vault is unreachable. */
#include "common.h"
#include "stack_steps.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

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

static int encrypt(void *argument)
{
    struct data *data = argument;

    return oaep(data->key, data->bytes, &data->length, 0);
}

static int decrypt(void *argument)
{
    struct data *data = argument;

    return oaep(data->key, data->bytes, &data->length, 1);
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

/* No such key, or no such vault: errors are formatted and pushed to the queue. */
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
    in_job(data.key, argv[2], TLS1_3_VERSION);
    in_job(data.key, argv[2], TLS1_2_VERSION);
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
