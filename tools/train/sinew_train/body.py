"""The open body's joint table, rest skeleton and forward kinematics. Units: metres; frame: model (y up, +z front, +x left)."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from .skeleton import JOINT_COUNT, LEVELS, PARENTS, ROTATION_COUNT

REPOSITORY = Path(__file__).resolve().parents[3]
BODIES = REPOSITORY / "Sources" / "SinewBody" / "Resources" / "bodies"


def data_root() -> Path:
    """Where `cmu24/` lies: `$SINEW_DATA`, or `../shared/data` beside the repository."""
    given = os.environ.get("SINEW_DATA")
    root = Path(given) if given else REPOSITORY.parent / "shared" / "data"
    if not root.is_dir():
        raise SystemExit(f"{root}: no such folder. Set SINEW_DATA to the folder that holds cmu24/, or pass --clips.")
    return root


@dataclass
class JointTable:
    """`rest(beta) = base + directions . beta`: 24 regressed joints and 5 leaf vertices of the shaped, unposed body.

    `base` is `[29, 3]`, `directions` `[29, 3, 10]`. The regressor is linear, so this equals regressing from the shaped mesh.
    """

    base: Tensor
    directions: Tensor

    @staticmethod
    def load(path: Path | None = None, gender: str = "neutral", dtype=torch.float32, device="cpu") -> "JointTable":
        """The bundled open body of `gender`, or an SMPL-layout `.npz` with `leaf_vertex_ids`. The sums run in float64."""
        regressor, template, shapes, leaves = _read_npz(path) if path else _read_bundled(BODIES / f"{gender}.safetensors")
        base = np.concatenate([regressor @ template, template[leaves]])
        directions = np.concatenate([np.einsum("jv,vxb->jxb", regressor, shapes), shapes[leaves]])
        return JointTable(torch.tensor(base, dtype=dtype, device=device), torch.tensor(directions, dtype=dtype, device=device))

    def rest(self, betas: Tensor) -> Tensor:
        """`betas` `[B, 10]` to rest joints `[B, 29, 3]`."""
        return self.base + torch.einsum("jxb,nb->njx", self.directions, betas)


def _read_bundled(path: Path) -> tuple[np.ndarray, ...]:
    """Dense regressor `[24, V]`, template, ten shape directions and leaf vertices of a `sinew-body/1` file."""
    tensors = {key: value.numpy() for key, value in load_file(path).items()}
    starts, columns = tensors["joint_regressor.row_starts"], tensors["joint_regressor.columns"]
    regressor = np.zeros((len(starts) - 1, len(tensors["template"])))
    for row, (start, end) in enumerate(zip(starts, starts[1:])):
        regressor[row, columns[start:end]] = tensors["joint_regressor.values"][start:end]
    return (
        regressor, tensors["template"].astype(np.float64), tensors["shape_directions"].astype(np.float64),
        tensors["leaf_vertices"])


def _read_npz(path: Path) -> tuple[np.ndarray, ...]:
    with np.load(path, allow_pickle=False) as file:
        return (
            file["J_regressor"].astype(np.float64), file["v_template"].astype(np.float64),
            file["shapedirs"].astype(np.float64)[:, :, :10], file["leaf_vertex_ids"])


def _ancestry() -> Tensor:
    table = torch.zeros(JOINT_COUNT, JOINT_COUNT)
    for joint in range(JOINT_COUNT):
        at = joint
        while at >= 0:
            table[joint, at] = 1
            at = PARENTS[at]
    return table


_ANCESTRY = _ancestry()
_ORDER = [0] + [joint for level in LEVELS for joint in level]
_BACK = [_ORDER.index(joint) for joint in range(ROTATION_COUNT)]


def rest_offsets(rest: Tensor) -> Tensor:
    """Bone vectors `rest_j - rest_parent`, `[B, 29, 3]` or `[B, 24, 3]` as `rest`; row 0 is zero."""
    offsets = rest - rest[:, [max(parent, 0) for parent in PARENTS[: rest.shape[1]]]]
    return offsets


def forward_kinematics(local: Tensor, rest: Tensor) -> tuple[Tensor, Tensor]:
    """Poses the skeleton; the five leaves move rigidly with their parent joint.

    - `local` `[B, 24, 3, 3]`, `rest` `[B, 29, 3]` -> joints `[B, 29, 3]` relative to the pelvis, global rotations `[B, 24, 3, 3]`.
      A `rest` without the leaves, `[B, 24, 3]`, gives 24 joints.
    """
    globals_ = [local[:, :1]]
    known = {0: (0, 0)}
    for depth, level in enumerate(LEVELS, start=1):
        parents = [known[PARENTS[joint]] for joint in level]
        above = globals_[depth - 1][:, [slot for _, slot in parents]]
        globals_.append(above @ local[:, level])
        known.update({joint: (depth, slot) for slot, joint in enumerate(level)})
    rotations = torch.cat(globals_, 1)[:, _BACK]
    count = rest.shape[1]
    steps = (rotations[:, PARENTS[1:count]] @ rest_offsets(rest)[:, 1:, :, None])[..., 0]
    ancestry = _ANCESTRY[:count, 1:count].to(steps)
    return torch.einsum("ja,nax->njx", ancestry, steps), rotations

