/* plain_key_file FILE CERTIFICATE: reads a private key from a PEM file like any program, signs with
 * it and checks that it matches the certificate. Uses neither the ENGINE nor the provider API. */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

static int fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    ERR_print_errors_fp(stderr);
    return 1;
}

int main(int argc, char **argv)
{
    unsigned char signature[512];
    size_t length = sizeof(signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY *key;
    X509 *certificate;
    BIO *bio;

    if (argc != 3)
        return fail("usage: plain_key_file FILE CERTIFICATE");
    OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
    bio = BIO_new_file(argv[1], "r");
    key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (key == NULL)
        return fail("no private key");
    bio = BIO_new_file(argv[2], "r");
    certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (certificate == NULL || X509_check_private_key(certificate, key) != 1)
        return fail("not the certificate's key");
    if (EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) != 1
        || EVP_DigestSign(context, signature, &length, (unsigned char *)"abc", 3) != 1)
        return fail("cannot sign");
    EVP_MD_CTX_free(context);
    context = EVP_MD_CTX_new();
    if (EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, X509_get0_pubkey(certificate)) != 1
        || EVP_DigestVerify(context, signature, length, (unsigned char *)"abc", 3) != 1)
        return fail("the signature is wrong");
    if (ERR_peek_error() != 0)
        return fail("success has left something in the error queue");
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    X509_free(certificate);
    printf("signed\n");
    return 0;
}
