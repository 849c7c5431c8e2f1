/* old_structures KEY FOLDER: uses a vault key like programs of the old API: gets its RSA or EC_KEY,
 * signs and decrypts with it, writes it, duplicates it, puts it into another EVP_PKEY. A success
 * leaves nothing in the error queue, a failure leaves a reason. Signatures of FOLDER/message are
 * written to FOLDER/signature-*. Prints their number. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char MESSAGE[] = "signed with an old structure";
/* The DigestInfo prefix of a SHA-256 digest (RFC 8017 section 9.2). */
static const unsigned char SHA256_INFO[] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
                                             0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                                             0x01, 0x05, 0x00, 0x04, 0x20 };
static const char *folder;
static unsigned char digest[32];
static int signatures;

/* Succeeded, and pushed no error. */
static void fine(int ok, const char *what)
{
    if (!ok)
        die(what);
    if (ERR_peek_error() != 0) {
        fprintf(stderr, "worked, but left an error: ");
        die(what);
    }
}

/* Failed, and pushed an error. */
static void refused(int ok, const char *what)
{
    if (ok) {
        fprintf(stderr, "was not refused: ");
        die(what);
    }
    if (ERR_peek_error() == 0) {
        fprintf(stderr, "was refused without a reason: ");
        die(what);
    }
    ERR_clear_error();
}

/* The same, and one of the errors contains this text. */
static void refused_with(int ok, const char *text, const char *what)
{
    const char *data = NULL;
    int flags = 0, found = 0;

    if (ok) {
        fprintf(stderr, "was not refused: ");
        die(what);
    }
    while (ERR_get_error_all(NULL, NULL, NULL, &data, &flags) != 0)
        found |= (flags & ERR_TXT_STRING) != 0 && strstr(data, text) != NULL;
    if (!found) {
        fprintf(stderr, "no error says '%s': ", text);
        die(what);
    }
}

static void save(const void *data, size_t length, const char *name)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, length, file) != length || fclose(file) != 0)
        die("cannot write a file");
}

static void keep(const unsigned char *signature, size_t length)
{
    char name[32];

    snprintf(name, sizeof(name), "signature-%d", signatures++);
    save(signature, length, name);
}

static EVP_PKEY *around_rsa(RSA *rsa)
{
    EVP_PKEY *key = EVP_PKEY_new();

    fine(EVP_PKEY_set1_RSA(key, rsa) == 1, "EVP_PKEY_set1_RSA");
    return key;
}

static EVP_PKEY *around_ec(EC_KEY *ec)
{
    EVP_PKEY *key = EVP_PKEY_new();

    fine(EVP_PKEY_set1_EC_KEY(key, ec) == 1, "EVP_PKEY_set1_EC_KEY");
    return key;
}

static int signs(EVP_PKEY *key, int padding, unsigned char *signature, size_t *length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *settings = NULL;
    int ok = EVP_DigestSignInit(context, &settings, EVP_sha256(), NULL, key) == 1
        && (padding == 0 || EVP_PKEY_CTX_set_rsa_padding(settings, padding) == 1)
        && EVP_DigestSign(context, signature, length, (const unsigned char *)MESSAGE,
                          strlen(MESSAGE))
            == 1;

    EVP_MD_CTX_free(context);
    return ok;
}

/* Operations with the key itself are not affected. */
static void signs_itself(EVP_PKEY *key)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t length = sizeof(signature);

    fine(signs(key, 0, signature, &length), "EVP_DigestSign");
    keep(signature, length);
}

/* A key around the structure signs with the structure's method: before 4.0 through libcrypto's
 * legacy code, since then in the default provider, which receives the structure itself. */
static void put_back(EVP_PKEY *key)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t length = sizeof(signature);

    EVP_PKEY *copy;

    fine(signs(key, 0, signature, &length), "a key that was put back");
    keep(signature, length);
    if (EVP_PKEY_is_a(key, "RSA")) {
        length = sizeof(signature);
        refused_with(signs(key, RSA_PKCS1_PSS_PADDING, signature, &length), "raw RSA",
                     "PSS with a key that was put back");
    }
    /* Either a duplicate has the vault's key too, or there is no duplicate. */
    copy = EVP_PKEY_dup(key);
    ERR_clear_error();
    if (copy != NULL) {
        length = sizeof(signature);
        if (signs(copy, 0, signature, &length))
            keep(signature, length);
        ERR_clear_error();
    }
    EVP_PKEY_free(copy);
}

