/* two_libcryptos COPY KEY: signs inside ASYNC jobs of two libcryptos, the one of this program and a
 * copy of it in the file COPY, which is written first. Both load the same module, and each must pause its own job. */
#include "common.h"
#include "job.h"

#include <dlfcn.h>

/* The functions of one of them. */
struct libcrypto {
#define FUNCTIONS(F) \
    F(OSSL_STORE_open) F(OSSL_STORE_expect) F(OSSL_STORE_load) F(OSSL_STORE_close) \
    F(OSSL_STORE_INFO_get1_PKEY) F(OSSL_STORE_INFO_free) F(EVP_MD_CTX_new) F(EVP_MD_CTX_free) \
    F(EVP_DigestSignInit_ex) F(EVP_DigestSign) F(EVP_PKEY_free) F(ASYNC_WAIT_CTX_new) \
    F(ASYNC_WAIT_CTX_free) F(ASYNC_WAIT_CTX_get_all_fds) F(ASYNC_start_job) F(ERR_print_errors_fp)
#define DECLARE(name) __typeof__(name) *name;
    FUNCTIONS(DECLARE)
};

static void find(struct libcrypto *library, void *handle)
{
#define FIND(name) \
    library->name = (__typeof__(name) *)(size_t)dlsym(handle, #name); \
    if (library->name == NULL) \
        die(#name);
    FUNCTIONS(FIND)
}

/* Another file is another library, even under the same name. */
static void *copy_of_libcrypto(const char *path)
{
    char buffer[65536];
    FILE *from, *to;
    Dl_info info;
    size_t count;
    void *handle;

    if (dladdr((void *)(size_t)OPENSSL_init_crypto, &info) == 0
        || (from = fopen(info.dli_fname, "rb")) == NULL || (to = fopen(path, "wb")) == NULL)
        die("no libcrypto to copy");
    while ((count = fread(buffer, 1, sizeof(buffer), from)) > 0)
        if (fwrite(buffer, 1, count, to) != count)
            die("cannot copy libcrypto");
    fclose(from);
    fclose(to);
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (handle == NULL)
        die(dlerror());
    return handle;
}

/* A key of one of them, and its job. */
struct user {
    struct libcrypto library;
    EVP_PKEY *key;
    ASYNC_JOB *job;
    ASYNC_WAIT_CTX *context;
    unsigned char signature[SIGNATURE_MAX];
    size_t length;
    int result;
};

static void stop(struct user *user, const char *what)
{
    fprintf(stderr, "%s\n", what);
    user->library.ERR_print_errors_fp(stderr);
    exit(1);
}

static void open_key(struct user *user, const char *uri)
{
    const struct libcrypto *library = &user->library;
    OSSL_STORE_CTX *store = library->OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
    OSSL_STORE_INFO *info;

    if (store == NULL || library->OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) != 1
        || (info = library->OSSL_STORE_load(store)) == NULL)
        stop(user, "no key");
    user->key = library->OSSL_STORE_INFO_get1_PKEY(info);
    library->OSSL_STORE_INFO_free(info);
    library->OSSL_STORE_close(store);
    user->context = library->ASYNC_WAIT_CTX_new();
}

static int sign(void *argument)
{
    struct user *user = *(struct user **)argument;
    const struct libcrypto *library = &user->library;
    EVP_MD_CTX *context = library->EVP_MD_CTX_new();
    unsigned long message = 7;
    int ok;

    user->length = sizeof(user->signature);
    ok = context != NULL
        && library->EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, user->key, NULL) == 1
        && library->EVP_DigestSign(context, user->signature, &user->length,
                                   (unsigned char *)&message, sizeof(message))
            == 1;
    library->EVP_MD_CTX_free(context);
    return ok;
}

static int run(struct user *user)
{
    return user->library.ASYNC_start_job(&user->job, user->context, &user->result, sign, &user,
                                         sizeof(user));
}

static void finish(struct user *user)
{
    OSSL_ASYNC_FD descriptor = -1;
    size_t count = 1;

    if (user->library.ASYNC_WAIT_CTX_get_all_fds(user->context, &descriptor, &count) != 1
        || !is_readable(descriptor, 20000))
        stop(user, "the job is never resumed");
    if (run(user) != ASYNC_FINISH || user->result != 1)
        stop(user, "no signature");
    user->library.ASYNC_WAIT_CTX_free(user->context);
    user->library.EVP_PKEY_free(user->key);
}

int main(int argc, char **argv)
{
    static struct user users[2];
    EVP_PKEY *key;

    if (argc != 3)
        die("usage: two_libcryptos COPY KEY");
    find(&users[0].library, RTLD_DEFAULT);
    find(&users[1].library, copy_of_libcrypto(argv[1]));
    if (users[0].library.ASYNC_start_job == users[1].library.ASYNC_start_job)
        die("there is only one libcrypto");
    for (int i = 0; i < 2; i++)
        open_key(&users[i], argv[2]);
    key = load_key(argv[2]);
    for (int i = 0; i < 2; i++)
        if (run(&users[i]) != ASYNC_PAUSE)
            stop(&users[i], "its job is not paused");
    finish(&users[1]);
    finish(&users[0]);
    for (int i = 0; i < 2; i++)
        if (!verify_once(key, 7, users[i].signature, users[i].length))
            die("the signature is wrong");
    EVP_PKEY_free(key);
    printf("passed\n");
    return 0;
}
