/* symmetric KEY HEX: uses a symmetric key of a Managed HSM, whose 32 bytes are HEX, as an EVP_PKEY
 * and, if OpenSSL supports it, as an EVP_SKEY. Compares the results with the default provider,
 * which gets the bytes. Prints "fine". */
#include "common.h"

#include <openssl/core_names.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <pthread.h>

#define KEY_LEN 32
#define MAX 4096

static unsigned char secret[KEY_LEN];

static void check(int ok, const char *what)
{
    if (!ok)
        die(what);
}

/* Must fail and push an error. */
static void fails(int outcome, const char *what)
{
    if (outcome > 0 || ERR_peek_error() == 0) {
        fprintf(stderr, "this should have failed with a reason:\n");
        die(what);
    }
    ERR_clear_error();
}

/* Key wrap by the default provider. */
static int wrap_here(const unsigned char *key, int length, unsigned char *wrapped)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written = 0;

    EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    check(EVP_EncryptInit_ex(context, EVP_aes_256_wrap(), NULL, secret, NULL)
              && EVP_EncryptUpdate(context, wrapped, &written, key, length),
          "the default provider wraps");
    EVP_CIPHER_CTX_free(context);
    return written;
}

static void as_pkey(EVP_PKEY *key)
{
    unsigned char cek[24] = "a key-encryption key...", wrapped[64], expected[64], back[64];
    size_t length = 0;
    int number = 0;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL), *copy;
    EVP_PKEY *twin = EVP_PKEY_dup(key);
    EVP_MD_CTX *sign = EVP_MD_CTX_new();

    check(EVP_PKEY_is_a(key, "AKV-AES") && !EVP_PKEY_is_a(key, "RSA"), "the type");
    check(twin != NULL && EVP_PKEY_eq(key, twin) == 1, "a copy is the same");
    check(EVP_PKEY_get_size(key) > 0, "a size");
    check(EVP_PKEY_get_int_param(key, "nobody-knows", &number) == 0, "an unknown parameter");
    ERR_clear_error();

    check(EVP_PKEY_encrypt_init(context) == 1, "encrypt_init");
    check(EVP_PKEY_encrypt(context, NULL, &length, cek, sizeof(cek)) == 1 && length == 32,
          "the size of the wrapped key");
    length = 31;
    fails(EVP_PKEY_encrypt(context, wrapped, &length, cek, sizeof(cek)), "too little room");
    length = sizeof(wrapped);
    fails(EVP_PKEY_encrypt(context, wrapped, &length, cek, 23), "no multiple of 8");
    fails(EVP_PKEY_encrypt(context, NULL, &length, cek, 8), "too short a key");
    copy = EVP_PKEY_CTX_dup(context);
    length = sizeof(wrapped);
    check(EVP_PKEY_encrypt(copy, wrapped, &length, cek, sizeof(cek)) == 1 && length == 32,
          "wrapping with a copy");
    check(wrap_here(cek, sizeof(cek), expected) == 32 && memcmp(wrapped, expected, 32) == 0,
          "the wrapped key is RFC 3394's");

    check(EVP_PKEY_decrypt_init(context) == 1, "decrypt_init");
    check(EVP_PKEY_decrypt(context, NULL, &length, wrapped, 32) == 1 && length == 24,
          "the size of the key");
    length = 23;
    fails(EVP_PKEY_decrypt(context, back, &length, wrapped, 32), "too little room");
    length = sizeof(back);
    check(EVP_PKEY_decrypt(context, back, &length, wrapped, 32) == 1 && length == 24
              && memcmp(back, cek, 24) == 0,
          "unwrapping");
    wrapped[5] ^= 1;
    fails(EVP_PKEY_decrypt(context, back, &length, wrapped, 32), "a damaged key");
    check(memcmp(back, cek, 24) == 0, "nothing is written where nothing is unwrapped");

    fails(EVP_PKEY_sign_init(context), "a signature");
    fails(EVP_PKEY_derive_init(context), "a derivation");
    fails(EVP_DigestSignInit(sign, NULL, EVP_sha256(), NULL, key), "a signature of a digest");
    check(EVP_PKEY_get_raw_private_key(key, back, &length) <= 0, "no bytes");
    ERR_clear_error();
    EVP_MD_CTX_free(sign);
    EVP_PKEY_CTX_free(copy);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(twin);
}

/* A cipher without a specific query must be the default provider's. */
static void usual_cipher(const char *properties)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", properties);

    check(cipher != NULL
              && strcmp(OSSL_PROVIDER_get0_name(EVP_CIPHER_get0_provider(cipher)), "default") == 0,
          "the usual cipher is the default provider's");
    EVP_CIPHER_free(cipher);
}

