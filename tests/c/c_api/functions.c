/* Calls every function of libakv, with valid and invalid arguments. Does not use OpenSSL:
 * signatures are written to stdout, to be verified by other programs.
 *
 *     capi VAULT KEY-PAIR RSA-KEY [SYMMETRIC-KEY]
 */
#include <akv.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\nlast error: %s\n", __FILE__, __LINE__, #condition,         \
                    akv_last_error());                                                             \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static const uint8_t digest[32] = { 1, 2, 3 };

static void print(const char *name, const uint8_t *data, size_t len)
{
    printf("%s ", name);
    for (size_t i = 0; i < len; i++)
        printf("%02x", data[i]);
    printf("\n");
}

static void nulls(void)
{
    AkvClient *client = (AkvClient *)digest;
    size_t len = 0;

    CHECK(akv_settings_new(NULL) == AKV_CODE_ARGUMENT);
    CHECK(akv_settings_set(NULL, "timeout", "3s") == AKV_CODE_ARGUMENT);
    CHECK(akv_client_new(NULL, NULL) == AKV_CODE_ARGUMENT);
    CHECK(akv_key_open(NULL, "vault:v:k", NULL) == AKV_CODE_ARGUMENT);
    CHECK(akv_key_open_file(NULL, digest, 1, NULL) == AKV_CODE_ARGUMENT);
    CHECK(akv_key_reference(NULL) == NULL);
    CHECK(akv_key_public_key(NULL, NULL, &len) == AKV_CODE_ARGUMENT);
    CHECK(akv_key_file(NULL, NULL, &len) == AKV_CODE_ARGUMENT);
    CHECK(akv_sign(NULL, "ES256", digest, 32, NULL, &len) == AKV_CODE_ARGUMENT);
    CHECK(akv_sign_message(NULL, "ES256", digest, 32, NULL, &len) == AKV_CODE_ARGUMENT);
    CHECK(akv_verify(NULL, "ES256", digest, 32, digest, 32) == AKV_CODE_ARGUMENT);
    CHECK(akv_encrypt(NULL, "RSA-OAEP", digest, 32, NULL, &len) == AKV_CODE_ARGUMENT);
    CHECK(akv_decrypt(NULL, "RSA-OAEP", digest, 32, NULL, &len) == AKV_CODE_ARGUMENT);
    CHECK(akv_wrap(NULL, "RSA-OAEP", digest, 32, NULL, &len) == AKV_CODE_ARGUMENT);
    CHECK(akv_unwrap(NULL, "RSA-OAEP", digest, 32, NULL, &len) == AKV_CODE_ARGUMENT);
    CHECK(akv_ecdsa_der(NULL, 64, NULL, &len) == AKV_CODE_ARGUMENT);
    CHECK(akv_key_list_open(NULL, "vault:v:", NULL) == AKV_CODE_ARGUMENT);
    CHECK(akv_key_list_next(NULL, NULL) == AKV_CODE_ARGUMENT);
    akv_settings_free(NULL);
    akv_client_free(NULL);
    akv_key_free(NULL);
    akv_key_list_free(NULL);
    CHECK(akv_last_error_code() == AKV_CODE_ARGUMENT && akv_last_error()[0] != '\0');
    (void)client;
}

static void settings(void)
{
    AkvSettings *settings = NULL;
    AkvClient *client = NULL;

    CHECK(akv_settings_new(&settings) == AKV_CODE_OK);
    CHECK(akv_settings_set(settings, "no-such-setting", "1") == AKV_CODE_SETTINGS);
    CHECK(strstr(akv_last_error(), "no-such-setting") != NULL);
    CHECK(akv_settings_set(settings, "timeout", NULL) == AKV_CODE_ARGUMENT);
    CHECK(akv_settings_set(settings, "max-concurrency", "many") == AKV_CODE_OK
          || akv_last_error_code() == AKV_CODE_SETTINGS);
    client = (AkvClient *)settings;
    CHECK(akv_client_new(settings, &client) == AKV_CODE_SETTINGS);
    CHECK(client == NULL);
    akv_settings_free(settings);

    CHECK(akv_settings_new(&settings) == AKV_CODE_OK);
    CHECK(akv_settings_set(settings, "verify-signatures", "no") == AKV_CODE_OK);
    CHECK(akv_client_new(settings, &client) == AKV_CODE_OK);
    akv_settings_free(settings);
    akv_client_free(client);
}

