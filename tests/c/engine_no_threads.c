/* engine_no_threads MODULE KEY: a child that may start no threads, as HAProxy's by default, gets an
 * error that says so, and goes on; the parent still signs. */
#include "engine_common.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* The limit does not hold for root. */
static void forbid_threads(void)
{
    const struct rlimit none = {0, 0};

    CHECK(setrlimit(RLIMIT_NPROC, &none) == 0);
    if (geteuid() == 0)
        CHECK(setgid(65534) == 0 && setuid(65534) == 0);
}

static void fail_to_sign(EVP_PKEY *key)
{
    unsigned char signature[SIGNATURE_MAX], digest[32] = {0};
    size_t length = sizeof(signature);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);

    CHECK(context != NULL && EVP_PKEY_sign_init(context) == 1);
    CHECK(EVP_PKEY_sign(context, signature, &length, digest, sizeof(digest)) != 1);
    expect_error("RLIMIT_NPROC");
    EVP_PKEY_CTX_free(context);
}

int main(int argc, char **argv)
{
    ENGINE *engine;
    EVP_PKEY *key;
    pid_t child;
    int status;

    if (argc != 3)
        die("usage: engine_no_threads MODULE KEY");
    engine = load_engine(argv[1]);
    key = load_key(engine, argv[2]);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        forbid_threads();
        /* A failure is not kept. */
        fail_to_sign(key);
        fail_to_sign(key);
        exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        die("the child failed");
    CHECK(sign_and_verify(key, 1));
    EVP_PKEY_free(key);
    unload_engine(engine);
    return 0;
}