static void usual_ciphers(void)
{
    OSSL_PROVIDER *base = OSSL_PROVIDER_load(NULL, "base");

    check(base != NULL && OSSL_PROVIDER_unload(base) == 1, "libcrypto forgets its methods");
    EVP_CIPHER_free(EVP_CIPHER_fetch(NULL, "AKV-AES-256-CBC", "provider=akv_provider"));
    EVP_CIPHER_free(EVP_CIPHER_fetch(NULL, "AES-256-CBC", "provider=akv_provider"));
    ERR_clear_error();
    usual_cipher(NULL);
    usual_cipher("?provider=akv_provider");
}

#if OPENSSL_VERSION_NUMBER >= 0x30500000L
static const unsigned char iv[16] = "fifteen bytes..";

/* CBC by the default provider. */
static int cbc_here(int pads, const unsigned char *data, int length, unsigned char *out)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written = 0, rest = 0;

    check(EVP_EncryptInit_ex(context, EVP_aes_256_cbc(), NULL, secret, iv)
              && EVP_CIPHER_CTX_set_padding(context, pads)
              && EVP_EncryptUpdate(context, out, &written, data, length)
              && EVP_EncryptFinal_ex(context, out + written, &rest),
          "the default provider encrypts");
    EVP_CIPHER_CTX_free(context);
    return written + rest;
}

static EVP_CIPHER *ours(const char *name, int block, int iv_length)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);

    check(cipher != NULL, name);
    check(EVP_CIPHER_get_block_size(cipher) == block
              && EVP_CIPHER_get_iv_length(cipher) == iv_length
              && EVP_CIPHER_get_key_length(cipher) == KEY_LEN,
          "the sizes of the cipher");
    return cipher;
}

/* Encrypts or decrypts in pieces, in place. Returns the length, or -1. */
static int cbc(const EVP_CIPHER *cipher, EVP_SKEY *key, int encrypts, int pads, int piece,
               const unsigned char *data, int length, unsigned char *out)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new(), *copy = EVP_CIPHER_CTX_new();
    unsigned char buffer[MAX + 16];
    int total = 0, written = 0, ok;

    ok = EVP_CipherInit_SKEY(context, cipher, key, iv, sizeof(iv), encrypts, NULL) == 1
        && EVP_CIPHER_CTX_set_padding(context, pads) == 1;
    for (int at = 0; ok && at < length; at += piece) {
        int now = length - at < piece ? length - at : piece;

        /* A duplicate in the middle of the data continues like the original. */
        if (at == piece) {
            ok = EVP_CIPHER_CTX_copy(copy, context) == 1;
            EVP_CIPHER_CTX_free(context);
            context = copy;
            copy = EVP_CIPHER_CTX_new();
        }
        memcpy(buffer, data + at, (size_t)now);
        ok = ok && EVP_CipherUpdate(context, buffer, &written, buffer, now) == 1;
        if (ok)
            memcpy(out + total, buffer, (size_t)written);
        total += written;
    }
    ok = ok && EVP_CipherFinal_ex(context, out + total, &written) == 1;
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_CTX_free(copy);
    return ok ? total + written : -1;
}

static void stream(EVP_SKEY *key)
{
    EVP_CIPHER *cipher = ours("AKV-AES-256-CBC", 16, 16);
    unsigned char data[MAX], expected[MAX + 16], out[MAX + 32];
    static const int lengths[] = { 0, 1, 15, 16, 17, 64, 1000 };

    check(EVP_CIPHER_get_mode(cipher) == EVP_CIPH_CBC_MODE, "the mode");
    for (int i = 0; i < MAX; i++)
        data[i] = (unsigned char)(i * 7);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
        for (int piece = 1; piece < 1000; piece = piece * 3 + 4)
            for (int pads = lengths[i] % 16 == 0 ? 0 : 1; pads < 2; pads++) {
                int length = cbc_here(pads, data, lengths[i], expected);

                if (lengths[i] / piece > 40)
                    continue;
                check(cbc(cipher, key, 1, pads, piece, data, lengths[i], out) == length
                          && memcmp(out, expected, (size_t)length) == 0,
                      "the ciphertext");
                check(cbc(cipher, key, 0, pads, piece, expected, length, out) == lengths[i]
                          && memcmp(out, data, (size_t)lengths[i]) == 0,
                      "the plaintext");
            }
    fails(cbc(cipher, key, 1, 0, 16, data, 20, out) >= 0, "no whole blocks");
    fails(cbc(cipher, key, 0, 1, 16, data, 20, out) >= 0, "no whole blocks");
    EVP_CIPHER_free(cipher);
}

