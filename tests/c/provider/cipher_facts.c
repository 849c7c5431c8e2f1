/* cipher_facts KEY PKCS1 OAEP OAEP256: prints libcrypto's behaviour with an RSA key for decryption,
 * line by line, to compare keys of two providers. The files contain ciphertexts. */
#include "common.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

static EVP_PKEY *key;
static unsigned char cipher[1024];
static size_t cipher_length;

static void use_cipher(const char *name)
{
    FILE *in = fopen(name, "rb");

    if (in == NULL)
        die("no ciphertext");
    cipher_length = fread(cipher, 1, sizeof(cipher), in);
    fclose(in);
}

static EVP_PKEY_CTX *start(int decrypt)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

    if (context == NULL
        || (decrypt ? EVP_PKEY_decrypt_init(context) : EVP_PKEY_encrypt_init(context)) != 1)
        die("cannot start");
    return context;
}

/* A duplicate, used after the original is freed. */
static EVP_PKEY_CTX *duplicate(EVP_PKEY_CTX *context)
{
#if OPENSSL_VERSION_NUMBER < 0x30000080L
    /* In these releases a duplicate has no key: every getter crashes. */
    return context;
#else
    EVP_PKEY_CTX *copy = EVP_PKEY_CTX_dup(context);

    if (copy == NULL)
        die("no copy");
    EVP_PKEY_CTX_free(context);
    return copy;
#endif
}

/* Prints whether a call succeeded; its failure codes are not compared. */
static void tell(const char *what, int rc)
{
    printf("%s: %s\n", what, rc > 0 ? "yes" : "no");
    ERR_clear_error();
}

/* A digest has several names. */
static void tell_digest(const char *name)
{
    EVP_MD *digest = name[0] == 0 ? NULL : EVP_MD_fetch(NULL, name, NULL);

    printf(" %s", digest == NULL ? name : EVP_MD_get0_name(digest));
    EVP_MD_free(digest);
}

static void tell_settings(EVP_PKEY_CTX *context)
{
    char digest[64] = "", mgf1[64] = "";
    unsigned char *label = NULL;
    int padding = -1, length;

    tell("padding", EVP_PKEY_CTX_get_rsa_padding(context, &padding));
    tell("OAEP digest", EVP_PKEY_CTX_get_rsa_oaep_md_name(context, digest, sizeof(digest)));
    tell("MGF1 digest", EVP_PKEY_CTX_get_rsa_mgf1_md_name(context, mgf1, sizeof(mgf1)));
    length = EVP_PKEY_CTX_get0_rsa_oaep_label(context, &label);
    printf("%d", padding);
    tell_digest(digest);
    tell_digest(mgf1);
    printf(" %d", length);
    for (int i = 0; label != NULL && i < length; i++)
        printf(" %02x", label[i]);
    printf("\n");
    ERR_clear_error();
}

static void decrypt(const char *what, EVP_PKEY_CTX *context, size_t room)
{
    unsigned char plain[1024];
    size_t length = 0;
    int rc = EVP_PKEY_decrypt(context, NULL, &length, cipher, cipher_length);

    printf("%s announces %d %zu\n", what, rc, length);
    length = room;
    rc = EVP_PKEY_decrypt(context, plain, &length, cipher, cipher_length);
    tell(what, rc);
    if (rc == 1)
        printf("%zu %.*s\n", length, (int)length, (char *)plain);
    ERR_clear_error();
}

/* Padding modes as numbers and as text are equivalent. */
static void paddings(void)
{
    static const char *const names[] = { "pkcs1", "none", "oaep", "oeap" };

    for (int number = 0; number < 9; number++) {
        EVP_PKEY_CTX *context = start(1);
        OSSL_PARAM params[2] = { OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_PAD_MODE, &number),
                                 OSSL_PARAM_construct_end() };

        /* With undefined numbers, libcrypto's own provider ends up in an unusable state. */
        if (number != 0 && number != 2 && number != 5 && number != 8) {
            printf("%d ", number);
            tell("as a number", EVP_PKEY_CTX_set_params(context, params));
            tell("by the function", EVP_PKEY_CTX_set_rsa_padding(context, number));
            if (number != 7)
                tell_settings(context);
        }
        EVP_PKEY_CTX_free(context);
    }
    for (size_t type = 0; type < sizeof(names) / sizeof(names[0]); type++) {
        EVP_PKEY_CTX *context = start(1);

        printf("%s ", names[type]);
        tell("as text", EVP_PKEY_CTX_ctrl_str(context, "rsa_padding_mode", names[type]));
        tell_settings(context);
        EVP_PKEY_CTX_free(context);
    }
}

