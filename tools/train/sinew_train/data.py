"""Clips in AMASS's `.npz` layout, the split, and the endless sampler of true poses with shape, yaw and mirroring."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import noise
from .body import JointTable, forward_kinematics
from .hybrik import decompose
from .rotations import about_y, from_axis_angle, from_rows6d, to_rows6d
from .skeleton import LIMBS, MIRROR, ROTATION_COUNT

SPLITS = Path(__file__).resolve().parents[1] / "splits"


@dataclass
class Truth:
    """True poses: `local` and `swing` `[B, 24, 3, 3]`, `twists` `[B, 23]`, `betas` `[B, 10]`, `rest` and pelvis-relative `joints` `[B, 29, 3]`."""

    local: Tensor
    swing: Tensor
    twists: Tensor
    betas: Tensor
    rest: Tensor
    joints: Tensor

    def rows(self, index: slice) -> "Truth":
        return Truth(*(value[index] for value in vars(self).values()))


def split_names(split: str, part: str) -> list[str]:
    """Clip names (without `.npz`) of `train` or `validation` in `splits/<split>.json`."""
    return json.loads((SPLITS / f"{split}.json").read_text())[part]


def load_clips(folder: Path, names: list[str], fps: float = 30, up: str = "y") -> Tensor:
    """Local rotations `[frames, 24, 3, 3]` of all clips, float32.

    Takes SMPL (72 values) and SMPL-H (156 values, whose finger joints are dropped and hands set to rest). Faster clips are thinned by
    an integer step to about `fps`. `up="z"` turns AMASS's z-up world to y-up.
    """
    clips = []
    for name in names:
        path = folder / f"{name}.npz"
        if not path.is_file():
            raise SystemExit(f"{path}: no such clip. The split file names it; check --clips and the split.")
        with np.load(path, allow_pickle=False) as file:
            poses = np.asarray(file["poses"], dtype=np.float32)
            rate = float(file["mocap_framerate"]) if "mocap_framerate" in file else fps
        if poses.ndim != 2 or poses.shape[1] < 66:
            raise SystemExit(f"{path}: poses has shape {poses.shape}, expected (T, 72) or (T, 156).")
        poses = poses[:: max(1, round(rate / fps))]
        if poses.shape[1] != 72:
            poses = np.concatenate([poses[:, :66], np.zeros((len(poses), 6), np.float32)], 1)
        clips.append(poses)
    local = from_axis_angle(torch.from_numpy(np.concatenate(clips)).unflatten(1, (ROTATION_COUNT, 3)))
    if up == "z":
        to_y_up = torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
        local[:, 0] = to_y_up @ local[:, 0]
    return local


def truth_of(local: Tensor, betas: Tensor, table: JointTable) -> Truth:
    """Joints, swings and twists of given rotations and shapes."""
    rest = table.rest(betas)
    joints, _ = forward_kinematics(local, rest)
    swing, twists = decompose(local, rest)
    return Truth(local, swing, twists, betas, rest, joints)


def clips_of(names: list[str], folder: Path, table: JointTable, generator: torch.Generator, frames_max: int) -> list[Truth]:
    """The first frames of each clip, one shape N(0, I) for each."""
    found = []
    for name in names:
        local = load_clips(folder, [name])[:frames_max]
        betas = noise.normal((1, 10), generator).expand(len(local), -1)
        found.append(truth_of(local, betas, table))
    return found


class PoseSampler:
    """Draws true poses: a random frame, mirrored half of the time, uniform yaw, beta ~ N(0, I).

    With probability `recombine` each limb of a person may come from another frame; with probability `jitter` every joint is turned by a
    further N(0, 0.15 rad), which widens the data around real poses. With probability `blend` the joints below the pelvis stand anywhere
    between those of two frames. `device` holds everything.
    """

    def __init__(
        self, local: Tensor, table: JointTable, mirror: bool = True, recombine: float = 0.0, jitter: float = 0.0, blend: float = 0.0,
    ):
        self.local, self.table = local, table
        self.mirror, self.recombine, self.jitter, self.blend = mirror, recombine, jitter, blend

    def draw(self, count: int, generator: torch.Generator) -> Truth:
        local = self.poses(count, generator)
        return truth_of(local, noise.normal((count, 10), generator), self.table)

    def poses(self, count: int, generator: torch.Generator) -> Tensor:
        """Local rotations `[count, 24, 3, 3]`."""
        device = generator.device
        local = self._frames(count, generator)
        if self.recombine:
            other = self._frames(count, generator)
            chosen = torch.rand(count, generator=generator, device=device) < self.recombine
            for joints in LIMBS.values():
                swap = chosen & (torch.rand(count, generator=generator, device=device) < 0.5)
                local[:, joints] = torch.where(swap[:, None, None, None], other[:, joints], local[:, joints])
        if self.blend:
            other = self._frames(count, generator)
            chosen = torch.rand(count, generator=generator, device=device) < self.blend
            share = torch.rand(count, generator=generator, device=device) * chosen
            mixed = torch.lerp(to_rows6d(local[:, 1:]), to_rows6d(other[:, 1:]), share[:, None, None])
            local[:, 1:] = from_rows6d(mixed)
        if self.jitter:
            chosen = torch.rand((count, 1, 1), generator=generator, device=device) < self.jitter
            turn = 0.15 * chosen * noise.normal((count, ROTATION_COUNT, 3), generator)
            local = from_axis_angle(turn) @ local
        yaw = noise.uniform((count,), -math.pi, math.pi, generator)
        local[:, 0] = about_y(yaw.cos(), yaw.sin()) @ local[:, 0]
        return local

    def _frames(self, count: int, generator: torch.Generator) -> Tensor:
        device = generator.device
        local = self.local[torch.randint(len(self.local), (count,), generator=generator, device=device)]
        if not self.mirror:
            return local
        flip = torch.tensor([-1.0, 1, 1], device=device)
        mirrored = (flip[:, None] * local * flip)[:, MIRROR[:ROTATION_COUNT]]
        chosen = torch.rand(count, generator=generator, device=device) < 0.5
        return torch.where(chosen[:, None, None, None], mirrored, local)