/* The parameters, and the steps of an initialization. */
static void steps(EVP_SKEY *key)
{
    EVP_CIPHER *cipher = ours("AKV-AES-256-CBC", 16, 16);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    unsigned char data[48] = "forty-eight bytes of something", out[64], first[64], now[16];
    int written;

    check(EVP_CipherInit_SKEY(context, cipher, NULL, NULL, 0, 1, NULL) == 1, "without a key");
    fails(EVP_CipherUpdate(context, out, &written, data, 48), "no key yet");
    check(EVP_CipherInit_SKEY(context, NULL, key, NULL, 0, 1, NULL) == 1, "the key");
    fails(EVP_CipherUpdate(context, out, &written, data, 48), "no initialization vector yet");
    fails(EVP_CipherInit_SKEY(context, NULL, NULL, iv, 8, 1, NULL), "half an IV");
    check(EVP_CipherInit_SKEY(context, NULL, NULL, iv, 16, 1, NULL) == 1, "the IV");
    check(EVP_CIPHER_CTX_get_key_length(context) == KEY_LEN
              && EVP_CIPHER_CTX_get_iv_length(context) == 16,
          "the sizes");
    check(EVP_CipherUpdate(context, first, &written, data, 48) == 1 && written == 48, "blocks");
    check(EVP_CIPHER_CTX_get_updated_iv(context, now, 16) == 1 && memcmp(now, first + 32, 16) == 0,
          "the IV of what comes next");
    check(EVP_CIPHER_CTX_get_original_iv(context, now, 16) == 1 && memcmp(now, iv, 16) == 0,
          "the IV that it began with");
    check(EVP_CipherInit_SKEY(context, NULL, NULL, NULL, 0, 1, NULL) == 1, "once more");
    check(EVP_CipherUpdate(context, out, &written, data, 48) == 1 && memcmp(out, first, 48) == 0,
          "as at first");
    fails(EVP_CipherInit_ex2(context, cipher, secret, iv, 1, NULL), "bytes of a key");
    check(EVP_CIPHER_CTX_set_key_length(context, KEY_LEN) == 1, "the length that it has");
    fails(EVP_CIPHER_CTX_set_key_length(context, 16), "another length");
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
}

static void wrap(EVP_SKEY *key)
{
    EVP_CIPHER *cipher = ours("AKV-AES-256-WRAP", 8, 8);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    unsigned char cek[24] = "a key-encryption key...", wrapped[64], expected[64], back[64];
    int length = 0;

    check(EVP_CIPHER_get_mode(cipher) == EVP_CIPH_WRAP_MODE, "the mode");
    check(EVP_CipherInit_SKEY(context, cipher, key, NULL, 0, 1, NULL) == 1, "wrapping");
    check(EVP_CipherUpdate(context, NULL, &length, cek, 24) == 1 && length == 32, "the size");
    check(EVP_CipherUpdate(context, wrapped, &length, cek, 24) == 1 && length == 32, "wrapping");
    check(wrap_here(cek, 24, expected) == 32 && memcmp(wrapped, expected, 32) == 0,
          "the wrapped key is RFC 3394's");
    check(EVP_CipherFinal_ex(context, wrapped, &length) == 1 && length == 0, "the end");
    fails(EVP_CipherUpdate(context, back, &length, cek, 23), "no multiple of 8");
    fails(EVP_CipherInit_SKEY(context, NULL, NULL, iv, 8, 1, NULL), "another initial value");
    check(EVP_CipherInit_SKEY(context, cipher, key, NULL, 0, 0, NULL) == 1, "unwrapping");
    check(EVP_CipherUpdate(context, back, &length, wrapped, 32) == 1 && length == 24
              && memcmp(back, cek, 24) == 0,
          "unwrapping");
    wrapped[5] ^= 1;
    fails(EVP_CipherUpdate(context, back, &length, wrapped, 32), "a damaged key");
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
}

