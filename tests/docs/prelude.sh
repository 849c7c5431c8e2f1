# What stands before the commands of a page: background programs end with the page.
finish() {
    for pid in $(jobs -p); do
        kill "$pid" 2>/dev/null || :
    done
    for file in nginx.pid target/keyless/nginx.pid; do
        [ ! -s "$file" ] || kill "$(cat "$file")" 2>/dev/null || :
    done
}
trap finish EXIT

# Waits until a background program has written a file. A person would not be as fast.
await() {
    tries=0
    until [ -s "$1" ]; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || { echo "$1 was never written" >&2; exit 1; }
        sleep 0.1
    done
}

# The checkout is built already.
cargo() {
    [ "$*" = "xtask build" ]
}

# A login of the Azure CLI, at the embedded vault.
az() {
    [ "$1 $2" = "account get-access-token" ] && echo "$TOKEN_OF_AZ"
}
