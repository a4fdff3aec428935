"""Writes the golden vectors of SMPLify: its error by torch's autograd, and the paths of torch's own LBFGS and Adam.

Everything in float64. The error is written down from models.md section 8 with dense precisions and torch.matrix_exp; the paths are
taken on a chained Rosenbrock function.

Run:  python tools/golden/fitting.py FOLDER_WITH_OPEN_BODY_NPZ   (numpy, torch, safetensors; the fixture is committed)
"""
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "Tests/SinewModelsTests/Fixtures/fitting.npz"
PRIOR = ROOT / "Sources/SinewModels/Resources/priors/body_pose_mixture.safetensors"
PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21, 15, 22, 23, 10, 11]
torch.set_default_dtype(torch.float64)


def joints(theta, rest):
    """Posed joints `[29, 3]` of `[24, 3]` axis-angle."""
    x, y, z = theta.unbind(1)
    o = torch.zeros_like(x)
    local = torch.matrix_exp(torch.stack([o, -z, y, z, o, -x, -y, x, o], 1).view(24, 3, 3))
    turns, places = [local[0]], [rest[0]]
    for joint in range(1, 29):
        parent = PARENTS[joint]
        places.append(places[parent] + turns[parent] @ (rest[joint] - rest[parent]))
        if joint < 24:
            turns.append(turns[parent] @ local[joint])
    return torch.stack(places)


def prior_error(body, prior):
    away = body - prior["means"]
    precision = prior["factors"] @ prior["factors"].transpose(1, 2)
    return (0.5 * torch.einsum("ki,kij,kj->k", away, precision, away) - prior["log_weights"]).min()


def error(x, rest, targets, sigma, seen, prior):
    """The second stage, without the term of LBFGS."""
    theta, translation = x[:72].view(24, 3), x[72:]
    residual = joints(theta, rest) + translation - targets
    confidence = torch.where(seen, 0.02 / sigma.clamp(0.02, 0.4), torch.zeros(()))
    robust = 100**2 * residual**2 / (100**2 + residual**2)
    bend = sum(torch.exp(sign * x[index]) ** 2 for index, sign in [(55, 1), (58, -1), (12, -1), (15, -1)])
    return (
        600**2 * (confidence[:, None] ** 2 * robust).sum() + (4.78 * 1.5) ** 2 * prior_error(x[3:72], prior) + 15.2**2 * bend
    )


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def path(optimizer, x, steps):
    def closure():
        optimizer.zero_grad()
        value = rosenbrock(x)
        value.backward()
        return value

    out = []
    for _ in range(steps):
        optimizer.step(closure)
        out.append(x.detach().clone())
    return torch.stack(out)


def main():
    generator = torch.Generator().manual_seed(7)
    with np.load(Path(sys.argv[1]) / "open_body_neutral.npz", allow_pickle=False) as body:
        regressor = np.asarray(body["J_regressor"])
        template, leaves = np.asarray(body["v_template"]), np.asarray(body["leaf_vertex_ids"])
    rest = torch.from_numpy(np.concatenate([regressor @ template, template[leaves]]).astype(np.float32)).double()
    prior = {name: value.double() for name, value in load_file(PRIOR).items()}
    out = {"rest": rest.float()}
    rows = {name: [] for name in ["x", "targets", "sigma", "seen", "value", "slope"]}
    for person in range(4):
        component = torch.randint(len(prior["means"]), (), generator=generator)
        body_pose = prior["means"][component] + 0.2 * torch.randn(69, generator=generator)
        x = torch.cat([torch.randn(3, generator=generator), body_pose, 0.1 * torch.randn(3, generator=generator)])
        true = joints(torch.cat([x[:3], prior["means"][component]]).view(24, 3), rest)
        targets = (true + 0.03 * torch.randn(29, 3, generator=generator)).float().double()
        sigma = (0.5 * torch.rand(29, generator=generator)).float().double()
        seen = torch.rand(29, generator=generator) > 0.2 * (person > 0)
        x.requires_grad_(True)
        value = error(x, rest, targets, sigma, seen, prior)
        value.backward()
        for name, tensor in zip(rows, [x.detach(), targets.float(), sigma.float(), seen.to(torch.uint8), value.detach(), x.grad]):
            rows[name].append(tensor)
    out |= {name: torch.stack(values) for name, values in rows.items()}
    start = torch.tensor([-1.2, 1.0, -0.5, 0.8, 1.9, -0.3, 0.1, 0.6])
    for rate in (0.01, 1.0):
        x = start.clone().requires_grad_(True)
        descent = torch.optim.LBFGS([x], lr=rate, max_iter=4, line_search_fn="strong_wolfe")
        out[f"lbfgs_{rate}"] = path(descent, x, 10)
    x = start.clone().requires_grad_(True)
    out["adam"] = path(torch.optim.Adam([x], lr=0.01), x, 60)[[0, 1, 9, 59]]
    out["start"] = start
    OUT.parent.mkdir(exist_ok=True)
    np.savez(OUT, **{name: value.numpy() for name, value in out.items()})
    print(OUT, {name: tuple(value.shape) for name, value in out.items()})


if __name__ == "__main__":
    main()
