"""SMPL-IK's network (models.md 5.2 to 5.5): a set encoder, positions of all joints, then rotations. Published names and shapes."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .effectors import EffectorSet
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
        return functional.embedding(index, self.projection.weight.T + self.projection.bias)


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
        self.compute: torch.dtype | None = None

    def layers(self) -> "BlockLayers":
        """The weights in the type of the products, converted once per pass."""
        def cast(layer: nn.Linear) -> tuple[Tensor, Tensor]:
            return layer.weight.to(self.compute or layer.weight.dtype), layer.bias.to(self.compute or layer.bias.dtype)

        return BlockLayers(
            [cast(self.fc_layers[i]) for i in (0, 2, 3)], cast(self.forward_projection), cast(self.backward_projection),
            self.fc_layers[1], self.norm)


class BlockLayers:
    """One block's arithmetic over converted weights."""

    def __init__(self, hidden, forecast, backcast, dropout, norm):
        self._hidden, self._forecast, self._backcast, self.dropout, self.norm = hidden, forecast, backcast, dropout, norm

    def hidden(self, x: Tensor) -> Tensor:
        h = self.norm(x) if self.norm is not None else x
        for index, (weight, bias) in enumerate(self._hidden):
            h = functional.leaky_relu(functional.linear(h.to(weight.dtype), weight, bias), SLOPE)
            h = self.dropout(h) if index == 0 else h
        return h

    def forecast(self, h: Tensor) -> Tensor:
        weight, bias = self._forecast
        return functional.linear(h.to(weight.dtype), weight, bias)

    def backcast(self, x: Tensor, h: Tensor) -> Tensor:
        """`ReLU(h + B x)`: what the next block sees. `B` sees raw `x` in normed blocks too."""
        weight, bias = self._backcast
        return functional.relu(h + functional.linear(x.to(weight.dtype), weight, bias))


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

    def set_compute(self, kind: torch.dtype | None) -> None:
        """The type of the matrix products, where it is not the parameters' own."""
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
        """The pose embedding `[B, width]`, group by group: the activations of a group stay in a core's cache."""
        blocks = [block.layers() for block in self.encoder.blocks]
        compute = self.encoder.blocks[0].compute or data.dtype
        rows = torch.cat([data.to(compute), *(e(i).to(compute) for e, i in zip(self.embeddings, (given.joint, given.kind)))], 1)
        weights = None if bool((given.weight == 1).all()) else given.weight
        out = []
        # Splits, not slices: the gradient of each slice would be a zeroed tensor of all rows.
        counts = [people * each for people, each in given.groups]
        of_people = pose.to(compute).split([people for people, _ in given.groups])
        for index, (group, part) in enumerate(zip(given.groups, rows.split(counts))):
            features, names = part.unflatten(0, group).split([DATA_VALUES, rows.shape[1] - DATA_VALUES], 2)
            x = torch.cat([features, of_people[index][:, None].expand(-1, group[1], -1), names], 2)
            weight = None if weights is None else weights.split(counts)[index].unflatten(0, group)
            out.append(self._encode_group(blocks, x, weight, data.dtype))
        return torch.cat(out)

    @staticmethod
    def _encode_group(blocks: list["BlockLayers"], x: Tensor, weight: Tensor | None, kind: torch.dtype) -> Tensor:
        """`[people, effectors, inputs]` to `[people, width]`. Pooling commutes with the forecast, so that is taken once per person."""
        embedding = 0
        for index, block in enumerate(blocks):
            h = block.hidden(x)
            pooled = h.mean(1) if weight is None else (weight[..., None] * h).sum(1) / weight.sum(1, keepdim=True).clamp_min(1e-6)
            embedding = embedding + block.forecast(pooled).to(kind)
            if index < len(blocks) - 1:
                x = functional.relu(block.backcast(x, h) - (embedding / (index + 1)).to(h.dtype)[:, None])
        return embedding

    @staticmethod
    def decode(stack: Stack, x: Tensor) -> Tensor:
        """The sum of the blocks' forecasts."""
        out, given = 0, x.dtype
        for index, block in enumerate(block.layers() for block in stack.blocks):
            h = block.hidden(x)
            out = out + block.forecast(h).to(given)
            if index < len(stack.blocks) - 1:
                x = block.backcast(x, h).to(given)
        return out

    def tensors(self) -> dict[str, Tensor]:
        """The published names; the heading tables, where there are any, as `heading.*`."""
        return {name: value.detach().cpu().clone() for name, value in self.state_dict().items()}
