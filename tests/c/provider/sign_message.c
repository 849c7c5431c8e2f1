/* sign_message KEY PUBLIC KIND: signs and verifies with the algorithms that have a digest in their
 * name, using a vault key (KIND is vault or hsm). The default provider verifies the results with
 * the public half in the file PUBLIC. The host then still generates keys of its own. Prints the
 * number of algorithms. */
#include "pair.h"

#if OPENSSL_VERSION_NUMBER < 0x30400000L

int main(void)
{
    puts("0");
    return 0;
}

#else

#define OURS "provider=akv_provider"

static const char *const digests[] = {
    "SHA1", "SHA2-224", "SHA2-256", "SHA2-384", "SHA2-512", "SHA2-512/224",
    "SHA2-512/256", "SHA3-224", "SHA3-256", "SHA3-384", "SHA3-512", NULL
};

static const unsigned char message[] = "a message in two parts";
#define FIRST_PART 9

/* The parameters of a test of one algorithm. */
struct case_ {
    EVP_PKEY *ours, *theirs;
    const char *digest;
    EVP_SIGNATURE *algorithm;
    unsigned char signature[SIGNATURE_MAX];
    size_t length;
};

/* Verifies the signature with the default provider. */
static void check(struct case_ *c)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    if (EVP_DigestVerifyInit_ex(context, NULL, c->digest, NULL, "provider=default", c->theirs,
                                NULL) != 1
        || EVP_DigestVerify(context, c->signature, c->length, message, sizeof(message)) != 1)
        die("the default provider refuses the signature");
    EVP_MD_CTX_free(context);
}

static void sign_in_parts(struct case_ *c)
{
    EVP_PKEY_CTX *context = context_of(c->ours), *copy;
    size_t size = 0, little = 1;
    unsigned char none;

    if (EVP_PKEY_sign_message_init(context, c->algorithm, NULL) != 1
        || EVP_PKEY_sign_message_update(context, message, FIRST_PART) != 1
        || EVP_PKEY_sign_message_final(context, NULL, &size) != 1
        || size != (size_t)EVP_PKEY_get_size(c->ours))
        die("cannot start to sign");
    if (EVP_PKEY_sign_message_final(context, &none, &little) == 1)
        die("no room for a signature was enough");
    ERR_clear_error();
    copy = EVP_PKEY_CTX_dup(context);
    for (int round = 0; round < 2; round++) {
        EVP_PKEY_CTX *one = round == 0 ? context : copy;

        c->length = sizeof(c->signature);
        if (EVP_PKEY_sign_message_update(one, message + FIRST_PART, sizeof(message) - FIRST_PART)
                != 1
            || EVP_PKEY_sign_message_final(one, c->signature, &c->length) != 1)
            die("cannot sign in parts");
        check(c);
        if (EVP_PKEY_sign_message_final(one, c->signature, &c->length) == 1)
            die("a finished message was signed again");
        ERR_clear_error();
    }
    EVP_PKEY_CTX_free(copy);
    EVP_PKEY_CTX_free(context);
}

static void sign_at_once(struct case_ *c)
{
    EVP_PKEY_CTX *context = context_of(c->ours);
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t length = 0;

    c->length = 0;
    if (EVP_PKEY_sign_message_init(context, c->algorithm, NULL) != 1
        || EVP_PKEY_sign(context, NULL, &c->length, message, sizeof(message)) != 1
        || EVP_PKEY_sign(context, c->signature, &c->length, message, sizeof(message)) != 1)
        die("cannot sign at once");
    check(c);
    /* A precomputed digest. */
    if (EVP_Q_digest(NULL, c->digest, NULL, message, sizeof(message), digest, &length) != 1)
        die("cannot hash");
    c->length = sizeof(c->signature);
    if (EVP_PKEY_sign_init_ex2(context, c->algorithm, NULL) != 1
        || EVP_PKEY_sign(context, c->signature, &c->length, digest, length) != 1)
        die("cannot sign a digest");
    check(c);
    if (EVP_PKEY_verify_init_ex2(context, c->algorithm, NULL) != 1
        || EVP_PKEY_verify(context, c->signature, c->length, digest, length) != 1
        || EVP_PKEY_verify(context, c->signature, c->length, digest, length - 1) == 1)
        die("cannot verify with a digest");
    ERR_clear_error();
    EVP_PKEY_CTX_free(context);
}

static void verify(struct case_ *c)
{
    EVP_PKEY_CTX *context = context_of(c->ours);

    if (EVP_PKEY_verify_message_init(context, c->algorithm, NULL) != 1
        || EVP_PKEY_CTX_set_signature(context, c->signature, c->length) != 1
        || EVP_PKEY_verify_message_update(context, message, FIRST_PART) != 1
        || EVP_PKEY_verify_message_update(context, message + FIRST_PART,
                                          sizeof(message) - FIRST_PART) != 1
        || EVP_PKEY_verify_message_final(context) != 1)
        die("cannot verify in parts");
    if (EVP_PKEY_verify_message_init(context, c->algorithm, NULL) != 1
        || EVP_PKEY_verify(context, c->signature, c->length, message, sizeof(message)) != 1)
        die("cannot verify at once");
    if (EVP_PKEY_verify_message_init(context, c->algorithm, NULL) != 1
        || EVP_PKEY_verify(context, c->signature, c->length, message, 3) == 1)
        die("a signature of another message was taken");
    if (EVP_PKEY_verify_message_init(context, c->algorithm, NULL) != 1
        || EVP_PKEY_verify_message_update(context, message, sizeof(message)) != 1
        || EVP_PKEY_verify_message_final(context) == 1)
        die("no signature was taken for a good one");
    ERR_clear_error();
    EVP_PKEY_CTX_free(context);
}

