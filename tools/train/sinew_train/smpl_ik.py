"""SMPL-IK's network (models.md 5.2 to 5.5): a set encoder, positions of all joints, then rotations. Published names and shapes."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .effectors import EffectorSet, spread, sum_rows
from .smpl_ik_conditioning import ConditionedEffectors, HeadingTables, centred, effector_heading

SLOPE = 0.01
EMBEDDING_ROWS = 65
DATA_VALUES = 7
POSE_VALUES = 11
"""beta and gender."""

JOINTS = 24


class Embedding(nn.Module):
    """A linear layer over a one-hot vector: a column and the bias."""

    def __init__(self, size: int):
        super().__init__()
        self.projection = nn.Linear(EMBEDDING_ROWS, size)

    def forward(self, index: Tensor) -> Tensor:
        return self.projection.weight.T[index] + self.projection.bias


class UnbiasedNorm(nn.Module):
    """`a_2 (x - mean) / (std + 1e-6) + b_2` with the n-1 standard deviation; eps is outside the root, unlike torch's LayerNorm."""

    def __init__(self, size: int):
        super().__init__()
        self.a_2 = nn.Parameter(torch.ones(size))
        self.b_2 = nn.Parameter(torch.zeros(size))

    def forward(self, x: Tensor) -> Tensor:
        return self.a_2 * (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + 1e-6) + self.b_2


class Block(nn.Module):
    """Three hidden layers, a forecast and a backcast; `normed` blocks feed the hidden layers from the normalised input."""

    def __init__(self, inputs: int, width: int, outputs: int, normed: bool, dropout: float):
        super().__init__()
        self.fc_layers = nn.ModuleList([nn.Linear(inputs, width), nn.Dropout(dropout), nn.Linear(width, width), nn.Linear(width, width)])
        self.forward_projection = nn.Linear(width, outputs)
        self.backward_projection = nn.Linear(inputs, width)
        self.norm = UnbiasedNorm(inputs) if normed else None
        self.compute = torch.float32

    def linear(self, layer: nn.Linear, x: Tensor) -> Tensor:
        if self.compute == torch.float32:
            return layer(x)
        return functional.linear(x.to(self.compute), layer.weight.to(self.compute), layer.bias.to(self.compute))

    def hidden(self, x: Tensor) -> Tensor:
        h = self.norm(x) if self.norm is not None else x
        h = self.fc_layers[1](functional.leaky_relu(self.linear(self.fc_layers[0], h), SLOPE))
        h = functional.leaky_relu(self.linear(self.fc_layers[2], h), SLOPE)
        return functional.leaky_relu(self.linear(self.fc_layers[3], h), SLOPE)

    def backcast(self, x: Tensor, h: Tensor) -> Tensor:
        """`ReLU(h + B x)`: what the next block sees. `B` sees raw `x` in normed blocks too."""
        return functional.relu(h + self.linear(self.backward_projection, x))


class Stack(nn.Module):
    """Blocks that hand their backcast on."""

    def __init__(self, inputs: int, width: int, outputs: int, blocks: int, normed: bool, dropout: float):
        super().__init__()
        self.blocks = nn.ModuleList(
            Block(inputs if i == 0 else width, width, outputs, normed, dropout) for i in range(blocks))


class SMPLIK(nn.Module):
    """Effectors to 24 local rotations and the root, in the conditioned frame."""

    architecture = "smpl-ik"

    def __init__(self, width: int, blocks: int = 3, embedding: int = 32, dropout: float = 0.01, conditioning: str = "effector-heading"):
        super().__init__()
        self.width, self.conditioning = width, conditioning
        self.dims = {"width": width, "blocks": blocks, "embedding": embedding}
        self.embeddings = nn.ModuleList([Embedding(embedding), Embedding(embedding)])
        self.encoder = Stack(DATA_VALUES + POSE_VALUES + 2 * embedding, width, width, blocks, False, dropout)
        self.decoder_stage1 = Stack(width + POSE_VALUES, width, JOINTS * 3, blocks, True, dropout)
        self.decoder_stage2 = Stack(JOINTS * 3 + width + POSE_VALUES, width, JOINTS * 6, blocks, True, dropout)
        self.heading = HeadingTables() if conditioning == "effector-heading" else None

    def set_compute(self, kind: torch.dtype) -> None:
        """The type of the matrix products; parameters stay float32."""
        for module in self.modules():
            if isinstance(module, Block):
                module.compute = kind

    def condition(self, given: EffectorSet) -> ConditionedEffectors:
        return effector_heading(given, self.heading) if self.heading is not None else centred(given)

    def forward(self, given: EffectorSet, conditioned: ConditionedEffectors) -> tuple[Tensor, Tensor]:
        """Joint positions `[B, 24, 3]` (conditioned frame; row 0 is the root) and raw row-6D rotations `[B, 24, 6]`."""
        pose = torch.cat([given.betas, given.genders[:, None].to(given.betas.dtype)], 1)
        embedded = torch.cat([self.encode(given, conditioned.data, pose), pose], 1)
        positions = self.decode(self.decoder_stage1, embedded).unflatten(1, (JOINTS, 3))
        relative = (positions - positions[:, :1]).flatten(1)
        rotations = self.decode(self.decoder_stage2, torch.cat([relative, embedded], 1))
        return positions, rotations.unflatten(1, (JOINTS, 6))

    def encode(self, given: EffectorSet, data: Tensor, pose: Tensor) -> Tensor:
        """The pose embedding `[B, width]`. Pooling commutes with the forecast, so the forecast is taken once per person."""
        groups, weight = given.groups, given.weight[:, None]
        total = sum_rows(weight, groups).clamp_min(1e-6)
        x = torch.cat([data, spread(pose, groups), self.embeddings[0](given.joint), self.embeddings[1](given.kind)], 1)
        embedding = data.new_zeros(())
        last = len(self.encoder.blocks) - 1
        for index, block in enumerate(self.encoder.blocks):
            h = block.hidden(x)
            pooled = sum_rows(weight * h, groups) / total
            embedding = embedding + block.linear(block.forward_projection, pooled).to(data.dtype)
            if index < last:
                x = functional.relu(block.backcast(x, h) - spread((embedding / (index + 1)).to(h.dtype), groups))
        return embedding

    @staticmethod
    def decode(stack: Stack, x: Tensor) -> Tensor:
        """The sum of the blocks' forecasts."""
        out, last, given = 0, len(stack.blocks) - 1, x.dtype
        for index, block in enumerate(stack.blocks):
            h = block.hidden(x)
            out = out + block.linear(block.forward_projection, h).to(given)
            if index < last:
                x = block.backcast(x, h).to(given)
        return out

    def tensors(self) -> dict[str, Tensor]:
        """The published names; the heading tables, where there are any, as `heading.*`."""
        return {name: value.detach().cpu().clone() for name, value in self.state_dict().items()}
