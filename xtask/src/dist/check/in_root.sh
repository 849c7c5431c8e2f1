# In a Debian system, as root: verifies, installs, upgrades, uses and removes the packages in the folder $1.
# Prints "passed: STEP" for each step.
shared=$1
conf=/etc/akv/openssl.cnf
export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
work=$(mktemp -d)
cd "$work"
finish() {
    [ -z "${emulator-}" ] || kill "$emulator" 2>/dev/null || :
    [ -z "${server-}" ] || kill "$server" 2>/dev/null || :
    rm -rf "$work"
}
trap finish EXIT

# A command that must fail. (`! command` would not end the script.)
refuse() {
    if "$@" >/dev/null 2>&1; then
        echo "succeeded: $*" >&2
        exit 1
    fi
}

# Waits for at most a minute until a command succeeds.
until_ok() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || { echo "never succeeded: $*" >&2; exit 1; }
        sleep 0.1
    done
}

# Verifies a copy of the checksums with the program that this system's apt has for it.
verify() {
    if command -v sqv >/dev/null; then
        sqv --keyring "$shared/releaser.pgp" --signature-file "$shared/SHA256SUMS.asc" "$1"
    else
        gpgv --quiet --keyring "$shared/releaser.pgp" "$shared/SHA256SUMS.asc" "$1"
    fi
}
verify "$shared/SHA256SUMS" >/dev/null 2>&1
(cd "$shared" && sha256sum --check --strict --quiet SHA256SUMS)
sed 's/^./f/' "$shared/SHA256SUMS" >changed
refuse verify changed
echo "passed: the checksums are signed and right"

# Packages of an older version, whose configuration has another comment.
mkdir older
packages=
for package in "$shared"/*.deb; do
    packages="$packages $(dpkg-deb --field "$package" Package)"
    version=$(dpkg-deb --field "$package" Version)
    dpkg-deb --raw-extract "$package" unpacked
    sed -i "s/$version/0.0.1-1/" unpacked/DEBIAN/control
    [ ! -e "unpacked$conf" ] || echo "# An older version." >>"unpacked$conf"
    dpkg-deb -Znone --root-owner-group --build unpacked older >/dev/null
    rm -rf unpacked
done

# Purges everything; nothing may stay. Files of this script's own, which are in /tmp, are not counted.
purge() {
    # shellcheck disable=SC2086
    dpkg --purge $packages >/dev/null
    nothing_left
}
nothing_left() {
    left=$(find / -xdev -name '*akv*' -not -path '/tmp/*' -not -name akv-recipe 2>/dev/null || :)
    [ -z "$left" ] || { echo "left behind: $left" >&2; exit 1; }
}

dpkg --install older/*.deb >/dev/null
grep -q "An older version" $conf
dpkg --install "$shared"/*.deb >/dev/null
refuse grep -q "An older version" $conf
echo "passed: an upgrade replaces a configuration that nobody has changed"
purge

dpkg --install older/*.deb >/dev/null
echo "# Edited here." >>$conf
dpkg --force-confdef --force-confold --install "$shared"/*.deb >/dev/null
grep -q "Edited here" $conf
# Again, without a question now.
dpkg --install "$shared"/*.deb >/dev/null </dev/null
grep -q "Edited here" $conf
# shellcheck disable=SC2086
dpkg --remove $packages >/dev/null
grep -q "Edited here" $conf
refuse test -e /usr/bin/akv
purge
echo "passed: an edited configuration survives upgrade and removal, and is purged"

dpkg --install "$shared"/*.deb >/dev/null
akv --version | grep -q '^akv '
for page in man1/akv.1 man3/libakv.3 man7/akv_provider.7 man7/e_akv.7; do
    ls /usr/share/man/$page* >/dev/null
done
for package in $packages; do
    for file in copyright LICENSE THIRD-PARTY-LICENSES.txt; do
        ls /usr/share/doc/"$package"/$file* >/dev/null
    done
    ls /usr/share/doc/"$package"/*.cdx.json* >/dev/null
done
echo "passed: installed, with manuals, licences and lists of components"

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
    # In the system's own file, as the example says.
    system=/etc/ssl/openssl.cnf example=/usr/share/doc/akv-provider/examples/system-openssl.cnf
    cp $system before
    sed -n 's/^# *\(\.include .*\)/\1/p' $example >>$system
    env -u OPENSSL_CONF openssl list -providers >providers
    cp before $system
    grep -q akv_provider providers
    grep -q '^ *default' providers
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

purge
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
