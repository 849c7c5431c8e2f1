/* leave PORT COUNT: starts TLS handshakes with a server on this machine, prints "waiting" when all
 * ClientHellos are sent, and waits for ever. Its end is that of the connections. */
#include "base.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

static void send_client_hello(SSL_CTX *context, int port)
{
    struct sockaddr_in address = {0};
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    SSL *tls = SSL_new(context);
    int result;

    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connection < 0 || connect(connection, (struct sockaddr *)&address, sizeof(address)) != 0
        || fcntl(connection, F_SETFL, O_NONBLOCK) != 0 || SSL_set_fd(tls, connection) != 1)
        die("no connection");
    result = SSL_connect(tls);
    if (SSL_get_error(tls, result) != SSL_ERROR_WANT_READ)
        die("no ClientHello");
}

int main(int argc, char **argv)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    int count;

    if (argc != 3)
        die("usage: leave PORT COUNT");
    count = atoi(argv[2]);
    for (int i = 0; i < count; i++)
        send_client_hello(context, atoi(argv[1]));
    printf("waiting\n");
    fflush(stdout);
    for (;;)
        pause();
}
