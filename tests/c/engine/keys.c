/* engine_keys MODULE RSA EC CERTIFICATE OTHER: tests the documented behaviour of libcrypto's
 * functions, with an RSA key and an EC key of the engine. CERTIFICATE belongs to the RSA key, OTHER
 * does not. */
#include "engine_common.h"

#include <openssl/x509.h>

static const unsigned char digest[32] = {1, 2, 3};

static EVP_PKEY_CTX *operation(EVP_PKEY *key, int padding)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);

    CHECK(context != NULL && EVP_PKEY_sign_init(context) == 1);
    if (padding != 0) {
        CHECK(EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1);
        CHECK(EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1);
    }
    return context;
}

/* Without a buffer the size is returned, a small buffer is refused, and a large one is accepted. */
static void sizes(EVP_PKEY *key, int padding)
{
    unsigned char signature[SIGNATURE_MAX + 1];
    EVP_PKEY_CTX *context = operation(key, padding);
    size_t size = 0, length;

    CHECK(EVP_PKEY_sign(context, NULL, &size, digest, sizeof(digest)) == 1);
    CHECK(size == (size_t)EVP_PKEY_size(key));
    memset(signature, 0xa5, sizeof(signature));
    length = size - 1;
    CHECK(EVP_PKEY_sign(context, signature, &length, digest, sizeof(digest)) <= 0);
    CHECK(signature[0] == 0xa5 && ERR_peek_error() != 0);
    ERR_clear_error();
    length = sizeof(signature);
    CHECK(EVP_PKEY_sign(context, signature, &length, digest, sizeof(digest)) == 1);
    CHECK(length <= size && signature[size] == 0xa5);
    EVP_PKEY_CTX_free(context);
    context = EVP_PKEY_CTX_new(key, NULL);
    CHECK(context != NULL && EVP_PKEY_verify_init(context) == 1);
    if (padding != 0) {
        CHECK(EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1);
        CHECK(EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1);
    }
    CHECK(EVP_PKEY_verify(context, signature, length, digest, sizeof(digest)) == 1);
    EVP_PKEY_CTX_free(context);
    QUIET();
}

static void rsa(EVP_PKEY *key)
{
    unsigned char signature[SIGNATURE_MAX], text[SIGNATURE_MAX] = {0}, cipher[SIGNATURE_MAX] = {0};
    unsigned int length = 0;
    RSA *rsa = EVP_PKEY_get1_RSA(key);
    int size, got;

    CHECK(rsa != NULL);
    size = RSA_size(rsa);
    sizes(key, RSA_PKCS1_PADDING);
    sizes(key, RSA_PKCS1_PSS_PADDING);
    CHECK(RSA_sign(NID_sha256, digest, 32, signature, &length, rsa) == 1 && (int)length == size);
    CHECK(RSA_verify(NID_sha256, digest, 32, signature, length, rsa) == 1);
    CHECK(RSA_sign(NID_md5_sha1, text, 36, signature, &length, rsa) == 1);
    CHECK(RSA_verify(NID_md5_sha1, text, 36, signature, length, rsa) == 1);
    /* Arbitrary data, padded by the vault. */
    CHECK(RSA_private_encrypt(5, (unsigned char *)"hello", signature, rsa, RSA_PKCS1_PADDING)
          == size);
    got = RSA_public_decrypt(size, signature, text, rsa, RSA_PKCS1_PADDING);
    CHECK(got == 5 && memcmp(text, "hello", 5) == 0);
    QUIET();
    CHECK(RSA_private_encrypt(size, cipher, signature, rsa, RSA_NO_PADDING) == -1);
    expect_error("raw RSA");
    CHECK(RSA_private_encrypt(size - 10, cipher, signature, rsa, RSA_PKCS1_PADDING) == -1);
    expect_error("do not fit");

    CHECK(RSA_public_encrypt(48, cipher, cipher, rsa, RSA_PKCS1_PADDING) == size);
    CHECK(RSA_public_encrypt(5, (unsigned char *)"hello", cipher, rsa, RSA_PKCS1_OAEP_PADDING)
          == size);
    got = RSA_private_decrypt(size, cipher, text, rsa, RSA_PKCS1_OAEP_PADDING);
    CHECK(got == 5 && memcmp(text, "hello", 5) == 0);
    CHECK(RSA_public_encrypt(5, (unsigned char *)"hello", cipher, rsa, RSA_PKCS1_PADDING) == size);
    got = RSA_private_decrypt(size, cipher, text, rsa, RSA_PKCS1_PADDING);
    CHECK(got == 5 && memcmp(text, "hello", 5) == 0);
    /* Requested by TLS servers: the padded block. */
    got = RSA_private_decrypt(size, cipher, text, rsa, RSA_NO_PADDING);
    CHECK(got == size && text[0] == 0 && text[1] == 2);
    CHECK(memchr(text + 2, 0, size - 2) == text + size - 6);
    CHECK(memcmp(text + size - 5, "hello", 5) == 0);
    /* With invalid padding it contains some premaster secret, and the failure is not reported. */
    memset(cipher, 0x11, size);
    got = RSA_private_decrypt(size, cipher, text, rsa, RSA_NO_PADDING);
    CHECK(got == size && text[0] == 0 && text[1] == 2);
    CHECK(memchr(text + 2, 0, size - 2) == text + size - 49);
    QUIET();
    CHECK(RSA_private_decrypt(size, cipher, text, rsa, RSA_PKCS1_PADDING) == -1);
    expect_error("HTTP 400");
    CHECK(RSA_flags(rsa) & RSA_FLAG_EXT_PKEY || RSA_test_flags(rsa, RSA_FLAG_EXT_PKEY));
    RSA_free(rsa);
}

