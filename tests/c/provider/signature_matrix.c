/* signature_matrix KEY OWN PUBLIC KIND: signs with a vault key (KIND is vault or hsm) and with a
 * key of the default provider in the file OWN, with every digest, padding and salt length. If only
 * the default provider succeeds, the service must lack the combination, and the failure must be one
 * readable error. The default provider verifies our signatures with the public half in the file
 * PUBLIC. Prints how many signatures the vault made. */
#include "pair.h"

#include <openssl/rsa.h>

static EVP_PKEY *ours, *own, *public_half;
static int is_hsm, made;

static const char *const digests[] = {
    "MD5",        "MD5-SHA1", "SHA1",     "SHA224",   "SHA256",   "SHA384",   "SHA512",
    "SHA512-224", "SHA512-256", "SHA3-224", "SHA3-256", "SHA3-384", "SHA3-512", NULL
};

/* The parameters of a signature; NULL and 0 are not set. */
struct settings {
    const char *digest, *padding, *mgf1, *salt;
    size_t length;
};

static const char message[] = "a message";

static void fail(const struct settings *s, const char *what)
{
    fprintf(stderr, "digest %s, padding %s, MGF1 %s, salt %s, %zu bytes: ", s->digest, s->padding,
            s->mgf1, s->salt, s->length);
    die(what);
}

static OSSL_PARAM text(const char *name, const char *value)
{
    return OSSL_PARAM_construct_utf8_string(name, (char *)value, 0);
}

static void collect(const struct settings *s, OSSL_PARAM params[6])
{
    int n = 0;

    if (s->digest != NULL)
        params[n++] = text("digest", s->digest);
    if (s->padding != NULL)
        params[n++] = text("pad-mode", s->padding);
    if (s->mgf1 != NULL)
        params[n++] = text("mgf1-digest", s->mgf1);
    if (s->salt != NULL)
        params[n++] = text("saltlen", s->salt);
    params[n] = OSSL_PARAM_construct_end();
}

/* Signs data that may be a digest. Returns the step that failed, or 0. */
static int sign(EVP_PKEY *key, const struct settings *s, const unsigned char *tbs,
                unsigned char *signature, size_t *length)
{
    OSSL_PARAM params[6];
    EVP_PKEY_CTX *context = context_of(key);
    int failed = 0;

    collect(s, params);
    if (EVP_PKEY_sign_init_ex(context, NULL) != 1)
        failed = 1;
    else if (EVP_PKEY_CTX_set_params(context, params) != 1)
        failed = 2;
    else if (EVP_PKEY_sign(context, signature, length, tbs, s->length) != 1)
        failed = 3;
    EVP_PKEY_CTX_free(context);
    return failed;
}

/* Verifies, with the provider that holds the key; returns 1 if the signature is valid. */
static int verify(EVP_PKEY *key, const struct settings *s, const unsigned char *tbs,
                  const unsigned char *signature, size_t length)
{
    OSSL_PARAM params[6];
    char query[64];
    EVP_PKEY_CTX *context;
    int ok;

    snprintf(query, sizeof(query), "provider=%s",
             OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)));
    context = EVP_PKEY_CTX_new_from_pkey(NULL, key, query);
    if (context == NULL)
        die("no context");

    collect(s, params);
    ok = EVP_PKEY_verify_init_ex(context, NULL) == 1
        && EVP_PKEY_CTX_set_params(context, params) == 1
        && EVP_PKEY_verify(context, signature, length, tbs, s->length) == 1;
    EVP_PKEY_CTX_free(context);
    return ok;
}

/* The length of a digest. */
static size_t size_of(const char *digest)
{
    EVP_MD *md = EVP_MD_fetch(NULL, digest, NULL);
    size_t size;

    if (md == NULL)
        die(digest);
    size = EVP_MD_get_size(md);
    EVP_MD_free(md);
    return size;
}

static int is_of(const char *digest, const char *const *list)
{
    for (; digest != NULL && *list != NULL; list++)
        if (strcmp(digest, *list) == 0)
            return 1;
    return 0;
}

/* Whether the service supports the combination with RSA. */
static int service_signs(const struct settings *s)
{
    static const char *const named[] = { "SHA256", "SHA384", "SHA512", NULL };

    if (s->padding == NULL || strcmp(s->padding, "pkcs1") == 0)
        return !is_hsm || is_of(s->digest, named);
    if (strcmp(s->padding, "pss") != 0 || !is_of(s->digest, named))
        return 0;
    if (s->mgf1 != NULL && strcmp(s->mgf1, s->digest) != 0)
        return 0;
    if (s->salt == NULL || strcmp(s->salt, "digest") == 0 || strncmp(s->salt, "auto", 4) == 0)
        return 1;
    return strcmp(s->salt, "max") != 0 && (size_t)atoi(s->salt) == size_of(s->digest);
}

