/* Common code of all test programs. For OpenSSL 1.1.1 and later. */
#ifndef AKV_TESTS_BASE_H
#define AKV_TESTS_BASE_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Maximum signature length: RSA-4096. */
#define SIGNATURE_MAX 512

/* Ends the process with OpenSSL's errors on stderr. */
static inline void die(const char *what)
{
    fprintf(stderr, "%s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* The process's resident memory in KiB. */
static inline long resident_kib(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    long kib = -1;

    if (status == NULL)
        die("no /proc/self/status");
    while (fgets(line, sizeof(line), status) != NULL)
        if (sscanf(line, "VmRSS: %ld kB", &kib) == 1)
            break;
    fclose(status);
    return kib;
}

#endif
