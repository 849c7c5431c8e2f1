# In a Debian system, as root: installs the packages in the folder $1, serves TLS with a key in the
# emulator, and removes them. Prints "passed: STEP" for each step.
shared=$1
export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
work=$(mktemp -d)
cd "$work"
finish() {
    [ -z "${emulator-}" ] || kill "$emulator" 2>/dev/null || :
    [ -z "${server-}" ] || kill "$server" 2>/dev/null || :
    rm -rf "$work"
}
trap finish EXIT

# Waits for at most a minute until a command succeeds.
until_ok() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || { echo "never succeeded: $*" >&2; exit 1; }
        sleep 0.1
    done
}

dpkg --install "$shared"/*.deb >/dev/null
akv --version | grep -q '^akv '
for page in man1/akv.1 man3/libakv.3 man7/akv_provider.7 man7/e_akv.7; do
    ls /usr/share/man/$page* >/dev/null
done
echo "passed: installed"

akv-emulator --key ec:web:P-256 --write-env "$work/env" >/dev/null &
emulator=$!
until_ok test -s "$work/env"
set -a
. "$work/env"
set +a
export AKV_CREDENTIAL=access-token
vault=$(akv key list 2>/dev/null | sed -n 's/^\(vault:[^:]*\):.*/\1/p' | head -n 1)
key=${vault:-vault:testvault}:web

case $(openssl version) in
'OpenSSL 1.1.1'*)
    openssl engine e_akv >/dev/null
    export OPENSSL_CONF=/usr/share/doc/akv-engine/examples/openssl.cnf
    openssl engine | grep -q e_akv
    # `req` needs a configuration with a section of its own.
    env -u OPENSSL_CONF openssl req -new -x509 -engine e_akv -keyform engine -key "$key" -subj /CN=localhost \
        -out site.pem 2>/dev/null
    openssl s_server -accept 127.0.0.1:4433 -engine e_akv -keyform engine -key "$key" \
        -cert site.pem -www >/dev/null 2>server.log &
    ;;
*)
    export OPENSSL_CONF=/etc/akv/openssl.cnf
    openssl list -providers | grep -q akv_provider
    openssl pkey -in "$key" -out site.key
    openssl req -new -x509 -key site.key -subj /CN=localhost -out site.pem
    openssl s_server -accept 127.0.0.1:4433 -key site.key -cert site.pem -www >/dev/null \
        2>server.log &
    ;;
esac
server=$!
until_ok openssl s_client -connect 127.0.0.1:4433 -CAfile site.pem -verify_return_error </dev/null
echo "passed: OpenSSL finds the module by its name, and serves TLS"

kill "$server" "$emulator"
wait || :
server= emulator=
unset OPENSSL_CONF

# Files of this script's own are not counted.
nothing_left() {
    left=$(find / -xdev -name '*akv*' -not -path "$shared*" -not -name akv-recipe 2>/dev/null || :)
    [ -z "$left" ] || { echo "left behind: $left" >&2; exit 1; }
}

packages=
for package in "$shared"/*.deb; do
    packages="$packages $(dpkg-deb --field "$package" Package)"
done
# Over itself, as an upgrade does it.
dpkg --install "$shared"/*.deb >/dev/null
# shellcheck disable=SC2086
dpkg --purge $packages >/dev/null
nothing_left
echo "passed: removed without a trace"

tar --extract --gzip --file "$shared"/*.tar.gz --directory "$work" --strip-components=1
"$work/install.sh" >/dev/null
hash -r
akv --version | grep -q '^akv '
case $(openssl version) in
'OpenSSL 1.1.1'*) openssl engine e_akv >/dev/null ;;
*) OPENSSL_CONF=/etc/akv/openssl.cnf openssl list -providers | grep -q akv_provider ;;
esac
"$work/install.sh" --remove >/dev/null
cd /
rm -rf "$work"
nothing_left
echo "passed: the tarball's install.sh installs and removes"
