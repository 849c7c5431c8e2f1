/* jobs KEY CERTIFICATE SERVER | late | down | faults | off: signs inside ASYNC jobs, in every state that a
 * paused job can be in; against a service that does not answer, once or until it fails fast; against
 * one with faults; without pauses. SERVER is a PEM file with key and certificate of a TLS server. */
#include "common.h"
#include "job_stacks.h"
#include "job_uses.h"

int main(int argc, char **argv)
{
    EVP_PKEY *key;

    if (argc != 3 && argc != 4)
        die("usage: jobs KEY CERTIFICATE SERVER | late | down | faults | off");
    use_stacks_of_ours();
    key = load_key(argv[1]);
    if (strcmp(argv[2], "late") == 0) {
        late(key);
    } else if (strcmp(argv[2], "down") == 0) {
        down(key);
    } else if (strcmp(argv[2], "faults") == 0) {
        faults(key);
    } else if (strcmp(argv[2], "off") == 0) {
        struct job job;

        job_open(&job, key, 1);
        if (job_run(&job) != ASYNC_FINISH || job.result != 1)
            die("it does not block");
        job_close(&job);
        passed("off");
    } else {
        every_step(key, argv[2]);
        client(key, argv[2], argv[3]);
        if (EVP_PKEY_bits(key) >= 2048)
            decrypts(key);
    }
    check_stacks_of_ours();
    EVP_PKEY_free(key);
    return 0;
}
