/* engine_jobs MODULE KEY CERTIFICATE: signs inside ASYNC jobs with the engine, in every state that a
 * paused job can be in. */
#include "engine_common.h"
#include "job_steps.h"

int main(int argc, char **argv)
{
    ENGINE *engine;
    EVP_PKEY *key;

    if (argc != 4)
        die("usage: engine_jobs MODULE KEY CERTIFICATE");
    engine = load_engine(argv[1]);
    key = load_key(engine, argv[2]);
    every_step(key, argv[3]);
    EVP_PKEY_free(key);
    return 0;
}
