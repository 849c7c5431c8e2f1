/* engine_local MODULE KEY LIBCRYPTO...: opens several libcryptos with RTLD_LOCAL, as Python does,
 * loads the module with each of them, and signs with each in turn. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4 };

struct libcrypto {
    void *(*by_id)(const char *);
    int (*command)(void *, const char *, const char *, int);
    int (*init)(void *), (*finish)(void *), (*release)(void *);
    void *(*load)(void *, const char *, void *, void *);
    void (*free_key)(void *);
    int (*size)(const void *);
    void *(*new_context)(void *, void *);
    void (*free_context)(void *);
    int (*sign_init)(void *), (*verify_init)(void *);
    int (*sign)(void *, unsigned char *, size_t *, const unsigned char *, size_t);
    int (*verify)(void *, const unsigned char *, size_t, const unsigned char *, size_t);
    unsigned long (*error)(void);
    void *engine, *key;
};

static void *find(void *library, const char *name, const char *other)
{
    void *found = dlsym(library, name);

    if (found == NULL && other != NULL)
        found = dlsym(library, other);
    if (found == NULL) {
        fprintf(stderr, "no %s\n", name);
        exit(1);
    }
    return found;
}

#define FIND(field, name, other) (*(void **)&crypto->field = find(library, name, other))

static void open_libcrypto(struct libcrypto *crypto, const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    int (*initialise)(unsigned long, const void *);

    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    FIND(by_id, "ENGINE_by_id", NULL);
    FIND(command, "ENGINE_ctrl_cmd_string", NULL);
    FIND(init, "ENGINE_init", NULL);
    FIND(finish, "ENGINE_finish", NULL);
    FIND(release, "ENGINE_free", NULL);
    FIND(load, "ENGINE_load_private_key", NULL);
    FIND(free_key, "EVP_PKEY_free", NULL);
    FIND(size, "EVP_PKEY_get_size", "EVP_PKEY_size");
    FIND(new_context, "EVP_PKEY_CTX_new", NULL);
    FIND(free_context, "EVP_PKEY_CTX_free", NULL);
    FIND(sign_init, "EVP_PKEY_sign_init", NULL);
    FIND(verify_init, "EVP_PKEY_verify_init", NULL);
    FIND(sign, "EVP_PKEY_sign", NULL);
    FIND(verify, "EVP_PKEY_verify", NULL);
    FIND(error, "ERR_peek_error", NULL);
    *(void **)&initialise = find(library, "OPENSSL_init_crypto", NULL);
    /* OPENSSL_INIT_ENGINE_DYNAMIC */
    if (initialise(0x400, NULL) != 1)
        exit(1);
}

static void check(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

static void load(struct libcrypto *crypto, const char *module, const char *key)
{
    crypto->engine = crypto->by_id("dynamic");
    check(crypto->engine != NULL, "no dynamic engine");
    check(crypto->command(crypto->engine, "SO_PATH", module, 0) == 1, "SO_PATH");
    check(crypto->command(crypto->engine, "LOAD", NULL, 0) == 1, "LOAD");
    check(crypto->init(crypto->engine) == 1, "ENGINE_init");
    crypto->key = crypto->load(crypto->engine, key, NULL, NULL);
    check(crypto->key != NULL, "no key");
}

static void sign(struct libcrypto *crypto)
{
    unsigned char digest[32] = {1, 2, 3}, signature[512];
    size_t length = sizeof(signature);
    void *context = crypto->new_context(crypto->key, NULL);

    check(context != NULL && crypto->sign_init(context) == 1, "sign_init");
    check(crypto->sign(context, signature, &length, digest, sizeof(digest)) == 1, "sign");
    check((int)length <= crypto->size(crypto->key), "the size");
    crypto->free_context(context);
    context = crypto->new_context(crypto->key, NULL);
    check(context != NULL && crypto->verify_init(context) == 1, "verify_init");
    check(crypto->verify(context, signature, length, digest, sizeof(digest)) == 1, "verify");
    crypto->free_context(context);
}

int main(int argc, char **argv)
{
    struct libcrypto cryptos[MOST];
    int count = argc - 3;

    check(count >= 1 && count <= MOST, "usage: engine_local MODULE KEY LIBCRYPTO...");
    for (int i = 0; i < count; i++) {
        open_libcrypto(&cryptos[i], argv[3 + i]);
        load(&cryptos[i], argv[1], argv[2]);
    }
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < count; i++)
            sign(&cryptos[i]);
    for (int i = 0; i < count; i++) {
        cryptos[i].free_key(cryptos[i].key);
        check(cryptos[i].finish(cryptos[i].engine) == 1, "ENGINE_finish");
        check(cryptos[i].release(cryptos[i].engine) == 1, "ENGINE_free");
        /* The others continue to work. */
        for (int j = i + 1; j < count; j++)
            sign(&cryptos[j]);
    }
    printf("%d\n", count);
    return 0;
}
