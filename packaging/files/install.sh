#!/bin/sh
# Installs the files beside it on this machine, or removes them again:
#
#     ./install.sh [--root FOLDER]
#     ./install.sh --remove [--root FOLDER]
#
# The modules go where OpenSSL looks for them: the folders that `openssl version -m` and `-e` print.
set -eu

root= remove=
while [ $# -gt 0 ]; do
    case $1 in
    --remove) remove=1 ;;
    --root) root=${2:?"--root needs a folder"}; shift ;;
    *) echo "usage: $0 [--remove] [--root FOLDER]" >&2; exit 2 ;;
    esac
    shift
done
here=$(cd "$(dirname "$0")" && pwd)
list=$root/usr/local/share/akv/installed

if [ -n "$remove" ]; then
    [ -f "$list" ] || { echo "nothing is installed: there is no $list" >&2; exit 1; }
    while IFS= read -r file; do
        if [ "$file" = /etc/akv/openssl.cnf ] && ! cmp -s "$here$file" "$root$file"; then
            echo "kept $root$file, which has been changed"
        else
            rm -f "$root$file"
        fi
    done <"$list"
    rm -f "$list"
    # Folders of ours that are empty now.
    for folder in "$root/usr/local/share/doc/akv" "$root/usr/local/share/akv" "$root/etc/akv"; do
        [ ! -d "$folder" ] || find "$folder" -depth -type d -empty -delete
    done
    echo "removed"
    exit 0
fi

# install_file SOURCE PLACE [MODE]
install_file() {
    install -D -m "${3:-644}" "$here/$1" "$root$2"
    echo "$2" >>"$list"
}

# install_tree SOURCE PLACE, both folders
install_tree() {
    (cd "$here/$1" && find . -type f) | while IFS= read -r file; do
        install_file "$1/${file#./}" "$2/${file#./}"
    done
}

# The folder that `openssl version OPTION` prints, such as MODULESDIR: "/usr/lib/ossl-modules".
folder_of() {
    openssl version "$1" 2>/dev/null | sed -n 's/^[A-Z]*: "\(.*\)"$/\1/p'
}

mkdir -p "$(dirname "$list")"
: >"$list"
install_file usr/bin/akv /usr/local/bin/akv 755
install_file usr/bin/akv-emulator /usr/local/bin/akv-emulator 755
modules=$(folder_of -m) engines=$(folder_of -e)
if [ -n "$modules" ]; then
    install_file modules/akv_provider.so "$modules/akv_provider.so"
    if [ -e "$root/etc/akv/openssl.cnf" ]; then
        echo "kept $root/etc/akv/openssl.cnf"
    else
        install_file etc/akv/openssl.cnf /etc/akv/openssl.cnf
    fi
fi
if [ -n "$engines" ]; then
    install_file modules/e_akv.so "$engines/e_akv.so"
fi
install_file lib/libakv.so.1 /usr/local/lib/libakv.so.1
install_file lib/libakv.a /usr/local/lib/libakv.a
ln -sf libakv.so.1 "$root/usr/local/lib/libakv.so"
echo /usr/local/lib/libakv.so >>"$list"
install_file pkgconfig/local/akv.pc /usr/local/lib/pkgconfig/akv.pc
install_file usr/include/akv.h /usr/local/include/akv.h
install_tree usr/share/man /usr/local/share/man
install_tree usr/share/bash-completion /usr/local/share/bash-completion
install_tree usr/share/zsh/vendor-completions /usr/local/share/zsh/site-functions
install_tree usr/share/fish /usr/local/share/fish
for folder in doc examples third-party; do
    install_tree "$folder" "/usr/local/share/doc/akv/$folder"
done
[ -n "$root" ] || ldconfig
echo "installed; ./install.sh --remove undoes it"
