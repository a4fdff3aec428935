"""Converts the open body (SMPL-layout .npz, CC0) to the safetensors files that ship with SinewBody.

Run:  python tools/convert_open_body.py FOLDER_WITH_OPEN_BODY_NPZ   (numpy, safetensors)

Everything stays float32; the joint regressor and the skinning weights become sparse rows, without loss.
"""
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

OUT = Path(__file__).resolve().parents[1] / "Sources/SinewBody/Resources/bodies"


def sparse_rows(dense):
    """Row starts, columns and values of the non-zero entries, row by row."""
    rows, columns = np.nonzero(dense)
    starts = np.searchsorted(rows, np.arange(dense.shape[0] + 1)).astype(np.int32)
    return starts, columns.astype(np.int32), dense[rows, columns].astype(np.float32)


def convert(source, gender):
    body = np.load(source)
    regressor, weights = sparse_rows(body["J_regressor"]), sparse_rows(body["weights"])
    parents = body["kintree_table"][0].astype(np.int32)
    parents[0] = -1
    tensors = {
        "template": body["v_template"],
        "shape_directions": body["shapedirs"][:, :, :10],
        "joint_regressor.row_starts": regressor[0],
        "joint_regressor.columns": regressor[1],
        "joint_regressor.values": regressor[2],
        "skinning.row_starts": weights[0],
        "skinning.joints": weights[1].astype(np.uint8),
        "skinning.weights": weights[2],
        "parents": parents,
        "faces": body["f"].astype(np.uint32),
        "leaf_vertices": body["leaf_vertex_ids"].astype(np.int32),
    }
    metadata = {
        "format": "sinew-body/1",
        "name": "open",
        "gender": gender,
        "licence": "CC0-1.0",
        "source": "MakeHuman's CC0 base mesh and targets",
    }
    save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, OUT / f"{gender}.safetensors", metadata)


if __name__ == "__main__":
    for gender in ("neutral", "female", "male"):
        convert(Path(sys.argv[1]) / f"open_body_{gender}.npz", gender)
