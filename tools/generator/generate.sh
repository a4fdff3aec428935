#!/usr/bin/env bash
# Writes Sources/SinewWire/Generated from proto/. With --check it writes nothing and fails when the committed files differ.
# Needs protoc (Debian: protobuf-compiler). The first run builds the plugin, about half a minute on two cores.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
generated=$top/Sources/SinewWire/Generated
# Types that users of the client library see are public, the others are for our own targets.
public_files=(error fleet health jobs)
package_files=(pose_solver worker)

case "${1:-}" in
"" | --check) ;;
*) echo "usage: tools/generator/generate.sh [--check]" >&2 && exit 64 ;;
esac
command -v protoc >/dev/null || { echo "generate.sh: protoc is missing; run: make deps" >&2; exit 69; }

swift build --quiet --package-path "$here"
plugin=$(swift build --package-path "$here" --show-bin-path)/protoc-gen-sinew
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
run_protoc() { # access, files…
    local access=$1
    shift
    protoc -I"$top/proto" --plugin=protoc-gen-sinew="$plugin" --sinew_out="$fresh" --sinew_opt="$access" \
        "${@/#/sinew/v1/}"
}
run_protoc public "${public_files[@]/%/.proto}"
run_protoc package "${package_files[@]/%/.proto}"
"$plugin" --errors "$top/proto/errors.json" >"$fresh/ServiceErrorCode.swift"

if [ "${1:-}" = --check ]; then
    diff -ru "$generated" "$fresh" || {
        echo "generate.sh: the generated code is not what proto/ says; run: tools/generator/generate.sh" >&2
        exit 1
    }
else
    rm -rf "$generated"
    mkdir -p "$generated"
    cp "$fresh"/*.swift "$generated"/
fi
