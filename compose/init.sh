#!/bin/sh
# What must be there before the services start: the six topics, and the keys of the edge. Run by
# compose once before them; doing it again changes nothing.
set -eu

stagedoor topics create

# An edge that others can reach wants keys. One that only this container can reach makes them.
keys=$STAGEDOOR_DATA/keys
if [ ! -e "$keys" ]; then
    stagedoor-edge --listen 127.0.0.1:0 --keys "$STAGEDOOR_DATA" --data "$(mktemp -d)" &
    edge=$!
    while [ ! -e "$keys" ] && kill -0 "$edge" 2>/dev/null; do
        sleep 0.1
    done
    kill -TERM "$edge" 2>/dev/null || true
    wait "$edge" || true
    [ -e "$keys" ] || { echo "stagedoor-init: no keys in '$keys'; see above" >&2; exit 111; }
fi
echo "box office key (keep it): $(cat "$STAGEDOOR_DATA/signin" 2>/dev/null || echo 'yours')"
