#!/bin/bash
# Makes a folder that is the smallest Debian to start by systemd, with what a package depends on.
#
#   debian-base.sh FOLDER PACKAGE.deb        as root
set -euo pipefail
folder=$1 package=$2
[ "$(id -u)" = 0 ] || { echo "debian-base: this needs root; try: sudo make deb-test" >&2; exit 111; }

# "a | b (>= 1), c" becomes "a,c".
depends=$(dpkg-deb -f "$package" Pre-Depends Depends |
    sed 's/^[A-Za-z-]*: //; s/([^)]*)//g; s/|[^,]*//g' | tr -d ' ' | paste -sd,)
release=$(. /etc/os-release && echo "$VERSION_CODENAME")

rm -rf "$folder"
debootstrap --variant=minbase --include="systemd,systemd-sysv,man-db,curl,$depends" "$release" \
    "$folder" >"$folder.log" 2>&1 || { tail -n 20 "$folder.log" >&2; exit 111; }
rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/*
