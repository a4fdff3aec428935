"""The MLP baseline of NIKI's Table 5 (models.md 4): the same inputs, three hidden layers, rotations out, no error code."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .coupling import SLOPE

INPUT_VALUES = 162


class MLP(nn.Module):
    """`162 -> width -> width -> width -> 144`, LeakyReLU 0.01."""

    architecture = "mlp-ik"
    latent_count = 0

    def __init__(self, hidden: int):
        super().__init__()
        self.hidden = hidden
        self.compute = torch.float32
        sizes = [INPUT_VALUES, hidden, hidden, hidden, 144]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        # Starts at the identity pose: Gram-Schmidt of values near zero has huge gradients, which held the rotations back for
        # hundreds of steps.
        with torch.no_grad():
            self.layers[-1].bias.copy_(torch.tensor([1.0, 0, 0, 0, 1, 0]).repeat(24))

    def stacks(self) -> list["MLP"]:
        return [self]

    def solve(self, x: Tensor) -> Tensor:
        """`[B, 162]` to rotations `[B, 144]`."""
        for index, layer in enumerate(self.layers):
            x = functional.linear(x.to(self.compute), layer.weight.to(self.compute), layer.bias.to(self.compute))
            x = functional.leaky_relu(x, SLOPE) if index < 3 else x
        return x.float()

    def tensors(self) -> dict[str, Tensor]:
        """`layers.{0..3}.{weight,bias}`."""
        return {f"layers.{i}.{k}": v.detach().cpu().clone() for i, l in enumerate(self.layers) for k, v in l.named_parameters()}

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Takes back what `tensors` gave."""
        self.load_state_dict(tensors)
