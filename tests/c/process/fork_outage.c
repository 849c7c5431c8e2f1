/* fork_outage KEY: signs until that fails at once instead of after the deadline, as the error says.
 * Then forks a child, whose first signature also fails at once. Prints how many signatures timed
 * out. */
#include "common.h"

#include <sys/wait.h>
#include <unistd.h>

/* Whether signing fails at once because the vault has not answered for some time. */
static int fails_at_once(EVP_PKEY *key)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t length = sizeof(signature);
    const char *text = "";
    int flags;

    ERR_clear_error();
    if (sign_once(key, 0, signature, &length))
        die("a signature without a vault");
    ERR_peek_last_error_all(NULL, NULL, NULL, &text, &flags);
    return strstr(text, "fail-fast") != NULL;
}

int main(int argc, char **argv)
{
    EVP_PKEY *key;
    int waited = 0, status;
    pid_t child;

    if (argc != 2)
        die("usage: fork_outage KEY");
    alarm(120);
    key = load_key(argv[1]);
    while (!fails_at_once(key))
        waited++;
    child = fork();
    if (child == 0)
        _exit(fails_at_once(key) ? 0 : 1);
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        die("the child has not inherited what its parent knew");
    printf("%d\n", waited);
    EVP_PKEY_free(key);
    return 0;
}
