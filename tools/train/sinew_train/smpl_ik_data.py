"""True poses of three genders and the fit of the heading tables to them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from . import effectors, noise
from .body import JointTable, forward_kinematics
from .data import PoseSampler
from .effectors import GENDERS, EffectorSet
from .smpl_ik_conditioning import HeadingTables, body_scale, reference_of


@dataclass
class Pose:
    """`local`, `world` `[B, 24, 3, 3]`; `joints` `[B, 24, 3]` with the pelvis at `rest_0` (transl = 0); `betas`, `genders`, `rest` `[B, 24, 3]`."""

    local: Tensor
    world: Tensor
    joints: Tensor
    betas: Tensor
    genders: Tensor
    rest: Tensor

    def effectors(self, group_size: int, generator: torch.Generator) -> EffectorSet:
        """The published random draw."""
        return effectors.draw(self.joints, self.world, self.betas, self.genders, self.rest, group_size, generator)

    def six_points(self) -> EffectorSet:
        """The fixed protocol."""
        return effectors.six_points(self.joints, self.betas, self.genders, self.rest)


class GenderedPoseSampler:
    """Frames of a `PoseSampler` on the male, female and neutral body in equal parts, beta ~ N(0, I)."""

    def __init__(self, frames: PoseSampler, bodies: list[JointTable]):
        self.frames = frames
        self.base = torch.stack([body.base for body in bodies])
        self.directions = torch.stack([body.directions for body in bodies])

    @staticmethod
    def bundled(frames: PoseSampler, device: str = "cpu") -> "GenderedPoseSampler":
        return GenderedPoseSampler(frames, [JointTable.load(gender=name, device=device) for name in GENDERS])

    def draw(self, count: int, generator: torch.Generator) -> Pose:
        local = self.frames.poses(count, generator)
        betas = noise.normal((count, 10), generator)
        genders = torch.randint(3, (count,), generator=generator, device=generator.device)
        rest = self.base[genders] + torch.einsum("njxb,nb->njx", self.directions[genders], betas)
        joints, world = forward_kinematics(local, rest)
        return Pose(local, world, joints[:, :24] + rest[:, :1], betas, genders, rest[:, :24])


def true_heading(pose: Pose) -> Tensor:
    """(cos, sin) of the pelvis's turn about the vertical, `[B, 2]`: the rotation about y that is nearest to its rotation."""
    pelvis = pose.world[:, 0]
    turn = torch.stack([pelvis[:, 0, 0] + pelvis[:, 2, 2], pelvis[:, 0, 2] - pelvis[:, 2, 0]], -1)
    return turn / turn.norm(dim=-1, keepdim=True).clamp_min(1e-9)


def fit_heading(tables: HeadingTables, sampler: GenderedPoseSampler, generator: torch.Generator, steps: int, batch: int = 512) -> float:
    """Fits the tables by gradient descent on 1 - cos of the heading's error; returns the mean of the last tenth.

    The scale of the tables is free (only the direction of the sum counts), so Adam's size of step sets it.
    """
    parameters = [p.requires_grad_(True) for p in tables.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=0.02, betas=(0.9, 0.98))
    late = []
    for step in range(steps):
        pose = sampler.draw(batch, generator)
        given = pose.effectors(32, generator)
        found = tables.evidence(given, reference_of(given), body_scale(given.rest))
        cosine = (found * true_heading(pose)).sum(-1) / found.norm(dim=-1).clamp_min(1e-6)
        loss = (1 - cosine).mean()
        optimiser.zero_grad()
        loss.backward()
        for group in optimiser.param_groups:
            group["lr"] = 0.02 * min(1.0, 2 * (1 - step / steps))
        optimiser.step()
        with torch.no_grad():
            # Swapping two joints swaps the vector between them, so only the antisymmetric part means anything.
            tables.pairs.copy_((tables.pairs - tables.pairs.transpose(0, 1)) / 2)
        if step >= steps - max(1, steps // 10):
            late.append(float(loss.detach()))
    for parameter in parameters:
        parameter.requires_grad_(False)
        parameter.grad = None
    return sum(late) / len(late)
