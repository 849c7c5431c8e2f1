/* job_soak KEY CERTIFICATE COUNT: handshakes inside ASYNC jobs, many at a time, on one thread. One
 * client in ten leaves at a random moment; the server then runs its job to the end. Prints the growth
 * of resident memory in KiB and of open descriptors, after as many that warm up. */
#include "common.h"
#include "job_steps.h"

/* Advances one connection; 1 when it has ended. */
static int advance(struct handshake *tls, int leaves)
{
    OSSL_ASYNC_FD descriptor = -1;
    size_t count = 1;
    int result;

    if (SSL_waiting_for_async(tls->server)) {
        if (SSL_get_all_async_fds(tls->server, &descriptor, &count) != 1)
            die("no descriptor");
        if (!is_readable(descriptor, 0))
            return 0;
    }
    if (leaves && tls->client != NULL && rand() % 3 == 0) {
        SSL_free(tls->client);
        tls->client = NULL;
    }
    if (tls->client != NULL)
        SSL_do_handshake(tls->client);
    result = SSL_do_handshake(tls->server);
    if (result == 1)
        return tls->client == NULL || SSL_is_init_finished(tls->client);
    if (tls->client != NULL && SSL_get_error(tls->server, result) == SSL_ERROR_SSL)
        die("a handshake has failed");
    return tls->client == NULL && !SSL_waiting_for_async(tls->server);
}

static void run(SSL_CTX *const contexts[2], unsigned long count)
{
    struct handshake all[MANY];
    unsigned long started = 0, ended = 0;
    int used[MANY] = {0};

    while (ended < count) {
        for (int i = 0; i < MANY; i++) {
            if (!used[i]) {
                if (started == count)
                    continue;
                all[i] = handshake_open(contexts);
                used[i] = ++started % 10 == 0 ? 2 : 1;
            }
            if (advance(&all[i], used[i] == 2)) {
                SSL_free(all[i].server);
                SSL_free(all[i].client);
                ERR_clear_error();
                used[i] = 0;
                ended++;
            }
        }
    }
}

int main(int argc, char **argv)
{
    SSL_CTX *const contexts[2] = {SSL_CTX_new(TLS_server_method()),
                                  SSL_CTX_new(TLS_client_method())};
    long resident, descriptors;
    unsigned long count;

    if (argc != 4)
        die("usage: job_soak KEY CERTIFICATE COUNT");
    count = strtoul(argv[3], NULL, 10);
    if (SSL_CTX_use_certificate_chain_file(contexts[0], argv[2]) != 1
        || SSL_CTX_use_PrivateKey(contexts[0], load_key(argv[1])) != 1)
        die("no server");
    SSL_CTX_set_session_cache_mode(contexts[0], SSL_SESS_CACHE_OFF);
    srand(7);
    run(contexts, count);
    resident = resident_kib();
    descriptors = open_descriptors();
    run(contexts, count);
    printf("%ld %ld\n", resident_kib() - resident, open_descriptors() - descriptors);
    return 0;
}
