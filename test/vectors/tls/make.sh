#!/bin/sh
# Makes the certificates of this folder anew (see README.md). Needs openssl.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
long="-startdate 20200101000000Z -enddate 21200101000000Z"

key() { openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null | openssl pkcs8 -topk8 -nocrypt -out "$1"; }

# authority NAME: NAME.pem, self-signed; its key is thrown away
authority() {
  key "$work/$1.key"
  printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n' > "$work/$1.ext"
  openssl req -new -key "$work/$1.key" -subj "/CN=feedkey test authority $1" -out "$work/$1.csr"
  # shellcheck disable=SC2086
  sign "$1" -selfsign -keyfile "$work/$1.key" $long
}

# leaf NAME AUTHORITY NAMES DATES...: NAME.pem and NAME.key
leaf() {
  name=$1 authority=$2 names=$3
  shift 3
  key "$name.key"
  printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=%s\n' \
    "$names" > "$work/$name.ext"
  openssl req -new -key "$name.key" -subj "/CN=feedkey test $name" -out "$work/$name.csr"
  sign "$name" -cert "$authority.pem" -keyfile "$work/$authority.key" "$@"
}

sign() {
  name=$1
  shift
  : > "$work/index"
  cat > "$work/ca.cnf" <<CONF
[ca]
default_ca = it
[it]
database = $work/index
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
CONF
  openssl ca -batch -notext -config "$work/ca.cnf" -extfile "$work/$name.ext" -in "$work/$name.csr" -out "$name.pem" "$@" 2>/dev/null
}

local_names=DNS:localhost,IP:127.0.0.1,IP:::1
authority ca
authority stranger-ca
# shellcheck disable=SC2086
{
  leaf good ca $local_names,DNS:feed.example,DNS:openpgpkey.feed.example $long
  leaf wrong-name ca DNS:somebody-else.example $long
  leaf stranger stranger-ca $local_names $long
}
leaf expired ca $local_names -startdate 20200101000000Z -enddate 20210101000000Z
rm -f stranger-ca.pem
