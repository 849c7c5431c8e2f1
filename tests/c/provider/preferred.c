/* preferred: in a host whose default properties prefer our provider, libcrypto has it make every RSA
 * and EC key. What is to be in no vault another provider makes, and the key can do all that a key in
 * memory can; it is compared with a copy of it that the default provider holds. Prints the number of
 * keys. */
#include "common.h"

#include <openssl/core_names.h>
#include <openssl/encoder.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>

static const char *what;

static void check(int ok, const char *step)
{
    if (!ok) {
        fprintf(stderr, "%s: ", what);
        die(step);
    }
}

static int is_of(EVP_PKEY *key, const char *provider)
{
    return key != NULL
        && strcmp(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)), provider) == 0;
}

/* Parts of a key, as an object of the provider that the query gives. */
static EVP_PKEY *transfer(EVP_PKEY *key, int selection, const char *query, const char *provider)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, EVP_PKEY_get0_type_name(key), query);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *other = NULL;

    check(context != NULL && EVP_PKEY_todata(key, selection, &params) == 1
              && EVP_PKEY_fromdata_init(context) == 1
              && EVP_PKEY_fromdata(context, &other, selection, params) == 1
              && is_of(other, provider),
          "transfer");
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(context);
    return other;
}

static EVP_PKEY *copy(EVP_PKEY *key, int selection)
{
    return transfer(key, selection, "provider=default", "default");
}

/* A public half that we import. */
static EVP_PKEY *from_data(EVP_PKEY *key)
{
    return transfer(key, EVP_PKEY_PUBLIC_KEY, NULL, "akv_provider");
}

static void sound(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

    check(EVP_PKEY_check(context) == 1, "check");
    check(EVP_PKEY_public_check(context) == 1, "public check");
    check(EVP_PKEY_private_check(context) == 1, "private check");
    check(EVP_PKEY_pairwise_check(context) == 1, "pairwise check");
    EVP_PKEY_CTX_free(context);
}

/* One signs, the other verifies. */
static void sign(EVP_PKEY *signer, EVP_PKEY *verifier, int salt)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t length = sizeof(signature);
    EVP_MD_CTX *signing = EVP_MD_CTX_new(), *verifying = EVP_MD_CTX_new();
    EVP_PKEY_CTX *context;

    check(EVP_DigestSignInit_ex(signing, &context, "SHA384", NULL, NULL, signer, NULL) == 1,
          "begin to sign");
    if (salt != 0)
        check(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1
                  && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt) == 1,
              "PSS");
    check(EVP_DigestSign(signing, signature, &length, (unsigned char *)what, strlen(what)) == 1,
          "sign");
    check(EVP_DigestVerifyInit_ex(verifying, &context, "SHA384", NULL, NULL, verifier, NULL) == 1,
          "begin to verify");
    if (salt != 0)
        check(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1, "PSS");
    check(EVP_DigestVerify(verifying, signature, length, (unsigned char *)what, strlen(what)) == 1,
          "verify");
    EVP_MD_CTX_free(signing);
    EVP_MD_CTX_free(verifying);
}

static size_t derive(EVP_PKEY *key, EVP_PKEY *peer, unsigned char secret[128])
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    size_t length = 128;

    check(EVP_PKEY_derive_init(context) == 1 && EVP_PKEY_derive_set_peer(context, peer) == 1
              && EVP_PKEY_derive(context, secret, &length) == 1,
          "derive");
    EVP_PKEY_CTX_free(context);
    return length;
}

/* What TLS does: an object with the group of a key, and a public half from the wire. */
static EVP_PKEY *from_the_wire(EVP_PKEY *group, EVP_PKEY *key)
{
    EVP_PKEY *public_half = EVP_PKEY_new();
    unsigned char *point, *again;
    size_t length = EVP_PKEY_get1_encoded_public_key(key, &point);

    check(length != 0 && EVP_PKEY_copy_parameters(public_half, group) == 1, "the group");
    check(EVP_PKEY_set1_encoded_public_key(public_half, point, length) == 1, "the public half");
    check(EVP_PKEY_get1_encoded_public_key(public_half, &again) == length
              && memcmp(point, again, length) == 0 && EVP_PKEY_eq(public_half, key) == 1,
          "the public half is another");
    point[length - 1] ^= 1;
    check(EVP_PKEY_set1_encoded_public_key(public_half, point, length) != 1, "a point off the curve");
    ERR_clear_error();
    OPENSSL_free(point);
    OPENSSL_free(again);
    return public_half;
}