/* Whether the service supports the length with ECDSA: it requires 64 bytes for P-521, whose order
 * has 66. */
static int service_signs_with_curve(const struct settings *s)
{
    return EVP_PKEY_get_bits(ours) != 521 || s->length <= 64;
}

static void try(const struct settings *s, const unsigned char *tbs)
{
    unsigned char signature[SIGNATURE_MAX], other[SIGNATURE_MAX];
    size_t length = sizeof(signature), other_length = sizeof(other);
    int expected = sign(own, s, tbs, other, &other_length) == 0, failed;

    expected = expected
        && (EVP_PKEY_is_a(ours, "RSA") ? service_signs(s) : service_signs_with_curve(s));
    our_errors();
    failed = sign(ours, s, tbs, signature, &length);
    if (failed != 0) {
        if (our_errors() != 1)
            fail(s, "a refusal is one entry of ours");
        if (expected)
            fail(s, "refused");
        return;
    }
    if (!expected)
        fail(s, "signed although the default provider or the service does not");
    if (ERR_peek_error() != 0)
        fail(s, "success has left something in the error queue");
    made++;
    for (int i = 0; i < 2; i++) {
        EVP_PKEY *key = i == 0 ? public_half : ours;

        if (verify(key, s, tbs, signature, length) != 1)
            fail(s, i == 0 ? "the default provider refuses it" : "ours refuses it");
        signature[length / 2] ^= 1;
        if (verify(key, s, tbs, signature, length) == 1)
            fail(s, "a wrong signature is taken");
        signature[length / 2] ^= 1;
    }
    our_errors();
}

/* We verify what the default provider signs with paddings that vaults do not support. */
static void try_to_verify(const struct settings *s, const unsigned char *tbs, EVP_PKEY *own_half)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t length = sizeof(signature);

    /* A digest of TLS 1.0, which never uses that padding. */
    int unheard_of = s->digest != NULL && strcmp(s->digest, "MD5-SHA1") == 0 && s->padding != NULL;

    if (unheard_of || sign(own, s, tbs, signature, &length) != 0) {
        our_errors();
        return;
    }
    /* What the service does not sign is not verified either. */
    if (verify(own_half, s, tbs, signature, length) != service_signs_with_curve(s))
        fail(s, "ours refuses what the default provider has signed");
    signature[length - 1] ^= 1;
    if (verify(own_half, s, tbs, signature, length) == 1)
        fail(s, "ours takes a wrong signature");
    our_errors();
}

/* The public half of the default provider's key, imported into ours. */
static EVP_PKEY *taken_by_us(void)
{
    EVP_PKEY_CTX *context
        = EVP_PKEY_CTX_new_from_name(NULL, EVP_PKEY_get0_type_name(own), "provider=akv_provider");
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;

    if (EVP_PKEY_todata(own, EVP_PKEY_PUBLIC_KEY, &params) != 1 || context == NULL
        || EVP_PKEY_fromdata_init(context) != 1
        || EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        die("a public key is not taken");
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(context);
    return key;
}

static void rsa(const unsigned char *tbs, EVP_PKEY *own_half)
{
    static const char *const salts[] = { NULL, "digest", "auto", "max", "0",  "20", "28",
                                         "32", "48",     "64",   "-5",  NULL };

    for (const char *const *digest = digests; *digest != NULL; digest++) {
        struct settings s = { *digest, NULL, NULL, NULL, size_of(*digest) };

        try(&s, tbs);
        try_to_verify(&s, tbs, own_half);
        s.padding = "pss";
        for (size_t salt = 0; salt < 11; salt++)
            for (size_t mask = 0; mask < sizeof(digests) / sizeof(*digests); mask++) {
                s.salt = salts[salt];
                /* The last one is NULL: the same as the digest. */
                s.mgf1 = digests[mask];
                try(&s, tbs);
                try_to_verify(&s, tbs, own_half);
            }
        s.salt = s.mgf1 = NULL;
#if OPENSSL_VERSION_NUMBER >= 0x30100000L
        s.salt = "auto-digestmax";
        try(&s, tbs);
        try_to_verify(&s, tbs, own_half);
        s.salt = NULL;
#endif
        s.padding = "none";
        try(&s, tbs);
        s.padding = "x931";
        try(&s, tbs);
        s.padding = "pkcs1";
        s.length--;
        try(&s, tbs);
    }
    /* Without a digest, the data is padded as it is. */
    for (size_t length = 0; length <= 256; length += length < 20 || length > 240 ? 1 : 20) {
        struct settings s = { NULL, NULL, NULL, NULL, length };

        if (length > 0)
            try(&s, tbs);
        s.padding = "none";
        try(&s, tbs);
        if (length > 0)
            try_to_verify(&s, tbs, own_half);
        s.padding = "pss";
        try(&s, tbs);
    }
}

static void ecdsa(const unsigned char *tbs, EVP_PKEY *own_half)
{
    static const size_t lengths[] = { 1, 16, 20, 28, 31, 32, 33, 47, 48, 49, 64, 65, 66, 67, 200 };

    for (const char *const *digest = digests; *digest != NULL; digest++) {
        struct settings s = { *digest, NULL, NULL, NULL, size_of(*digest) };

        try(&s, tbs);
        try_to_verify(&s, tbs, own_half);
        s.length--;
        try(&s, tbs);
    }
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        struct settings s = { NULL, NULL, NULL, NULL, lengths[i] };

        try(&s, tbs);
        try_to_verify(&s, tbs, own_half);
    }
}

