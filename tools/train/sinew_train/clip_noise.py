"""The noise presets on whole clips: the same marginals as `noise.detector`, with errors that live for several frames, as a detector's do.

A person's factors stay for the clip. A joint's error is half (in variance) fresh every frame and half a first-order process with a memory of
ten frames. A lost limb stays lost for an exponential time of fifteen frames on average; the share of frames stays the preset's.
"""

import math

import torch
from torch import Tensor

from .conditioning import Observations
from .noise import (
    BASE_DEVIATION, LOST_PROBABILITY, LOST_SETS, LOST_TWIST_DEVIATION, SIGMA_MAX, TWIST_DEVIATION, clean, normal, uniform)
from .skeleton import JOINT_COUNT, PARENTS, TWIST_COUNT

MEMORY = math.exp(-1 / 10)
LOST_FRAMES = 15.0


def drifting(frames: int, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """`[frames, ...]` of N(0, 1), half of the variance remembered."""
    fresh, steps = normal((frames, *shape), generator), normal((frames, *shape), generator)
    slow = [steps[0]]
    for step in steps[1:]:
        slow.append(MEMORY * slow[-1] + math.sqrt(1 - MEMORY**2) * step)
    return math.sqrt(0.5) * (fresh + torch.stack(slow))


def lost_frames(frames: int, generator: torch.Generator) -> Tensor:
    """`[frames]` number of the interval in which a limb is lost, 0 where it is not."""
    start = LOST_PROBABILITY / ((1 - LOST_PROBABILITY) * LOST_FRAMES)
    chance = torch.rand(frames, generator=generator, device=generator.device).tolist()
    numbers, current, count = [], 0, 0
    for frame, drawn in enumerate(chance):
        begins = drawn < (LOST_PROBABILITY if frame == 0 else start)
        if current and drawn < 1 / LOST_FRAMES and frame:
            current = 0
        elif not current and begins:
            count += 1
            current = count
        numbers.append(current)
    return torch.tensor(numbers, device=generator.device)


def corrupt_clip(preset: str, joints: Tensor, twists: Tensor, generator: torch.Generator) -> Observations:
    """One preset on the frames of one clip: `joints` `[T, 29, 3]`, `twists` `[T, 23]`."""
    if preset == "clean":
        return clean(joints, twists)
    frames = len(joints)
    s = BASE_DEVIATION.to(joints.device) * uniform((1,), 0.5, 1.5, generator) * uniform((JOINT_COUNT,), 0.7, 1.3, generator)
    s = s.expand(frames, -1).clone()
    drawn = drifting(frames, (JOINT_COUNT, 3), generator)
    error = [s[:, 0, None] * drawn[:, 0]]
    for j in range(1, JOINT_COUNT):
        ratio = (s[:, j] / s[:, PARENTS[j]])[:, None]
        error.append(0.6 * error[PARENTS[j]] * ratio + 0.8 * s[:, j, None] * drawn[:, j])
    noise = torch.stack(error, 1)
    deviation = torch.full((frames, TWIST_COUNT), TWIST_DEVIATION, device=joints.device)
    if preset == "occlusion":
        for members in LOST_SETS:
            number = lost_frames(frames, generator)
            kinds = int(number.max()) + 1
            own = uniform((kinds,), 0.09, 0.20, generator)[number]
            shared = normal((kinds, 3), generator)[number]
            each = drifting(frames, (len(members), 3), generator)
            gone = number > 0
            moved = own[:, None, None] * (shared[:, None] + 0.6 * each)
            noise[:, members] = torch.where(gone[:, None, None], moved, noise[:, members])
            s[:, members] = torch.where(gone[:, None], own[:, None].expand(-1, len(members)), s[:, members])
            twisted = [j - 1 for j in members if 1 <= j <= TWIST_COUNT]
            deviation[:, twisted] = torch.where(
                gone[:, None], torch.full_like(deviation[:, twisted], LOST_TWIST_DEVIATION), deviation[:, twisted])
    seen = joints + noise
    seen = seen - seen[:, :1]
    sigma = (s * uniform((frames, JOINT_COUNT), 0.7, 1.3, generator)).clamp(0, SIGMA_MAX)
    observed = torch.ones_like(sigma, dtype=torch.bool)
    return Observations(seen, sigma, observed, twists + deviation * drifting(frames, (TWIST_COUNT,), generator), observed[:, 0].clone())
