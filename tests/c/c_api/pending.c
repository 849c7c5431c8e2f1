/* capi_pending EC-KEY RSA-KEY: starts operations with libakv and leaves them. */
#include <akv.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 16

static void check(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s: %s\n", what, akv_last_error());
        exit(1);
    }
}

static int is_readable(int fd, int timeout)
{
    struct pollfd one = {fd, POLLIN, 0};

    return poll(&one, 1, timeout) == 1;
}

/* All signatures are in flight before the first has ended, on one thread. */
static void together(const AkvKey *key)
{
    AkvPending *pending[MANY];
    uint8_t digest[32] = {0}, signature[64];
    size_t len;
    int fd[MANY];

    for (int i = 0; i < MANY; i++) {
        digest[0] = (uint8_t)i;
        check(akv_sign_start(key, "ES256", digest, sizeof(digest), &pending[i]) == 0, "start");
        check(akv_pending_fd(pending[i], &fd[i]) == 0 && fd[i] > 2, "descriptor");
    }
    check(akv_pending_wait(pending[0], 0) == AKV_CODE_TIMEOUT, "it has not ended");
    check(!is_readable(fd[0], 0), "it has not ended, says the descriptor");
    for (int i = MANY - 1; i >= 0; i--) {
        check(is_readable(fd[i], 20000), "readable");
        check(akv_pending_wait(pending[i], 0) == 0, "it has ended");
        len = 63;
        check(akv_pending_finish(pending[i], signature, &len) == AKV_CODE_ARGUMENT && len == 64,
              "too small a buffer");
        for (int again = 0; again < 2; again++) {
            len = sizeof(signature);
            check(akv_pending_finish(pending[i], signature, &len) == 0 && len == 64, "finish");
        }
        digest[0] = (uint8_t)i;
        check(akv_verify(key, "ES256", digest, sizeof(digest), signature, len) == 0, "verify");
        akv_pending_cancel(pending[i]);
    }
}

/* A descriptor that is requested after the end is readable at once. */
static void late_descriptor(const AkvKey *key)
{
    AkvPending *pending = NULL;
    uint8_t digest[32] = {0};
    int fd;

    check(akv_sign_start(key, "ES256", digest, sizeof(digest), &pending) == 0, "start");
    check(akv_pending_wait(pending, 20000) == 0, "it has ended");
    check(akv_pending_fd(pending, &fd) == 0 && is_readable(fd, 0), "readable at once");
    akv_pending_cancel(pending);
}

/* A wait leaves the descriptor as it was. */
static void wait_after_descriptor(const AkvKey *key)
{
    AkvPending *pending = NULL;
    uint8_t digest[32] = {0};
    int fd;

    check(akv_sign_start(key, "ES256", digest, sizeof(digest), &pending) == 0, "start");
    check(akv_pending_fd(pending, &fd) == 0 && !is_readable(fd, 0), "not yet");
    check(akv_pending_wait(pending, 20000) == 0 && is_readable(fd, 0), "readable after the wait");
    akv_pending_cancel(pending);
}

static void cancelled(const AkvKey *key)
{
    AkvPending *pending = NULL;
    uint8_t digest[32] = {0};
    int fd;

    check(akv_sign_start(key, "ES256", digest, sizeof(digest), &pending) == 0, "start");
    check(akv_pending_fd(pending, &fd) == 0, "descriptor");
    akv_pending_cancel(pending);
    akv_pending_cancel(NULL);
}

static void refused(const AkvKey *key)
{
    AkvPending *pending = NULL;
    uint8_t digest[32] = {0}, signature[64];
    size_t len = sizeof(signature);
    int fd;

    check(akv_sign_start(key, "ES384", digest, sizeof(digest), &pending) == 0, "start");
    check(akv_pending_fd(pending, &fd) == 0 && is_readable(fd, 20000), "readable");
    check(akv_pending_finish(pending, signature, &len) == AKV_CODE_ARGUMENT, "refused");
    check(strstr(akv_last_error(), "ES384") != NULL, "its reason");
    akv_pending_cancel(pending);
    check(akv_sign_start(key, "none", digest, sizeof(digest), &pending) == AKV_CODE_ARGUMENT,
          "an unknown algorithm");
    check(akv_sign_start(NULL, "ES256", digest, sizeof(digest), &pending) == AKV_CODE_ARGUMENT
              && akv_sign_start(key, "ES256", digest, sizeof(digest), NULL) == AKV_CODE_ARGUMENT
              && akv_pending_fd(NULL, &fd) == AKV_CODE_ARGUMENT
              && akv_pending_wait(NULL, 1) == AKV_CODE_ARGUMENT
              && akv_pending_finish(NULL, signature, &len) == AKV_CODE_ARGUMENT,
          "null pointers");
}

static void decrypted(const AkvKey *key)
{
    AkvPending *pending;
    uint8_t ciphertext[512], plaintext[512];
    size_t len = sizeof(ciphertext), plain_len = sizeof(plaintext);

    check(akv_encrypt(key, "RSA-OAEP-256", (const uint8_t *)"secret", 6, ciphertext, &len) == 0,
          "encrypt");
    check(akv_decrypt_start(key, "RSA-OAEP-256", ciphertext, len, &pending) == 0, "start");
    check(akv_pending_finish(pending, NULL, &plain_len) == 0 && plain_len >= 6, "length");
    plain_len = sizeof(plaintext);
    check(akv_pending_finish(pending, plaintext, &plain_len) == 0 && plain_len == 6
              && memcmp(plaintext, "secret", 6) == 0,
          "finish");
    akv_pending_cancel(pending);
}

int main(int argc, char **argv)
{
    AkvClient *client = NULL;
    AkvKey *ec = NULL, *rsa = NULL;

    check(argc == 3 && akv_client_new(NULL, &client) == 0 && akv_key_open(client, argv[1], &ec) == 0
              && akv_key_open(client, argv[2], &rsa) == 0,
          "keys");
    together(ec);
    late_descriptor(ec);
    wait_after_descriptor(ec);
    cancelled(ec);
    refused(ec);
    decrypted(rsa);
    akv_key_free(ec);
    akv_key_free(rsa);
    akv_client_free(client);
    puts("passed");
    return 0;
}
