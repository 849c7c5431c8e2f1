/* engine_jobs MODULE KEY CERTIFICATE SERVER: signs inside ASYNC jobs with the engine, in every state
 * that a paused job can be in. SERVER is a PEM file with key and certificate of a TLS server. */
#include "engine_common.h"
#include "job_uses.h"

int main(int argc, char **argv)
{
    ENGINE *engine;
    EVP_PKEY *key;

    if (argc != 5)
        die("usage: engine_jobs MODULE KEY CERTIFICATE SERVER");
    engine = load_engine(argv[1]);
    key = load_key(engine, argv[2]);
    every_step(key, argv[3]);
    client(key, argv[3], argv[4]);
    if (EVP_PKEY_bits(key) >= 2048)
        decrypts(key);
    EVP_PKEY_free(key);
    return 0;
}
