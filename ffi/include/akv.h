/* Keys in Azure Key Vault and Azure Managed HSM, for programs in C.
 *
 * Functions that can fail return AKV_CODE_OK (0) or what kind of failure it was; akv_last_error()
 * says it in words. An output goes into the caller's buffer: *len is its room before the call, and
 * the number of bytes written after it. With a null buffer, *len becomes the room that is enough,
 * and nothing else happens; when the room is too small, *len becomes that too, and the call fails
 * with AKV_CODE_ARGUMENT before any request is made.
 *
 * Clients and keys may be used by several threads at once, and in every child of fork(). A key
 * keeps what it needs of its client. Null is fine for every function that frees.
 *
 * A thread that is cancelled (pthread_cancel) inside a function ends after it, at the latest after
 * the setting "timeout". PTHREAD_CANCEL_ASYNCHRONOUS is not supported.
 */

#ifndef AKV_H
#define AKV_H

/* Made by cbindgen from ffi/src: change it there. */

#include <stddef.h>
#include <stdint.h>

/*
 The version of the binary interface. It grows when functions are added; the library's file name
 (`libakv.so.1`) changes when one is changed or taken away.
 */
#define AKV_ABI_VERSION 1

/*
 What a function returns: zero, or the kind of failure. Numbers are never used again for
 another meaning.
 */
enum AkvCode
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   It worked.
   */
  AKV_CODE_OK = 0,
  /*
   The key reference is wrong.
   */
  AKV_CODE_REFERENCE = 1,
  /*
   A setting is wrong.
   */
  AKV_CODE_SETTINGS = 2,
  /*
   The key file is malformed.
   */
  AKV_CODE_KEY_FILE = 3,
  /*
   An argument is wrong.
   */
  AKV_CODE_ARGUMENT = 4,
  /*
   The key or the service cannot do this.
   */
  AKV_CODE_UNSUPPORTED = 5,
  /*
   No access token could be had.
   */
  AKV_CODE_CREDENTIAL = 6,
  /*
   The service could not be reached.
   */
  AKV_CODE_NETWORK = 7,
  /*
   The server's certificate is not trusted.
   */
  AKV_CODE_TLS = 8,
  /*
   The deadline passed.
   */
  AKV_CODE_TIMEOUT = 9,
  /*
   The service refused.
   */
  AKV_CODE_SERVICE = 10,
  /*
   The service's answer makes no sense.
   */
  AKV_CODE_RESPONSE = 11,
  /*
   A signature does not verify.
   */
  AKV_CODE_SIGNATURE = 12,
  /*
   A failure of the library or the operating system.
   */
  AKV_CODE_INTERNAL = 13,
  /*
   The settings do not allow it: `allowed-keys` does not list the key.
   */
  AKV_CODE_NOT_ALLOWED = 14,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum AkvCode AkvCode;
#else
typedef int32_t AkvCode;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 The way to the vaults: settings, credential, token, connections. Make one and keep it.
 */
typedef struct AkvClient AkvClient;

/*
 A key in a vault, of one version.
 */
typedef struct AkvKey AkvKey;

/*
 The names of a vault's keys, of which each page is asked for when it is needed. One thread at a
 time.
 */
typedef struct AkvKeyList AkvKeyList;

/*
 Settings before a client is made of them. One thread at a time.
 */
typedef struct AkvSettings AkvSettings;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 Makes empty settings. Free them with `akv_settings_free`.

 # Safety
 `settings` is null or leads to room for a pointer.
 */
int32_t akv_settings_new(AkvSettings **settings);

/*
 Sets a setting by the name that it has in `openssl.cnf`: `timeout`, `ca-file`, `credential`. An
 environment variable for the same setting wins. The value is checked when the client is made.

 # Safety
 `settings` is null or from `akv_settings_new`; the texts are null or C strings.
 */
int32_t akv_settings_set(AkvSettings *settings, const char *name, const char *value);

/*
 Frees settings.

 # Safety
 `settings` is null or from `akv_settings_new`, and nobody uses it any more.
 */
void akv_settings_free(AkvSettings *settings);

/*
 Makes a client of settings, which stay the caller's; null for those of the environment alone.
 The environment is read now and never again. Nothing is sent. Free it with `akv_client_free`.

 # Safety
 `settings` is null or from `akv_settings_new`; `client` is null or leads to room for a pointer.
 */
int32_t akv_client_new(const AkvSettings *settings, AkvClient **client);

/*
 Frees a client. Keys that were opened with it stay usable.

 # Safety
 `client` is null or from `akv_client_new`, and nobody uses it any more.
 */
void akv_client_free(AkvClient *client);

/*
 Opens a key by its reference, such as `vault:myVault:myKey` or `managedHsm:myHsm:myKey`. Without
 a version the newest one is taken, and kept. Free it with `akv_key_free`.

 # Safety
 `client` is null or from `akv_client_new`, `reference` null or a C string, `key` null or room for
 a pointer.
 */
int32_t akv_key_open(const AkvClient *client, const char *reference, AkvKey **key);

/*
 Opens a key by a key file, the text between `BEGIN AKV PRIVATE KEY` and its end, or the PKCS#8
 form of it. No request is made when the file has the version and the public key, as written ones
 have.

 # Safety
 `client` is null or from `akv_client_new`, `pem` null or `len` bytes, `key` null or room for a
 pointer.
 */
int32_t akv_key_open_file(const AkvClient *client, const uint8_t *pem, size_t len, AkvKey **key);

/*
 Frees a key.

 # Safety
 `key` is null or from one of the functions that open keys, and nobody uses it any more.
 */
void akv_key_free(AkvKey *key);

