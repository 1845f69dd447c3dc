#!/bin/bash
# One Kafka broker for development and tests, from Maven's jars: no image, no download page.
#
#   kafka.sh up       start it and wait until it answers; nothing to do when it runs already
#   kafka.sh down     stop it cleanly (SIGTERM, then wait)
#   kafka.sh kill     kill -9 and wait, for tests; `up` brings it back with its data
#   kafka.sh status   say whether it runs, and where; exit 0 when it does, 1 when not
#   kafka.sh wipe     stop it and delete its data
#   kafka.sh fetch    only fetch the jars
#
# Environment:
#   KAFKA_DIR    data, pid, port and kafka.log of this broker (default var/kafka); one broker a folder
#   KAFKA_PORT   where clients connect (default 9092); 0: a free one, to be read from $KAFKA_DIR/port
#   KAFKA_HOST   what it listens on and calls itself (default localhost)
#   KAFKA_HEAP   megabytes of heap (default 512)
#   KAFKA_MORE   a file of further properties, which win
#   KAFKA_FORMAT further words for kafka.tools.StorageTool format, such as --add-scram ...
#
# A folder remembers its ports: started again, the broker is where it was unless KAFKA_PORT says
# otherwise.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root"

dir=$(realpath -m "${KAFKA_DIR:-var/kafka}")
host=${KAFKA_HOST:-localhost}
heap=${KAFKA_HEAP:-512}
libs=$root/build/kafka/libs

say() { echo "kafka: $*"; }
die() { echo "kafka: $*" >&2; exit 111; }

# ---- what must be there ---------------------------------------------------------------------

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
    command -v apt-get >/dev/null || die "needs $*; there is no apt-get here, install them by hand"
    say "installing $* with apt-get"
    as_root apt-get install -y --no-install-recommends "$@" >/dev/null ||
        { as_root apt-get update >/dev/null &&
            as_root apt-get install -y --no-install-recommends "$@" >/dev/null; } ||
        die "cannot install $*; install a Java 17 or newer and Maven by hand"
}

# Debian 12 means Java 17 by this name, Debian 13 means 21; Kafka 4 runs on both.
need_java() {
    command -v java >/dev/null || install_packages default-jre-headless
}

# The folder gets its name only when it is complete, so a broken download is never mistaken for it.
need_jars() {
    [ -e "$libs/.complete" ] && return
    mkdir -p "$root/build/kafka"
    exec 8>"$root/build/kafka/lock"
    flock 8
    if [ ! -e "$libs/.complete" ]; then
        need_java
        command -v mvn >/dev/null || install_packages maven
        say "fetching the jars of Kafka 4.1.1 with Maven (43 MB, once)"
        rm -rf "$libs"
        mvn -q -B -Dstyle.color=never -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$libs" 8>&- ||
            die "cannot fetch the jars; is there a network, or a mirror in ~/.m2/settings.xml?"
        touch "$libs/.complete"
    fi
    exec 8>&-
}

# ---- this broker ----------------------------------------------------------------------------

# Prints the pid when the broker of this folder runs. A pid file outlives a kill -9 and its number
# may belong to a stranger by now, so the process must know our folder.
running() {
    local pid
    [ -e "$dir/pid" ] || return 1
    pid=$(<"$dir/pid")
    [ -n "$pid" ] && tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" |
        grep -qxF "$dir/server.properties" && echo "$pid"
}

port_taken() { (exec 3<>"/dev/tcp/$host/$1") 2>/dev/null; }

# Below the ephemeral range, so that no outgoing connection takes it between now and then.
free_port() {
    local port
    for _ in $(seq 100); do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        port_taken "$port" || { echo "$port"; return; }
    done
    die "no free port found between 20000 and 32000"
}

remembered() { [ -e "$dir/$1" ] && cat "$dir/$1" || true; }

choose_ports() {
    local port controller
    port=${KAFKA_PORT:-$(remembered port)}
    [ "${port:-}" = 0 ] && port=$(remembered port)
    [ "${KAFKA_PORT:-}" = 0 ] && [ -z "$port" ] && port=$(free_port)
    echo "${port:-9092}" >"$dir/port"
    controller=$(remembered controller-port)
    if [ -z "$controller" ] || port_taken "$controller"; then
        controller=$(free_port)
    fi
    echo "$controller" >"$dir/controller-port"
}

configure() {
    mkdir -p "$dir"
    choose_ports
    cat "$here/server.properties.template" ${KAFKA_MORE:+"$KAFKA_MORE"} |
        sed -e "s|@PORT@|$(<"$dir/port")|g" -e "s|@HOST@|$host|g" -e "s|@DIR@|$dir|g" \
        -e "s|@CONTROLLER_PORT@|$(<"$dir/controller-port")|g" \
        >"$dir/server.properties"
}

