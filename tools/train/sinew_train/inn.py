"""The vanilla invertible network of NIKI's Table 5 (models.md 4): one flow from joints, sigma and twists to rotations and a latent.

The couplings are NIKI's; what it lacks are the independence and boundary terms (`losses.inn_terms`). The published input of that baseline is
not known. Ours puts the twists where the paper's one-stage network has them: behind sigma, in the place of 46 of the 60 padding values.
"""

import torch
from torch import Tensor

from .niki import OneStage, Reconstruction, Solution

OBSERVATION_VALUES = 116
TWIST_END = 162


def inn_input(observation: Tensor, phi: Tensor) -> Tensor:
    """`[bones 87, sigma 29, phi 46, padding 14]` from a flow's `[bones 87, sigma 29, padding 60]`."""
    return torch.cat([observation[:, :OBSERVATION_VALUES], phi, observation[:, TWIST_END:]], 1)


class INN(OneStage):
    """`niki-one-stage` with the twists in its input; the tensor names are the same."""

    architecture = "inn"

    def inverse(self, observation: Tensor, phi: Tensor) -> Solution:
        return super().inverse(inn_input(observation, phi), phi)

    def forward(self, rotation6d: Tensor, latent: Tensor) -> Reconstruction:
        back = super().forward(rotation6d, latent)
        return Reconstruction(back.observation, None, back.observation[:, OBSERVATION_VALUES:TWIST_END])
