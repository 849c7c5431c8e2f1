# Checks nginx with the key $1 and the certificate $2, serves, connects once, and prints the log.
serve() {
    cat >nginx.conf <<END
pid nginx.pid;
${3-}
events {}
http {
    access_log off;
    server {
        listen 127.0.0.1:8443 ssl;
        ssl_ciphers ALL;
        ssl_certificate     $2;
        ssl_certificate_key $1;
        return 200 "signed in the vault\n";
    }
}
END
    nginx -p "$PWD" -c nginx.conf -e error.log -t || return 0
    nginx -p "$PWD" -c nginx.conf -e error.log
    connect "$2" || :
    nginx -p "$PWD" -c nginx.conf -e error.log -s quit
    cat error.log
}

connect() {
    curl --silent --show-error --cacert "$1" https://localhost:8443/
}

# A certificate for a key.
certify() {
    akv cert self-signed "$1" --subject CN=localhost --san localhost --out "$2" >/dev/null
}
