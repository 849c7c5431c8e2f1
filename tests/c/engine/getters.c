/* engine_getters MODULE KEY: every getter returns the same for a key of the engine as for OpenSSL's
 * own key with the same public half. Prints the number of getters. */
#include "engine_common.h"

#include <openssl/bn.h>
#include <openssl/x509.h>

static int asked;

#define SAME(question, of, other) \
    do { \
        asked++; \
        if ((question(of)) != (question(other))) \
            die(#question " is not what OpenSSL's own key says"); \
    } while (0)

static void same_number(const BIGNUM *number, const BIGNUM *other, const char *what)
{
    asked++;
    if (number == NULL || BN_is_zero(number) || BN_cmp(number, other) != 0)
        die(what);
}

static void same_point(const EC_KEY *key, const EC_KEY *other)
{
    unsigned char *bytes = NULL, *other_bytes = NULL;
    size_t length = EC_KEY_key2buf(key, EC_KEY_get_conv_form(key), &bytes, NULL);

    asked++;
    if (length == 0
        || length != EC_KEY_key2buf(other, EC_KEY_get_conv_form(other), &other_bytes, NULL)
        || memcmp(bytes, other_bytes, length) != 0)
        die("the public point is another one");
    OPENSSL_free(bytes);
    OPENSSL_free(other_bytes);
}

static void ec(const EVP_PKEY *key, const EVP_PKEY *own)
{
    const EC_KEY *ec_key = EVP_PKEY_get0_EC_KEY((EVP_PKEY *)key);
    const EC_KEY *own_key = EVP_PKEY_get0_EC_KEY((EVP_PKEY *)own);
    const EC_GROUP *group, *own_group;

    CHECK(ec_key != NULL && own_key != NULL);
    group = EC_KEY_get0_group(ec_key);
    own_group = EC_KEY_get0_group(own_key);
    CHECK(group != NULL && own_group != NULL);
    same_number(EC_GROUP_get0_order(group), EC_GROUP_get0_order(own_group), "another order");
    same_number(EC_GROUP_get0_cofactor(group), EC_GROUP_get0_cofactor(own_group),
                "another cofactor");
    SAME(EC_GROUP_order_bits, group, own_group);
    SAME(EC_GROUP_get_degree, group, own_group);
    SAME(EC_GROUP_get_curve_name, group, own_group);
    SAME(EC_GROUP_get_asn1_flag, group, own_group);
    SAME(EC_GROUP_get_point_conversion_form, group, own_group);
    SAME(EC_KEY_get_conv_form, ec_key, own_key);
    SAME(EC_KEY_get_enc_flags, ec_key, own_key);
    SAME(EC_KEY_check_key, ec_key, own_key);
    SAME(EC_KEY_can_sign, ec_key, own_key);
    SAME(ECDSA_size, ec_key, own_key);
    CHECK(EC_GROUP_cmp(group, own_group, NULL) == 0);
    CHECK(EC_POINT_cmp(group, EC_KEY_get0_public_key(ec_key), EC_KEY_get0_public_key(own_key), NULL)
          == 0);
    CHECK(EC_KEY_get0_private_key(ec_key) == NULL);
    same_point(ec_key, own_key);
}

static void rsa(const EVP_PKEY *key, const EVP_PKEY *own)
{
    const RSA *rsa_key = EVP_PKEY_get0_RSA((EVP_PKEY *)key);
    const RSA *own_key = EVP_PKEY_get0_RSA((EVP_PKEY *)own);
    const BIGNUM *d = NULL, *p = NULL, *q = NULL;

    CHECK(rsa_key != NULL && own_key != NULL);
    same_number(RSA_get0_n(rsa_key), RSA_get0_n(own_key), "another modulus");
    same_number(RSA_get0_e(rsa_key), RSA_get0_e(own_key), "another exponent");
    SAME(RSA_size, rsa_key, own_key);
    SAME(RSA_bits, rsa_key, own_key);
    SAME(RSA_security_bits, rsa_key, own_key);
    SAME(RSA_get_multi_prime_extra_count, rsa_key, own_key);
    RSA_get0_key(rsa_key, NULL, NULL, &d);
    RSA_get0_factors(rsa_key, &p, &q);
    CHECK(d == NULL && p == NULL && q == NULL);
}

static void same_text(const EVP_PKEY *key, const EVP_PKEY *own,
                      int (*print)(BIO *, const EVP_PKEY *, int, ASN1_PCTX *))
{
    BIO *text = BIO_new(BIO_s_mem()), *own_text = BIO_new(BIO_s_mem());
    char *bytes, *own_bytes;
    long length, own_length;

    asked++;
    CHECK(print(text, key, 0, NULL) == print(own_text, own, 0, NULL));
    length = BIO_get_mem_data(text, &bytes);
    own_length = BIO_get_mem_data(own_text, &own_bytes);
    if (length != own_length || memcmp(bytes, own_bytes, (size_t)length) != 0)
        die("the key is printed differently");
    BIO_free(text);
    BIO_free(own_text);
}

/* OpenSSL's own legacy key with the same public half; the engine's keys are legacy keys too. */
static EVP_PKEY *own_of(EVP_PKEY *key)
{
    EVP_PKEY *own = EVP_PKEY_new();
    unsigned char *der = NULL;
    const unsigned char *start;

    CHECK(own != NULL);
    if (EVP_PKEY_base_id(key) == EVP_PKEY_EC) {
        int length = i2d_EC_PUBKEY(EVP_PKEY_get0_EC_KEY(key), &der);

        CHECK(length > 0);
        start = der;
        CHECK(EVP_PKEY_assign_EC_KEY(own, d2i_EC_PUBKEY(NULL, &start, length)) == 1);
    } else {
        int length = i2d_RSA_PUBKEY(EVP_PKEY_get0_RSA(key), &der);

        CHECK(length > 0);
        start = der;
        CHECK(EVP_PKEY_assign_RSA(own, d2i_RSA_PUBKEY(NULL, &start, length)) == 1);
    }
    OPENSSL_free(der);
    return own;
}

int main(int argc, char **argv)
{
    EVP_PKEY *key, *own;
    ENGINE *engine;
    int nid = 0, own_nid = 0;

    if (argc != 3)
        die("usage: engine_getters MODULE KEY");
    engine = load_engine(argv[1]);
    key = load_key(engine, argv[2]);
    own = own_of(key);
    SAME(EVP_PKEY_id, key, own);
    SAME(EVP_PKEY_base_id, key, own);
    SAME(EVP_PKEY_bits, key, own);
    SAME(EVP_PKEY_size, key, own);
    SAME(EVP_PKEY_security_bits, key, own);
    CHECK(EVP_PKEY_get_default_digest_nid(key, &nid)
          == EVP_PKEY_get_default_digest_nid(own, &own_nid));
    CHECK(nid == own_nid);
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    CHECK(strcmp(EVP_PKEY_get0_type_name(key), EVP_PKEY_get0_type_name(own)) == 0);
    CHECK(EVP_PKEY_eq(key, own) == 1);
#else
    CHECK(EVP_PKEY_cmp(key, own) == 1);
#endif
    same_text(key, own, EVP_PKEY_print_public);
    if (EVP_PKEY_base_id(key) == EVP_PKEY_EC) {
        same_text(key, own, EVP_PKEY_print_params);
        ec(key, own);
    } else {
        rsa(key, own);
    }
    QUIET();
    printf("%d\n", asked);
    EVP_PKEY_free(own);
    EVP_PKEY_free(key);
    unload_engine(engine);
    return 0;
}
