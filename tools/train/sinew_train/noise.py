"""The three presets that accuracy is reported on, clean, standard and occlusion. Metres and radians; every draw comes from the generator."""

import torch
from torch import Tensor

from .conditioning import Observations
from .skeleton import JOINT_COUNT, PARENTS, TWIST_COUNT

PRESETS = ["clean", "standard", "occlusion"]
BASE_DEVIATION = torch.tensor([
    5, 10, 10, 10, 18, 18, 12, 25, 25, 14, 30, 30, 16, 14, 14, 20, 16, 16, 22, 22, 30, 30, 36, 36, 26, 45, 45, 36, 36,
]) / 1000
LOST_SETS = [
    [4, 7, 10, 27], [5, 8, 11, 28], [18, 20, 22, 25], [19, 21, 23, 26], [16, 18, 20, 22, 25], [17, 19, 21, 23, 26],
    [1, 4, 7, 10, 27], [2, 5, 8, 11, 28], [7, 10, 27, 8, 11, 28, 4, 5], [15, 24, 12],
]
LOST_PROBABILITY = 0.16
TWIST_DEVIATION, LOST_TWIST_DEVIATION = 0.12, 0.8
SIGMA_MAX = 0.4


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    """U(low, high) on the generator's device."""
    return torch.rand(shape, generator=generator, device=generator.device) * (high - low) + low


def normal(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """N(0, 1) on the generator's device."""
    return torch.randn(shape, generator=generator, device=generator.device)


def clean(joints: Tensor, twists: Tensor) -> Observations:
    """Exact joints and twists, sigma 0.02 everywhere."""
    return _whole(joints, torch.full_like(joints[..., 0], 0.02), twists)


def corrupt(preset: str, joints: Tensor, twists: Tensor, generator: torch.Generator) -> Observations:
    """One of the presets on exact `joints` `[B, 29, 3]` and `twists` `[B, 23]`."""
    if preset == "clean":
        return clean(joints, twists)
    one = torch.ones(len(joints), device=joints.device)
    lost = LOST_PROBABILITY if preset == "occlusion" else 0.0
    return detector(joints, twists, one, torch.full_like(one, lost), generator)


def detector(joints: Tensor, twists: Tensor, level: Tensor, lost: Tensor, generator: torch.Generator) -> Observations:
    """`standard` with the deviations times `level` `[B]`, then each limb lost with the person's probability `lost` `[B]`."""
    count = len(joints)
    base = BASE_DEVIATION.to(joints.device)
    s = base * uniform((count, 1), 0.5, 1.5, generator) * uniform((count, JOINT_COUNT), 0.7, 1.3, generator)
    s = s * level[:, None]
    drawn = normal((count, JOINT_COUNT, 3), generator)
    error = [s[:, 0, None] * drawn[:, 0]]
    relative = s / s[:, [max(parent, 0) for parent in PARENTS]].clamp_min(1e-9)
    for j in range(1, JOINT_COUNT):
        error.append(0.6 * error[PARENTS[j]] * relative[:, j, None] + 0.8 * s[:, j, None] * drawn[:, j])
    noise = torch.stack(error, 1)
    twist_deviation = (TWIST_DEVIATION * level)[:, None].repeat(1, TWIST_COUNT)
    if bool((lost > 0).any()):
        for members in LOST_SETS:
            gone = torch.rand(count, generator=generator, device=joints.device) < lost
            own = uniform((count, 1), 0.09, 0.20, generator)
            shared = own * normal((count, 3), generator)
            each = normal((count, len(members), 3), generator)
            moved = shared[:, None] + 0.6 * own[..., None] * each
            noise[:, members] = torch.where(gone[:, None, None], moved, noise[:, members])
            s[:, members] = torch.where(gone[:, None], own.expand(-1, len(members)), s[:, members])
            twisted = [j - 1 for j in members if 1 <= j <= TWIST_COUNT]
            wide = torch.full_like(twist_deviation[:, twisted], LOST_TWIST_DEVIATION)
            twist_deviation[:, twisted] = torch.where(gone[:, None], wide, twist_deviation[:, twisted])
    seen = joints + noise
    seen = seen - seen[:, :1]
    sigma = (s * uniform((count, JOINT_COUNT), 0.7, 1.3, generator)).clamp(0, SIGMA_MAX)
    return _whole(seen, sigma, twists + twist_deviation * normal((count, TWIST_COUNT), generator))


def _whole(joints: Tensor, sigma: Tensor, twists: Tensor) -> Observations:
    observed = torch.ones_like(joints[..., 0], dtype=torch.bool)
    return Observations(joints, sigma, observed, twists, torch.ones_like(observed[:, 0]))