static void oaep_settings(int decrypt)
{
    EVP_PKEY_CTX *context = start(decrypt), *copy;
    unsigned char *label = OPENSSL_memdup("lab\0el", 6);

    tell("OAEP", EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING));
    tell_settings(context);
    tell("SHA-256", EVP_PKEY_CTX_set_rsa_oaep_md_name(context, "SHA2-256", NULL));
    tell_settings(context);
    tell("MGF1", EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha384()));
    tell("label", EVP_PKEY_CTX_set0_rsa_oaep_label(context, label, 6));
    tell_settings(context);
    copy = duplicate(context);
    tell_settings(copy);
    tell("text", EVP_PKEY_CTX_ctrl_str(copy, "rsa_oaep_md", "sha512"));
    tell("text", EVP_PKEY_CTX_ctrl_str(copy, "rsa_mgf1_md", "sha1"));
    tell("text", EVP_PKEY_CTX_ctrl_str(copy, "rsa_oaep_label", "0011ff"));
    tell_settings(copy);
    tell("no digest", EVP_PKEY_CTX_ctrl_str(copy, "rsa_oaep_md", "nothing"));
    tell("salt", EVP_PKEY_CTX_ctrl_str(copy, "rsa_pss_saltlen", "digest"));
    tell("started again",
         decrypt ? EVP_PKEY_decrypt_init(copy) : EVP_PKEY_encrypt_init(copy));
    EVP_PKEY_CTX_free(copy);
}

static void known(EVP_PKEY_CTX *context)
{
    static const char *const names[] = {
        OSSL_ASYM_CIPHER_PARAM_PAD_MODE, OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST,
        OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST,
        OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST_PROPS, OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL,
        OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION,
        OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const OSSL_PARAM *get = OSSL_PARAM_locate_const(EVP_PKEY_CTX_gettable_params(context),
                                                        names[i]);
        const OSSL_PARAM *set = OSSL_PARAM_locate_const(EVP_PKEY_CTX_settable_params(context),
                                                        names[i]);

        printf("%s %d %d\n", names[i], get == NULL ? -1 : (int)get->data_type,
               set == NULL ? -1 : (int)set->data_type);
    }
}

/* Decrypts a ciphertext with these parameters; then again with a duplicate, twice. */
static void decrypts(const char *file, const char *padding, const char *digest)
{
    EVP_PKEY_CTX *context = start(1), *copy;
    size_t size = (size_t)EVP_PKEY_get_size(key);

    use_cipher(file);
    if (EVP_PKEY_CTX_ctrl_str(context, "rsa_padding_mode", padding) != 1
        || (digest != NULL && EVP_PKEY_CTX_ctrl_str(context, "rsa_oaep_md", digest) != 1))
        die("cannot set the padding");
    decrypt("room for less", context, size - 1);
    decrypt("room for all", context, size);
    decrypt("room for more", context, size + 100);
    copy = duplicate(context);
    decrypt("a copy", copy, size);
    cipher_length = size + 1;
    decrypt("a ciphertext that is too long", copy, size);
    EVP_PKEY_CTX_free(copy);
}

static void encrypts(const char *padding, size_t most)
{
    EVP_PKEY_CTX *context = start(0);
    unsigned char plain[1024] = { 1 }, out[1024];
    size_t size = (size_t)EVP_PKEY_get_size(key), length = 0;

    if (EVP_PKEY_CTX_ctrl_str(context, "rsa_padding_mode", padding) != 1)
        die("cannot set the padding");
    printf("%s announces %d ", padding, EVP_PKEY_encrypt(context, NULL, &length, plain, 1));
    printf("%zu\n", length);
#if OPENSSL_VERSION_NUMBER >= 0x30000080L
    /* The default provider of earlier releases does not check this. */
    length = size - 1;
    tell("room for less", EVP_PKEY_encrypt(context, out, &length, plain, 1));
#endif
    length = size;
    tell("nothing", EVP_PKEY_encrypt(context, out, &length, plain, 0));
    length = sizeof(out);
    tell("the most", EVP_PKEY_encrypt(context, out, &length, plain, most));
    printf("%zu\n", length);
    length = sizeof(out);
    tell("one more", EVP_PKEY_encrypt(context, out, &length, plain, most + 1));
    EVP_PKEY_CTX_free(context);
}

int main(int argc, char **argv)
{
    EVP_PKEY_CTX *context;

    if (argc != 5)
        die("usage: cipher_facts KEY PKCS1 OAEP OAEP256");
    key = load_key(argv[1]);
    context = start(1);
    known(context);
    EVP_PKEY_CTX_free(context);
    paddings();
    oaep_settings(1);
    oaep_settings(0);
    decrypts(argv[2], "pkcs1", NULL);
    decrypts(argv[3], "oaep", NULL);
    decrypts(argv[4], "oaep", "sha256");
    encrypts("pkcs1", (size_t)EVP_PKEY_get_size(key) - 11);
    encrypts("oaep", (size_t)EVP_PKEY_get_size(key) - 42);
    if (ERR_peek_error() != 0)
        die("success has left something in the error queue");
    EVP_PKEY_free(key);
    return 0;
}