/* Calls a function twice: for the size of the output, then for the output. */
#define OUTPUT(buffer, len, call_with)                                                             \
    do {                                                                                           \
        (len) = 0;                                                                                 \
        CHECK(call_with(NULL) == AKV_CODE_OK);                                                     \
        CHECK((len) > 0 && (len) <= sizeof(buffer));                                               \
        (len)--;                                                                                   \
        CHECK(call_with(buffer) == AKV_CODE_ARGUMENT);                                             \
        CHECK(call_with(buffer) == AKV_CODE_OK);                                                   \
    } while (0)

static void public_half(const AkvKey *key)
{
    uint8_t out[2048];
    size_t len;

#define PUBLIC_KEY(buffer) akv_key_public_key(key, buffer, &len)
    OUTPUT(out, len, PUBLIC_KEY);
    print("public", out, len);
}

static AkvKey *again(const AkvClient *client, const AkvKey *key)
{
    AkvKey *copy = NULL;
    uint8_t out[4096];
    size_t len;

#define FILE_OF(buffer) akv_key_file(key, buffer, &len)
    OUTPUT(out, len, FILE_OF);
    CHECK(akv_key_open_file(client, out, len, &copy) == AKV_CODE_OK);
    CHECK(strcmp(akv_key_reference(copy), akv_key_reference(key)) == 0);
    akv_key_free(copy);
    CHECK(akv_key_open_file(client, digest, sizeof(digest), &copy) == AKV_CODE_KEY_FILE);
    CHECK(copy == NULL);
    CHECK(akv_key_open_file(client, out, len, &copy) == AKV_CODE_OK);
    return copy;
}

static void signs(const AkvKey *key)
{
    uint8_t raw[128], der[160];
    size_t raw_len, der_len;

#define SIGN(buffer) akv_sign(key, "ES256", digest, sizeof(digest), buffer, &raw_len)
    OUTPUT(raw, raw_len, SIGN);
    CHECK(raw_len == 64);
#define DER(buffer) akv_ecdsa_der(raw, raw_len, buffer, &der_len)
    OUTPUT(der, der_len, DER);
    print("signature", der, der_len);
    CHECK(akv_verify(key, "ES256", digest, sizeof(digest), raw, raw_len) == AKV_CODE_OK);
    raw[0] ^= 1;
    CHECK(akv_verify(key, "ES256", digest, sizeof(digest), raw, raw_len) == AKV_CODE_SIGNATURE);
    raw_len = sizeof(raw);
    CHECK(akv_sign(key, "ES999", digest, 32, raw, &raw_len) == AKV_CODE_ARGUMENT);
    CHECK(akv_sign(key, "RS256", digest, 32, raw, &raw_len) == AKV_CODE_ARGUMENT);
    CHECK(akv_sign(key, "ES256", digest, 31, raw, &raw_len) == AKV_CODE_ARGUMENT);
    CHECK(akv_sign(key, "ES256", NULL, 32, raw, &raw_len) == AKV_CODE_ARGUMENT);
    CHECK(akv_sign(key, "ES256", digest, 32, raw, NULL) == AKV_CODE_ARGUMENT);
    CHECK(akv_sign(key, NULL, digest, 32, raw, &raw_len) == AKV_CODE_ARGUMENT);
    raw_len = sizeof(raw);
    CHECK(akv_sign_message(key, "ES256", digest, 3, raw, &raw_len) == AKV_CODE_OK);
    der_len = sizeof(der);
    CHECK(akv_ecdsa_der(raw, raw_len, der, &der_len) == AKV_CODE_OK);
    print("message", der, der_len);
}

static void ciphers(const AkvKey *key)
{
    uint8_t sealed[512], opened[512];
    size_t sealed_len, opened_len;

#define ENCRYPT(buffer) akv_encrypt(key, "RSA-OAEP-256", digest, 32, buffer, &sealed_len)
    OUTPUT(sealed, sealed_len, ENCRYPT);
#define DECRYPT(buffer)                                                                            \
    akv_decrypt(key, "RSA-OAEP-256", sealed, sealed_len, buffer, &opened_len)
    OUTPUT(opened, opened_len, DECRYPT);
    CHECK(opened_len == 32 && memcmp(opened, digest, 32) == 0);
    sealed[5] ^= 1;
    opened_len = sizeof(opened);
    CHECK(DECRYPT(opened) == AKV_CODE_SERVICE);
#define WRAP(buffer) akv_wrap(key, "RSA-OAEP", digest, 32, buffer, &sealed_len)
    OUTPUT(sealed, sealed_len, WRAP);
#define UNWRAP(buffer) akv_unwrap(key, "RSA-OAEP", sealed, sealed_len, buffer, &opened_len)
    OUTPUT(opened, opened_len, UNWRAP);
    CHECK(opened_len == 32 && memcmp(opened, digest, 32) == 0);
}

