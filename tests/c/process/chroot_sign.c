/* chroot_sign KEY FOLDER: loads the key, then behaves like a hardened server: clears its
 * environment, changes its root directory to the empty FOLDER, drops root privileges, and signs. */
#include "common.h"

#include <errno.h>
#include <grp.h>
#include <unistd.h>

#define NOBODY 65534

int main(int argc, char **argv)
{
    unsigned char signature[SIGNATURE_MAX];
    EVP_PKEY *key;

    if (argc != 3)
        die("usage: chroot_sign KEY FOLDER");
    alarm(60);
    key = load_key(argv[1]);
    if (clearenv() != 0 || chroot(argv[2]) != 0 || chdir("/") != 0)
        die("cannot change the root directory");
    /* In a user namespace with one user there is no other user to switch to: EINVAL. */
    if ((setgroups(0, NULL) != 0 && errno != EPERM) || (setgid(NOBODY) != 0 && errno != EINVAL)
        || (setuid(NOBODY) != 0 && errno != EINVAL))
        die("cannot give up root");
    if (access("/etc", F_OK) == 0)
        die("the new root directory is not empty");
    for (unsigned long i = 0; i < 3; i++) {
        size_t length = sizeof(signature);

        if (!sign_once(key, i, signature, &length) || !verify_once(key, i, signature, length))
            die("cannot sign in the new root directory");
    }
    EVP_PKEY_free(key);
    puts("signed");
    return 0;
}
