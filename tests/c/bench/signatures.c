/* signatures KEY COUNT WARM: signs COUNT short messages with EVP_DigestSign, one after the other, after
 * WARM others. Prints the median time and the processor time of a signature, as JSON. */
#include "clock.h"
#include "common.h"
#include "durations.h"

int main(int argc, char **argv)
{
    unsigned char signature[SIGNATURE_MAX];
    struct durations durations = {0};
    unsigned long count, warm;
    double cpu = 0;
    EVP_PKEY *key;

    if (argc != 4)
        die("usage: signatures KEY COUNT WARM");
    key = load_key(argv[1]);
    count = strtoul(argv[2], NULL, 10);
    warm = strtoul(argv[3], NULL, 10);
    for (unsigned long i = 0; i < warm + count; i++) {
        size_t length = sizeof(signature);
        double started;

        if (i == warm)
            cpu = cpu_time();
        started = now();
        if (!sign_once(key, i, signature, &length))
            die("no signature");
        if (i >= warm)
            add_duration(&durations, now() - started);
    }
    cpu = cpu_time() - cpu;
    sort_durations(&durations);
    printf("{\"p50_ms\": %.4f, \"cpu_us\": %.3f}\n", quantile_ms(&durations, 0.5),
           cpu * 1e6 / (double)count);
    EVP_PKEY_free(key);
    return 0;
}