/* Whether this libcrypto restarts a duplicated context without parameters: 3.0.2 does not. */
static int starts_again(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new(), *copy = EVP_MD_CTX_new();
    int does = EVP_DigestSignInit_ex(context, NULL, "SHA384", NULL, NULL, own, NULL) == 1
        && EVP_MD_CTX_copy_ex(copy, context) == 1
        && EVP_DigestSignInit_ex(copy, NULL, NULL, NULL, NULL, NULL, NULL) == 1;

    ERR_clear_error();
    EVP_MD_CTX_free(context);
    EVP_MD_CTX_free(copy);
    return does;
}

/* Contexts that are duplicated in the middle of a message, and restarted without parameters. */
static void messages(void)
{
    EVP_MD_CTX *first = EVP_MD_CTX_new(), *second = EVP_MD_CTX_new();
    unsigned char signature[SIGNATURE_MAX];
    int rounds = starts_again() ? 4 : 2;
    size_t length;

    if (EVP_DigestSignInit_ex(first, NULL, "SHA384", NULL, NULL, ours, NULL) != 1
        || EVP_DigestSignUpdate(first, message, 4) != 1
        || EVP_MD_CTX_copy_ex(second, first) != 1)
        die("cannot copy a context");
    for (int round = 0; round < rounds; round++) {
        EVP_MD_CTX *context = round % 2 == 0 ? first : second;

        /* The third and fourth rounds restart, with the same digest. */
        if (round >= 2
            && (EVP_DigestSignInit_ex(context, NULL, NULL, NULL, NULL, NULL, NULL) != 1
                || EVP_DigestSignUpdate(context, message, 4) != 1))
            die("cannot start again");
        length = sizeof(signature);
        if (EVP_DigestSignUpdate(context, message + 4, sizeof(message) - 4) != 1
            || EVP_DigestSignFinal(context, signature, &length) != 1)
            die("cannot sign in parts");
        made++;
        for (int i = 0; i < 2; i++) {
            EVP_MD_CTX *check = EVP_MD_CTX_new();
            const unsigned char *data = (const unsigned char *)message;

            if (EVP_DigestVerifyInit_ex(check, NULL, "SHA384", NULL, NULL,
                                        i == 0 ? public_half : ours, NULL) != 1
                || EVP_DigestVerify(check, signature, length, data, sizeof(message)) != 1)
                die("the signature of a copied context is wrong");
            if (rounds == 4
                && (EVP_DigestVerifyInit_ex(check, NULL, NULL, NULL, NULL, NULL, NULL) != 1
                || EVP_DigestVerify(check, signature, length, data, sizeof(message)) != 1))
                die("cannot verify again");
            EVP_MD_CTX_free(check);
        }
    }
    EVP_MD_CTX_free(first);
    EVP_MD_CTX_free(second);
}

int main(int argc, char **argv)
{
    unsigned char tbs[256];
    EVP_PKEY *own_half;

    if (argc != 5)
        die("usage: signature_matrix KEY OWN PUBLIC KIND");
    ours = load_key(argv[1]);
    own = read_key(argv[2], 1);
    public_half = read_key(argv[3], 0);
    is_hsm = strcmp(argv[4], "hsm") == 0;
    own_half = taken_by_us();
    memset(tbs, 0x5a, sizeof(tbs));
    if (EVP_PKEY_is_a(ours, "RSA"))
        rsa(tbs, own_half);
    else
        ecdsa(tbs, own_half);
    messages();
    if (ERR_peek_error() != 0)
        die("success has left something in the error queue");
    printf("%d\n", made);
    EVP_PKEY_free(own_half);
    EVP_PKEY_free(ours);
    EVP_PKEY_free(own);
    EVP_PKEY_free(public_half);
    return 0;
}
