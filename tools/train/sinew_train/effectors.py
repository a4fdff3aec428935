"""Sets of effectors (position, rotation, look-at) of many people, and the published random draw of them (models.md 5.1, 5.6)."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from . import noise
from .rotations import to_rows6d

POSITION, ROTATION, LOOK_AT = 0, 1, 2
MALE, FEMALE, NEUTRAL = 0, 1, 2
"""Gender codes of the network's input; not the order of the bundled bodies' names."""

GENDERS = ["male", "female", "neutral"]
EFFECTORS_MIN, EFFECTORS_MAX = 3, 16
POSITIONS_MIN = 3
TOLERANCE_MAX, TOLERANCE_POWER = 0.1, 13
SIX_POINTS = [0, 12, 20, 21, 7, 8]
"""The fixed protocol: pelvis, neck, wrists, ankles."""


@dataclass
class EffectorSet:
    """Rows of all people one after the other; nothing is padded.

    - `groups`: `[(people, effectors per person)]` in row order, so that sums over a person are a view and a sum. Ragged sets have one
      person per group.
    - `kind`, `joint` `[M]` int64; `values` `[M, 6]`: position xyz and zeros | world rotation, rows 6D | target xyz and the unit
      direction in the joint's local frame; metres, world frame. `tolerance` (metres, radians), `weight` `[M]`.
    - `betas` `[B, 10]`, `genders` `[B]` int64, `rest` `[B, 24, 3]`.
    """

    groups: list[tuple[int, int]]
    kind: Tensor
    joint: Tensor
    values: Tensor
    tolerance: Tensor
    weight: Tensor
    betas: Tensor
    genders: Tensor
    rest: Tensor

    def double(self) -> "EffectorSet":
        return EffectorSet(**{k: v.double() if torch.is_tensor(v) and v.is_floating_point() else v for k, v in vars(self).items()})

    def on_next_bodies(self, changed: Tensor) -> "EffectorSet":
        """The same effectors for other bodies: where `changed` `[B]` holds, the next person's shape and gender."""
        def of_next(values: Tensor) -> Tensor:
            return torch.where(changed.view(-1, *[1] * (values.ndim - 1)), values.roll(-1, 0), values)

        return replace(self, betas=of_next(self.betas), genders=of_next(self.genders), rest=of_next(self.rest))

    def person(self) -> Tensor:
        """The person of each row, `[M]`."""
        counts = torch.cat([torch.full((people,), each) for people, each in self.groups])
        return torch.repeat_interleave(torch.arange(len(counts)), counts).to(self.kind.device)


def sum_rows(rows: Tensor, groups: list[tuple[int, int]]) -> Tensor:
    """Sums rows `[M, ...]` over each person: `[B, ...]`."""
    # Not slices: each one's gradient would be a zeroed tensor of all rows.
    parts = rows.split([people * each for people, each in groups])
    return torch.cat([part.unflatten(0, group).sum(1) for part, group in zip(parts, groups)])


def spread(people_rows: Tensor, groups: list[tuple[int, int]]) -> Tensor:
    """Repeats each person's value `[B, ...]` for that person's rows: `[M, ...]`."""
    parts = people_rows.split([people for people, _ in groups])
    return torch.cat([
        part[:, None].expand(people, each, *part.shape[1:]).flatten(0, 1) for part, (people, each) in zip(parts, groups)])


