/* engine_lengths MODULE KEY OPERATION [FILE]: runs one operation of the ENGINE, with the buffer
 * size that the manual pages require. Prints the length of the result, or `refused`. FILE contains
 * the ciphertext. For OpenSSL 1.1.1 and 3.x. */
#include "engine_common.h"
#include "guard.h"

static size_t read_file(const char *name, unsigned char *data, size_t room)
{
    FILE *in = name == NULL ? NULL : fopen(name, "rb");
    size_t length = in == NULL ? 0 : fread(data, 1, room, in);

    if (in == NULL)
        die("no ciphertext");
    fclose(in);
    return length;
}

/* RSA_private_decrypt(3): `to` has room for RSA_size minus the padding overhead. */
static void private_decrypt(EVP_PKEY *key, int padding, int overhead, const char *file)
{
    unsigned char cipher[1024];
    RSA *rsa = EVP_PKEY_get1_RSA(key);
    int length = (int)read_file(file, cipher, sizeof(cipher));
    struct room room;

    CHECK(rsa != NULL);
    room = room_of((size_t)(RSA_size(rsa) - overhead));
    close_room(room, RSA_private_decrypt(length, cipher, room.data, rsa, padding));
    RSA_free(rsa);
}

static void rsa_sign(EVP_PKEY *key)
{
    unsigned char digest[32] = { 7 };
    RSA *rsa = EVP_PKEY_get1_RSA(key);
    unsigned length = 0;
    struct room room;

    CHECK(rsa != NULL);
    room = room_of((size_t)RSA_size(rsa));
    close_room(room, RSA_sign(NID_sha256, digest, sizeof(digest), room.data, &length, rsa) == 1
                         ? (long)length
                         : -1);
    RSA_free(rsa);
}

static void private_encrypt(EVP_PKEY *key)
{
    unsigned char value[20] = { 7 };
    RSA *rsa = EVP_PKEY_get1_RSA(key);
    struct room room;

    CHECK(rsa != NULL);
    room = room_of((size_t)RSA_size(rsa));
    close_room(room, RSA_private_encrypt(sizeof(value), value, room.data, rsa, RSA_PKCS1_PADDING));
    RSA_free(rsa);
}

static void ecdsa_sign(EVP_PKEY *key)
{
    unsigned char digest[32] = { 7 };
    EC_KEY *ec = EVP_PKEY_get1_EC_KEY(key);
    unsigned length = 0;
    struct room room;

    CHECK(ec != NULL);
    room = room_of((size_t)ECDSA_size(ec));
    close_room(room, ECDSA_sign(0, digest, sizeof(digest), room.data, &length, ec) == 1
                         ? (long)length
                         : -1);
    EC_KEY_free(ec);
}

static void evp(EVP_PKEY *key, int signs, int padding, const char *file)
{
    unsigned char input[1024] = { 7 };
    size_t length = 32, written = 0;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    struct room room;
    int done;

    CHECK(context != NULL);
    if (!signs)
        length = read_file(file, input, sizeof(input));
    CHECK((signs ? EVP_PKEY_sign_init(context) : EVP_PKEY_decrypt_init(context)) == 1);
    CHECK(EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1);
    if (signs) {
        CHECK(EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1);
        CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1);
        CHECK(EVP_PKEY_sign(context, NULL, &written, input, length) == 1);
    } else {
        CHECK(EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) == 1);
        CHECK(EVP_PKEY_decrypt(context, NULL, &written, input, length) == 1);
    }
    room = room_of(written);
    done = signs ? EVP_PKEY_sign(context, room.data, &written, input, length)
                 : EVP_PKEY_decrypt(context, room.data, &written, input, length);
    close_room(room, done == 1 ? (long)written : -1);
    EVP_PKEY_CTX_free(context);
}

int main(int argc, char **argv)
{
    const char *operation, *file = argc == 5 ? argv[4] : NULL;
    ENGINE *engine;
    EVP_PKEY *key;

    if (argc < 4)
        die("usage: engine_lengths MODULE KEY OPERATION [FILE]");
    operation = argv[3];
    engine = load_engine(argv[1]);
    key = load_key(engine, argv[2]);
    if (strcmp(operation, "rsa-sign") == 0)
        rsa_sign(key);
    else if (strcmp(operation, "private-encrypt") == 0)
        private_encrypt(key);
    else if (strcmp(operation, "ecdsa-sign") == 0)
        ecdsa_sign(key);
    else if (strcmp(operation, "pss") == 0)
        evp(key, 1, RSA_PKCS1_PSS_PADDING, NULL);
    else if (strcmp(operation, "oaep-256") == 0)
        evp(key, 0, RSA_PKCS1_OAEP_PADDING, file);
    else if (strcmp(operation, "pkcs1") == 0)
        private_decrypt(key, RSA_PKCS1_PADDING, 11, file);
    else if (strcmp(operation, "oaep") == 0)
        private_decrypt(key, RSA_PKCS1_OAEP_PADDING, 42, file);
    else
        die("no such operation");
    EVP_PKEY_free(key);
    unload_engine(engine);
    return 0;
}
