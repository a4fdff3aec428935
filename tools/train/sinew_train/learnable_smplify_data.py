"""Pairs of a start pose and a later, noisy observation of the same person: what Learnable SMPLify is trained on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from . import corruption, hybrik, noise
from .body import BODIES, JointTable, forward_kinematics
from .conditioning import Observations
from .rotations import from_axis_angle
from .skeleton import MIRROR, ROTATION_COUNT

STRIDES = torch.tensor([1, 3, 5, 7, 9])
VERTEX_COUNT = 256


@dataclass
class Skin:
    """Some vertices spread over the body: `template` `[V, 3]`, `directions` `[V, 3, 10]`, `weights` `[V, 24]`."""

    template: Tensor
    directions: Tensor
    weights: Tensor

    @staticmethod
    def load(path: Path = BODIES / "neutral.safetensors", count: int = VERTEX_COUNT, device: str = "cpu") -> "Skin":
        t = load_file(path)
        chosen = np.linspace(0, len(t["template"]) - 1, count).astype(int)
        starts = t["skinning.row_starts"].tolist()
        weights = torch.zeros(count, ROTATION_COUNT)
        for row, vertex in enumerate(chosen):
            part = slice(starts[vertex], starts[vertex + 1])
            weights[row, t["skinning.joints"][part].long()] = t["skinning.weights"][part]
        return Skin(t["template"][chosen].to(device), t["shape_directions"][chosen].to(device), weights.to(device))

    def shaped(self, betas: Tensor) -> Tensor:
        """`[B, V, 3]` at rest."""
        return self.template + torch.einsum("vxb,nb->nvx", self.directions, betas)

    def posed(self, shaped: Tensor, rest: Tensor, joints: Tensor, globals_: Tensor) -> Tensor:
        """`[B, V, 3]` relative to the pelvis. `joints` and `globals_` as forward kinematics gives them."""
        moved = joints[:, :ROTATION_COUNT] - (globals_ @ rest[:, :ROTATION_COUNT, :, None])[..., 0]
        whole = torch.cat([globals_, moved[..., None]], -1).flatten(2)  # B 24 12
        blended = (self.weights @ whole).unflatten(-1, (3, 4))
        return (blended[..., :3] @ shaped[..., None])[..., 0] + blended[..., 3]


def mirrored(local: Tensor) -> Tensor:
    """The pose of the person in the mirror."""
    flip = torch.tensor([-1.0, 1, 1], device=local.device)
    return (flip[:, None] * local * flip)[:, MIRROR[:ROTATION_COUNT]]


@dataclass
class Pair:
    """`start` and `local` (the truth of the target) `[B, 24, 3, 3]`, `betas`, `rest`, what was `seen`, true pelvis-relative `joints`."""

    start: Tensor
    local: Tensor
    betas: Tensor
    rest: Tensor
    seen: Observations
    joints: Tensor


class RolloutSampler:
    """A batch of people that walk through clips, forwards or backwards.

    The network's own answer is the next start, as it will be in use, so errors that pile up are part of the training at no cost. With
    probability `restart` a person begins anew somewhere else: from the true pose a stride away, disturbed, or from analytic IK.
    """

    def __init__(self, clips: list[Tensor], table: JointTable, count: int, generator: torch.Generator, restart: float = 0.35):
        self.local = torch.cat(clips)
        ends = torch.tensor([len(clip) for clip in clips], device=self.local.device).cumsum(0)
        lengths = torch.tensor([len(clip) for clip in clips], device=self.local.device)
        self.first = torch.repeat_interleave(ends - lengths, lengths)
        self.last = torch.repeat_interleave(ends - 1, lengths)
        self.table, self.count, self.generator, self.restart = table, count, generator, restart
        device = self.local.device
        self.at = torch.zeros(count, dtype=torch.long, device=device)
        self.direction = torch.ones(count, dtype=torch.long, device=device)
        self.flipped = torch.zeros(count, dtype=torch.bool, device=device)
        self.betas = torch.zeros(count, 10, device=device)
        self.pose: Tensor | None = None

    def _rand(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.generator, device=self.local.device)

    def _frames(self, index: Tensor) -> Tensor:
        local = self.local[index]
        return torch.where(self.flipped[:, None, None, None], mirrored(local), local)

    def draw(self) -> Pair:
        fresh = torch.ones(self.count, dtype=torch.bool, device=self.local.device) if self.pose is None else self._rand(self.count) < self.restart
        stride = STRIDES.to(self.local.device)[torch.randint(5, (self.count,), generator=self.generator, device=self.local.device)]
        stride = torch.where(self._rand(self.count) < 0.1, torch.zeros_like(stride), stride)
        after = self.at + self.direction * stride
        fresh |= (after < self.first[self.at]) | (after > self.last[self.at])
        begin = torch.randint(len(self.local), (self.count,), generator=self.generator, device=self.local.device)
        self.at = torch.where(fresh, begin, self.at)
        self.direction = torch.where(fresh, torch.where(self._rand(self.count) < 0.5, 1, -1), self.direction)
        self.flipped = torch.where(fresh, self._rand(self.count) < 0.5, self.flipped)
        self.betas = torch.where(fresh[:, None], noise.normal((self.count, 10), self.generator), self.betas)
        before = self._frames(self.at)
        self.at = (self.at + self.direction * stride).clamp(self.first[self.at], self.last[self.at])
        local = self._frames(self.at)
        rest = self.table.rest(self.betas)
        joints, _ = forward_kinematics(local, rest)
        _, twists = hybrik.decompose(local, rest)
        seen = corruption.training_mixture(joints, twists, self.generator)
        start = self._fresh_start(before, rest, seen)
        if self.pose is not None:
            start = torch.where(fresh[:, None, None, None], start, self.pose)
        return Pair(start, local, self.betas.clone(), rest, seen, joints)

    def _fresh_start(self, before: Tensor, rest: Tensor, seen: Observations) -> Tensor:
        """The pose a stride away turned by up to 0.2 rad per joint, or for one in four analytic IK of the observation itself."""
        level = 0.2 * self._rand(self.count, 1, 1) * (self._rand(self.count, 1, 1) < 0.7)
        start = from_axis_angle(level * noise.normal((self.count, ROTATION_COUNT, 3), self.generator)) @ before
        chosen = self._rand(self.count) < 0.25
        twists = torch.where((self._rand(self.count, 1) < 0.5), seen.twists, torch.zeros_like(seen.twists))
        rows = chosen.nonzero()[:, 0]
        if len(rows):
            start[rows] = hybrik.solve_adaptive(seen.joints[rows], rest[rows], twists[rows])
        return start

    def advance(self, solved: Tensor) -> None:
        """Takes the network's answers as the next starts."""
        self.pose = solved.detach()

    def state(self) -> dict[str, Tensor]:
        return {"at": self.at, "direction": self.direction, "flipped": self.flipped, "betas": self.betas, "pose": self.pose}

    def restore(self, state: dict[str, Tensor]) -> None:
        self.at, self.direction, self.flipped = state["at"], state["direction"], state["flipped"]
        self.betas, self.pose = state["betas"], state["pose"]
