# In a network of their own: starts the programs of two containers by the scripts in the folder $1. $2 and $3
# are the files of the containers. Prints "passed: STEP" for each step.
scripts=$1 emulator_root=$2 nginx_root=$3
emulator= nginx=
finish() {
    for process in $nginx $emulator; do
        kill "$process" 2>/dev/null || :
        wait "$process" || :
    done
}
trap finish EXIT

# Waits for at most a minute until a command succeeds.
until_ok() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || { echo "never succeeded: $*" >&2; cat "$scripts"/*.log >&2; exit 1; }
        sleep 0.1
    done
}

sh "$scripts/emulator" >"$scripts/emulator.log" 2>&1 &
emulator=$!
ca=$emulator_root/var/lib/akv/ca.pem
until_ok test -s "$ca"
until_ok openssl s_client -connect 127.0.0.1:8443 -CAfile "$ca" -verify_return_error </dev/null
echo "passed: the emulator's container serves"

# What its user mounts.
site=$nginx_root/etc/akv/site
mkdir -p "$site"
cp "$ca" "$site/ca.pem"
settings="AKV_ENDPOINT=https://127.0.0.1:8443 AKV_CA_FILE=/etc/akv/site/ca.pem AKV_CREDENTIAL=access-token
    AZURE_CLI_ACCESS_TOKEN=secret"
# shellcheck disable=SC2086
in_nginx() {
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin $settings chroot "$nginx_root" "$@"
}
in_nginx akv pem vault:myVault:web >"$site/site.key"
in_nginx akv cert self-signed vault:myVault:web --subject CN=localhost >"$site/site.pem"

# shellcheck disable=SC2086
sh "$scripts/nginx" $settings >"$scripts/nginx.log" 2>&1 &
nginx=$!
until_ok openssl s_client -connect 127.0.0.1:443 -CAfile "$site/site.pem" -verify_return_error </dev/null
printf 'GET / HTTP/1.0\r\n\r\n' |
    openssl s_client -quiet -connect 127.0.0.1:443 -CAfile "$site/site.pem" -verify_return_error \
        2>/dev/null | grep -qx keyless
if grep -rl "PRIVATE KEY" "$site" | grep -v '/site.key$'; then
    echo "a private key is on disk" >&2
    exit 1
fi
echo "passed: nginx's container serves TLS with a key in the emulator's"
