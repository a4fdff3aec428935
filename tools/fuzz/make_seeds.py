#!/usr/bin/env python3
"""Writes the inputs fuzzing starts from: the golden files of the tests, one folder per target.

usage: make_seeds.py TOP OUT
"""

import pathlib
import re
import shutil
import sys

# The first byte of a wire input chooses the message; the same numbers as in Tests/FuzzTargets/FuzzWire.swift.
MESSAGES = {
    "head": 0, "error-detail": 1, "fleet-status-reply": 2, "list-models-reply": 3, "health-check": 4, "solve-poses-request": 5,
    "solve-effectors-request": 6, "solve-poses-reply": 7, "worker-hello": 8, "worker-welcome": 10, "call-metadata": 20,
    "reply-metadata": 21,
}


def hex_file(path):
    """The bytes of a commented vector of proto/vectors."""
    text = "\n".join(line.split("#")[0] for line in path.read_text().splitlines())
    return bytes.fromhex(re.sub(r"\s+", "", text))


def main():
    top, out = map(pathlib.Path, sys.argv[1:3])
    shutil.rmtree(out, ignore_errors=True)
    seeds = {name: {} for name in ["wire", "pickle", "torch", "npz", "safetensors", "json", "gltf", "poses", "broker"]}
    for path in sorted((top / "proto/vectors").glob("*.hex")):
        for prefix, number in MESSAGES.items():
            if path.stem.removeprefix("lenient-").startswith(prefix):
                seeds["wire"][path.stem] = bytes([number]) + hex_file(path)
    for path in sorted((top / "Tests").glob("*/Fixtures/*")):
        kind = {".pkl": "pickle", ".pth": "torch", ".glb": "gltf", ".gltf": "gltf", ".npz": "npz", ".safetensors": "safetensors", ".json": "json"}.get(path.suffix)
        if kind and path.stat().st_size <= 65536:
            seeds[kind][path.name] = path.read_bytes()
    for path in sorted((top / "Tests/SinewFormatsTests/Fixtures").rglob("*")):
        if path.suffix in (".json", ".jsonl", ".trc", ".npz") and path.stat().st_size <= 65536:
            seeds["poses"][path.name] = path.read_bytes()
    seeds["json"]["error"] = b'{"a": [1, -2.5e3, true, null, "\\u00e9\\n"], "b": {}}'
    # A worker comes, calls are made, answered, returned; time passes.
    seeds["broker"]["life"] = bytes([4, 0, 3, 0, 9, 2, 1, 9, 4, 8, 0, 0, 8, 0, 1, 12, 200, 200, 0, 9, 2, 10, 0, 0, 5, 0, 0, 13, 2, 9])
    for target, files in seeds.items():
        folder = out / target
        folder.mkdir(parents=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
