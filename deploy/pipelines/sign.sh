#!/bin/sh
# Signs a program for Windows with a key in the vault: sign.sh IN OUT
#
# KEY                               the key, such as vault:myVault:codeSigning
# CERTIFICATE                       its certificate, with the intermediate ones, in PEM
# AZURE_CLIENT_ID, AZURE_TENANT_ID  the application or managed identity that may use the key
# ID_TOKEN                          the pipeline's token, for which the identity has a federated credential
# TIMESTAMP                         the URL of a time stamp server; without it, there is no time stamp
set -eu
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

printf %s "$ID_TOKEN" >"$work/token"
export AZURE_FEDERATED_TOKEN_FILE="$work/token" AKV_CREDENTIAL=workload-identity
export OPENSSL_CONF=/etc/akv/openssl.cnf

openssl pkey -in "$KEY" -out "$work/key"
osslsigncode sign -h sha256 -certs "$CERTIFICATE" -key "$work/key" ${TIMESTAMP:+-ts "$TIMESTAMP"} \
    -in "$1" -out "$2"
