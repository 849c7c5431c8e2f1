/* Loads keys and certificates inside ASYNC jobs, many at a time on one thread. For OpenSSL 1.1.1 and
 * later. */
#ifndef AKV_TESTS_JOB_LOAD_STEPS_H
#define AKV_TESTS_JOB_LOAD_STEPS_H

#include "job.h"

#include <openssl/pem.h>

/* One load; NULL if it fails. */
typedef void *load_function(const char *name);

/* The key of a file. */
static inline void *load_file(const char *path)
{
    BIO *file = BIO_new_file(path, "r");
    EVP_PKEY *key = PEM_read_bio_PrivateKey(file, NULL, NULL, NULL);

    BIO_free(file);
    return key;
}

struct load {
    load_function *load;
    const char *name;
    void *found;
};

static inline int load_in_job(void *argument)
{
    struct load *load = *(struct load **)argument;

    load->found = load->load(load->name);
    return load->found != NULL;
}

/* All loads are in flight before the first has ended. `check` gets what was found, and frees it. A
 * load of several requests pauses as often. */
static inline void load_together(const char *step, load_function *load, const char *name,
                                 void (*check)(void *found))
{
    struct job jobs[MANY];
    struct load loads[MANY];

    for (int i = 0; i < MANY; i++) {
        loads[i] = (struct load){load, name, NULL};
        job_open_for(&jobs[i], load_in_job, &loads[i]);
        job_start(&jobs[i]);
    }
    for (int i = MANY - 1; i >= 0; i--) {
        job_wait(&jobs[i]);
        if (job_end(&jobs[i]) != 1)
            die(step);
        job_close(&jobs[i]);
        check(loads[i].found);
    }
    passed(step);
}

/* The host forgets a load. */
static inline void load_abandoned(load_function *load, const char *name)
{
    struct load unfinished = {load, name, NULL};
    struct job job;

    job_open_for(&job, load_in_job, &unfinished);
    job_start(&job);
    job_close(&job);
    passed("abandoned");
}

#endif
