/* engine_cancel MODULE EC-KEY RSA-KEY EXPECTED: like cancel.c, with the ENGINE. If EXPECTED is 0,
 * the second key is not used. */
#include "cancel.h"
#include "engine_common.h"

static ENGINE *engine;

static int load(void *reference)
{
    EVP_PKEY_free(load_key(engine, reference));
    return 1;
}

/* RSA keys sign with PSS, which also uses the engine's EVP_PKEY_METHOD. */
static int sign(void *key)
{
    unsigned char signature[SIGNATURE_MAX], digest[32] = {0};
    size_t length = sizeof(signature);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    int ok = context != NULL && EVP_PKEY_sign_init(context) == 1
        && EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1
        && (EVP_PKEY_base_id(key) != EVP_PKEY_RSA
            || EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1)
        && EVP_PKEY_sign(context, signature, &length, digest, sizeof(digest)) == 1;

    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return ok;
}

/* Reads the settings again, which is logged. */
static int configure(void *unused)
{
    (void)unused;
    return ENGINE_ctrl_cmd_string(engine, "VERIFY_SIGNATURES", "yes", 0) == 1
        && ENGINE_init(engine) == 1 && ENGINE_finish(engine) == 1;
}

int main(int argc, char **argv)
{
    int expected;

    if (argc != 5)
        die("usage: engine_cancel MODULE EC-KEY RSA-KEY EXPECTED");
    expected = atoi(argv[4]);
    engine = load_engine(argv[1]);
    if (expected) {
        run_cancelled_always(configure, NULL, 1);
        run_cancelled_always(load, argv[2], 1);
    }
    for (int i = 2; i < (expected ? 4 : 3); i++) {
        EVP_PKEY *key = load_key(engine, argv[i]);

        run_cancelled_always(sign, key, expected);
        CHECK(sign_and_verify(key, 1));
        EVP_PKEY_free(key);
    }
    unload_engine(engine);
    return 0;
}
