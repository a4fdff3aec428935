#!/usr/bin/env bash
# Writes Sources/SinewWire/Generated and tools/python/src/sinew/_generated from proto/. With --check it writes nothing and fails when
# the committed files differ.
# Needs protoc (Debian: protobuf-compiler). The first run builds the plugin, about half a minute on two cores.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
generated=$top/Sources/SinewWire/Generated
python=$top/tools/python/src/sinew/_generated
# Types that users of the client library see are public, the others are for our own targets.
public_files=(error fleet health jobs)
package_files=(pose_solver trace worker)

case "${1:-}" in
"" | --check) ;;
*) echo "usage: tools/generator/generate.sh [--check]" >&2 && exit 64 ;;
esac
command -v protoc >/dev/null || { echo "generate.sh: protoc is missing; run: make deps" >&2; exit 69; }

swift build --quiet --package-path "$here"
plugin=$(swift build --package-path "$here" --show-bin-path)/protoc-gen-sinew
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
mkdir "$fresh/swift" "$fresh/python"
run_protoc() { # folder, parameter of the plugin, files…
    local folder=$1 parameter=$2
    shift 2
    protoc -I"$top/proto" --plugin=protoc-gen-sinew="$plugin" --sinew_out="$fresh/$folder" --sinew_opt="$parameter" \
        "${@/#/sinew/v1/}"
}
run_protoc swift public "${public_files[@]/%/.proto}"
run_protoc swift package "${package_files[@]/%/.proto}"
"$plugin" --errors "$top/proto/errors.json" >"$fresh/swift/ServiceErrorCode.swift"
run_protoc python python "${public_files[@]/%/.proto}" "${package_files[@]/%/.proto}"
"$plugin" --python-errors "$top/proto/errors.json" >"$fresh/python/errors.py"
printf '"""Messages of the wire, generated from proto/."""\n' >"$fresh/python/__init__.py"

if [ "${1:-}" = --check ]; then
    { diff -ru "$generated" "$fresh/swift" && diff -ru -x __pycache__ "$python" "$fresh/python"; } || {
        echo "generate.sh: the generated code is not what proto/ says; run: tools/generator/generate.sh" >&2
        exit 1
    }
else
    rm -rf "$generated" "$python"
    mkdir -p "$generated" "$python"
    cp "$fresh"/swift/*.swift "$generated"/
    cp "$fresh"/python/*.py "$python"/
fi
