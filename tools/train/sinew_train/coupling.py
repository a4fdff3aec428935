"""A stack of affine couplings in exact packed form: the halves that a coupling never reads or writes are not stored (models.md 3.2, 3.8)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

LAYER_COUNT = 16
SLOPE = 0.01


def mask_table(dim: int, layers: int = LAYER_COUNT) -> Tensor:
    """`[layers, dim]`: 1 where a coupling keeps a dimension. Even couplings keep the odd dimensions."""
    kept = torch.arange(dim) % 2
    return torch.stack([(kept if layer % 2 == 0 else 1 - kept).float() for layer in range(layers)])


class CouplingStack(nn.Module):
    """`layers` couplings over `dim` values, two three-layer nets (translation 0, scale 1) per coupling run as one batched product.

    Parameters per net: `w1 [hidden, dim/2]`, `w2 [hidden, hidden]`, `w3 [dim/2, hidden]`, stacked `[layers, 2, ...]`.
    `compute` is the type of the products (bfloat16 halves their cost); the running vector stays in float32.
    """

    def __init__(self, dim: int, hidden: int, layers: int = LAYER_COUNT, dropout: float = 0.0):
        super().__init__()
        assert dim % 2 == 0
        self.dim, self.hidden, self.layers, self.dropout = dim, hidden, layers, dropout
        self.compute = torch.float32
        half = dim // 2
        self.w1 = nn.Parameter(torch.empty(layers, 2, hidden, half))
        self.b1 = nn.Parameter(torch.empty(layers, 2, hidden))
        self.w2 = nn.Parameter(torch.empty(layers, 2, hidden, hidden))
        self.b2 = nn.Parameter(torch.empty(layers, 2, hidden))
        self.w3 = nn.Parameter(torch.empty(layers, 2, half, hidden))
        self.b3 = nn.Parameter(torch.empty(layers, 2, half))
        # PyTorch's default for Linear with the official fan-in (the masked inputs count), the last layer smaller so that a
        # fresh stack is near the identity and 16 exponentials cannot run away in the first steps.
        for weight, bias, fan_in, gain in [
            (self.w1, self.b1, dim, 1.0), (self.w2, self.b2, hidden, 1.0), (self.w3, self.b3, hidden, 0.1)
        ]:
            bound = gain / math.sqrt(fan_in)
            nn.init.uniform_(weight, -bound, bound)
            nn.init.uniform_(bias, -bound, bound)

    def _parameters_by_layer(self):
        # Unbound once, so that the backward pass stacks each gradient once.
        kind = self.compute
        return zip(*(p.to(kind).unbind(0) for p in (self.w1, self.b1, self.w2, self.b2, self.w3, self.b3)))

    def _nets(self, kept: Tensor, parameters) -> tuple[Tensor, Tensor]:
        w1, b1, w2, b2, w3, b3 = parameters
        h = functional.linear(kept.to(self.compute), w1.flatten(0, 1), b1.flatten())
        h = functional.leaky_relu(self._drop(h), SLOPE)
        h = h.unflatten(1, (2, self.hidden)).transpose(0, 1)
        h = functional.leaky_relu(self._drop(torch.baddbmm(b2[:, None], h, w2.transpose(1, 2))), SLOPE)
        out = torch.baddbmm(b3[:, None], h, w3.transpose(1, 2)).float()
        return out[0], out[1].tanh()

    def _drop(self, h: Tensor) -> Tensor:
        return functional.dropout(h, self.dropout, self.training) if self.dropout else h

    def inverse(self, x: Tensor) -> Tensor:
        """IK direction, `[B, dim]` to `[B, dim]`: couplings 0...15."""
        even, odd = x[:, 0::2], x[:, 1::2]
        for layer, parameters in enumerate(self._parameters_by_layer()):
            if layer % 2 == 0:
                t, s = self._nets(odd, parameters)
                even = even * s.exp() + t
            else:
                t, s = self._nets(even, parameters)
                odd = odd * s.exp() + t
        return torch.stack([even, odd], -1).flatten(1)

    def forward(self, z: Tensor) -> Tensor:
        """FK direction, the exact inverse of `inverse`: couplings 15...0."""
        even, odd = z[:, 0::2], z[:, 1::2]
        for layer, parameters in reversed(list(enumerate(self._parameters_by_layer()))):
            if layer % 2 == 0:
                t, s = self._nets(odd, parameters)
                even = (even - t) * (-s).exp()
            else:
                t, s = self._nets(even, parameters)
                odd = (odd - t) * (-s).exp()
        return torch.stack([even, odd], -1).flatten(1)

    def dense_layers(self, layer: int, net: int, extra_columns: int = 0) -> list[tuple[Tensor, Tensor]]:
        """The three (weight, bias) pairs of a net in the published dense shapes; what a coupling never uses is zero."""
        updated = slice(0, None, 2) if layer % 2 == 0 else slice(1, None, 2)
        kept = slice(1, None, 2) if layer % 2 == 0 else slice(0, None, 2)
        w1 = torch.zeros(self.hidden, self.dim + extra_columns)
        w1[:, :self.dim][:, kept] = self.w1[layer, net].detach().cpu()
        w3 = torch.zeros(self.dim, self.hidden)
        w3[updated] = self.w3[layer, net].detach().cpu()
        b3 = torch.zeros(self.dim)
        b3[updated] = self.b3[layer, net].detach().cpu()
        inner = (self.w2[layer, net].detach().cpu(), self.b2[layer, net].detach().cpu())
        return [(w1, self.b1[layer, net].detach().cpu()), inner, (w3, b3)]

    @torch.no_grad()
    def load_dense(self, layer: int, net: int, pairs: list[tuple[Tensor, Tensor]]) -> None:
        """Takes back what `dense_layers` gave; columns and rows that a coupling never uses are passed over."""
        updated = slice(0, None, 2) if layer % 2 == 0 else slice(1, None, 2)
        kept = slice(1, None, 2) if layer % 2 == 0 else slice(0, None, 2)
        (w1, b1), (w2, b2), (w3, b3) = pairs
        given = [w1[:, : self.dim][:, kept], b1, w2, b2, w3[updated], b3[updated]]
        for own, value in zip((self.w1, self.b1, self.w2, self.b2, self.w3, self.b3), given):
            own[layer, net].copy_(value)