/* Neither our keys with other ciphers nor other keys with ours. */
static void apart(EVP_SKEY *key)
{
    EVP_CIPHER *theirs = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    EVP_CIPHER *cipher = ours("AKV-AES-256-CBC", 16, 16);
    EVP_SKEY *foreign = EVP_SKEY_import_raw_key(NULL, "AES", secret, KEY_LEN, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    const unsigned char *bytes;
    size_t length;

    check(foreign != NULL && strcmp(EVP_SKEY_get0_provider_name(foreign), "default") == 0,
          "a key of the default provider");
    fails(EVP_CipherInit_SKEY(context, theirs, key, iv, 16, 1, NULL), "their cipher, our key");
    EVP_CIPHER_CTX_reset(context);
    fails(EVP_CipherInit_SKEY(context, cipher, foreign, iv, 16, 1, NULL), "our cipher, their key");
    EVP_CIPHER_CTX_reset(context);
    check(EVP_CipherInit_SKEY(context, theirs, foreign, iv, 16, 1, NULL) == 1, "theirs with theirs");
    fails(EVP_SKEY_get0_raw_key(key, &bytes, &length), "the bytes of the key");
    fails(EVP_SKEY_import_raw_key(NULL, "AKV-AES", secret, KEY_LEN, NULL) != NULL, "bytes of a key");
    fails(EVP_SKEY_to_provider(foreign, NULL, (OSSL_PROVIDER *)EVP_CIPHER_get0_provider(cipher), NULL)
              != NULL,
          "their key in our provider");
    EVP_CIPHER_CTX_free(context);
    EVP_SKEY_free(foreign);
    EVP_CIPHER_free(cipher);
    EVP_CIPHER_free(theirs);
}

/* A reference that is not from our store is never used as a pointer. */
static void forged(void)
{
    unsigned char reference[8] = { 0x10, 0, 0, 0, 0, 0, 0, 0 };
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, reference, 8),
        OSSL_PARAM_construct_end(),
    };

    check(EVP_SKEY_import(NULL, "AKV-AES", NULL, OSSL_SKEYMGMT_SELECT_ALL, params) == NULL,
          "a forged reference");
    ERR_clear_error();
}

static void *wrap_in_thread(void *key)
{
    for (int i = 0; i < 5; i++)
        wrap(key);
    return NULL;
}

static void as_skey(const char *uri)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string("akv-key", (char *)uri, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_SKEY *key = EVP_SKEY_import(NULL, "AKV-AES", NULL, OSSL_SKEYMGMT_SELECT_ALL, params);
    pthread_t threads[4];

    check(key != NULL, "an opaque key");
    check(EVP_SKEY_is_a(key, "AKV-AES")
              && strcmp(EVP_SKEY_get0_provider_name(key), "akv_provider") == 0,
          "the kind of the key");
    check(strncmp(EVP_SKEY_get0_key_id(key), uri, strlen(uri)) == 0
              && strlen(EVP_SKEY_get0_key_id(key)) == strlen(uri) + 33,
          "the name of the key has its version");
    stream(key);
    steps(key);
    wrap(key);
    apart(key);
    forged();
    for (int i = 0; i < 4; i++)
        check(pthread_create(&threads[i], NULL, wrap_in_thread, key) == 0, "a thread");
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    EVP_SKEY_free(key);
}
#endif

#ifdef OSSL_STORE_INFO_SKEY
static void from_store(const char *uri)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
    OSSL_STORE_INFO *info;
    EVP_SKEY *key = NULL;

    check(store != NULL && OSSL_STORE_expect(store, OSSL_STORE_INFO_SKEY) == 1, "the store");
    info = OSSL_STORE_load(store);
    check(info != NULL && (key = OSSL_STORE_INFO_get1_SKEY(info)) != NULL, "the store's key");
    check(OSSL_STORE_eof(store), "there is one key");
    OSSL_STORE_INFO_free(info);
    OSSL_STORE_close(store);
    wrap(key);
    EVP_SKEY_free(key);
}
#endif

int main(int argc, char **argv)
{
    EVP_PKEY *key;

    if (argc != 3 || strlen(argv[2]) != 2 * KEY_LEN)
        die("usage: symmetric KEY HEX");
    for (int i = 0; i < KEY_LEN; i++)
        sscanf(argv[2] + 2 * i, "%2hhx", &secret[i]);
    usual_cipher("?provider=akv_provider");
    usual_cipher(NULL);
    key = load_key(argv[1]);
    as_pkey(key);
    EVP_PKEY_free(key);
    usual_ciphers();
#if OPENSSL_VERSION_NUMBER >= 0x30500000L
    as_skey(argv[1]);
    usual_ciphers();
#endif
#ifdef OSSL_STORE_INFO_SKEY
    from_store(argv[1]);
#endif
    check(ERR_peek_error() == 0, "success has left something in the error queue");
    printf("fine\n");
    return 0;
}
