/* read_key FORM FILE PASSPHRASE: reads a private key like a program, signs with it, and prints its
 * type. FORM is pem, stale (pem with an unrelated entry in the error queue), or der. An empty
 * passphrase means none. The variable LOAD names a provider that the program loads first, after those
 * of the configuration.
 * read_key encrypt FILE PASSPHRASE OUT: encrypts any key in PKCS#8 PEM to OUT.pem and OUT.der. */
#include "common.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

static BIO *open_file(const char *path, const char *mode)
{
    BIO *file = BIO_new_file(path, mode);

    if (file == NULL)
        die(path);
    return file;
}

/* Like a server that reads certificates up to the end of a file. */
static void leave_an_error(const char *path)
{
    BIO *file = open_file(path, "r");
    X509 *certificate;

    while ((certificate = PEM_read_bio_X509(file, NULL, NULL, NULL)) != NULL)
        X509_free(certificate);
    BIO_free(file);
    if (ERR_peek_error() == 0)
        die("no error at the end of the certificates");
}

static void encrypt(const char *path, const char *passphrase, const char *out)
{
    BIO *file = open_file(path, "r");
    PKCS8_PRIV_KEY_INFO *info = PEM_read_bio_PKCS8_PRIV_KEY_INFO(file, NULL, NULL, NULL);
    X509_SIG *encrypted;
    char name[1024];

    BIO_free(file);
    encrypted = info == NULL ? NULL
                             : PKCS8_encrypt(-1, EVP_aes_256_cbc(), passphrase,
                                             (int)strlen(passphrase), NULL, 0, 0, info);
    if (encrypted == NULL)
        die("cannot encrypt");
    snprintf(name, sizeof(name), "%s.pem", out);
    file = open_file(name, "w");
    if (PEM_write_bio_PKCS8(file, encrypted) != 1)
        die(name);
    BIO_free(file);
    snprintf(name, sizeof(name), "%s.der", out);
    file = open_file(name, "w");
    if (i2d_PKCS8_bio(file, encrypted) != 1)
        die(name);
    BIO_free(file);
    X509_SIG_free(encrypted);
    PKCS8_PRIV_KEY_INFO_free(info);
}

static int asked;

static int passphrase_of(char *room, int size, int writing, void *passphrase)
{
    (void)writing;
    asked++;
    return snprintf(room, (size_t)size, "%s", (const char *)passphrase);
}

int main(int argc, char **argv)
{
    EVP_PKEY *key;
    BIO *file;

    if (argc == 5 && strcmp(argv[1], "encrypt") == 0) {
        encrypt(argv[2], argv[3], argv[4]);
        return 0;
    }
    if (argc != 4)
        die("usage: read_key FORM FILE PASSPHRASE");
    if (getenv("LOAD") != NULL && OSSL_PROVIDER_try_load(NULL, getenv("LOAD"), 1) == NULL)
        die("cannot load the provider");
    if (strcmp(argv[1], "stale") == 0)
        leave_an_error(argv[2]);
    file = open_file(argv[2], "r");
    if (strcmp(argv[1], "der") != 0)
        key = PEM_read_bio_PrivateKey(file, NULL, passphrase_of, argv[3]);
    else if (*argv[3] != '\0')
        key = d2i_PKCS8PrivateKey_bio(file, NULL, passphrase_of, argv[3]);
    else
        key = d2i_PrivateKey_bio(file, NULL);
    BIO_free(file);
    if (key == NULL)
        die("no key");
    if (strcmp(argv[1], "stale") == 0)
        ERR_clear_error();
    if (ERR_peek_error() != 0)
        die("success has left something in the error queue");
    if (asked > 1)
        die("the passphrase was asked for more than once");
    if (!sign_rounds(key, 1))
        die("the key does not sign");
    printf("%s\n", EVP_PKEY_get0_type_name(key));
    EVP_PKEY_free(key);
    return 0;
}
