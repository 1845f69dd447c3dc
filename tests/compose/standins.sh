#!/bin/bash
# What compose/ is made of, where no registry can be reached: images of the names that compose.yaml says, put together
# of Debian's packages and Kafka's jars. What is here or can be pulled is not touched.
#
#   standins.sh make      prints each image with `here`, `pulled`, `made` or `missing`; needs root and debootstrap
#   standins.sh remove    takes away what was made, so that nobody takes it for the real thing
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
mark=org.stagedoor.standin

quietly() { "$@" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 111; }; }
is_here() { docker image inspect "$1" >/dev/null 2>&1; }
had() {
    if is_here "$1"; then
        echo "$1 here"
    elif docker pull -q "$1" >/dev/null 2>&1; then
        echo "$1 pulled"
    else
        return 1
    fi
}

# debian RELEASE IMAGE: the smallest Debian. A mirror may lag behind its own word; nothing here lasts that long.
debian() {
    had "$2" && return
    quietly debootstrap --variant=minbase "$1" "$work/$1"
    rm -rf "$work/$1"/var/cache/apt/archives/*.deb "$work/$1"/var/lib/apt/lists/*
    echo 'Acquire::Check-Valid-Until "false";' >"$work/$1/etc/apt/apt.conf.d/lagging"
    tar -C "$work/$1" -cf "$work/$1.tar" .
    quietly docker import --change "LABEL $mark=yes" "$work/$1.tar" "$2"
    rm -rf --one-file-system "${work:?}/$1" "$work/$1.tar"
    echo "$2 made"
}

# The image of a service, as compose.yaml says it.
image() { sed -n "/^  $1:\$/,/image:/s/^ *image: //p" "$root/compose/compose.yaml"; }

# standin SERVICE RELEASE: what standins/SERVICE says, on that Debian
standin() {
    local name base
    name=$(image "$1")
    had "$name" && return
    base=$(sed -n 's/^FROM //p' "$here/standins/$1/Dockerfile")
    is_here "$base" || debian "$2" "$base"
    cp -r "$here/standins/$1" "$work/$1"
    if [ "$1" = kafka ]; then
        quietly "$root/compose/local-kafka/kafka.sh" fetch
        cp -r "$root/build/kafka/libs" "$work/kafka/libs"
    fi
    quietly docker build --label "$mark=yes" -t "$name" "$work/$1"
    echo "$name made"
}

make_all() {
    docker info >/dev/null 2>&1 || {
        echo "standins: no container engine answers; try: apt-get install docker.io, and start dockerd" >&2
        exit 111
    }
    debian bookworm "$(sed -n '0,/^FROM /s/^FROM \(\S*\).*/\1/p' "$root/compose/Dockerfile")"
    standin kafka bookworm
    standin door sid
    standin prometheus sid
    for service in grafana kafka-ui; do
        had "$(image $service)" || echo "$(image $service) missing"
    done
}

case "${1:-}" in
make) make_all ;;
remove) docker image ls -q --filter "label=$mark" | sort -u | xargs -r docker image rm -f >/dev/null ;;
*)
    echo "usage: $0 make|remove" >&2
    exit 100
    ;;
esac
