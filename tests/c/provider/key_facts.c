/* key_facts KEY PUBLIC: libcrypto must return the same facts for a vault key as for its public half
 * in the file PUBLIC, a key of the default provider. Prints the key's size. */
#include "common.h"

#include <openssl/pem.h>
#include <openssl/provider.h>

static EVP_PKEY *load_public(const char *file)
{
    FILE *in = fopen(file, "r");
    EVP_PKEY *key = in == NULL ? NULL : PEM_read_PUBKEY(in, NULL, NULL, NULL);

    if (key == NULL)
        die("no public key");
    fclose(in);
    return key;
}

static void same(const char *what, long ours, long theirs)
{
    if (ours != theirs) {
        fprintf(stderr, "%s: %ld and not %ld\n", what, ours, theirs);
        exit(1);
    }
}

static void same_digest(EVP_PKEY *ours, EVP_PKEY *theirs)
{
    char mine[64] = "", other[64] = "";
    int rc = EVP_PKEY_get_default_digest_name(theirs, other, sizeof(other));

    same("default digest", EVP_PKEY_get_default_digest_name(ours, mine, sizeof(mine)), rc);
    same("name of the default digest", strcmp(mine, other), 0);
}

static void same_group(EVP_PKEY *ours, EVP_PKEY *theirs)
{
    char mine[64] = "", other[64] = "";
    size_t length;
    int rc = EVP_PKEY_get_group_name(theirs, other, sizeof(other), &length);

    same("group", EVP_PKEY_get_group_name(ours, mine, sizeof(mine), &length), rc);
    same("name of the group", strcmp(mine, other), 0);
}

int main(int argc, char **argv)
{
    EVP_PKEY *ours, *theirs, *copy;

    if (argc != 3)
        die("usage: key_facts KEY PUBLIC");
    ours = load_key(argv[1]);
    theirs = load_public(argv[2]);
    copy = EVP_PKEY_dup(ours);
    if (strcmp(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(ours)), "akv_provider") != 0)
        die("another provider holds the key");
    same("base id", EVP_PKEY_get_base_id(ours), EVP_PKEY_get_base_id(theirs));
    same("size", EVP_PKEY_get_size(ours), EVP_PKEY_get_size(theirs));
    same("bits", EVP_PKEY_get_bits(ours), EVP_PKEY_get_bits(theirs));
    same("security bits", EVP_PKEY_get_security_bits(ours), EVP_PKEY_get_security_bits(theirs));
#if OPENSSL_VERSION_NUMBER >= 0x30600000L
    same("security category", EVP_PKEY_get_security_category(ours),
         EVP_PKEY_get_security_category(theirs));
#endif
    same_digest(ours, theirs);
    if (EVP_PKEY_is_a(theirs, "EC"))
        same_group(ours, theirs);
    same("equal", EVP_PKEY_eq(ours, theirs), 1);
    same("equal the other way", EVP_PKEY_eq(theirs, ours), 1);
    same("equal to a copy", copy == NULL ? 0 : EVP_PKEY_eq(ours, copy), 1);
    same("can sign", EVP_PKEY_can_sign(ours), 1);
    if (ERR_peek_error() != 0)
        die("success has left something in the error queue");
    printf("%d\n", EVP_PKEY_get_bits(ours));
    EVP_PKEY_free(copy);
    EVP_PKEY_free(ours);
    EVP_PKEY_free(theirs);
    return 0;
}
