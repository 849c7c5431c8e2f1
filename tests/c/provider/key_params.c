/* key_params KEY PUBLIC: our provider returns every parameter of a vault key that the default
 * provider returns for the public key in the file PUBLIC, with the same bytes. The public parts
 * survive export and import; private parts do not exist. Prints the number of parameters. */
#include "pair.h"

#include <openssl/ec.h>

static int answers;

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "%s: ", name);
    die(what);
}

/* Gets one parameter in its listed type, with and without a buffer. Returns 1 if it is available.
 */
static int ask(EVP_PKEY *key, const OSSL_PARAM *listed, unsigned char *room, size_t size,
               size_t *answered, size_t *needed)
{
    OSSL_PARAM asked[2] = { *listed, OSSL_PARAM_construct_end() };

    asked[0].data = NULL;
    asked[0].data_size = 0;
    asked[0].return_size = OSSL_PARAM_UNMODIFIED;
    if (EVP_PKEY_get_params(key, asked) != 1)
        return 0;
    *needed = asked[0].return_size;
    memset(room, 0xa5, size);
    asked[0].data = room;
    asked[0].data_size = listed->data_type == OSSL_PARAM_INTEGER ? sizeof(int) : size;
    asked[0].return_size = OSSL_PARAM_UNMODIFIED;
    if (EVP_PKEY_get_params(key, asked) != 1 || asked[0].return_size == OSSL_PARAM_UNMODIFIED)
        return 0;
    *answered = asked[0].return_size;
    return 1;
}

static void compare(EVP_PKEY *ours, EVP_PKEY *theirs, const OSSL_PARAM *listed)
{
    unsigned char mine[2048], other[2048];
    size_t my_size, other_size, my_need, other_need;

    if (!ask(theirs, listed, other, sizeof(other), &other_size, &other_need)) {
        ERR_clear_error();
        return;
    }
#if OPENSSL_VERSION_NUMBER < 0x30000080L
    /* It compressed every point, and returned no bytes for the number 0. */
    if (EVP_PKEY_is_a(ours, "EC") && (strcmp(listed->key, "pub") == 0 || other_need == 0))
        return;
#endif
    if (!lists(EVP_PKEY_gettable_params(ours), listed->key))
        fail("not listed", listed->key);
    if (!ask(ours, listed, mine, sizeof(mine), &my_size, &my_need))
        fail("not answered", listed->key);
    if (my_size != other_size || my_need != other_need || memcmp(mine, other, my_size) != 0)
        fail("another answer", listed->key);
    answers++;
}

/* Imports the public data of another provider's key. */
static EVP_PKEY *carried(EVP_PKEY *from, const char *query, int selection)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, EVP_PKEY_get0_type_name(from), query);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;

    if (EVP_PKEY_todata(from, selection, &params) != 1 || EVP_PKEY_fromdata_init(context) != 1
        || EVP_PKEY_fromdata(context, &key, selection, params) != 1)
        fail("does not carry a key", query);
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(context);
    return key;
}

static void equal(EVP_PKEY *a, EVP_PKEY *b, int expected, const char *what)
{
    if (EVP_PKEY_eq(a, b) != expected || EVP_PKEY_eq(b, a) != expected)
        fail("equality", what);
}

