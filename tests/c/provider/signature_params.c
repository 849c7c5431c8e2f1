/* signature_params KEY OWN: compares the parameters of a signature context with a vault key and
 * with a key of the default provider in the file OWN. We list everything that the default provider
 * lists, with the same values, and return everything that we list. Prints the number of compared
 * values. */
#include "pair.h"

static int looked_at;
static const char *digest_in_use;

enum operation { SIGN, VERIFY, DIGEST_SIGN, DIGEST_VERIFY };

/* One operation with both keys. */
struct both {
    enum operation operation;
    int pss;
    EVP_PKEY *keys[2];
    EVP_PKEY_CTX *contexts[2];
    EVP_MD_CTX *messages[2];
};

static void start(struct both *both, const char *digest)
{
    for (int i = 0; i < 2; i++) {
        int ok;

        both->messages[i] = EVP_MD_CTX_new();
        both->contexts[i] = NULL;
        switch (both->operation) {
        case SIGN:
        case VERIFY:
            both->contexts[i] = context_of(both->keys[i]);
            ok = both->operation == SIGN ? EVP_PKEY_sign_init(both->contexts[i])
                                         : EVP_PKEY_verify_init(both->contexts[i]);
            break;
        case DIGEST_SIGN:
            ok = EVP_DigestSignInit_ex(both->messages[i], &both->contexts[i], digest, NULL, NULL,
                                       both->keys[i], NULL);
            break;
        default:
            ok = EVP_DigestVerifyInit_ex(both->messages[i], &both->contexts[i], digest, NULL, NULL,
                                         both->keys[i], NULL);
            break;
        }
        if (ok != 1)
            die("cannot start");
    }
}

static void end(struct both *both)
{
    for (int i = 0; i < 2; i++) {
        if (both->operation == SIGN || both->operation == VERIFY)
            EVP_PKEY_CTX_free(both->contexts[i]);
        EVP_MD_CTX_free(both->messages[i]);
    }
}

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "%s: %s (digest %s)\n", name, what, digest_in_use);
    exit(1);
}

/* Used by ACVP test programs; the vault generates the nonces. */
static int left_out(const char *name)
{
    return strcmp(name, "kat") == 0;
}

static void compare_lists(const OSSL_PARAM *ours, const OSSL_PARAM *theirs, const char *what)
{
    for (; theirs != NULL && theirs->key != NULL; theirs++)
        if (!lists(ours, theirs->key) && !left_out(theirs->key))
            fail(what, theirs->key);
}

/* Whether two names denote the same digest. */
static int same_digest(const char *a, const char *b)
{
    EVP_MD *md = EVP_MD_fetch(NULL, a, NULL);
    int same = strcmp(a, b) == 0 || (md != NULL && EVP_MD_is_a(md, b));

    EVP_MD_free(md);
    return same;
}

/* Gets one parameter from both contexts, in its listed type. */
static void compare_answer(struct both *both, const OSSL_PARAM *listed)
{
    unsigned char rooms[2][256];
    OSSL_PARAM asked[2][2];
    int ok[2];

    memset(rooms, 0, sizeof(rooms));
    for (int i = 0; i < 2; i++) {
        asked[i][0] = *listed;
        asked[i][0].data = rooms[i];
        asked[i][0].data_size = sizeof(rooms[i]);
        if (listed->data_type == OSSL_PARAM_UNSIGNED_INTEGER
            || listed->data_type == OSSL_PARAM_INTEGER)
            asked[i][0].data_size = sizeof(size_t);
        asked[i][0].return_size = OSSL_PARAM_UNMODIFIED;
        asked[i][1] = OSSL_PARAM_construct_end();
        ok[i] = EVP_PKEY_CTX_get_params(both->contexts[i], asked[i]);
    }
    our_errors();
    /* If there is no identifier, the default provider either returns nothing or fails too. */
    if (ok[0] != ok[1] && (ok[1] == 1 && asked[1][0].return_size != 0))
        fail("no answer", listed->key);
    looked_at++;
#if OPENSSL_VERSION_NUMBER < 0x30200000L
    /* The default provider built it before the padding was set. */
    if (strcmp(listed->key, "algorithm-id") == 0 && both->pss)
        return;
#endif
    /* We return the actual salt length; the default provider returns how it is determined. */
    if (ok[0] != 1 || strcmp(listed->key, "saltlen") == 0
        || asked[1][0].return_size == OSSL_PARAM_UNMODIFIED)
        return;
    if (asked[0][0].return_size == OSSL_PARAM_UNMODIFIED)
        fail("not answered", listed->key);
    if (strstr(listed->key, "digest") != NULL && listed->data_type == OSSL_PARAM_UTF8_STRING) {
        if (!same_digest((char *)rooms[1], (char *)rooms[0]))
            fail("another digest", listed->key);
    } else if (asked[0][0].return_size != asked[1][0].return_size
               || memcmp(rooms[0], rooms[1], asked[1][0].return_size) != 0) {
        fail("another answer", listed->key);
    }
}

