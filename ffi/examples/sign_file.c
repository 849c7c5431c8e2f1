/* Signs a file with a vault key and writes the signature in the format of X.509 and TLS.
 *
 *     cc sign_file.c $(pkg-config --cflags --libs akv) -o sign_file
 *     ./sign_file vault:myVault:myKey ES256 release.tar release.tar.sig
 *     openssl dgst -sha256 -verify public.pem -signature release.tar.sig release.tar
 */
#include <akv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *contents(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long size;

    if (file == NULL)
        return NULL;
    if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 && fseek(file, 0, SEEK_SET) == 0
        && (data = malloc((size_t)size + 1)) != NULL) {
        *len = fread(data, 1, (size_t)size, file);
        if (*len != (size_t)size) {
            free(data);
            data = NULL;
        }
    }
    fclose(file);
    return data;
}

static int sign(const char *reference, const char *algorithm, const uint8_t *data, size_t data_len,
                uint8_t *signature, size_t *signature_len)
{
    AkvClient *client = NULL;
    AkvKey *key = NULL;
    uint8_t raw[1024];
    size_t raw_len = sizeof(raw);
    int32_t code = akv_client_new(NULL, &client);

    if (code == AKV_CODE_OK)
        code = akv_key_open(client, reference, &key);
    if (code == AKV_CODE_OK)
        code = akv_sign_message(key, algorithm, data, data_len, raw, &raw_len);
    if (code == AKV_CODE_OK && strncmp(algorithm, "ES", 2) == 0) {
        code = akv_ecdsa_der(raw, raw_len, signature, signature_len);
    } else if (code == AKV_CODE_OK) {
        memcpy(signature, raw, raw_len);
        *signature_len = raw_len;
    }
    if (code != AKV_CODE_OK)
        fprintf(stderr, "%s\n", akv_last_error());
    akv_key_free(key);
    akv_client_free(client);
    return code == AKV_CODE_OK;
}

int main(int argc, char **argv)
{
    uint8_t signature[1024];
    size_t signature_len = sizeof(signature), data_len = 0;
    uint8_t *data;
    FILE *out;
    int done;

    if (argc != 5) {
        fprintf(stderr, "usage: %s KEY ALGORITHM FILE SIGNATURE\n", argv[0]);
        return 2;
    }
    data = contents(argv[3], &data_len);
    if (data == NULL) {
        perror(argv[3]);
        return 1;
    }
    done = sign(argv[1], argv[2], data, data_len, signature, &signature_len);
    free(data);
    if (!done)
        return 1;
    out = fopen(argv[4], "wb");
    if (out == NULL || fwrite(signature, 1, signature_len, out) != signature_len
        || fclose(out) != 0) {
        perror(argv[4]);
        return 1;
    }
    return 0;
}
