#!/usr/bin/env bash
# Installs the Debian packages that building (and, with `check`, linting; with `test`, testing) needs. Does nothing when all are there.
# usage: tools/install_dependencies.sh [build|check|test|bench]
set -euo pipefail

build_packages=(libzmq3-dev libmsgpack-dev zlib1g-dev libssl-dev libsqlite3-dev)
check_packages=(python3 git protobuf-compiler)
# A real browser opens the dashboard, a real Prometheus reads the metrics; the environment of tools/tests.sh needs python3-venv.
test_packages=(python3 python3-venv chromium chromium-driver prometheus)
bench_packages=(libopenblas-dev)

case "${1:-build}" in
    build) packages=("${build_packages[@]}") ;;
    check) packages=("${build_packages[@]}" "${check_packages[@]}") ;;
    test) packages=("${build_packages[@]}" "${test_packages[@]}") ;;
    bench) packages=("${build_packages[@]}" "${bench_packages[@]}") ;;
    *) echo "usage: $0 [build|check|test|bench]" >&2; exit 64 ;;
esac

if ! command -v swift > /dev/null; then
    echo "deps: swift is not on the PATH. Install Swift 6.3 from https://www.swift.org/install/linux/ and try again." >&2
    exit 69
fi

# A tool that was installed some other way (python3 by pyenv, say) counts as present.
present() {
    case "$1" in
        python3 | git) command -v "$1" > /dev/null ;;
        python3-venv) python3 -c 'import ensurepip, venv' 2> /dev/null ;;
        chromium) command -v chromium > /dev/null ;;
        chromium-driver) command -v chromedriver > /dev/null ;;
        prometheus) command -v prometheus > /dev/null && command -v promtool > /dev/null ;;
        protobuf-compiler) command -v protoc > /dev/null ;;
        *) [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2> /dev/null)" = installed ] ;;
    esac
}

missing=()
for package in "${packages[@]}"; do
    present "$package" || missing+=("$package")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

if ! command -v apt-get > /dev/null; then
    echo "deps: missing ${missing[*]}, and this system has no apt-get." \
        "Install their counterparts (ZeroMQ 4.3, msgpack-c, zlib, OpenSSL, SQLite 3 headers) with its own package manager." >&2
    exit 69
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=()
elif command -v sudo > /dev/null && { [ -t 0 ] || sudo -n true 2> /dev/null; }; then
    as_root=(sudo)
else
    echo "deps: missing ${missing[*]}, and neither root nor sudo is at hand." \
        "Ask an administrator to run: apt-get install ${missing[*]}" >&2
    exit 77
fi

echo "deps: installing ${missing[*]}" >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