/* Gettable parameters must be the same as with the default provider. */
static void ask(struct case_ *c)
{
    EVP_PKEY_CTX *context = context_of(c->ours), *other;
    EVP_SIGNATURE *wrong = EVP_SIGNATURE_fetch(
        NULL, EVP_PKEY_is_a(c->ours, "RSA") ? "ECDSA-SHA256" : "RSA-SHA256", OURS);
    EVP_SIGNATURE *same
        = EVP_SIGNATURE_fetch(NULL, EVP_SIGNATURE_get0_name(c->algorithm), "provider=default");
    unsigned char mine[256], other_id[256];
    OSSL_PARAM ours[] = { OSSL_PARAM_octet_string("algorithm-id", mine, sizeof(mine)),
                          OSSL_PARAM_END };
    OSSL_PARAM theirs[] = { OSSL_PARAM_octet_string("algorithm-id", other_id, sizeof(other_id)),
                            OSSL_PARAM_END };

    if (wrong == NULL || EVP_PKEY_sign_message_init(context, wrong, NULL) == 1)
        die("a key of the wrong type was taken");
    ERR_clear_error();
    if (EVP_PKEY_verify_message_init(context, c->algorithm, NULL) != 1
        || OSSL_PARAM_locate_const(EVP_PKEY_CTX_settable_params(context), "signature") == NULL
        || EVP_PKEY_CTX_get_params(context, ours) != 1)
        die("cannot ask about the algorithm");
    other = context_of(c->theirs);
    if (same == NULL || EVP_PKEY_verify_message_init(other, same, NULL) != 1
        || EVP_PKEY_CTX_get_params(other, theirs) != 1
        || ours[0].return_size != theirs[0].return_size
        || memcmp(mine, other_id, ours[0].return_size) != 0)
        die("another AlgorithmIdentifier than the default provider's");
    EVP_PKEY_CTX_free(other);
    EVP_PKEY_CTX_free(context);
    EVP_SIGNATURE_free(wrong);
    EVP_SIGNATURE_free(same);
}

static void recover(struct case_ *c)
{
    EVP_PKEY_CTX *context = context_of(c->ours);
    unsigned char digest[EVP_MAX_MD_SIZE], recovered[SIGNATURE_MAX];
    size_t length, got = sizeof(recovered);

    if (EVP_Q_digest(NULL, c->digest, NULL, message, sizeof(message), digest, &length) != 1
        || EVP_PKEY_verify_recover_init_ex2(context, c->algorithm, NULL) != 1
        || EVP_PKEY_verify_recover(context, recovered, &got, c->signature, c->length) != 1
        || got != length || memcmp(recovered, digest, length) != 0)
        die("the digest cannot be recovered");
    EVP_PKEY_CTX_free(context);
}

/* What a Managed HSM cannot sign is refused at once. */
static int refused(struct case_ *c)
{
    EVP_PKEY_CTX *context = context_of(c->ours);
    int ok = strcmp(c->digest, "SHA2-256") == 0 || strcmp(c->digest, "SHA2-384") == 0
        || strcmp(c->digest, "SHA2-512") == 0 || EVP_PKEY_is_a(c->ours, "EC");

    if ((EVP_PKEY_sign_message_init(context, c->algorithm, NULL) == 1) != ok
        || our_errors() != !ok)
        die("signed or refused by mistake");
    EVP_PKEY_CTX_free(context);
    return !ok;
}

/* Generates a key of the default provider. */
static void make_own(void)
{
    EVP_PKEY *ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);

    if (ec == NULL || rsa == NULL)
        die("cannot make a key");
    EVP_PKEY_free(ec);
    EVP_PKEY_free(rsa);
}

int main(int argc, char **argv)
{
    struct case_ c = { 0 };
    int tried = 0;

    if (argc != 4)
        die("usage: sign_message KEY PUBLIC KIND");
    c.ours = load_key(argv[1]);
    c.theirs = read_key(argv[2], 0);
    for (const char *const *digest = digests; *digest != NULL; digest++) {
        char name[64];

        snprintf(name, sizeof(name), "%s-%s", EVP_PKEY_is_a(c.ours, "RSA") ? "RSA" : "ECDSA",
                 *digest);
        c.digest = *digest;
        c.algorithm = EVP_SIGNATURE_fetch(NULL, name, OURS);
        if (c.algorithm == NULL && EVP_PKEY_is_a(c.ours, "EC") && strchr(*digest, '/') != NULL) {
            /* There is no such algorithm for ECDSA. */
            ERR_clear_error();
            continue;
        }
        if (c.algorithm == NULL)
            die(name);
        if (strcmp(argv[3], "hsm") == 0 && refused(&c)) {
            EVP_SIGNATURE_free(c.algorithm);
            continue;
        }
        sign_in_parts(&c);
        sign_at_once(&c);
        verify(&c);
        ask(&c);
        if (EVP_PKEY_is_a(c.ours, "RSA"))
            recover(&c);
        if (ERR_peek_error() != 0)
            die("success has left something in the error queue");
        EVP_SIGNATURE_free(c.algorithm);
        tried++;
    }
    make_own();
    EVP_PKEY_free(c.ours);
    EVP_PKEY_free(c.theirs);
    printf("%d\n", tried);
    return 0;
}

#endif
