"""The set network run from named tensors exactly as published (models.md 5.3, 5.4): one person at a time, a forecast per effector.

The reference that fixtures and tests compare with; `smpl_ik.py` is the form that is trained.
"""

import torch
from torch import Tensor
from torch.nn import functional

from .effectors import EffectorSet
from .smpl_ik import EMBEDDING_ROWS, SLOPE


class DenseSMPLIK:
    """`positions, rotations = run(given, data)`; `data` `[M, 7]` is conditioned."""

    def __init__(self, tensors: dict[str, Tensor]):
        self.tensors = tensors

    def linear(self, name: str, x: Tensor) -> Tensor:
        return functional.linear(x, self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"])

    def block(self, name: str, x: Tensor) -> tuple[Tensor, Tensor]:
        """Backcast and forecast."""
        h = x
        if f"{name}.norm.a_2" in self.tensors:
            deviation = torch.sqrt((x - x.mean(-1, keepdim=True)).square().sum(-1, keepdim=True) / (x.shape[-1] - 1))
            h = self.tensors[f"{name}.norm.a_2"] * (x - x.mean(-1, keepdim=True)) / (deviation + 1e-6) + self.tensors[f"{name}.norm.b_2"]
        for layer in (0, 2, 3):
            h = functional.leaky_relu(self.linear(f"{name}.fc_layers.{layer}", h), SLOPE)
        return functional.relu(h + self.linear(f"{name}.backward_projection", x)), self.linear(f"{name}.forward_projection", h)

    def blocks(self, stack: str) -> list[str]:
        count = len({key.split(".")[2] for key in self.tensors if key.startswith(f"{stack}.blocks.")})
        return [f"{stack}.blocks.{i}" for i in range(count)]

    def embed(self, table: int, index: Tensor) -> Tensor:
        one_hot = functional.one_hot(index, EMBEDDING_ROWS).to(self.tensors["embeddings.0.projection.bias"].dtype)
        return self.linear(f"embeddings.{table}.projection", one_hot)

    def run(self, given: EffectorSet, data: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Embeddings `[B, width]`, joint positions `[B, 24, 3]` and raw row-6D `[B, 24, 6]`, in the conditioned frame."""
        counts = [each for people, each in given.groups for _ in range(people)]
        people, at = [], 0
        for person, count in enumerate(counts):
            rows = slice(at, at + count)
            pose = torch.cat([given.betas[person], given.genders[person : person + 1].to(data.dtype)])
            people.append(self.one(data[rows], given.kind[rows], given.joint[rows], given.weight[rows], pose))
            at += count
        return tuple(torch.stack(parts) for parts in zip(*people))

    def one(self, data: Tensor, kind: Tensor, joint: Tensor, weight: Tensor, pose: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        w, total = weight[:, None], weight.sum().clamp_min(1e-6)
        x = torch.cat([data, pose.expand(len(data), -1), self.embed(0, joint), self.embed(1, kind)], 1)
        forecasts = 0
        for index, name in enumerate(self.blocks("encoder")):
            backcast, forecast = self.block(name, x)
            forecasts = forecasts + forecast
            prototype = (w * forecasts).sum(0) / total
            x = functional.relu(backcast - prototype / (index + 1))
        embedding = (w * forecasts).sum(0) / total
        embedded = torch.cat([embedding, pose])
        positions = self.decode("decoder_stage1", embedded).unflatten(0, (24, 3))
        relative = (positions - positions[:1]).flatten()
        return embedding, positions, self.decode("decoder_stage2", torch.cat([relative, embedded])).unflatten(0, (24, 6))

    def decode(self, stack: str, x: Tensor) -> Tensor:
        out = 0
        for name in self.blocks(stack):
            x, forecast = self.block(name, x)
            out = out + forecast
        return out
