"""The open body in numpy: shape, forward kinematics and skinning, written from the definitions and not from the Swift code."""

import json
import pathlib
import struct

import numpy as np

BODIES = pathlib.Path(__file__).parents[3] / "Sources/SinewBody/Resources/bodies"
TYPES = {"F32": np.float32, "I32": np.int32, "U32": np.uint32, "U8": np.uint8}


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        first, end = (8 + length + offset for offset in entry["data_offsets"])
        arrays[name] = np.frombuffer(data[first:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def matrices(vectors):
    """Rotation matrices of rotation vectors (Rodrigues), [..., 3] to [..., 3, 3]."""
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    axis = vectors / np.maximum(angle[..., 0], 1e-12)
    zero = np.zeros(axis.shape[:-1])
    cross = np.stack(
        [zero, -axis[..., 2], axis[..., 1], axis[..., 2], zero, -axis[..., 0], -axis[..., 1], axis[..., 0], zero], -1
    ).reshape(axis.shape[:-1] + (3, 3))
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)


class Body:
    LEAF_PARENTS = (15, 22, 23, 10, 11)

    def __init__(self, gender):
        arrays = read_safetensors(BODIES / f"{gender}.safetensors")
        self.template = arrays["template"].astype(float)
        self.directions = arrays["shape_directions"].astype(float)
        self.faces = arrays["faces"]
        self.parents = arrays["parents"].tolist()
        self.leaves = arrays["leaf_vertices"]
        self.regressor = self._dense(
            arrays["joint_regressor.row_starts"], arrays["joint_regressor.columns"], arrays["joint_regressor.values"],
            len(self.template))
        self.weights = self._dense(
            arrays["skinning.row_starts"], arrays["skinning.joints"], arrays["skinning.weights"], 24)

    @staticmethod
    def _dense(starts, columns, values, width):
        matrix = np.zeros((len(starts) - 1, width))
        rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        matrix[rows, columns] = values
        return matrix

    def shaped(self, betas):
        return self.template + self.directions @ np.asarray(betas, float)

    def rest_joints(self, betas):
        """The 29 joints at rest: 24 regressed and five vertices."""
        vertices = self.shaped(betas)
        return np.concatenate([self.regressor @ vertices, vertices[self.leaves]])

    def transforms(self, theta, betas):
        """World rotations [24, 3, 3] and joint positions [24, 3] of one pose [72] before translation."""
        rest, local = self.rest_joints(betas), matrices(np.asarray(theta, float).reshape(24, 3))
        turned, placed = [], []
        for joint, parent in enumerate(self.parents):
            if parent < 0:
                turned.append(local[joint])
                placed.append(rest[joint])
            else:
                turned.append(turned[parent] @ local[joint])
                placed.append(placed[parent] + turned[parent] @ (rest[joint] - rest[parent]))
        return np.array(turned), np.array(placed)

    def joints(self, theta, betas, translation):
        """The 29 joints of one pose; leaves move with their parents."""
        rest = self.rest_joints(betas)
        turned, placed = self.transforms(theta, betas)
        leaves = [
            placed[parent] + turned[parent] @ (rest[24 + leaf] - rest[parent])
            for leaf, parent in enumerate(self.LEAF_PARENTS)
        ]
        return np.concatenate([placed, leaves]) + translation

    def skinned(self, theta, betas, translation):
        """Vertices by linear blend skinning with all weights."""
        rest, vertices = self.rest_joints(betas), self.shaped(betas)
        turned, placed = self.transforms(theta, betas)
        moved = np.einsum("jab,vjb->vja", turned, vertices[:, None] - rest[:24]) + placed
        return np.einsum("vj,vja->va", self.weights, moved) + translation