static void ec(EVP_PKEY *key)
{
    unsigned char signature[SIGNATURE_MAX], secret[66];
    unsigned int length = 0;
    EC_KEY *ec = EVP_PKEY_get1_EC_KEY(key), *copy, *peer;
    ECDSA_SIG *sig;
    BIGNUM *kinv = NULL, *r = NULL;

    CHECK(ec != NULL);
    sizes(key, 0);
    CHECK(ECDSA_sign(0, digest, 32, signature, &length, ec) == 1);
    CHECK((int)length <= ECDSA_size(ec));
    CHECK(ECDSA_verify(0, digest, 32, signature, length, ec) == 1);
    sig = ECDSA_do_sign(digest, 20, ec);
    CHECK(sig != NULL && ECDSA_do_verify(digest, 20, sig, ec) == 1);
    ECDSA_SIG_free(sig);
    QUIET();
    /* A duplicate also signs after the original key was freed. */
    copy = EC_KEY_dup(ec);
    CHECK(copy != NULL);
    sig = ECDSA_do_sign(digest, 32, copy);
    CHECK(sig != NULL && ECDSA_do_verify(digest, 32, sig, ec) == 1);
    ECDSA_SIG_free(sig);
    QUIET();

    peer = EC_KEY_new_by_curve_name(EC_GROUP_get_curve_name(EC_KEY_get0_group(ec)));
    CHECK(peer != NULL && EC_KEY_generate_key(peer) == 1);
    CHECK(ECDH_compute_key(secret, sizeof(secret), EC_KEY_get0_public_key(peer), ec, NULL) <= 0);
    expect_error("ECDH");
    EC_KEY_free(peer);
    CHECK(ECDSA_sign_setup(ec, NULL, &kinv, &r) == 0);
    expect_error("nonce");
    EC_KEY_free(ec);
    sig = ECDSA_do_sign(digest, 32, copy);
    CHECK(sig != NULL && ECDSA_do_verify(digest, 32, sig, copy) == 1);
    ECDSA_SIG_free(sig);
    EC_KEY_free(copy);
}

static X509 *read_certificate(const char *file)
{
    BIO *bio = BIO_new_file(file, "r");
    X509 *certificate = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);

    CHECK(certificate != NULL);
    BIO_free(bio);
    return certificate;
}

static void certificates(EVP_PKEY *key, const char *own, const char *others)
{
    X509 *certificate = read_certificate(own), *other = read_certificate(others);

    CHECK(X509_check_private_key(certificate, key) == 1);
    CHECK(EVP_PKEY_cmp(X509_get0_pubkey(certificate), key) == 1);
    CHECK(EVP_PKEY_cmp(key, X509_get0_pubkey(certificate)) == 1);
    QUIET();
    CHECK(X509_check_private_key(other, key) == 0);
    CHECK(EVP_PKEY_cmp(X509_get0_pubkey(other), key) != 1);
    ERR_clear_error();
    X509_free(certificate);
    X509_free(other);
}

int main(int argc, char **argv)
{
    ENGINE *engine;
    EVP_PKEY *rsa_key, *ec_key, *public_key;

    if (argc != 6)
        die("usage: engine_keys MODULE RSA EC CERTIFICATE OTHER");
    engine = load_engine(argv[1]);
    rsa_key = load_key(engine, argv[2]);
    ec_key = load_key(engine, argv[3]);
    public_key = ENGINE_load_public_key(engine, argv[2], NULL, NULL);
    CHECK(public_key != NULL && EVP_PKEY_cmp(public_key, rsa_key) == 1);
    CHECK(EVP_PKEY_cmp(rsa_key, ec_key) != 1);
    ERR_clear_error();
    rsa(rsa_key);
    ec(ec_key);
    certificates(rsa_key, argv[4], argv[5]);
    CHECK(ENGINE_load_private_key(engine, NULL, NULL, NULL) == NULL);
    expect_error("not UTF-8");
    /* Keys stay valid as long as they live, even without the caller's reference to the engine. */
    unload_engine(engine);
    CHECK(sign_and_verify(rsa_key, 1) && sign_and_verify(ec_key, 2));
    EVP_PKEY_free(rsa_key);
    EVP_PKEY_free(ec_key);
    EVP_PKEY_free(public_key);
    QUIET();
    return 0;
}