static void exchange(EVP_PKEY *ours, EVP_PKEY *theirs)
{
    EVP_PKEY *there = carried(ours, "provider=default", EVP_PKEY_PUBLIC_KEY);
    EVP_PKEY *back = carried(theirs, "provider=akv_provider", EVP_PKEY_PUBLIC_KEY);
    EVP_PKEY *own = EVP_PKEY_is_a(ours, "RSA")
        ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)EVP_PKEY_get_bits(ours))
        : EVP_PKEY_Q_keygen(NULL, NULL, "EC", EVP_PKEY_get_bits(ours) == 384 ? "P-384" : "P-256");
    EVP_PKEY *other = carried(own, "provider=default", EVP_PKEY_PUBLIC_KEY);
    OSSL_PARAM *params = NULL;

    equal(ours, there, 1, "carried to the default provider");
    equal(ours, back, 1, "carried to ours");
    equal(there, back, 1, "carried both ways");
    equal(ours, other, EVP_PKEY_eq(theirs, other), "another key");
    /* 3.0.2 does not export a group alone. */
    if (EVP_PKEY_is_a(ours, "EC") && OPENSSL_VERSION_NUMBER > 0x3000002fL) {
        EVP_PKEY *group = carried(ours, "provider=default", EVP_PKEY_KEY_PARAMETERS);
        EVP_PKEY *group_here = carried(theirs, "provider=akv_provider", EVP_PKEY_KEY_PARAMETERS);

        if (EVP_PKEY_parameters_eq(ours, group) != 1 || EVP_PKEY_parameters_eq(group, ours) != 1
            || EVP_PKEY_parameters_eq(theirs, group_here) != 1
            || EVP_PKEY_parameters_eq(group_here, theirs) != 1)
            die("groups differ");
        if (EVP_PKEY_parameters_eq(ours, other) != EVP_PKEY_parameters_eq(theirs, other))
            die("groups are compared in another way");
        EVP_PKEY_free(group);
        EVP_PKEY_free(group_here);
    }
    ERR_clear_error();
    if (EVP_PKEY_todata(ours, EVP_PKEY_KEYPAIR, &params) == 1)
        die("a private key was given away");
    if (our_errors() != 0)
        die("that there is no private key is no error of ours");
    EVP_PKEY_free(there);
    EVP_PKEY_free(back);
    EVP_PKEY_free(other);
    EVP_PKEY_free(own);
}

/* We must refuse the import of a private key from elsewhere. */
static void import_private(EVP_PKEY *like)
{
    EVP_PKEY *own = EVP_PKEY_is_a(like, "RSA")
        ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
        : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, EVP_PKEY_get0_type_name(like),
                                                       "provider=akv_provider");
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;

    if (own == NULL || EVP_PKEY_todata(own, EVP_PKEY_KEYPAIR, &params) != 1)
        die("cannot make a key");
    if (EVP_PKEY_fromdata_init(context) != 1
        || EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) == 1)
        die("ours took a private key");
    ERR_clear_error();
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(own);
}

/* The same through the functions for specific parameters. */
static void ask_by_function(EVP_PKEY *ours, EVP_PKEY *theirs)
{
    unsigned char *mine = NULL, *other = NULL;
    size_t length = EVP_PKEY_get1_encoded_public_key(theirs, &other);

    if (EVP_PKEY_get1_encoded_public_key(ours, &mine) != length
        || (length > 0 && memcmp(mine, other, length) != 0))
        die("another encoded public key");
    OPENSSL_free(mine);
    OPENSSL_free(other);
    if (EVP_PKEY_is_a(theirs, "EC")
        && (EVP_PKEY_get_field_type(ours) != EVP_PKEY_get_field_type(theirs)
            || EVP_PKEY_get_ec_point_conv_form(ours) != EVP_PKEY_get_ec_point_conv_form(theirs)))
        die("another form of points");
    ERR_clear_error();
}

int main(int argc, char **argv)
{
    EVP_PKEY *ours, *theirs, *copy;

    if (argc != 3)
        die("usage: key_params KEY PUBLIC");
    ours = load_key(argv[1]);
    theirs = read_key(argv[2], 0);
    copy = EVP_PKEY_dup(ours);
    if (copy == NULL)
        die("cannot copy the key");
    for (const OSSL_PARAM *listed = EVP_PKEY_gettable_params(theirs); listed->key != NULL;
         listed++) {
        compare(ours, theirs, listed);
        compare(copy, theirs, listed);
    }
    exchange(ours, theirs);
    import_private(ours);
    ask_by_function(ours, theirs);
    if (ERR_peek_error() != 0)
        die("success has left something in the error queue");
    printf("%d\n", answers);
    EVP_PKEY_free(copy);
    EVP_PKEY_free(ours);
    EVP_PKEY_free(theirs);
    return 0;
}
