"""Random people to solve: joints of the open body at rest, turned, moved and shaken. Small files, and no two people alike."""

import json
import pathlib
import random
import runpy

REST = runpy.run_path(str(pathlib.Path(__file__).resolve().parents[2] / "proto/example_client.py"))["REST"]
JOINTS = len(REST) // 3


def person(rng):
    """29 joints, metres, y up: a flat list of 87 floats."""
    values = []
    shift = [rng.uniform(-2, 2), rng.uniform(0.5, 1.5), rng.uniform(-2, 2)]
    for joint in range(JOINTS):
        for axis in range(3):
            # Rounded so that JSON, float32 and float64 mean the same number.
            values.append(round((REST[3 * joint + axis] + rng.gauss(0, 0.04) + shift[axis]) * 1024) / 1024)
    return values


def people(seed, count):
    rng = random.Random(seed)
    return [person(rng) for _ in range(count)]


def write_json_lines(path, rows):
    """A file that `sinew solve` and `sinew submit` read: one person a line."""
    with open(path, "w") as file:
        for row in rows:
            joints = [row[3 * joint : 3 * joint + 3] for joint in range(JOINTS)]
            file.write(json.dumps({"joints3d": joints, "skeleton": "smpl-29", "unit": "m", "up_axis": "y"}) + "\n")
