#!/bin/bash
# Puts together what is installed, as it will lie below PREFIX:
#
#   stage.sh FOLDER PREFIX SYSCONFDIR PROGRAM…       from the root of the tree, once it is built
#
# `make install` copies the folder, `make uninstall` takes the same names away, the package packs it.
set -euo pipefail
umask 022
stage=$1 prefix=$2 sysconfdir=$3
shift 3
programs=("$@")
units=lib/systemd/system
# Debian looks for what packages bring elsewhere than for what was installed by hand.
zshdir=${ZSHDIR:-share/zsh/site-functions}

put() { install -D -m "$1" "$2" "$stage/$3"; }

# A unit is its own lines, and those that all of them share.
unit() {
    local source=packaging/systemd/$1 target=$stage/$units/$2 service=${3:-} ports=${4:-}
    mkdir -p "$(dirname "$target")"
    sed -e '/^@SETTINGS@$/{r packaging/systemd/settings.conf' -e 'd}' \
        -e '/^@HARDENING@$/{r packaging/systemd/hardening.conf' -e 'd}' "$source" |
        sed -e "s|@BINDIR@|$prefix/bin|; s|@SYSCONFDIR@|$sysconfdir|" \
            -e "s|@SERVICE@|$service|g; s|@PORTS@|$ports|" >"$target"
    chmod 0644 "$target"
}

put_programs() {
    local program
    for program in "${programs[@]}"; do
        put 0755 "build/bin/$program" "bin/$program"
    done
}

put_units() {
    unit stagedoor-service@.service stagedoor-shows@.service shows 311
    unit stagedoor-service@.service stagedoor-reservations@.service reservations 312
    unit stagedoor-service@.service stagedoor-checkout@.service checkout 313
    unit stagedoor-edge@.service stagedoor-edge@.service
    unit stagedoor-topics.service stagedoor-topics.service
    put 0644 packaging/systemd/stagedoor-edge.socket $units/stagedoor-edge.socket
    put 0644 packaging/systemd/stagedoor.target $units/stagedoor.target
    put 0644 packaging/systemd/sysusers.conf lib/sysusers.d/stagedoor.conf
}

# A page is what the program tells of itself, and what follows it: text of its own, or what is the
# same of all. The day is that of the release.
released=$(sed -n 's/^ -- .*>  //p' packaging/debian/changelog | head -n 1)
day=$(LC_ALL=C date -u -d "$released" '+%B %-d, %Y')
page() {
    local name=$1 section=$2 rest=packaging/man/$1.mdoc
    shift 2
    [ -e "$rest" ] || rest=packaging/man/rest.mdoc
    { "$@" --help=man; cat "$rest"; } | sed "s/[$]Mdocdate[$]/$day/" \
        >"$stage/share/man/man$section/$name.$section"
}

put_manual() {
    local program command
    install -d "$stage/share/man/man1" "$stage/share/man/man8"
    page stagedoor 1 build/bin/stagedoor
    for program in "${programs[@]}"; do
        [ "$program" = stagedoor ] || page "$program" 8 "build/bin/$program"
    done
    while read -r command _; do
        page "stagedoor-$command" 1 build/bin/stagedoor "$command"
    done < <(build/bin/stagedoor --help=words)
}

put_completions() {
    local program folder=share/bash-completion/completions
    put 0644 packaging/completions/stagedoor.bash $folder/stagedoor
    for program in "${programs[@]}"; do
        [ "$program" = stagedoor ] || ln -s stagedoor "$stage/$folder/$program"
    done
    put 0644 packaging/completions/_stagedoor "$zshdir/_stagedoor"
}

# What strangers need to speak to it: every message, and the HTTP API.
put_schemas() {
    local folder=$stage/share/stagedoor
    install -d "$folder/json" "$folder/examples"
    install -m 0644 schemas/openapi.json schemas/asyncapi.yaml "$folder"
    install -m 0644 schemas/json/*.json "$folder/json"
    install -m 0644 schemas/examples/*.json "$folder/examples"
}

rm -rf "$stage"
put_programs
put_manual
put_completions
put_units
put_schemas
put 0644 packaging/stagedoor.conf share/doc/stagedoor/examples/stagedoor.conf
