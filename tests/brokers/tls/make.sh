#!/bin/sh
# Made the certificates beside this file, which the cases of `secured.rs` use: a throwaway authority, a server's
# certificate for 127.0.0.1 signed by it, and another authority that signed nothing. Valid from 2020 to 2120.
# Run it again only to replace them: `sh tests/brokers/tls/make.sh`.
set -eu
cd "$(dirname -- "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/ca.conf" <<END
[ca]
default_ca = authority
[authority]
database = $work/index
new_certs_dir = $work
default_md = sha256
policy = anything
unique_subject = no
rand_serial = yes
[anything]
commonName = supplied
[authority_ext]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[server_ext]
subjectAltName = DNS:localhost,IP:127.0.0.1
extendedKeyUsage = serverAuth
END
: >"$work/index"

# Makes a key and a request for the name `$1` in the files `$2`.key and `$2`.csr.
request() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" \
        -keyout "$work/$2.key" -out "$work/$2.csr"
}
# Signs `$1`.csr with the extensions `$2` by what further arguments name.
sign() {
    name=$1 extensions=$2
    shift 2
    openssl ca -batch -notext -config "$work/ca.conf" -extensions "$extensions" -startdate 20200101000000Z \
        -enddate 21200101000000Z -in "$work/$name.csr" -out "$name.pem" "$@"
}

request 'Hookway tests' ca
sign ca authority_ext -selfsign -keyfile "$work/ca.key"
request 'Hookway tests, another' other-ca
sign other-ca authority_ext -selfsign -keyfile "$work/other-ca.key"
request localhost server
sign server server_ext -cert ca.pem -keyfile "$work/ca.key"
cp "$work/server.key" server.key