/* A key like another. */
static EVP_PKEY *like(EVP_PKEY *template)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, template, NULL);
    EVP_PKEY *key = NULL;

    check(EVP_PKEY_keygen_init(context) == 1 && EVP_PKEY_generate(context, &key) == 1,
          "make one like it");
    check(EVP_PKEY_eq(key, template) != 1, "the same key twice");
    EVP_PKEY_CTX_free(context);
    return key;
}

static void agree(EVP_PKEY *key, EVP_PKEY *own, int is_known)
{
    unsigned char first[128], second[128], third[128];
    EVP_PKEY *other = like(key), *other_own = copy(other, EVP_PKEY_KEYPAIR);
    EVP_PKEY *public_half = from_the_wire(key, other);
    size_t length = derive(key, public_half, first);

    check(EVP_PKEY_parameters_eq(key, other) == 1, "another group");
    if (is_known) {
        /* As the hybrid groups of TLS have it: a public key that was imported, and keys like it. */
        EVP_PKEY *imported = from_data(other), *third_key = like(imported);

        check(derive(key, imported, second) == length && memcmp(first, second, length) == 0,
              "another secret with an imported key");
        check(derive(third_key, imported, second) == length, "no secret of a key like it");
        EVP_PKEY_free(imported);
        EVP_PKEY_free(third_key);
    }
    check(derive(own, other_own, second) == length && memcmp(first, second, length) == 0,
          "another secret");
    check(derive(other, own, third) == length && memcmp(first, third, length) == 0,
          "another secret of the other");
    EVP_PKEY_free(other);
    EVP_PKEY_free(other_own);
    EVP_PKEY_free(public_half);
}

/* One encrypts, the other decrypts. */
static void decrypt(EVP_PKEY *key, EVP_PKEY *own, int padding)
{
    unsigned char ciphertext[512], plaintext[512];
    size_t length = sizeof(ciphertext), plain_length = sizeof(plaintext);
    EVP_PKEY_CTX *encrypting = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
    EVP_PKEY_CTX *decrypting = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    int i;

    check(EVP_PKEY_encrypt_init(encrypting) == 1 && EVP_PKEY_decrypt_init(decrypting) == 1,
          "begin to decrypt");
    for (i = 0; i < 2; i++) {
        EVP_PKEY_CTX *context = i == 0 ? encrypting : decrypting;

        check(EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1, "padding");
        if (padding == RSA_PKCS1_OAEP_PADDING)
            check(EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha512()) == 1
                      && EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1
                      && EVP_PKEY_CTX_set0_rsa_oaep_label(context, OPENSSL_strdup("label"), 5) == 1,
                  "OAEP");
    }
    check(EVP_PKEY_encrypt(encrypting, ciphertext, &length, (unsigned char *)what, strlen(what))
              == 1,
          "encrypt");
    check(EVP_PKEY_decrypt(decrypting, plaintext, &plain_length, ciphertext, length) == 1
              && plain_length == strlen(what) && memcmp(plaintext, what, plain_length) == 0,
          "decrypt");
    EVP_PKEY_CTX_free(encrypting);
    EVP_PKEY_CTX_free(decrypting);
}

#if OPENSSL_VERSION_NUMBER >= 0x30200000L
/* Wrong padding is an error, or random bytes, as the caller likes it. */
static void reject(EVP_PKEY *key)
{
    unsigned char ciphertext[512] = { 1 }, plaintext[512];
    size_t length, size = EVP_PKEY_get_size(key);
    const char *const values[] = { "0", "1" };
    int i;

    for (i = 0; i < 2; i++) {
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

        length = sizeof(plaintext);
        check(EVP_PKEY_decrypt_init(context) == 1
                  && EVP_PKEY_CTX_ctrl_str(context, "rsa_pkcs1_implicit_rejection", values[i]) == 1,
              "implicit rejection");
        check((EVP_PKEY_decrypt(context, plaintext, &length, ciphertext, size) == 1) == i,
              "implicit rejection does something else");
        ERR_clear_error();
        EVP_PKEY_CTX_free(context);
    }
}
#endif

static void parameters_are_written(EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int length = i2d_KeyParams(key, &der);

    check(length > 0, "parameters are not written");
    OPENSSL_free(der);
}

