#!/bin/sh
# On the new machine, as root: installs the packages, and serves SITE with the KEYS of the vault.
# It may be run again.
set -eu
. /etc/akv-site.env # SITE, KEYS, CLIENT_ID, PACKAGES: lines of sum and URL

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
printf '%s\n' "$PACKAGES" | while read -r sum url; do
    file=$(basename "${url%%\?*}")
    curl --fail --silent --show-error --location --retry 5 --output "$file" "$url"
    echo "$sum  $file" | sha256sum --check --quiet
done
# This script has changed the configuration if it runs again.
DEBIAN_FRONTEND=noninteractive apt-get install --yes -o Dpkg::Options::=--force-confold ./*.deb

# The last section of the package's file is that of the module.
config=/etc/akv/openssl.cnf
grep -q '^client-id' "$config" || echo "client-id = $CLIENT_ID" >>"$config"
export OPENSSL_CONF=$config

# A new role takes effect after some minutes; until then the vault refuses.
until_ok() {
    tries=1
    until "$@"; do
        [ "$tries" -lt 90 ] || { echo "gave up: $*" >&2; exit 1; }
        tries=$((tries + 1))
        sleep 20
    done
}

site=/etc/nginx/conf.d/akv-site.conf
{
    echo "server {"
    echo "    listen 443 ssl;"
    echo "    server_name $SITE;"
    for key in $KEYS; do
        file=/etc/akv/${key##*:}
        until_ok openssl pkey -in "$key" -out "$file.key" >&2
        # Until the certification authority sends a certificate for the request.
        [ -s "$file.pem" ] || until_ok openssl req -x509 -new -key "$file.key" -days 90 \
            -subj "/CN=$SITE" -addext "subjectAltName=DNS:$SITE" -out "$file.pem" >&2
        openssl req -new -key "$file.key" -subj "/CN=$SITE" -addext "subjectAltName=DNS:$SITE" \
            -out "$file.csr" >&2
        echo "    ssl_certificate     $file.pem;"
        echo "    ssl_certificate_key $file.key;"
    done
    echo '    location / { return 200 "signed in the vault\n"; }'
    echo "}"
} >"$site.new"
mv "$site.new" "$site"

mkdir -p /etc/systemd/system/nginx.service.d
printf '[Service]\nEnvironment=OPENSSL_CONF=%s\n' "$config" >/etc/systemd/system/nginx.service.d/akv.conf
systemctl daemon-reload
nginx -t
systemctl restart nginx
