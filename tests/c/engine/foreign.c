/* engine_foreign MODULE RSA EC: keys from elsewhere are not affected by the engine, even if it is
 * the default for everything. */
#include "engine_common.h"

static const unsigned char digest[20] = {1, 2, 3};

static EVP_PKEY *generate(int type)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(type, NULL);
    EVP_PKEY *key = NULL;

    CHECK(context != NULL && EVP_PKEY_keygen_init(context) == 1);
    if (type == EVP_PKEY_EC)
        CHECK(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1);
    else
        CHECK(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1);
    CHECK(EVP_PKEY_keygen(context, &key) == 1);
    EVP_PKEY_CTX_free(context);
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    /* A provider key, not one that was downgraded to a legacy key for an ENGINE. */
    CHECK(EVP_PKEY_get0_provider(key) != NULL);
#endif
    return key;
}

/* PSS with SHA-1 and the maximum salt length, which vaults do not support. */
static void pss(EVP_PKEY *key, ENGINE *engine)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t length = sizeof(signature);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, engine);

    CHECK(context != NULL && EVP_PKEY_sign_init(context) == 1);
    CHECK(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1);
    CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 222) == 1);
    CHECK(EVP_PKEY_CTX_set_signature_md(context, EVP_sha1()) == 1);
    CHECK(EVP_PKEY_sign(context, signature, &length, digest, sizeof(digest)) == 1);
    EVP_PKEY_CTX_free(context);
    context = EVP_PKEY_CTX_new(key, engine);
    CHECK(context != NULL && EVP_PKEY_verify_init(context) == 1);
    CHECK(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1);
    CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 222) == 1);
    CHECK(EVP_PKEY_CTX_set_signature_md(context, EVP_sha1()) == 1);
    CHECK(EVP_PKEY_verify(context, signature, length, digest, sizeof(digest)) == 1);
    EVP_PKEY_CTX_free(context);
    QUIET();
}

/* OAEP with a label and SHA-512, which vaults do not support. */
static void oaep(EVP_PKEY *key, ENGINE *engine)
{
    unsigned char cipher[SIGNATURE_MAX], text[SIGNATURE_MAX];
    size_t length = sizeof(cipher), got = sizeof(text);

    for (int decrypt = 0; decrypt < 2; decrypt++) {
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, engine);

        CHECK(context != NULL);
        CHECK((decrypt ? EVP_PKEY_decrypt_init(context) : EVP_PKEY_encrypt_init(context)) == 1);
        CHECK(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1);
        CHECK(EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha512()) == 1);
        /* 3.0.2 cannot pass a label to any engine. */
        if (engine == NULL) {
            unsigned char *label = (unsigned char *)OPENSSL_strdup("label");

            CHECK(EVP_PKEY_CTX_set0_rsa_oaep_label(context, label, 5) == 1);
        }
        if (decrypt)
            CHECK(EVP_PKEY_decrypt(context, text, &got, cipher, length) == 1);
        else
            CHECK(EVP_PKEY_encrypt(context, cipher, &length, digest, sizeof(digest)) == 1);
        EVP_PKEY_CTX_free(context);
    }
    CHECK(got == sizeof(digest) && memcmp(text, digest, got) == 0);
    QUIET();
}

static void raw(EVP_PKEY *key)
{
    unsigned char block[256] = {0, 1}, signature[256], back[256];
    RSA *rsa = EVP_PKEY_get1_RSA(key);

    CHECK(rsa != NULL && RSA_private_encrypt(256, block, signature, rsa, RSA_NO_PADDING) == 256);
    CHECK(RSA_public_decrypt(256, signature, back, rsa, RSA_NO_PADDING) == 256);
    CHECK(memcmp(block, back, 256) == 0);
    CHECK(RSA_check_key(rsa) == 1);
    RSA_free(rsa);
    QUIET();
}

static void derive(EVP_PKEY *key, EVP_PKEY *peer)
{
    unsigned char secrets[2][32];

    for (int i = 0; i < 2; i++) {
        size_t length = 32;
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(i == 0 ? key : peer, NULL);

        CHECK(context != NULL && EVP_PKEY_derive_init(context) == 1);
        CHECK(EVP_PKEY_derive_set_peer(context, i == 0 ? peer : key) == 1);
        CHECK(EVP_PKEY_derive(context, secrets[i], &length) == 1 && length == 32);
        EVP_PKEY_CTX_free(context);
    }
    CHECK(memcmp(secrets[0], secrets[1], 32) == 0);
    QUIET();
}

static void check(ENGINE *engine)
{
    EVP_PKEY *rsa = generate(EVP_PKEY_RSA), *ec = generate(EVP_PKEY_EC);
    EVP_PKEY *peer = generate(EVP_PKEY_EC);

    CHECK(sign_and_verify(rsa, 1) && sign_and_verify(ec, 2));
    pss(rsa, NULL);
    oaep(rsa, NULL);
    raw(rsa);
    derive(ec, peer);
    if (engine != NULL) {
        /* If the engine is specified for a key that is not its own, OpenSSL does the work too. */
        pss(rsa, engine);
        oaep(rsa, engine);
    }
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(peer);
}

int main(int argc, char **argv)
{
    ENGINE *engine;
    EVP_PKEY *rsa, *ec;

    if (argc != 4)
        die("usage: engine_foreign MODULE RSA EC");
    check(NULL);
    engine = load_engine(argv[1]);
    CHECK(ENGINE_set_default(engine, ENGINE_METHOD_ALL) == 1);
    CHECK(ENGINE_get_default_RSA() == NULL && ENGINE_get_default_EC() == NULL);
    CHECK(ENGINE_get_pkey_meth_engine(EVP_PKEY_RSA) == NULL);
    CHECK(ENGINE_get_pkey_meth_engine(EVP_PKEY_EC) == NULL);
    CHECK(ENGINE_get_pkey_asn1_meth_engine(EVP_PKEY_RSA) == NULL);
    CHECK(ENGINE_register_all_complete() == 1);
    check(engine);
    rsa = load_key(engine, argv[2]);
    ec = load_key(engine, argv[3]);
    check(engine);
    CHECK(sign_and_verify(rsa, 1) && sign_and_verify(ec, 2));
    check(engine);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    check(engine);
    unload_engine(engine);
    check(NULL);
    QUIET();
    return 0;
}