format() {
    [ -e "$dir/data/meta.properties" ] && return
    local id words
    read -ra words <<<"${KAFKA_FORMAT:-}"
    id=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')
    # An id that begins with '-' would read as an option.
    java -cp "$libs/*" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn kafka.tools.StorageTool format \
        -t "A${id:1}" -c "$dir/server.properties" ${words[@]+"${words[@]}"} >"$dir/format.log" 2>&1 ||
        { cat "$dir/format.log" >&2; die "cannot format '$dir/data'"; }
}

launch() {
    [ -e "$dir/kafka.log" ] && mv "$dir/kafka.log" "$dir/kafka.log.1"
    # A session of its own: neither Ctrl-C nor the end of make takes it along.
    setsid java -Xms128m "-Xmx${heap}m" -XX:+UseSerialGC \
        -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
        -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info \
        -Dorg.slf4j.simpleLogger.showDateTime=true \
        -Dorg.slf4j.simpleLogger.dateTimeFormat="yyyy-MM-dd'T'HH:mm:ss.SSS" \
        -cp "$libs/*" kafka.Kafka "$dir/server.properties" \
        </dev/null >"$dir/kafka.log" 2>&1 9>&- &
    echo $! >"$dir/pid"
}

# Two seconds as a rule; after a kill -9 it reads its unflushed logs again, which takes a minute for
# a few gigabytes.
wait_until_it_answers() {
    local pid=$1
    for _ in $(seq 1800); do
        grep -q 'Kafka Server started' "$dir/kafka.log" && return
        if ! kill -0 "$pid" 2>/dev/null; then
            tail -n 20 "$dir/kafka.log" >&2
            rm -f "$dir/pid"
            die "did not start; the whole story is in '$dir/kafka.log'"
        fi
        sleep 0.1
    done
    die "started, but does not answer after 180 s; see '$dir/kafka.log'"
}

wait_until_gone() {
    local pid=$1
    for _ in $(seq 600); do
        kill -0 "$pid" 2>/dev/null || { rm -f "$dir/pid"; return; }
        sleep 0.05
    done
    return 1
}

# ---- verbs ----------------------------------------------------------------------------------

up() {
    local pid
    need_java
    need_jars
    mkdir -p "$dir"
    exec 9>"$dir/lock"
    flock 9
    if pid=$(running); then
        wait_until_it_answers "$pid"
        case ${KAFKA_PORT:-0} in
        0 | "$(<"$dir/port")") ;;
        *) die "runs already, but at $host:$(<"$dir/port") (pid $pid, data in '$dir');" \
            "say KAFKA_PORT=$(<"$dir/port"), or make kafka-down first" ;;
        esac
        say "runs already at $host:$(<"$dir/port") (pid $pid, data in '$dir')"
        return
    fi
    configure
    port_taken "$(<"$dir/port")" && die "port $(<"$dir/port") is taken by something else;" \
        "stop it, or choose another with KAFKA_PORT"
    format
    launch
    wait_until_it_answers "$(<"$dir/pid")"
    say "answers at $host:$(<"$dir/port") (pid $(<"$dir/pid"), data in '$dir')"
}

down() {
    local pid
    if ! pid=$(running); then
        say "is not running in '$dir'"
        return
    fi
    kill -TERM "$pid"
    if ! wait_until_gone "$pid"; then
        say "did not stop within 30 s; killing it"
        kill -KILL "$pid"
        wait_until_gone "$pid" || die "pid $pid does not go away"
    fi
    say "stopped; its data stays in '$dir'"
}

kill_it() {
    local pid
    pid=$(running) || die "is not running in '$dir'"
    kill -KILL "$pid"
    wait_until_gone "$pid" || die "pid $pid does not go away"
    say "killed; its data stays in '$dir'"
}

status() {
    local pid
    if pid=$(running); then
        say "runs at $host:$(remembered port) (pid $pid, data in '$dir')"
    else
        say "is not running in '$dir'; try: make kafka-up"
        exit 1
    fi
}

wipe() {
    down
    if [ -e "$dir/server.properties" ]; then
        rm -rf "$dir"
        say "deleted '$dir'"
    fi
}

case "${1:-}" in
up) up ;;
down) down ;;
kill) kill_it ;;
status) status ;;
wipe) wipe ;;
fetch) need_jars ;;
*)
    echo "usage: $0 up|down|kill|status|wipe|fetch" >&2
    exit 100
    ;;
esac
