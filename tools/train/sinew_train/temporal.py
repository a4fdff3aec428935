"""NIKI over time: attention of every joint over a window of frames around the static network's rotations.

The paper calls a temporal model an extension and the published "temporal" code mixes no frames (models.md 3.1), so the design is ours. For joint j
of frame t and the frame d steps away,

    logit[t, j, d] = offset[j, d] * sharpness[t, j] + certainty[t + d, j],
    certainty[u, j] = sigma[u] . w_sigma[j] + min(|z_u|, 8) * w_latent[j],
    sharpness[t, j] = exp(clip(w_sharpness[j, 0] + 10 * mean(sigma[t]) * w_sharpness[j, 1], -4, 4)),

a softmax over the frames of the window that exist, and the weighted mean of the 6D rotations (root: in the observations' frame, not in the
heading's), made a rotation again by Gram-Schmidt. A frame where a joint was lost has a large sigma and a large error code z, so the joint is taken
from the frames beside it; where everything is certain the window narrows, so that exact input is not smoothed. Alone in its window a frame keeps its rotations.
"""

import torch
from torch import Tensor, nn

from .rotations import from_rows6d, to_rows6d
from .skeleton import JOINT_COUNT, ROTATION_COUNT

LATENT_NORM_MAX = 8.0


class TemporalAttention(nn.Module):
    """`2 * reach + 1` frames centred on the one that is solved."""

    architecture = "niki-temporal"

    def __init__(self, reach: int):
        super().__init__()
        self.reach = reach
        distance = torch.arange(-reach, reach + 1).abs().float()
        self.offset = nn.Parameter((-0.7 * distance).repeat(ROTATION_COUNT, 1))
        self.w_sigma = nn.Parameter(torch.zeros(ROTATION_COUNT, JOINT_COUNT))
        self.w_latent = nn.Parameter(torch.zeros(ROTATION_COUNT))
        self.w_sharpness = nn.Parameter(torch.zeros(ROTATION_COUNT, 2))

    def forward(self, rotations: Tensor, sigma: Tensor, latent_norm: Tensor) -> Tensor:
        """`rotations` `[T, 24, 3, 3]` of one clip, conditioned `sigma` `[T, 29]`, `latent_norm` `[T]` -> `[T, 24, 3, 3]`."""
        certainty = sigma @ self.w_sigma.T + latent_norm.clamp(max=LATENT_NORM_MAX)[:, None] * self.w_latent
        six = to_rows6d(rotations)
        frames, reach = len(six), self.reach
        at = torch.arange(frames, device=six.device)[:, None] + torch.arange(-reach, reach + 1, device=six.device)
        inside = (at >= 0) & (at < frames)
        at = at.clamp(0, frames - 1)
        exponent = self.w_sharpness[:, 0] + 10 * sigma.mean(1, keepdim=True) * self.w_sharpness[:, 1]
        logit = certainty[at].permute(0, 2, 1) + self.offset * exponent.clamp(-4, 4).exp()[..., None]
        weight = logit.masked_fill(~inside[:, None], -torch.inf).softmax(-1)
        return from_rows6d(torch.einsum("tjd,tdjk->tjk", weight, six[at]))

    def tensors(self) -> dict[str, Tensor]:
        """`temporal.{offset,w_sigma,w_latent,w_sharpness}`."""
        return {f"temporal.{name}": value.detach().cpu().clone() for name, value in self.named_parameters()}


def acceleration_error(found: Tensor, true: Tensor) -> Tensor:
    """Mean norm of the difference of second differences of the 24 pelvis-aligned joints `[T, >= 24, 3]`, mm/frame^2, one per inner frame."""
    def second(joints: Tensor) -> Tensor:
        placed = joints[:, :24] - joints[:, :1]
        return placed[2:] - 2 * placed[1:-1] + placed[:-2]

    return (second(found) - second(true)).norm(dim=-1).mean(1) * 1000
