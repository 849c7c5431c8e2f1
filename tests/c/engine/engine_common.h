/* Common code of the programs that use the ENGINE. For OpenSSL 1.1.1 and 3.x. */
#ifndef AKV_TESTS_ENGINE_COMMON_H
#define AKV_TESTS_ENGINE_COMMON_H

#include "base.h"

#include <openssl/ec.h>
#include <openssl/engine.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) \
            die(#condition); \
    } while (0)

/* Success leaves nothing in the error queue. */
#define QUIET() CHECK(ERR_peek_error() == 0)

/* Drops the errors of an expected failure. Exactly one of them is the engine's. */
static inline void expect_error(const char *text)
{
    int found = 0, line, flags;
    const char *file, *data;
    unsigned long code;

    while ((code = ERR_get_error_line_data(&file, &line, &data, &flags)) != 0) {
        const char *library = ERR_lib_error_string(code);

        if (library == NULL || strcmp(library, "e_akv") != 0)
            continue;
        found++;
        if (strstr(data, text) == NULL) {
            fprintf(stderr, "not the expected error: %s\n", data);
            exit(1);
        }
    }
    if (found != 1) {
        fprintf(stderr, "%d errors of the engine, expected one: %s\n", found, text);
        exit(1);
    }
}

/* Loads the module, with the settings in the environment. Returns an initialised ENGINE. */
static inline ENGINE *load_engine(const char *module)
{
    ENGINE *engine;

    ENGINE_load_dynamic();
    engine = ENGINE_by_id("dynamic");
    CHECK(engine != NULL);
    CHECK(ENGINE_ctrl_cmd_string(engine, "SO_PATH", module, 0) == 1);
    QUIET();
    CHECK(ENGINE_ctrl_cmd_string(engine, "LOAD", NULL, 0) == 1);
    /* 3.0.2 looks up symbols of 1.1 modules, and leaves an error in the queue because ours has
     * none. */
    ERR_clear_error();
    CHECK(strcmp(ENGINE_get_id(engine), "e_akv") == 0);
    CHECK(ENGINE_init(engine) == 1);
    QUIET();
    return engine;
}

static inline void unload_engine(ENGINE *engine)
{
    CHECK(ENGINE_finish(engine) == 1);
    CHECK(ENGINE_free(engine) == 1);
}

static inline EVP_PKEY *load_key(ENGINE *engine, const char *reference)
{
    EVP_PKEY *key = ENGINE_load_private_key(engine, reference, NULL, NULL);

    if (key == NULL)
        die("cannot load the key");
    return key;
}

/* Signs a message that depends on `number`, and verifies the signature. Returns 1 on success. */
static inline int sign_and_verify(EVP_PKEY *key, unsigned long number)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t length = sizeof(signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = context != NULL
        && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1
        && EVP_DigestSign(context, signature, &length, (unsigned char *)&number, sizeof(number))
            == 1;

    EVP_MD_CTX_free(context);
    context = EVP_MD_CTX_new();
    ok = ok && context != NULL
        && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1
        && EVP_DigestVerify(context, signature, length, (unsigned char *)&number, sizeof(number))
            == 1;
    EVP_MD_CTX_free(context);
    if (!ok)
        ERR_print_errors_fp(stderr);
    return ok;
}

#endif