/*
 The reference with the version that the key is pinned to; null for a null key. It lives as long
 as the key.

 # Safety
 `key` is null or an open key.
 */
const char *akv_key_reference(const AkvKey *key);

/*
 The public half as a SubjectPublicKeyInfo in DER (RFC 5280 section 4.1). No request is made.

 # Safety
 `key` is null or an open key; `out` null or room for `*len` bytes; `len` null or a length.
 */
int32_t akv_key_public_key(const AkvKey *key, uint8_t *out, size_t *len);

/*
 The key file: PEM text, without a NUL at its end, that holds no secret and names this version.

 # Safety
 `key` is null or an open key; `out` null or room for `*len` bytes; `len` null or a length.
 */
int32_t akv_key_file(const AkvKey *key, uint8_t *out, size_t *len);

/*
 The code of this thread's last failure; `AKV_CODE_OK` when nothing has failed yet. A success does
 not change it.
 */
int32_t akv_last_error_code(void);

/*
 This thread's last failure in words, one line: what was asked, what happened, what to do. Empty
 when nothing has failed yet. The text stays until the next failure in this thread.
 */
const char *akv_last_error(void);

/*
 Begins to list the keys of a vault, which a reference without a key names: `vault:myVault:`. Free
 it with `akv_key_list_free`.

 # Safety
 `client` is null or from `akv_client_new`, `vault` null or a C string, `list` null or room for a
 pointer.
 */
int32_t akv_key_list_open(const AkvClient *client, const char *vault, AkvKeyList **list);

/*
 The next name; null in `*name` when there are no more. It stays until the next call with this
 list.

 # Safety
 `list` is null or from `akv_key_list_open`; `name` is null or leads to room for a pointer.
 */
int32_t akv_key_list_next(AkvKeyList *list, const char **name);

/*
 Frees a list.

 # Safety
 `list` is null or from `akv_key_list_open`, and nobody uses it any more.
 */
void akv_key_list_free(AkvKeyList *list);

/*
 Signs a digest in the vault, with `RS256`, `PS384`, `ES256` and the like. ECDSA signatures are the
 two numbers one after the other, as JOSE has them; `akv_ecdsa_der` turns them into DER.

 # Safety
 `key` is null or an open key; `algorithm` null or a C string; `digest` null or `digest_len` bytes;
 `out` null or room for `*len` bytes; `len` null or a length.
 */
int32_t akv_sign(const AkvKey *key,
                 const char *algorithm,
                 const uint8_t *digest,
                 size_t digest_len,
                 uint8_t *out,
                 size_t *len);

/*
 Hashes a message, here, with the algorithm's own digest, and signs that in the vault; otherwise as
 `akv_sign`.

 # Safety
 As `akv_sign`.
 */
int32_t akv_sign_message(const AkvKey *key,
                         const char *algorithm,
                         const uint8_t *message,
                         size_t message_len,
                         uint8_t *out,
                         size_t *len);

/*
 Checks a signature over a digest with the public half; `AKV_CODE_SIGNATURE` when it does not
 verify. No request is made.

 # Safety
 `key` is null or an open key; `algorithm` null or a C string; `digest` and `signature` null or as
 many bytes as their lengths say.
 */
int32_t akv_verify(const AkvKey *key,
                   const char *algorithm,
                   const uint8_t *digest,
                   size_t digest_len,
                   const uint8_t *signature,
                   size_t signature_len);

/*
 Turns an ECDSA signature of `akv_sign` into DER (RFC 3279 section 2.2.3), as X.509, TLS and CMS
 have it.

 # Safety
 `signature` is null or `signature_len` bytes; `out` null or room for `*len` bytes; `len` null or a
 length.
 */
int32_t akv_ecdsa_der(const uint8_t *signature, size_t signature_len, uint8_t *out, size_t *len);

/*
 Encrypts with the public half of an RSA key: `RSA-OAEP-256`, `RSA-OAEP`, `RSA1_5`. No request is
 made.

 # Safety
 `key` is null or an open key; `algorithm` null or a C string; `data` null or `data_len` bytes; `out`
 null or room for `*len` bytes; `len` null or a length.
 */
int32_t akv_encrypt(const AkvKey *key,
                    const char *algorithm,
                    const uint8_t *data,
                    size_t data_len,
                    uint8_t *out,
                    size_t *len);

/*
 Decrypts in the vault with an RSA key, by the algorithms of `akv_encrypt`.

 # Safety
 As `akv_encrypt`.
 */
int32_t akv_decrypt(const AkvKey *key,
                    const char *algorithm,
                    const uint8_t *data,
                    size_t data_len,
                    uint8_t *out,
                    size_t *len);

/*
 Wraps a key in the vault: with an RSA key by the algorithms of `akv_encrypt`, with a symmetric
 key of a Managed HSM by `A128KW`, `A192KW` or `A256KW` (RFC 3394), whichever is its size.

 # Safety
 As `akv_encrypt`.
 */
int32_t akv_wrap(const AkvKey *key,
                 const char *algorithm,
                 const uint8_t *data,
                 size_t data_len,
                 uint8_t *out,
                 size_t *len);

/*
 Unwraps in the vault what `akv_wrap` gave.

 # Safety
 As `akv_encrypt`.
 */
int32_t akv_unwrap(const AkvKey *key,
                   const char *algorithm,
                   const uint8_t *data,
                   size_t data_len,
                   uint8_t *out,
                   size_t *len);

/*
 The version of the library, such as `0.1.0`.
 */
const char *akv_version(void);

/*
 The version of the binary interface of the library that is loaded: at least the
 `AKV_ABI_VERSION` of the header that a program was compiled with, or it lacks functions.
 */
uint32_t akv_abi_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* AKV_H */
