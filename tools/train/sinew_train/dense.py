"""The networks run from named tensors exactly as published: dense, masked, gate by gate. The reference that fixtures and evaluation use."""

import torch
from torch import Tensor
from torch.nn import functional

from .coupling import SLOPE
from .inn import OBSERVATION_VALUES, TWIST_END, inn_input


class DenseFlow:
    """One coupling flow over a tensor table. `names(net, layer)` gives a net's prefix, `slots` its three module indices."""

    def __init__(self, tensors: dict[str, Tensor], masks: str, prefixes: tuple[str, str], slots: list[int], gates: str | None = None):
        self.mask = tensors[masks]
        self.gate = tensors[gates] if gates else None
        self.nets = [
            [
                [(tensors[f"{p.format(layer)}.{s}.weight"], tensors[f"{p.format(layer)}.{s}.bias"]) for s in slots]
                for p in prefixes
            ]
            for layer in range(len(self.mask))
        ]

    def _scale_and_shift(self, kept: Tensor, layer: int, betas: Tensor | None) -> tuple[Tensor, Tensor]:
        x = kept if self.gate is None else torch.cat([kept, self.gate[layer] * betas], 1)
        results = []
        for net in self.nets[layer]:
            h = functional.leaky_relu(functional.linear(x, *net[0]), SLOPE)
            h = functional.leaky_relu(functional.linear(h, *net[1]), SLOPE)
            results.append((1 - self.mask[layer]) * functional.linear(h, *net[2]))
        shift, scale = results
        return scale.tanh(), shift

    def inverse(self, x: Tensor, betas: Tensor | None = None) -> Tensor:
        """IK direction."""
        for layer, m in enumerate(self.mask):
            s, t = self._scale_and_shift(m * x, layer, betas)
            x = m * x + (1 - m) * (x * s.exp() + t)
        return x

    def forward(self, z: Tensor, betas: Tensor | None = None) -> Tensor:
        """FK direction."""
        for layer in reversed(range(len(self.mask))):
            m = self.mask[layer]
            s, t = self._scale_and_shift(m * z, layer, betas)
            z = m * z + (1 - m) * (z - t) * (-s).exp()
        return z


class DenseModel:
    """A checkpoint by architecture name: `inverse(conditioned, betas)` -> rotation6d, swing6d or None, latent."""

    def __init__(self, architecture: str, tensors: dict[str, Tensor]):
        self.architecture, self.tensors = architecture, tensors
        if architecture == "niki-twist-and-swing":
            self.stage_a = DenseFlow(
                tensors, "flow_j2s.jts_masks", ("flow_j2s.jts_nett.{}.encoder", "flow_j2s.jts_nets.{}.encoder"), [0, 3, 6],
                "flow_j2s.shape_masks")
            self.stage_b = DenseFlow(tensors, "flow_s2r.mask", ("flow_s2r.t.{}", "flow_s2r.s.{}"), [0, 3, 6])
        elif architecture in ("niki-one-stage", "inn"):
            self.flow = DenseFlow(tensors, "flow.mask", ("flow.t.{}", "flow.s.{}"), [0, 2, 4])
        elif architecture != "mlp-ik":
            raise ValueError(f"unknown architecture {architecture!r}: niki-twist-and-swing, niki-one-stage, inn or mlp-ik")

    def inverse(self, given, betas: Tensor, padding: Tensor | None = None) -> tuple[Tensor, Tensor | None, Tensor]:
        """IK direction of a `Conditioned` batch."""
        if self.architecture == "mlp-ik":
            x = given.mlp_input()
            for layer in range(4):
                x = functional.linear(x, self.tensors[f"layers.{layer}.weight"], self.tensors[f"layers.{layer}.bias"])
                x = functional.leaky_relu(x, SLOPE) if layer < 3 else x
            return x, None, x.new_zeros(len(x), 0)
        if self.architecture in ("niki-one-stage", "inn"):
            x = given.flow_input(padding)
            out = self.flow.inverse(inn_input(x, given.phi) if self.architecture == "inn" else x)
            return out[:, :144], None, out[:, 144:]
        first = self.stage_a.inverse(given.flow_input(padding), betas)
        second = self.stage_b.inverse(torch.cat([first[:, :144], given.phi], 1))
        return second[:, :144], first[:, :144], torch.cat([first[:, 144:], second[:, 144:]], 1)

    def forward(self, rotation6d: Tensor, latent: Tensor, betas: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """FK direction: 176 observation values, swing6d and phi (None for one-stage)."""
        if self.architecture in ("niki-one-stage", "inn"):
            observation = self.flow.forward(torch.cat([rotation6d, latent], 1))
            return observation, None, observation[:, OBSERVATION_VALUES:TWIST_END] if self.architecture == "inn" else None
        first = self.stage_b.forward(torch.cat([rotation6d, latent[:, 32:]], 1))
        observation = self.stage_a.forward(torch.cat([first[:, :144], latent[:, :32]], 1), betas)
        return observation, first[:, :144], first[:, 144:]