static void compare(struct both *both)
{
    const OSSL_PARAM *ours = EVP_PKEY_CTX_gettable_params(both->contexts[0]);

    compare_lists(ours, EVP_PKEY_CTX_gettable_params(both->contexts[1]), "gettable");
    compare_lists(EVP_PKEY_CTX_settable_params(both->contexts[0]),
                  EVP_PKEY_CTX_settable_params(both->contexts[1]), "settable");
    for (; ours->key != NULL; ours++)
        compare_answer(both, ours);
}

/* Sets a number in both contexts, with the same result unless we may refuse. */
static void set_number(struct both *both, const char *name, size_t number, int may_refuse)
{
    int ok[2];

    for (int i = 0; i < 2; i++) {
        OSSL_PARAM params[] = { OSSL_PARAM_size_t(name, &number), OSSL_PARAM_END };

        if (!lists(EVP_PKEY_CTX_settable_params(both->contexts[i]), name)
            && !lists(EVP_PKEY_CTX_settable_params(both->contexts[1]), name))
            return;
        ok[i] = EVP_PKEY_CTX_set_params(both->contexts[i], params) == 1;
        if (i == 0 && our_errors() != !ok[0])
            die("a refusal is one entry of ours");
    }
    our_errors();
    if (ok[0] != ok[1] && !(may_refuse && ok[0] == 0))
        fail("set by one only", name);
    looked_at++;
}

static void set_text(struct both *both, const char *name, const char *text)
{
    for (int i = 0; i < 2; i++) {
        OSSL_PARAM params[]
            = { OSSL_PARAM_utf8_string(name, (char *)text, strlen(text)), OSSL_PARAM_END };

        if (EVP_PKEY_CTX_set_params(both->contexts[i], params) != 1)
            die(name);
    }
}

int main(int argc, char **argv)
{
    static const char *const digests[] = { "SHA1", "SHA224", "SHA256", "SHA384", "SHA512",
                                           "SHA512-256", "SHA3-256", "SHA3-512", NULL };
    struct both both;

    if (argc != 3)
        die("usage: signature_params KEY OWN");
    both.keys[0] = load_key(argv[1]);
    both.keys[1] = read_key(argv[2], 1);
    for (int operation = SIGN; operation <= DIGEST_VERIFY; operation++)
        for (const char *const *digest = digests; *digest != NULL; digest++) {
            digest_in_use = *digest;
            both.operation = operation;
            both.pss = 0;
            start(&both, *digest);
            compare(&both);
            if (operation == SIGN || operation == VERIFY) {
                set_number(&both, "digest-size", 20, 0);
                compare(&both);
                set_text(&both, "digest", *digest);
                compare(&both);
                set_number(&both, "digest-size", 7, 1);
            }
            set_number(&both, "nonce-type", 0, 0);
            set_number(&both, "nonce-type", 1, operation == SIGN || operation == DIGEST_SIGN);
            if (EVP_PKEY_is_a(both.keys[0], "RSA")
                && (operation == VERIFY || operation == DIGEST_VERIFY)) {
                both.pss = 1;
                set_text(&both, "pad-mode", "pss");
                compare(&both);
                set_text(&both, "mgf1-digest", "SHA384");
                set_text(&both, "saltlen", "11");
                compare(&both);
            }
            end(&both);
        }
    if (ERR_peek_error() != 0)
        die("success has left something in the error queue");
    EVP_PKEY_free(both.keys[0]);
    EVP_PKEY_free(both.keys[1]);
    printf("%d\n", looked_at);
    return 0;
}