/* Nobody is to have a key in a file who believes to have one in a vault. */
static void not_written(EVP_PKEY *key, int is_known)
{
    BIO *out = BIO_new(BIO_s_mem());
    unsigned char *der = NULL;
    OSSL_ENCODER_CTX *encoder;

    check(PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) != 1, "written as PEM");
    check(strstr(ERR_reason_error_string(ERR_peek_error()), "not supported") != NULL, "no reason");
    check(i2d_PrivateKey(key, &der) <= 0, "written as DER");
    ERR_clear_error();
    encoder = OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "DER", NULL, NULL);
    check(encoder != NULL && OSSL_ENCODER_to_bio(encoder, out) != 1, "written as whatever");
    check(ERR_peek_error() != 0, "no reason");
    OSSL_ENCODER_CTX_free(encoder);
    check(BIO_pending(out) == 0, "written in part");
    if (is_known)
        check(PEM_write_bio_PUBKEY(out, key) == 1, "not written as public key");
    ERR_clear_error();
    BIO_free(out);
}

/* Uses a key up; `is_known` says whether there are such keys in vaults. */
static void use(EVP_PKEY *key, int bits, int is_known)
{
    EVP_PKEY *own, *same, *public_half;

    check(is_of(key, "akv_provider"), "who has made the key?");
    own = copy(key, EVP_PKEY_KEYPAIR);
    public_half = copy(key, EVP_PKEY_PUBLIC_KEY);
    same = EVP_PKEY_dup(key);
    check(same != NULL && EVP_PKEY_get_bits(key) == bits, "bits");
    check(EVP_PKEY_get_size(key) == EVP_PKEY_get_size(own), "size");
    check(EVP_PKEY_get_security_bits(key) == EVP_PKEY_get_security_bits(own), "security bits");
    check(EVP_PKEY_eq(key, own) == 1 && EVP_PKEY_eq(own, key) == 1, "not the same");
    check(EVP_PKEY_eq(key, same) == 1 && EVP_PKEY_eq(public_half, key) == 1, "not the same");
    sound(key);
    sign(key, own, 0);
    sign(own, key, 0);
    sign(same, public_half, 0);
    if (EVP_PKEY_is_a(key, "RSA")) {
        sign(key, own, RSA_PSS_SALTLEN_DIGEST);
        sign(key, own, RSA_PSS_SALTLEN_AUTO);
        sign(key, own, 7);
        decrypt(key, own, RSA_PKCS1_PADDING);
        decrypt(key, own, RSA_PKCS1_OAEP_PADDING);
        decrypt(own, key, RSA_PKCS1_PADDING);
        decrypt(own, key, RSA_PKCS1_OAEP_PADDING);
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
        reject(key);
#endif
    } else {
        agree(key, own, is_known);
        parameters_are_written(key);
    }
    not_written(key, is_known);
    EVP_PKEY_free(own);
    EVP_PKEY_free(same);
    EVP_PKEY_free(public_half);
    EVP_PKEY_free(key);
}

/* Domain parameters alone, and a key of them: how a TLS server begins. */
static EVP_PKEY *by_parameters(const char *group)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *parameters = NULL, *key;

    check(EVP_PKEY_paramgen_init(context) == 1 && EVP_PKEY_CTX_set_group_name(context, group) == 1
              && EVP_PKEY_paramgen(context, &parameters) == 1,
          "parameters");
    key = like(parameters);
    EVP_PKEY_free(parameters);
    EVP_PKEY_CTX_free(context);
    return key;
}

/* A group of which we know more than its name: no other provider is needed. */
static void known_group(const char *group)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string("group", (char *)group, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *parameters = NULL, *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", group);

    check(EVP_PKEY_fromdata_init(context) == 1
              && EVP_PKEY_fromdata(context, &parameters, EVP_PKEY_KEY_PARAMETERS, params) == 1
              && is_of(parameters, "akv_provider"),
          "a group");
    EVP_PKEY_free(from_the_wire(parameters, key));
    EVP_PKEY_free(parameters);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
}

int main(void)
{
    static const struct {
        const char *group;
        int bits;
    } curves[] = { { "P-256", 256 },     { "P-384", 384 },           { "P-521", 521 },
                   { "secp256k1", 256 }, { "brainpoolP256r1", 256 }, { "P-224", 224 } };
    static const unsigned sizes[] = { 2048, 1536 };
    unsigned i, made = 0;

    if (EVP_set_default_properties(NULL, "?provider=akv_provider") != 1)
        die("cannot set the default properties");
    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++, made++) {
        what = "RSA";
        use(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)sizes[i]), (int)sizes[i], 1);
    }
    for (i = 0; i < sizeof(curves) / sizeof(curves[0]); i++, made += 2) {
        int is_known = i < 4;

        what = curves[i].group;
        use(EVP_PKEY_Q_keygen(NULL, NULL, "EC", what), curves[i].bits, is_known);
        use(by_parameters(what), curves[i].bits, is_known);
        if (is_known)
            known_group(what);
    }
    if (ERR_peek_error() != 0)
        die("success has left something in the error queue");
    printf("%u\n", made);
    return 0;
}
