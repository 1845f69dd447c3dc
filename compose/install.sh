#!/bin/bash
# Installs what is missing to build, run and test Stagedoor, on Debian 12 and 13, with apt-get.
#
#   install.sh          what `make run` needs: a compiler and the libraries
#   install.sh kafka    also Java and Maven, for a local broker
#   install.sh package  also what `make deb` needs, and what looks at a package
#   install.sh test     also what `make test` and `make check` need
#   install.sh bench    also what the benchmarks load with
#   install.sh -n …     only says what is missing; exit 1 when something is
#
# When all is there it says nothing and takes no time, so make may call it always. It looks for
# programs and libraries, not for packages: what was installed by other means is good as well. On
# other systems it says what to install by hand. It asks for sudo only when it is not root.
set -euo pipefail

say() { echo "install: $*"; }
die() { echo "install: $*" >&2; exit "${code:-111}"; }

# ---- what is needed: how to see that it is there, and the package that brings it -----------------

run='
    program  gcc              gcc
    header   stdio.h          libc6-dev
    program  make             make
    program  pkg-config       pkg-config
    library  rdkafka          librdkafka-dev
    library  libmicrohttpd    libmicrohttpd-dev
    library  libcjson         libcjson-dev
    library  sqlite3          libsqlite3-dev
    library  libcrypto        libssl-dev
    library  libcurl          libcurl4-openssl-dev'
kafka='
    program  java             default-jre-headless
    program  mvn              maven'
test='
    library  cmocka           libcmocka-dev
    python   pytest           python3-pytest
    python   jsonschema       python3-jsonschema
    python   yaml             python3-yaml
    python   ensurepip        python3-venv
    program  node             nodejs
    program  npm              npm
    program  kcat             kcat
    preload  libfaketimeMT    libfaketime
    program  clang            clang
    sanitizers -              SANITIZERS
    program  clang-format     clang-format
    program  clang-tidy       clang-tidy
    program  cppcheck         cppcheck
    program  jq               jq
    program  curl             curl
    unpacked promtool         prometheus'
package='
    program  dh               debhelper
    program  dpkg-buildpackage dpkg-dev
    program  fakeroot         fakeroot
    program  lintian          lintian
    program  mandoc           mandoc
    program  zsh              zsh
    program  systemd-analyze  systemd
    program  systemd-nspawn   systemd-container
    program  debootstrap      debootstrap'
bench='
    program  h2load           nghttp2-client'

# ---- is it there? --------------------------------------------------------------------------------

there() {
    case $1 in
    program) command -v "$2" >/dev/null ;;
    unpacked) command -v "$2" >/dev/null || [ -x "$tools/$2" ] ;;
    preload) compgen -G "/usr/lib/*/faketime/$2.so.*" >/dev/null ;;
    header) gcc -E -include "$2" -x c /dev/null >/dev/null 2>&1 ;;
    library) command -v pkg-config >/dev/null && pkg-config --exists "$2" ;;
    python)
        [ -d "/usr/lib/python3/dist-packages/$2" ] || /usr/bin/python3 -c "import $2" 2>/dev/null ;;
    sanitizers)
        command -v clang >/dev/null &&
            [ -e "$(clang -print-file-name="libclang_rt.fuzzer-$(uname -m).a")" ] ;;
    esac
}

# What of a list is not there; of `unpacked` also the program's name.
missing_of() {
    local kind name package
    while read -r kind name package; do
        [ -z "$kind" ] || there "$kind" "$name" && continue
        [ "$kind" = unpacked ] && echo "$name:$package" || echo "$package"
    done <<<"$1"
    return 0
}

# ---- names that differ between releases ----------------------------------------------------------

# libFuzzer and the sanitizers come apart from clang, and under its number.
sanitizers_package() {
    local version
    version=$(apt-cache depends clang 2>/dev/null |
        sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
    echo "libclang-rt-${version:-14}-dev"
}

named() {
    local package
    for package in "$@"; do
        case $package in
        SANITIZERS) sanitizers_package ;;
        *) echo "$package" ;;
        esac
    done
}

# ---- installing it -------------------------------------------------------------------------------

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "this needs root and there is no sudo; as root:" \
            "apt-get install --no-install-recommends ${packages[*]}"
    fi
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >"$log" 2>&1
}

# Lists may be old, or not there at all in a fresh image: then the names are not known either.
install() {
    local log packages=("$@")
    log=$(mktemp)
    apt-cache show gcc >/dev/null 2>&1 || as_root apt-get update -qq >"$log" 2>&1 || true
    mapfile -t packages < <(named "$@")
    say "with apt-get: ${packages[*]}"
    if ! apt_install "${packages[@]}"; then
        as_root apt-get update -qq >"$log" 2>&1 || true
        apt_install "${packages[@]}" || { tail -n 20 "$log" >&2; die "apt-get failed (above)"; }
    fi
    rm -f "$log"
}

# One program of a package whose service nobody wants here: not installed, only taken out.
unpack() {
    local name=${1%%:*} package=${1#*:} folder
    folder=$(mktemp -d)
    say "with apt-get: $name out of $package, into $tools"
    (cd "$folder" && { apt-get download -qq "$package" ||
        { as_root apt-get update -qq && apt-get download -qq "$package"; }; } &&
        dpkg-deb -x ./*.deb . ) >"$folder/log" 2>&1 ||
        { tail -n 20 "$folder/log" >&2; die "apt-get failed (above)"; }
    mkdir -p "$tools"
    mv "$folder/usr/bin/$name" "$tools/"
    rm -rf "$folder"
}

dry=
tools=$(dirname "$0")/../build/tools
list=$run
for wish in "$@"; do
    case $wish in
    run) ;;
    kafka) list+=$kafka ;;
    test) list+=$kafka$test$package ;;
    package) list+=$package ;;
    bench) list+=$bench ;;
    -n) dry=yes ;;
    *) code=100 die "unknown '$wish'; say run, kafka, package, test or bench" ;;
    esac
done

mapfile -t missing < <(missing_of "$list")
[ "${#missing[@]}" = 0 ] && exit 0
if [ -n "$dry" ]; then
    say "missing: ${missing[*]}"
    exit 1
fi
command -v apt-get >/dev/null ||
    die "there is no apt-get here; install by hand what Debian calls: ${missing[*]}"
packages=()
for each in "${missing[@]}"; do
    case $each in
    *:*) unpack "$each" ;;
    *) packages+=("$each") ;;
    esac
done
[ "${#packages[@]}" = 0 ] || install "${packages[@]}"

mapfile -t missing < <(missing_of "$list")
[ "${#missing[@]}" = 0 ] || die "installed, but still not found: ${missing[*]}"
say "done"