/* The output is a key file that loads the vault key again, or empty. */
static void written(int ok, BIO *out, const char *what)
{
    EVP_PKEY *key;

    if (!ok) {
        refused(ok, what);
    } else {
        ERR_clear_error();
        key = PEM_read_bio_PrivateKey(out, NULL, NULL, NULL);
        if (key == NULL)
            die(what);
        ERR_clear_error();
        signs_itself(key);
        EVP_PKEY_free(key);
    }
    (void)BIO_reset(out);
}

static void written_der(int length, unsigned char *der, const char *what)
{
    const unsigned char *at = der;
    EVP_PKEY *key;

    if (length <= 0) {
        refused(0, what);
        return;
    }
    ERR_clear_error();
    key = d2i_AutoPrivateKey(NULL, &at, length);
    if (key == NULL)
        die(what);
    ERR_clear_error();
    signs_itself(key);
    EVP_PKEY_free(key);
    OPENSSL_free(der);
}

static void writes(EVP_PKEY *key)
{
    BIO *out = BIO_new(BIO_s_mem());
    unsigned char *der = NULL;
    PKCS8_PRIV_KEY_INFO *info;

    written(PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), out, "PrivateKey");
    written(PEM_write_bio_PrivateKey_traditional(out, key, NULL, NULL, 0, NULL, NULL), out,
            "PrivateKey_traditional");
    written(PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), out, "PKCS8");
    written_der(i2d_PrivateKey(key, &der), der, "i2d_PrivateKey");
    info = EVP_PKEY2PKCS8(key);
    if (info == NULL)
        refused(0, "EVP_PKEY2PKCS8");
    else
        written(PEM_write_bio_PKCS8_PRIV_KEY_INFO(out, info), out, "PKCS8_PRIV_KEY_INFO");
    PKCS8_PRIV_KEY_INFO_free(info);
    fine(PEM_write_bio_PUBKEY(out, key) == 1, "PUBKEY");
    BIO_free(out);
}

/* The old functions for the structure itself. */
static void use_rsa(EVP_PKEY *key, RSA *rsa)
{
    unsigned char signature[SIGNATURE_MAX], text[SIGNATURE_MAX], back[SIGNATURE_MAX];
    unsigned char info[sizeof(SHA256_INFO) + sizeof(digest)];
    const int paddings[] = { RSA_PKCS1_PADDING, RSA_PKCS1_OAEP_PADDING };
    unsigned int length = 0;
    unsigned char *der = NULL;
    BIO *out = BIO_new(BIO_s_mem());
    int size = RSA_size(rsa), len;
    RSA *public;
    EVP_PKEY *other;

    fine(size == EVP_PKEY_get_size(key) && RSA_bits(rsa) == EVP_PKEY_get_bits(key), "RSA_size");
    fine(RSA_sign(NID_sha256, digest, sizeof(digest), signature, &length, rsa) == 1, "RSA_sign");
    fine(length == (unsigned int)size, "the length of RSA_sign");
    keep(signature, length);
    fine(RSA_verify(NID_sha256, digest, sizeof(digest), signature, length, rsa) == 1,
         "RSA_verify");
    /* Like RSA_sign; a Managed HSM signs nothing else. */
    memcpy(info, SHA256_INFO, sizeof(SHA256_INFO));
    memcpy(info + sizeof(SHA256_INFO), digest, sizeof(digest));
    fine(RSA_private_encrypt(sizeof(info), info, signature, rsa, RSA_PKCS1_PADDING) == size,
         "RSA_private_encrypt");
    keep(signature, (size_t)size);
    fine(RSA_public_decrypt(size, signature, back, rsa, RSA_PKCS1_PADDING) == sizeof(info)
             && memcmp(back, info, sizeof(info)) == 0,
         "RSA_public_decrypt");
    memset(text, 1, sizeof(text));
    refused_with(RSA_private_encrypt(size, text, signature, rsa, RSA_NO_PADDING) > 0, "raw RSA",
                 "RSA_private_encrypt without padding");
    for (size_t i = 0; i < 2; i++) {
        len = RSA_public_encrypt(20, digest, text, rsa, paddings[i]);
        fine(len == size, "RSA_public_encrypt");
        fine(RSA_private_decrypt(len, text, back, rsa, paddings[i]) == 20
                 && memcmp(back, digest, 20) == 0,
             "RSA_private_decrypt");
    }
    refused(RSA_private_encrypt(size, text, signature, rsa, RSA_PKCS1_PADDING) > 0,
            "RSA_private_encrypt of too much");
    refused(RSA_check_key(rsa) == 1, "RSA_check_key");
    fine(RSA_print(out, rsa, 0) == 1, "RSA_print");
    (void)BIO_reset(out);
    written(PEM_write_bio_RSAPrivateKey(out, rsa, NULL, NULL, 0, NULL, NULL), out,
            "RSAPrivateKey");
    written_der(i2d_RSAPrivateKey(rsa, &der), der, "i2d_RSAPrivateKey");
    fine(PEM_write_bio_RSA_PUBKEY(out, rsa) == 1, "RSA_PUBKEY");
    public = RSAPublicKey_dup(rsa);
    fine(public != NULL, "RSAPublicKey_dup");
    refused(RSA_sign(NID_sha256, digest, sizeof(digest), signature, &length, public) == 1,
            "RSA_sign with a public key");
    RSA_free(public);
    public = RSAPrivateKey_dup(rsa);
    if (public == NULL)
        refused(0, "RSAPrivateKey_dup");
    else
        die("RSAPrivateKey_dup gave a key without its private half");
    fine(RSA_blinding_on(rsa, NULL) == 1, "RSA_blinding_on");
    other = around_rsa(rsa);
    fine(EVP_PKEY_eq(key, other) == 1, "EVP_PKEY_eq");
    writes(other);
    put_back(other);
    EVP_PKEY_free(other);
    BIO_free(out);
}

