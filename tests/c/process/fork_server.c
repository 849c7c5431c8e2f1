/* fork_server FILE: like PostgreSQL, loads the private key of a PEM file, listens, and forks a
 * child for each connection. The child signs once and writes a byte. Until the client disconnects,
 * it then signs and writes a byte for every byte received. Prints "listening ADDRESS:PORT". Uses
 * neither the ENGINE nor the provider API, and runs with 1.1.1 and later. */
#include "base.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static int sign(EVP_PKEY *key)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t length = sizeof(signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1
        && EVP_DigestSign(context, signature, &length, (unsigned char *)"abc", 3) == 1;

    EVP_MD_CTX_free(context);
    if (!ok)
        ERR_print_errors_fp(stderr);
    return ok;
}

static void serve(EVP_PKEY *key, int connection)
{
    char byte;

    do {
        byte = sign(key) ? '+' : '-';
        if (write(connection, &byte, 1) != 1)
            break;
    } while (read(connection, &byte, 1) == 1);
    /* Like PostgreSQL's backends: with exit handlers. */
    exit(0);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    EVP_PKEY *key;
    BIO *bio;

    if (argc != 2)
        die("usage: fork_server FILE");
    OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
    signal(SIGCHLD, SIG_IGN);
    bio = BIO_new_file(argv[1], "r");
    key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (key == NULL)
        die("no private key");
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0
        || listen(listener, 64) != 0
        || getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        die("cannot listen");
    printf("listening 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int connection = accept(listener, NULL, NULL);

        if (connection < 0)
            continue;
        switch (fork()) {
        case 0:
            close(listener);
            serve(key, connection);
            break;
        case -1:
            die("cannot fork");
            break;
        default:
            close(connection);
        }
    }
}