def euler_xyz(angles: Tensor) -> Tensor:
    """`R_x(a) R_y(b) R_z(c)` of `[..., 3]` radians."""
    (a, b, c), (sa, sb, sc) = angles.cos().unbind(-1), angles.sin().unbind(-1)
    rows = [
        [b * c, -b * sc, sb],
        [a * sc + sa * sb * c, a * c - sa * sb * sc, -sa * b],
        [sa * sc - a * sb * c, sa * c + a * sb * sc, a * b],
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def random_counts(generator: torch.Generator) -> tuple[int, int, int]:
    """How many effectors of each type a batch has: N ~ U{3..16}, types i.i.d., at least three positions (the total may exceed N)."""
    device = generator.device
    total = int(torch.randint(EFFECTORS_MIN, EFFECTORS_MAX + 1, (), generator=generator, device=device))
    kinds = torch.randint(0, 3, (total,), generator=generator, device=device)
    positions, rotations, look_ats = (int((kinds == kind).sum()) for kind in (POSITION, ROTATION, LOOK_AT))
    return max(POSITIONS_MIN, positions), rotations, look_ats


def draw(
    joints: Tensor, rotations: Tensor, betas: Tensor, genders: Tensor, rest: Tensor, group_size: int, generator: torch.Generator,
) -> EffectorSet:
    """The published draw. One set of counts for each `group_size` people; joints differ from person to person.

    - `joints` `[B, 24, 3]` world positions, `rotations` `[B, 24, 3, 3]` world rotations.
    """
    groups, parts = [], []
    for start in range(0, len(joints), group_size):
        end = min(start + group_size, len(joints))
        counts = random_counts(generator)
        groups.append((end - start, sum(counts)))
        parts.append(_draw_group(joints[start:end], rotations[start:end], counts, generator))
    stacked = [torch.cat(columns) for columns in zip(*parts)]
    return EffectorSet(groups, *stacked, torch.ones_like(stacked[3]), betas, genders, rest)


def _draw_group(joints: Tensor, rotations: Tensor, counts: tuple[int, int, int], generator: torch.Generator) -> tuple[Tensor, ...]:
    people, device = len(joints), joints.device
    positions, turned, look_ats = counts

    def distinct(number: int) -> Tensor:
        return torch.rand((people, 24), generator=generator, device=device).argsort(1)[:, :number]

    ids = torch.cat(
        [distinct(positions), distinct(turned), torch.randint(24, (people, look_ats), generator=generator, device=device)], 1)
    kind = torch.tensor([POSITION] * positions + [ROTATION] * turned + [LOOK_AT] * look_ats, device=device).expand(people, -1)
    tolerance = TOLERANCE_MAX * torch.rand(ids.shape, generator=generator, device=device) ** TOLERANCE_POWER
    tolerance[:, positions + turned :] = 0
    p = torch.gather(joints, 1, ids[..., None].expand(-1, -1, 3))
    r = torch.gather(rotations, 1, ids[..., None, None].expand(-1, -1, 3, 3))
    shake = tolerance[:, : positions + turned, None] * noise.normal((people, positions + turned, 3), generator)
    values = p.new_zeros(people, sum(counts), 6)
    values[:, :positions, :3] = p[:, :positions] + shake[:, :positions]
    values[:, positions : positions + turned] = to_rows6d(euler_xyz(shake[:, positions:]) @ r[:, positions : positions + turned])
    if look_ats:
        direction = noise.normal((people, look_ats, 3), generator)
        direction = direction / (direction.norm(dim=-1, keepdim=True) + 1e-5)
        distance = 1e-3 + 5 * noise.normal((people, look_ats, 1), generator).abs()
        toward = (r[:, positions + turned :] @ direction[..., None])[..., 0]
        values[:, positions + turned :] = torch.cat([p[:, positions + turned :] + distance * toward, direction], -1)
    return kind.flatten(), ids.flatten(), values.flatten(0, 1), tolerance.flatten()


def six_points(joints: Tensor, betas: Tensor, genders: Tensor, rest: Tensor) -> EffectorSet:
    """The fixed protocol: six exact positions per person."""
    people, each, device = len(joints), len(SIX_POINTS), joints.device
    ids = torch.tensor(SIX_POINTS, device=device).expand(people, -1).flatten()
    values = functional.pad(joints[:, SIX_POINTS].flatten(0, 1), (0, 3))
    zeros = joints.new_zeros(people * each)
    return EffectorSet([(people, each)], torch.zeros_like(ids), ids, values, zeros, zeros + 1, betas, genders, rest)
