"""What the networks see in training: a mixture wider than the evaluation presets, with missing joints and twists."""

import math

import torch
from torch import Tensor

from . import noise
from .conditioning import Observations
from .skeleton import JOINT_COUNT, MIRROR, TWIST_COUNT

# Image-free noise of the published code, standard deviations in metres (models.md 3.12).
IMAGE_FREE = torch.tensor(
    [3, 15, 15, 15, 40, 40, 40, 65, 65, 40] + [65] * 10 + [80] * 5 + [120, 120, 80, 80]) / 1000
AXIS_RATIO = torch.tensor([0.3, 0.4, 0.6])
FLIP_PROBABILITY = 0.001


def image_free(joints: Tensor, twists: Tensor, generator: torch.Generator) -> Observations:
    """The published image-free model with its faults mended: normal (not uniform) draws for the confidence, twist noise of 10 degrees.

    The camera looks along z, so depth (z) is the noisiest axis. Joints outside the crop are put back inside its border. The published
    per-joint confidence statistics are not public; sigma is the joint's true deviation times a log-normal factor.
    """
    count, device = len(joints), joints.device
    ratio = AXIS_RATIO.to(device) + noise.uniform((count, 1, 3), -0.05, 0.05, generator)
    deviation = IMAGE_FREE.to(device) * (0.5 + noise.uniform((count, JOINT_COUNT), 0, 1, generator))
    seen = joints.clone()
    flipped = torch.rand(count, generator=generator, device=device) < FLIP_PROBABILITY
    seen = torch.where(flipped[:, None, None], seen[:, MIRROR], seen)
    seen = seen + deviation[..., None] * ratio * noise.normal((count, JOINT_COUNT, 3), generator)
    scale = noise.uniform((count, 1, 2), 0.95, 1.05, generator)
    plane = seen[..., :2] * scale
    # Weak-perspective crop, half side 1: scale and offset as published, the scale kept away from zero.
    zoom = (0.85 + 0.36 * noise.normal((count, 1, 1), generator)).clamp_min(0.4)
    shift = torch.tensor([0.05, 0.12], device=device) + torch.tensor([0.12, 0.25], device=device) * noise.normal((count, 1, 2), generator)
    crop = plane * zoom + shift
    inside = 1 - 0.6 * torch.rand(crop.shape, generator=generator, device=device)
    outside = crop.abs() > 1
    plane = torch.where(outside, (crop.sign() * inside - shift) / zoom, plane)
    moved = (torch.where(outside, crop - crop.sign() * inside, torch.zeros_like(crop)) / zoom).norm(dim=-1)
    seen = torch.cat([plane, seen[..., 2:]], -1)
    seen = seen - seen[:, :1]
    spread = (deviation * 0.45 + 0.5 * moved) * (0.3 * noise.normal((count, JOINT_COUNT), generator)).exp()
    observed = torch.ones((count, JOINT_COUNT), dtype=torch.bool, device=device)
    turned = twists + math.radians(10) * noise.normal((count, TWIST_COUNT), generator)
    return Observations(seen, spread.clamp(0, noise.SIGMA_MAX), observed, turned, observed[:, 0].clone())


def training_mixture(joints: Tensor, twists: Tensor, generator: torch.Generator) -> Observations:
    """One observation per person: clean, detector noise at many levels, lost limbs, image-free noise; some joints and twists unknown."""
    count, device = len(joints), joints.device

    def draw() -> Tensor:
        return torch.rand(count, generator=generator, device=device)

    exact = draw() < 0.15
    level = torch.where(draw() < 0.6, torch.ones(count, device=device), 0.1 + 1.2 * draw())
    lost = torch.where(draw() < 0.5, torch.zeros(count, device=device),
                       torch.where(draw() < 0.7, torch.full((count,), noise.LOST_PROBABILITY, device=device), 0.35 * draw()))
    seen = noise.detector(joints, twists, level, lost, generator)
    _replace(seen, exact, noise.clean(joints, twists))
    plain = torch.where(draw() < 0.5, torch.full((count,), 0.02, device=device), 0.04 * draw())
    seen.sigma = torch.where(exact[:, None], plain[:, None].expand_as(seen.sigma), seen.sigma)
    _replace(seen, draw() < 0.1, image_free(joints, twists, generator))
    seen.observed = _observed(count, generator)
    seen.has_twists = draw() >= 0.25
    return seen


def _replace(seen: Observations, chosen: Tensor, other: Observations) -> None:
    seen.joints = torch.where(chosen[:, None, None], other.joints, seen.joints)
    seen.sigma = torch.where(chosen[:, None], other.sigma, seen.sigma)
    seen.twists = torch.where(chosen[:, None], other.twists, seen.twists)


def _observed(count: int, generator: torch.Generator) -> Tensor:
    """One person in four misses joints: the leaves, whole limbs, or single joints; never all of the trunk."""
    device = generator.device
    missing = torch.zeros((count, JOINT_COUNT), dtype=torch.bool, device=device)
    missing[:, 24:] |= torch.rand((count, 1), generator=generator, device=device) < 0.4
    for members in noise.LOST_SETS:
        missing[:, members] |= torch.rand((count, 1), generator=generator, device=device) < 0.12
    missing |= torch.rand((count, JOINT_COUNT), generator=generator, device=device) < 0.03
    missing[:, 9] = False
    chosen = torch.rand((count, 1), generator=generator, device=device) < 0.25
    return ~(missing & chosen)
