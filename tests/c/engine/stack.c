/* engine_stack MODULE KEY KEY-FILE CERTIFICATE [RSA]: prints the stack usage of the engine in
 * bytes, one line for each step: `entry NAME BYTES` for libcrypto and the engine, `handshake NAME
 * BYTES` for a whole TLS server with libssl. The first line of each kind is the first use in this
 * process. */
#include "engine_common.h"
#include "stack_steps.h"

#include <openssl/conf.h>

struct data {
    ENGINE *engine;
    EVP_PKEY *key;
    const char *name;
    unsigned char bytes[SIGNATURE_MAX];
    size_t length;
};

static int load(void *argument)
{
    struct data *data = argument;

    data->key = load_key(data->engine, data->name);
    return 1;
}

static int read_file(void *argument)
{
    struct data *data = argument;
    FILE *in = fopen(data->name, "r");
    EVP_PKEY *key = in == NULL ? NULL : PEM_read_PrivateKey(in, NULL, NULL, NULL);

    if (in != NULL)
        fclose(in);
    EVP_PKEY_free(key);
    return key != NULL;
}

static int sign(void *argument)
{
    struct data *data = argument;

    return sign_and_verify(data->key, 1);
}

static int pss(void *argument)
{
    struct data *data = argument;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(data->key, NULL);
    unsigned char digest[32] = {7};
    size_t length = sizeof(data->bytes);
    int ok = context != NULL && EVP_PKEY_sign_init(context) == 1
        && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1
        && EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1
        && EVP_PKEY_sign(context, data->bytes, &length, digest, sizeof(digest)) == 1;

    EVP_PKEY_CTX_free(context);
    return ok;
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

/* Functions of the old API. */
static int old_sign(void *argument)
{
    struct data *data = argument;
    unsigned char digest[32] = {7}, signature[SIGNATURE_MAX];
    unsigned int length;

    if (EVP_PKEY_base_id(data->key) == EVP_PKEY_RSA)
        return RSA_sign(NID_sha256, digest, sizeof(digest), signature, &length,
                        (RSA *)EVP_PKEY_get0_RSA(data->key));
    return ECDSA_sign(0, digest, sizeof(digest), signature, &length,
                      (EC_KEY *)EVP_PKEY_get0_EC_KEY(data->key));
}

static int fail(void *argument)
{
    struct data *data = argument;
    EVP_PKEY *key = ENGINE_load_private_key(data->engine, "vault:testvault:no-such-key", NULL, NULL);
    int ok = key == NULL && ERR_peek_error() != 0;

    ERR_clear_error();
    return ok;
}

static int release(void *argument)
{
    struct data *data = argument;

    EVP_PKEY_free(data->key);
    return 1;
}

int main(int argc, char **argv)
{
    struct data data = {0}, file = {0};

    if (argc != 5 && argc != 6)
        die("usage: engine_stack MODULE KEY KEY-FILE CERTIFICATE [RSA]");
    OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL);
    data.engine = load_engine(argv[1]);
    data.name = argv[2];
    file.name = argv[3];
    CHECK(ENGINE_set_default_string(data.engine, "ALL") == 1);
    entry("fail-first", fail, &data);
    entry("load", load, &data);
    entry("file", read_file, &file);
    handshake("tls1.3", data.key, argv[4], TLS1_3_VERSION);
    handshake("tls1.2", data.key, argv[4], TLS1_2_VERSION);
    in_job(data.key, argv[4], TLS1_3_VERSION);
    in_job(data.key, argv[4], TLS1_2_VERSION);
    entry("sign", sign, &data);
    entry("old-sign", old_sign, &data);
    entry("fail", fail, &data);
    if (argc == 6) {
        entry("pss", pss, &data);
        entry("encrypt", encrypt, &data);
        entry("decrypt", decrypt, &data);
    }
    entry("free", release, &data);
    unload_engine(data.engine);
    return 0;
}
