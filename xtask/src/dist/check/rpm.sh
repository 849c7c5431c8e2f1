# In a system with rpm, as root: checks the packages in the folder $1, and installs them in a folder with a
# database of its own. Prints "passed: STEP" for each step.
shared=$1
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
root=$(mktemp -d)
cd "$(mktemp -d)"
trap 'rm -rf "$root"' EXIT
conf=$root/etc/akv/openssl.cnf

rpm --checksig --nosignature "$shared"/*.rpm >/dev/null
for package in "$shared"/*.rpm; do
    rpm --query --package --queryformat '%{NAME} %{LICENSE} %{ARCH} %{OS}\n' "$package"
done >names
grep -c ' MIT x86_64 linux$' names | grep -qx 6
# libakv-dev requires libakv of the same version; nothing requires OpenSSL.
rpm --query --package --requires "$shared"/*.rpm >requires
grep -qx 'libakv = .*' requires
if grep -i 'ssl\|crypto' requires; then exit 1; fi
rpm --query --package --configfiles "$shared"/akv-provider-*.rpm | grep -qx /etc/akv/openssl.cnf
echo "passed: rpm reads the packages"

in_folder() { rpm --root "$root" "$@"; }
in_folder --initdb
# The folder has no C library.
in_folder --install --nodeps "$shared"/*.rpm
in_folder --verify --all --nodeps
"$root/usr/bin/akv" --version | grep -q '^akv '
for file in ossl-modules/akv_provider.so engines-1.1/e_akv.so engines-3/e_akv.so libakv.so.1 libakv.so \
    pkgconfig/akv.pc; do
    [ -e "$root/usr/lib64/$file" ] || { echo "there is no $file" >&2; exit 1; }
done
for page in man1/akv.1 man3/libakv.3 man7/akv_provider.7 man7/e_akv.7; do
    ls "$root/usr/share/man/$page"* >/dev/null
done
for package in $(cut -d ' ' -f 1 names); do
    ls "$root/usr/share/doc/$package/THIRD-PARTY-LICENSES.txt" >/dev/null
done
echo "passed: rpm installs and verifies them"

echo "# Edited here." >>"$conf"
in_folder --upgrade --replacepkgs --nodeps "$shared"/*.rpm
grep -q "Edited here" "$conf"
in_folder --verify akv-provider --nodeps | grep -q ' c /etc/akv/openssl.cnf'
# shellcheck disable=SC2046
in_folder --erase --nodeps $(cut -d ' ' -f 1 names) 2>/dev/null
# rpm keeps a configuration that was edited.
rm "$conf.rpmsave"
# Folders stay, since cargo-generate-rpm cannot list them.
left=$(find "$root" -name '*akv*' -not -type d)
[ -z "$left" ] || { echo "left behind: $left" >&2; exit 1; }
echo "passed: an edited configuration survives rpm's upgrade, and the rest is removed"
