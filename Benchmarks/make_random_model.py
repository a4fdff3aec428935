#!/usr/bin/env python3
"""Writes a model of NIKI's published dimensions with random weights, to measure speed with.

    python3 make_random_model.py --out /tmp/models --name niki-official --hidden 512

Needs numpy only. The tensors carry the published names (models.md 3.6); the poses such a network gives mean nothing.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np

COUPLINGS = 16


def net(rng, prefix, slots, inputs, hidden, outputs):
    sizes = [(hidden, inputs), (hidden, hidden), (outputs, hidden)]
    for slot, (rows, columns) in zip(slots, sizes):
        bound = columns ** -0.5
        yield f"{prefix}.{slot}.weight", rng.uniform(-bound, bound, (rows, columns)).astype("<f4")
        yield f"{prefix}.{slot}.bias", rng.uniform(-bound, bound, rows).astype("<f4")


def masks(dim):
    return np.array([[(index + coupling) % 2 for index in range(dim)] for coupling in range(COUPLINGS)]).astype("<f4")


def tensors(hidden, seed):
    rng = np.random.default_rng(seed)
    out = {
        "flow_j2s.jts_masks": masks(176),
        "flow_j2s.shape_masks": np.zeros(COUPLINGS, "<f4"),
        "flow_s2r.mask": masks(190),
    }
    for index in range(COUPLINGS):
        for name in ["jts_nett", "jts_nets"]:
            out.update(net(rng, f"flow_j2s.{name}.{index}.encoder", [0, 3, 6], 186, hidden, 176))
        for name in ["t", "s"]:
            out.update(net(rng, f"flow_s2r.{name}.{index}", [0, 3, 6], 190, hidden, 190))
    return out


def safetensors(arrays):
    header, data, offset = {}, [], 0
    for name, array in sorted(arrays.items()):
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        data.append(array.tobytes())
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the model repository to write to")
    parser.add_argument("--name", default="niki-official")
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    folder = arguments.out / arguments.name / "1"
    folder.mkdir(parents=True, exist_ok=True)
    weights = safetensors(tensors(arguments.hidden, arguments.seed))
    (folder / "weights.safetensors").write_bytes(weights)
    described = {
        "name": arguments.name,
        "version": "1",
        "architecture": "niki-twist-and-swing",
        "dims": {"couplings": COUPLINGS, "hidden": arguments.hidden},
        "precision": "float32",
        "conditioning": "heading-bones",
        "body": "smpl-29",
        "rotation_layout": "rows",
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "training": {"data": "none: random weights to measure speed with", "seed": arguments.seed},
        "evaluation": {},
    }
    (folder / "model.json").write_text(json.dumps(described, indent=2) + "\n")
    print(folder)


if __name__ == "__main__":
    main()