static void symmetric(const AkvClient *client, const char *reference)
{
    AkvKey *key = NULL;
    uint8_t wrapped[64], key_again[64];
    size_t wrapped_len, len;

    CHECK(akv_key_open(client, reference, &key) == AKV_CODE_OK);
    len = 0;
    CHECK(akv_key_public_key(key, NULL, &len) == AKV_CODE_UNSUPPORTED);
#define KW(buffer) akv_wrap(key, "A256KW", digest, 32, buffer, &wrapped_len)
    OUTPUT(wrapped, wrapped_len, KW);
    CHECK(wrapped_len == 40);
    len = 0;
    CHECK(akv_wrap(key, "A256KW", digest, 17, NULL, &len) == AKV_CODE_ARGUMENT);
    CHECK(akv_unwrap(key, "A256KW", digest, 16, NULL, &len) == AKV_CODE_ARGUMENT);
#define UNKW(buffer) akv_unwrap(key, "A256KW", wrapped, wrapped_len, buffer, &len)
    OUTPUT(key_again, len, UNKW);
    CHECK(len == 32 && memcmp(key_again, digest, 32) == 0);
    akv_key_free(again(client, key));
    akv_key_free(key);
}

static void lists(const AkvClient *client, const char *vault)
{
    AkvKeyList *list = NULL;
    const char *name = NULL;
    int count = 0;

    CHECK(akv_key_list_open(client, "nonsense", &list) == AKV_CODE_REFERENCE);
    CHECK(akv_key_list_open(client, vault, &list) == AKV_CODE_OK);
    while (akv_key_list_next(list, &name) == AKV_CODE_OK && name != NULL) {
        printf("key %s\n", name);
        count++;
    }
    CHECK(name == NULL && count > 0);
    akv_key_list_free(list);
}

static void *thread(void *key)
{
    uint8_t raw[64];
    size_t len = sizeof(raw);

    CHECK(akv_last_error_code() == AKV_CODE_OK && akv_last_error()[0] == '\0');
    for (int i = 0; i < 5; i++) {
        len = sizeof(raw);
        CHECK(akv_sign(key, "ES256", digest, 32, raw, &len) == AKV_CODE_OK);
        CHECK(akv_verify(key, "ES256", digest, 32, raw, len) == AKV_CODE_OK);
    }
    return NULL;
}

static void threads_and_children(AkvKey *key)
{
    pthread_t threads[4];
    int status = -1;
    pid_t child;

    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, thread, key) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    fflush(stdout);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        uint8_t raw[64];
        size_t len = sizeof(raw);

        /* Memory that a child inherits would be reported as a leak when it ends, but not here. */
        if (akv_sign(key, "ES256", digest, 32, raw, &len) == AKV_CODE_OK)
            execlp("true", "true", (char *)NULL);
        _exit(1);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(int argc, char **argv)
{
    AkvClient *client = NULL;
    AkvKey *pair = NULL, *rsa = NULL, *copy;

    if (argc < 4)
        return 2;
    CHECK(akv_last_error_code() == AKV_CODE_OK && akv_last_error()[0] == '\0');
    CHECK(akv_abi_version() >= AKV_ABI_VERSION && akv_version()[0] != '\0');
    nulls();
    settings();
    CHECK(akv_client_new(NULL, &client) == AKV_CODE_OK);
    CHECK(akv_key_open(client, "vault:x", &pair) == AKV_CODE_REFERENCE && pair == NULL);
    CHECK(akv_key_open(client, "vault:myVault:noSuchKey", &pair) == AKV_CODE_SERVICE);
    CHECK(strstr(akv_last_error(), "noSuchKey") != NULL);
    CHECK(akv_key_open(client, argv[2], &pair) == AKV_CODE_OK);
    CHECK(akv_key_open(client, argv[3], &rsa) == AKV_CODE_OK);
    lists(client, argv[1]);
    public_half(pair);
    copy = again(client, pair);
    if (argc > 4)
        symmetric(client, argv[4]);
    akv_client_free(client);
    signs(pair);
    ciphers(rsa);
    akv_key_free(pair);
    threads_and_children(copy);
    akv_key_free(copy);
    akv_key_free(rsa);
    return 0;
}
