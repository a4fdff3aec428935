"""NIKI twist-and-swing and one-stage: the packed form that is trained, with its export to the published tensor names (models.md 3)."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .coupling import LAYER_COUNT, CouplingStack, mask_table

FLOW_DIM = 176
TWIST_DIM = 190
ROTATION_VALUES = 144
SHAPE_VALUES = 10


@dataclass
class Solution:
    """IK direction: `rotation6d` `[B, 144]`, `swing6d` `[B, 144]` or None (one-stage), latent error code `[B, 78]` or `[B, 32]`."""

    rotation6d: Tensor
    swing6d: Tensor | None
    latent: Tensor


@dataclass
class Reconstruction:
    """FK direction: `observation` `[B, 176]` (bones or joints, sigma, padding), `swing6d`, `phi` `[B, 46]` or None."""

    observation: Tensor
    swing6d: Tensor | None
    phi: Tensor | None


class TwistAndSwing(nn.Module):
    """Stage A: 176 values to swings and 32 latents. Stage B: swings and 46 twist values to rotations and 46 latents."""

    architecture = "niki-twist-and-swing"
    latent_count = 78

    def __init__(self, hidden: int, layers: int = LAYER_COUNT, dropout: float = 0.0):
        super().__init__()
        self.hidden = hidden
        self.swing = CouplingStack(FLOW_DIM, hidden, layers)
        self.twist = CouplingStack(TWIST_DIM, hidden, layers, dropout)

    def stacks(self) -> list[CouplingStack]:
        return [self.swing, self.twist]

    def inverse(self, observation: Tensor, phi: Tensor) -> Solution:
        first = self.swing.inverse(observation)
        swing6d, z_swing = first[:, :ROTATION_VALUES], first[:, ROTATION_VALUES:]
        second = self.twist.inverse(torch.cat([swing6d, phi], 1))
        latent = torch.cat([z_swing, second[:, ROTATION_VALUES:]], 1)
        return Solution(second[:, :ROTATION_VALUES], swing6d, latent)

    def forward(self, rotation6d: Tensor, latent: Tensor) -> Reconstruction:
        z_swing, z_twist = latent[:, :32], latent[:, 32:]
        first = self.twist(torch.cat([rotation6d, z_twist], 1))
        swing6d, phi = first[:, :ROTATION_VALUES], first[:, ROTATION_VALUES:]
        return Reconstruction(self.swing(torch.cat([swing6d, z_swing], 1)), swing6d, phi)

    def nets(self) -> Iterator["PublishedNet"]:
        """Every net with its published name."""
        for layer in range(self.swing.layers):
            for net, (stage_a, stage_b) in enumerate([("jts_nett", "t"), ("jts_nets", "s")]):
                yield PublishedNet(self.swing, layer, net, f"flow_j2s.{stage_a}.{layer}.encoder", [0, 3, 6], SHAPE_VALUES)
                yield PublishedNet(self.twist, layer, net, f"flow_s2r.{stage_b}.{layer}", [0, 3, 6])

    def tensors(self) -> dict[str, Tensor]:
        """The published state-dict entries (models.md 3.6), shape gates closed."""
        out = {
            "flow_j2s.jts_masks": mask_table(FLOW_DIM, self.swing.layers),
            "flow_j2s.shape_masks": torch.zeros(self.swing.layers),
            "flow_s2r.mask": mask_table(TWIST_DIM, self.twist.layers),
        }
        return out | written(self.nets())

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Takes back what `tensors` gave."""
        if bool(tensors["flow_j2s.shape_masks"].any()):
            raise SystemExit("These weights have open shape gates, which this trainer does not train. Start from weights of its own.")
        take(self.nets(), tensors)


class OneStage(nn.Module):
    """One flow: 176 values to rotations and 32 latents; the twists are not used."""

    architecture = "niki-one-stage"
    latent_count = 32

    def __init__(self, hidden: int, layers: int = LAYER_COUNT, dropout: float = 0.0):
        super().__init__()
        self.hidden = hidden
        self.flow = CouplingStack(FLOW_DIM, hidden, layers, dropout)

    def stacks(self) -> list[CouplingStack]:
        return [self.flow]

    def inverse(self, observation: Tensor, phi: Tensor) -> Solution:
        out = self.flow.inverse(observation)
        return Solution(out[:, :ROTATION_VALUES], None, out[:, ROTATION_VALUES:])

    def forward(self, rotation6d: Tensor, latent: Tensor) -> Reconstruction:
        return Reconstruction(self.flow(torch.cat([rotation6d, latent], 1)), None, None)

    def nets(self) -> Iterator["PublishedNet"]:
        """Every net with its published name."""
        for layer in range(self.flow.layers):
            for net, name in enumerate(["t", "s"]):
                yield PublishedNet(self.flow, layer, net, f"flow.{name}.{layer}", [0, 2, 4])

    def tensors(self) -> dict[str, Tensor]:
        """The published state-dict entries of the flow."""
        return {"flow.mask": mask_table(FLOW_DIM, self.flow.layers)} | written(self.nets())

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Takes back what `tensors` gave."""
        take(self.nets(), tensors)


@dataclass
class PublishedNet:
    """One of a coupling's two nets: where it lies in a stack, and the names of its three layers in the published state dict."""

    stack: CouplingStack
    layer: int
    net: int
    prefix: str
    slots: list[int]
    extra_columns: int = 0


def written(nets: Iterator[PublishedNet]) -> dict[str, Tensor]:
    """The nets' dense tensors by name."""
    out = {}
    for one in nets:
        for slot, (weight, bias) in zip(one.slots, one.stack.dense_layers(one.layer, one.net, one.extra_columns)):
            out[f"{one.prefix}.{slot}.weight"] = weight.contiguous().clone()
            out[f"{one.prefix}.{slot}.bias"] = bias.contiguous().clone()
    return out


def take(nets: Iterator[PublishedNet], tensors: dict[str, Tensor]) -> None:
    """Sets the nets' parameters from dense tensors."""
    for one in nets:
        pairs = [(tensors[f"{one.prefix}.{slot}.weight"], tensors[f"{one.prefix}.{slot}.bias"]) for slot in one.slots]
        one.stack.load_dense(one.layer, one.net, pairs)
