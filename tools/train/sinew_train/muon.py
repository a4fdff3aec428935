"""Muon: momentum whose matrices are orthogonalised by Newton-Schulz iterations; for hidden matrices, stacked ones in one product."""

import torch
from torch import Tensor
from torch.optim import Optimizer

QUINTIC = (3.4445, -4.7750, 2.0315)


def orthogonalise(g: Tensor, steps: int = 5, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    """The nearest semi-orthogonal matrices to `g` `[..., rows, columns]`, singular values within about 0.7...1.2."""
    a, b, c = QUINTIC
    x = g.flatten(0, -3) if g.ndim > 3 else g.view(-1, *g.shape[-2:])
    tall = x.shape[-2] > x.shape[-1]
    x = x.transpose(1, 2) if tall else x
    x = (x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)).to(dtype)
    for _ in range(steps):
        gram = x @ x.transpose(1, 2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    x = x.transpose(1, 2) if tall else x
    return x.to(g.dtype).view_as(g)


class Muon(Optimizer):
    """`lr` is the spectral size of an update, scaled by `sqrt(max(1, rows / columns))`."""

    def __init__(self, parameters, lr: float, momentum: float = 0.95, weight_decay: float = 0.0):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                average = state["momentum"]
                average.lerp_(parameter.grad, 1 - group["momentum"])
                update = orthogonalise(torch.lerp(parameter.grad, average, group["momentum"]))
                rows, columns = parameter.shape[-2:]
                if group["weight_decay"]:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(update, alpha=-group["lr"] * max(1.0, rows / columns) ** 0.5)


def optimisers(model: torch.nn.Module, lr: float, adam_lr: float, weight_decay: float) -> list[Optimizer]:
    """Muon for every weight matrix, Adam for the biases."""
    named = list(model.named_parameters())
    matrices = [p for name, p in named if not name.split(".")[-1].startswith("b")]
    rest = [p for name, p in named if name.split(".")[-1].startswith("b")]
    return [Muon(matrices, lr, weight_decay=weight_decay), torch.optim.Adam(rest, adam_lr, betas=(0.9, 0.98))]