static void use_ec(EVP_PKEY *key, EC_KEY *ec)
{
    unsigned char signature[SIGNATURE_MAX], secret[128];
    unsigned int length = sizeof(signature);
    unsigned char *der = NULL;
    BIO *out = BIO_new(BIO_s_mem());
    BIGNUM *kinv = NULL, *r = NULL;
    ECDSA_SIG *pair;
    EC_KEY *copy;
    EVP_PKEY *other;

    fine(ECDSA_size(ec) == EVP_PKEY_get_size(key), "ECDSA_size");
    fine(ECDSA_sign(0, digest, sizeof(digest), signature, &length, ec) == 1, "ECDSA_sign");
    fine((int)length <= ECDSA_size(ec), "the length of ECDSA_sign");
    keep(signature, length);
    fine(ECDSA_verify(0, digest, sizeof(digest), signature, (int)length, ec) == 1, "ECDSA_verify");
    pair = ECDSA_do_sign(digest, sizeof(digest), ec);
    fine(pair != NULL && ECDSA_do_verify(digest, sizeof(digest), pair, ec) == 1, "ECDSA_do_sign");
    ECDSA_SIG_free(pair);
    refused(ECDSA_sign_setup(ec, NULL, &kinv, &r) == 1, "ECDSA_sign_setup");
    refused_with(
        ECDH_compute_key(secret, sizeof(secret), EC_KEY_get0_public_key(ec), ec, NULL) > 0, "ECDH",
        "ECDH_compute_key");
    refused(EC_KEY_check_key(ec) == 1, "EC_KEY_check_key");
    if (EC_KEY_print(out, ec, 0) != 1)
        refused(0, "EC_KEY_print");
    (void)BIO_reset(out);
    written(PEM_write_bio_ECPrivateKey(out, ec, NULL, NULL, 0, NULL, NULL), out, "ECPrivateKey");
    written_der(i2d_ECPrivateKey(ec, &der), der, "i2d_ECPrivateKey");
    fine(PEM_write_bio_EC_PUBKEY(out, ec) == 1, "EC_PUBKEY");
    copy = EC_KEY_dup(ec);
    fine(copy != NULL, "EC_KEY_dup");
    length = sizeof(signature);
    fine(ECDSA_sign(0, digest, sizeof(digest), signature, &length, copy) == 1, "a copy's sign");
    keep(signature, length);
    EC_KEY_free(copy);
    other = around_ec(ec);
    writes(other);
    put_back(other);
    EVP_PKEY_free(other);
    BIO_free(out);
}

static void *in_thread(void *argument)
{
    EVP_PKEY *key = argument;
    unsigned char signature[SIGNATURE_MAX];
    unsigned int length = sizeof(signature);
    int ok;

    if (EVP_PKEY_is_a(key, "RSA")) {
        RSA *rsa = EVP_PKEY_get1_RSA(key);

        ok = rsa != NULL
            && RSA_sign(NID_sha256, digest, sizeof(digest), signature, &length, rsa) == 1
            && RSA_verify(NID_sha256, digest, sizeof(digest), signature, length, rsa) == 1;
        RSA_free(rsa);
    } else {
        EC_KEY *ec = EVP_PKEY_get1_EC_KEY(key);

        ok = ec != NULL && ECDSA_sign(0, digest, sizeof(digest), signature, &length, ec) == 1
            && ECDSA_verify(0, digest, sizeof(digest), signature, (int)length, ec) == 1;
        EC_KEY_free(ec);
    }
    fine(ok, "a thread's signature");
    return NULL;
}

/* Threads get the structure concurrently; a forked child continues with its parent's. With
 * WITHOUT_CHILDREN there is no child: memory that it inherits and does not use looks leaked to
 * memcheck.
 */
