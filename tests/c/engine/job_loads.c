/* engine_job_loads MODULE KEY KEY-FILE: loads keys inside ASYNC jobs with the engine. The key file has
 * to be completed by a request. */
#include "engine_common.h"
#include "job_load_steps.h"

static ENGINE *engine;
/* What KEY is. */
static EVP_PKEY *known;

static void *load_private(const char *reference)
{
    return ENGINE_load_private_key(engine, reference, NULL, NULL);
}

static void *load_public(const char *reference)
{
    return ENGINE_load_public_key(engine, reference, NULL, NULL);
}

static void check_key(void *found)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    CHECK(EVP_PKEY_eq(found, known) == 1);
#else
    CHECK(EVP_PKEY_cmp(found, known) == 1);
#endif
    EVP_PKEY_free(found);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        die("usage: engine_job_loads MODULE KEY KEY-FILE");
    engine = load_engine(argv[1]);
    CHECK(ENGINE_set_default_pkey_asn1_meths(engine) == 1);
    known = load_key(engine, argv[2]);
    load_together("private key", load_private, argv[2], check_key);
    load_together("public key", load_public, argv[2], check_key);
    load_together("key file", load_file, argv[3], check_key);
    load_abandoned(load_private, argv[2]);
    EVP_PKEY_free(known);
    return 0;
}
