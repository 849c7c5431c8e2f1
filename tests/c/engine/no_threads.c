/* engine_no_threads MODULE KEY: a child that may not start threads, as in HAProxy's default
 * configuration, signs, and so does the parent. */
#include "engine_common.h"
#include "restrict.h"

#include <sys/wait.h>

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
        CHECK(forbid_threads("limit"));
        for (int round = 0; round < 3; round++)
            CHECK(sign_and_verify(key, 1));
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