static void at_once(const char *uri)
{
    pthread_t threads[8];
    EVP_PKEY *key = load_key(uri);
    pid_t child;
    int status = 0;

    for (int i = 0; i < 8; i++)
        if (pthread_create(&threads[i], NULL, in_thread, key) != 0)
            die("no thread");
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    if (getenv("WITHOUT_CHILDREN")) {
        EVP_PKEY_free(key);
        return;
    }
    child = fork();
    if (child == 0) {
        in_thread(key);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        die("the child's signature");
    EVP_PKEY_free(key);
}

/* A key in a library context of its own. */
static EVP_PKEY *load_in(OSSL_LIB_CTX *library, const char *uri)
{
    OSSL_STORE_CTX *store
        = OSSL_STORE_open_ex(uri, library, NULL, NULL, NULL, NULL, NULL, NULL);
    OSSL_STORE_INFO *info = store == NULL ? NULL : OSSL_STORE_load(store);
    EVP_PKEY *key = info == NULL ? NULL : OSSL_STORE_INFO_get1_PKEY(info);

    if (key == NULL)
        die("no key in a library context of its own");
    OSSL_STORE_INFO_free(info);
    OSSL_STORE_close(store);
    return key;
}

/* The structure outlives the provider, and its errors still have reason texts. */
static void without_provider(const char *uri)
{
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
    unsigned char signature[SIGNATURE_MAX], block[SIGNATURE_MAX] = { 0 };
    unsigned int length = sizeof(signature);
    EVP_PKEY *key;
    RSA *rsa;

    if (OSSL_LIB_CTX_load_config(library, getenv("OPENSSL_CONF")) != 1)
        die("no configuration");
    key = load_in(library, uri);
    ERR_clear_error();
    rsa = EVP_PKEY_is_a(key, "RSA") ? EVP_PKEY_get1_RSA(key) : NULL;
    if (rsa != NULL) {
        EVP_PKEY_free(key);
        OSSL_LIB_CTX_free(library);
        fine(RSA_sign(NID_sha256, digest, sizeof(digest), signature, &length, rsa) == 1,
             "RSA_sign without the provider");
        keep(signature, length);
        refused_with(RSA_private_encrypt(RSA_size(rsa), block, signature, rsa, RSA_NO_PADDING) > 0,
                     "raw RSA", "RSA_private_encrypt without the provider");
        RSA_free(rsa);
    } else {
        EC_KEY *ec = EVP_PKEY_get1_EC_KEY(key);

        EVP_PKEY_free(key);
        OSSL_LIB_CTX_free(library);
        fine(ECDSA_sign(0, digest, sizeof(digest), signature, &length, ec) == 1,
             "ECDSA_sign without the provider");
        keep(signature, length);
        EC_KEY_free(ec);
    }
}

/* The host's own keys still have all their numbers. */
static void foreign(void)
{
    EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    EVP_PKEY *ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

    fine(RSA_check_key(EVP_PKEY_get0_RSA(rsa)) == 1, "a key of the host's own");
    fine(EC_KEY_check_key(EVP_PKEY_get0_EC_KEY(ec)) == 1, "a key of the host's own");
    in_thread(rsa);
    in_thread(ec);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
}

int main(int argc, char **argv)
{
    EVP_PKEY *key;

    if (argc != 3)
        die("usage: old_structures KEY FOLDER");
    folder = argv[2];
    save(MESSAGE, strlen(MESSAGE), "message");
    EVP_Digest(MESSAGE, strlen(MESSAGE), digest, NULL, EVP_sha256(), NULL);
    key = load_key(argv[1]);
    ERR_clear_error();
    if (EVP_PKEY_is_a(key, "RSA")) {
        RSA *rsa = EVP_PKEY_get1_RSA(key);

        fine(rsa != NULL && EVP_PKEY_get0_RSA(key) == rsa, "EVP_PKEY_get1_RSA");
        use_rsa(key, rsa);
        writes(key);
        signs_itself(key);
        /* The structure outlives its key. */
        EVP_PKEY_free(key);
        key = around_rsa(rsa);
        RSA_free(rsa);
    } else {
        EC_KEY *ec = EVP_PKEY_get1_EC_KEY(key);

        fine(ec != NULL && EVP_PKEY_get0_EC_KEY(key) == ec, "EVP_PKEY_get1_EC_KEY");
        use_ec(key, ec);
        writes(key);
        signs_itself(key);
        EVP_PKEY_free(key);
        key = around_ec(ec);
        EC_KEY_free(ec);
    }
    put_back(key);
    EVP_PKEY_free(key);
    foreign();
    at_once(argv[1]);
    without_provider(argv[1]);
    printf("%d\n", signatures);
    return 0;
}
