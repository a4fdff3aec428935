"""NIKI's training terms (models.md 3.9; the numbers are the list's) and the paper's forward term with the inferred error code."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from . import conditioning, noise
from .body import forward_kinematics
from .conditioning import Conditioned
from .data import Truth
from .inn import INN
from .niki import OneStage, TwistAndSwing
from .rotations import from_rows6d, to_rows6d

MMD_ROWS = 256
"""Rows that enter a maximum mean discrepancy: its cost grows with their square."""


@dataclass
class Targets:
    """What a network should say for a conditioned batch, in that batch's heading frame."""

    rotation6d: Tensor
    swing6d: Tensor
    joints: Tensor
    rest: Tensor


def targets(truth: Truth, given: Conditioned) -> Targets:
    """Turns the truth into the heading frame of the observation."""
    back = given.heading().transpose(1, 2)

    def turned(local: Tensor) -> Tensor:
        return to_rows6d(torch.cat([(back @ local[:, 0])[:, None], local[:, 1:]], 1)).flatten(1)

    return Targets(turned(truth.local), turned(truth.swing), conditioning.turn(truth.joints, given.cos, given.sin), truth.rest)


def mmd(x: Tensor, y: Tensor) -> Tensor:
    """Maximum mean discrepancy with the kernel `sum of a^2 / (a^2 + |x-y|^2)`, a in 0.05, 0.2, 0.9, over all pairs."""
    x, y = x[:MMD_ROWS], y[:MMD_ROWS]

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        distance = ((a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T).clamp_min(0)
        return sum(s * s / (s * s + distance) for s in (0.05, 0.2, 0.9)).mean()

    return kernel(x, x) + kernel(y, y) - 2 * kernel(x, y)


def squared(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error, linear beyond an error of 1.

    Sixteen exponentials can throw a rare wild observation far off. A plain square lets that one person's gradient outweigh the whole
    batch (seen: runs that diverged after some hundred steps); 6D values lie in -1...1, so ordinary errors are not affected.
    """
    return 2 * functional.huber_loss(found, wanted, delta=1.0)


def posed(rotation6d: Tensor, rest: Tensor) -> Tensor:
    """29 joints of raw 6D output."""
    return forward_kinematics(from_rows6d(rotation6d.unflatten(1, (24, 6))), rest)[0]


def rotation_and_joint_terms(rotation6d: Tensor, wanted: Targets, prefix: str) -> dict[str, Tensor]:
    """Squared 6D error and L1 of the 29 joints."""
    return {
        f"{prefix}_rotation": squared(rotation6d, wanted.rotation6d),
        f"{prefix}_joints": (posed(rotation6d, wanted.rest) - wanted.joints).abs().mean(),
    }


def niki_terms(
    model: TwistAndSwing | OneStage, seen: Conditioned, wanted: Targets, exact: Conditioned, exact_wanted: Targets,
    generator: torch.Generator, forward_inferred: bool,
) -> dict[str, Tensor]:
    """All terms of one step: `seen` is the corrupted batch, `exact` a smaller clean one for both boundary terms."""
    rows, clean_rows = len(seen.bones), len(exact.bones)
    solved = model.inverse(torch.cat([seen.flow_input(), exact.flow_input()]), torch.cat([seen.phi, exact.phi]))
    rotation6d, latent = solved.rotation6d[:rows], solved.latent[:rows]
    terms = rotation_and_joint_terms(rotation6d, wanted, "inverse")  # 1, 5
    terms |= rotation_and_joint_terms(solved.rotation6d[rows:], exact_wanted, "boundary_inverse")  # 7, 9
    terms["boundary_latent"] = solved.latent[rows:].square().mean()  # 8
    z = noise.normal(tuple(latent[:MMD_ROWS].shape), generator)
    two = solved.swing6d is not None
    parts = [(latent[:, :32], z[:, :32])] + ([(latent[:, 32:], z[:, 32:])] if two else [])
    terms["latent_mmd"] = sum(mmd(a, b) for a, b in parts)  # 3
    terms["independence"] = mmd(
        torch.cat([wanted.rotation6d[:MMD_ROWS], parts[-1][1]], 1),
        torch.cat([rotation6d.detach()[:MMD_ROWS], parts[-1][0][:MMD_ROWS]], 1))  # 4, rotations
    if two:
        swing6d = solved.swing6d[:rows]
        terms["inverse_swing"] = squared(swing6d, wanted.swing6d)  # 2
        terms["boundary_inverse_swing"] = squared(solved.swing6d[rows:], exact_wanted.swing6d)  # 6
        terms["independence"] = terms["independence"] + mmd(
            torch.cat([wanted.swing6d[:MMD_ROWS], parts[0][1]], 1),
            torch.cat([swing6d.detach()[:MMD_ROWS], parts[0][0][:MMD_ROWS]], 1))  # 4, swings
    back = model(exact_wanted.rotation6d, rotation6d.new_zeros(clean_rows, model.latent_count))
    placed = conditioning.joints_of_bones(back.observation[:, :87].unflatten(1, (29, 3)), exact.lengths)
    terms["boundary_forward_joints"] = (placed - exact_wanted.joints).abs().mean()  # 10
    padding = back.observation[:, 116:]
    terms["boundary_padding"] = squared(padding, torch.zeros_like(padding))  # 13
    if two:
        terms["boundary_forward_swing"] = squared(back.swing6d, exact_wanted.swing6d)  # 11
        terms["boundary_forward_twist"] = squared(back.phi, exact.phi)  # 12
    if forward_inferred:
        again = model(wanted.rotation6d, latent)
        terms["forward_bones"] = (again.observation[:, :87] - seen.bones.flatten(1)).abs().mean()
        if two:
            terms["forward_twist"] = squared(again.phi, seen.phi)
    return terms


def inn_terms(model: INN, seen: Conditioned, wanted: Targets) -> dict[str, Tensor]:
    """The vanilla INN's terms, `L_inv + L_fwd` of models.md 3.9: no independence, no boundary, nothing that shapes the latent."""
    solved = model.inverse(seen.flow_input(), seen.phi)
    terms = rotation_and_joint_terms(solved.rotation6d, wanted, "inverse")
    again = model(wanted.rotation6d, solved.latent)
    terms["forward_bones"] = (again.observation[:, :87] - seen.bones.flatten(1)).abs().mean()
    terms["forward_twist"] = squared(again.phi, seen.phi)
    return terms


WEIGHTS = {
    "inverse_joints": 4.0, "boundary_inverse_joints": 2.0, "boundary_latent": 0.1, "latent_mmd": 0.1, "independence": 0.1,
    "boundary_forward_joints": 1.0, "boundary_padding": 0.3, "boundary_forward_swing": 0.3, "boundary_forward_twist": 0.3,
    "boundary_inverse_rotation": 0.5, "boundary_inverse_swing": 0.5, "forward_bones": 0.3, "forward_twist": 0.1,
}
"""Factors of the terms, 1 where not named. The published code uses 1 everywhere but 0.1 for the latent; the paper's are not public."""


ABLATIONS = {
    "independence": ["latent_mmd", "independence"],
    "inverse-boundary": ["boundary_inverse_rotation", "boundary_inverse_joints", "boundary_latent", "boundary_inverse_swing"],
    "forward-boundary": ["boundary_forward_joints", "boundary_padding", "boundary_forward_swing", "boundary_forward_twist"],
    "swing": ["inverse_swing", "boundary_inverse_swing", "boundary_forward_swing"],
    "joints": ["inverse_joints", "boundary_inverse_joints"],
}
"""What an ablated NIKI is trained without. The paper's are `independence` (L_ind), both boundaries (L_bnd), and `forward-boundary` (inverse only)."""


def total(terms: dict[str, Tensor], without: Sequence[str] = ()) -> Tensor:
    """The weighted sum of the terms, those of the ablations named in `without` left out."""
    dropped = {term for name in without for term in ABLATIONS[name]}
    return sum(WEIGHTS.get(name, 1.0) * value for name, value in terms.items() if name not in dropped)
