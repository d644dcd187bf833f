#!/bin/sh
# collect-root.sh DIRECTORY PROGRAM...: a root directory that holds these programs, the libraries they are linked to, and nothing else.
set -eu
root=$1
shift
put() {
  mkdir -p "$root$(dirname "$1")"
  cp -L "$1" "$root$1"
}
for program; do
  file=$(command -v "$program") || {
    echo "the base image has no $program: give one with Node 26 and nftables (--build-arg BASE=...)" >&2
    exit 1
  }
  put "$file"
  libraries=$(ldd "$file")
  for library in $(printf '%s\n' "$libraries" | grep -o '/[^ )]*'); do put "$library"; done
done
# Resolution by the C library, and names of protocols in packet rules: both without the base's own files.
mkdir -p "$root/etc"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
printf 'icmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6-icmp 58 IPv6-ICMP\n' >"$root/etc/protocols"
find "$root" -type d -exec chmod 0555 {} +
find "$root" -type f -exec chmod a-w,a+r {} +
