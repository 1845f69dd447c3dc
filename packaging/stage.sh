#!/bin/bash
# Puts together what is installed, as it will lie below PREFIX:
#
#   stage.sh FOLDER PREFIX SYSCONFDIR PROGRAM…       from the root of the tree, once it is built
#
# `make install` copies the folder, `make uninstall` takes the same names away, the package packs it.
set -euo pipefail
stage=$1 prefix=$2 sysconfdir=$3
shift 3
programs=("$@")
services=(shows reservations checkout)
units=lib/systemd/system

put() { install -D -m "$1" "$2" "$stage/$3"; }

# A unit is its own lines, and those that all of them share.
unit() {
    local source=packaging/systemd/$1 target=$stage/$units/$2 service=${3:-}
    mkdir -p "$(dirname "$target")"
    sed -e '/^@SETTINGS@$/{r packaging/systemd/settings.conf' -e 'd}' \
        -e '/^@HARDENING@$/{r packaging/systemd/hardening.conf' -e 'd}' "$source" |
        sed -e "s|@BINDIR@|$prefix/bin|; s|@SYSCONFDIR@|$sysconfdir|; s|@SERVICE@|$service|g" \
            >"$target"
    chmod 0644 "$target"
}

put_programs() {
    local program
    for program in "${programs[@]}"; do
        put 0755 "build/bin/$program" "bin/$program"
    done
}

put_units() {
    local service
    for service in "${services[@]}"; do
        unit stagedoor-service@.service "stagedoor-$service@.service" "$service"
    done
    unit stagedoor-edge@.service stagedoor-edge@.service
    unit stagedoor-topics.service stagedoor-topics.service
    put 0644 packaging/systemd/stagedoor-edge.socket $units/stagedoor-edge.socket
    put 0644 packaging/systemd/stagedoor.target $units/stagedoor.target
    put 0644 packaging/systemd/sysusers.conf lib/sysusers.d/stagedoor.conf
}

# What strangers need to speak to it: every message, and the HTTP API.
put_schemas() {
    local file
    for file in schemas/openapi.json schemas/asyncapi.yaml schemas/json/*.json; do
        put 0644 "$file" "share/stagedoor/${file#schemas/}"
    done
    for file in schemas/examples/*.json; do
        put 0644 "$file" "share/stagedoor/examples/${file##*/}"
    done
}

rm -rf "$stage"
put_programs
put_units
put_schemas
put 0644 packaging/environment share/doc/stagedoor/environment.example
