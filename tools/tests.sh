#!/usr/bin/env bash
# Runs the Python tests of everything that is not Swift: pytest over every tools/*/tests, in an environment of its own. The tests of
# tools/train need PyTorch and have theirs (tools/train/README.md).
# usage: tools/tests.sh [PYTEST OPTION OR PATH...]        SINEW_BINARY=PATH tests another binary than .build/release/sinew
set -euo pipefail
cd "$(dirname "$0")/.."

export SINEW_BINARY="${SINEW_BINARY:-$PWD/.build/release/sinew}"
# What tests share: tools/tests/fleet.py starts brokers and workers, browser.py a Chromium; tools/chaos has a client of its own for jobs.
export PYTHONPATH="$PWD/tools/tests:$PWD/tools/chaos${PYTHONPATH:+:$PYTHONPATH}"
if [ ! -x "$SINEW_BINARY" ]; then
    echo "tests: there is no $SINEW_BINARY: build it with \`make build\`, or say where it is with SINEW_BINARY=PATH" >&2
    exit 66
fi

# Made anew whenever the list of packages changes.
environment=.build/tools-venv
if ! cmp -s tools/tests/requirements.txt "$environment/requirements.txt"; then
    rm -rf "$environment"
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement tools/tests/requirements.txt
    cp tools/tests/requirements.txt "$environment/requirements.txt"
fi

if [ "$#" -eq 0 ]; then
    for folder in tools/*/tests; do
        [ "$folder" = tools/train/tests ] || set -- "$@" "$folder"
    done
fi
exec "$environment/bin/python" -m pytest -q -p no:cacheprovider --import-mode=importlib "$@"
