"""Fits the pose prior of SMPLify: a mixture of Gaussians over the 69 axis-angle numbers of joints 1…23.

    python -m sinew_train.pose_prior --out ../../Sources/SinewModels/Resources/priors

Written as `body_pose_mixture.safetensors`, float32, for K components and n = 69:

    means          [K, n]     radians
    factors        [K, n, n]  lower triangular L with precision = L L^T
    log_weights    [K]        log of the mixture weight plus half the log-determinant of the precision, largest 0

so that a component's negative log-likelihood is `0.5 * |L^T (x - mean)|^2 - log_weight` up to one constant. Expectation-maximisation
runs on the training clips and their mirror images. Every covariance gets `floor^2` on its diagonal: joints that motion capture never
bends (toes, hands) would otherwise have an infinite precision.
"""

import argparse
import datetime
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from .body import data_root
from .data import split_names
from .export import ACKNOWLEDGEMENT, DATA, LICENCE
from .skeleton import MIRROR

DIMENSION = 69
FILE = "body_pose_mixture.safetensors"


def poses(folder: Path, names: list[str], stride: int) -> np.ndarray:
    """Axis-angle of joints 1…23 of every `stride`-th frame, `[frames, 69]`, float64, mirror images included.

    A mirrored rotation vector is (x, -y, -z).
    """
    theta = np.concatenate([np.load(folder / f"{name}.npz", allow_pickle=False)["poses"][::stride] for name in names])
    theta = theta.reshape(len(theta), 24, 3).astype(np.float64)
    mirrored = theta[:, list(MIRROR[:24])] * np.array([1.0, -1.0, -1.0])
    return np.concatenate([theta, mirrored])[:, 1:].reshape(-1, DIMENSION)


def moments(x: np.ndarray, shares: np.ndarray, floor: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, means and lower Cholesky factors of the covariances for given shares `[frames, K]`."""
    mass = shares.sum(0)
    means = shares.T @ x / mass[:, None]
    factors = []
    for k in range(len(mass)):
        away = x - means[k]
        covariance = (away * shares[:, k, None]).T @ away / mass[k] + floor**2 * np.eye(DIMENSION)
        factors.append(np.linalg.cholesky(covariance))
    return mass / len(x), means, np.stack(factors)


def log_densities(x: np.ndarray, weights: np.ndarray, means: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Log of weight times density of every component, `[frames, K]`, without the constant of 2 pi."""
    columns = []
    for weight, mean, factor in zip(weights, means, factors):
        white = solve_triangular(factor, (x - mean).T, lower=True)
        columns.append(np.log(weight) - 0.5 * (white**2).sum(0) - np.log(np.diag(factor)).sum())
    return np.stack(columns, 1)


def nearest_seeds(x: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Hard shares `[frames, count]` by the nearest of k-means++ seeds."""
    seeds = [x[random.integers(len(x))]]
    for _ in range(count - 1):
        distance = np.min([((x - seed) ** 2).sum(1) for seed in seeds], axis=0)
        seeds.append(x[random.choice(len(x), p=distance / distance.sum())])
    owner = np.argmin([((x - seed) ** 2).sum(1) for seed in seeds], axis=0)
    return np.eye(count)[owner]


def fit(x: np.ndarray, count: int, floor: float, iterations: int, random: np.random.Generator):
    """Expectation-maximisation from one random start; returns the mean log-likelihood and the parameters."""
    parameters = moments(x, nearest_seeds(x, count, random), floor)
    likelihood = -np.inf
    for _ in range(iterations):
        logs = log_densities(x, *parameters)
        total = logsumexp(logs, axis=1)
        previous, likelihood = likelihood, float(total.mean())
        if likelihood - previous < 1e-4:
            break
        parameters = moments(x, np.exp(logs - total[:, None]), floor)
    return likelihood, parameters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the folder of the prior")
    parser.add_argument("--clips", type=Path, default=None, help="the folder of clips")
    parser.add_argument("--split", default="cmu24")
    parser.add_argument("--components", type=int, default=8)
    parser.add_argument("--floor", type=float, default=0.05, help="radians added to every direction's deviation")
    parser.add_argument("--stride", type=int, default=3, help="takes every third frame: neighbours hardly differ")
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--iterations", type=int, default=60)
    parser.add_argument("--seed", type=int, default=20260101)
    given = parser.parse_args()
    folder = given.clips or data_root() / given.split
    names = split_names(given.split, "train")
    x = poses(folder, names, given.stride)
    random = np.random.default_rng(given.seed)
    runs = [fit(x, given.components, given.floor, given.iterations, random) for _ in range(given.starts)]
    likelihood, (weights, means, factors) = max(runs, key=lambda run: run[0])
    held_out = poses(folder, split_names(given.split, "validation"), given.stride)
    precision_factors = np.stack([np.linalg.cholesky(np.linalg.inv(factor @ factor.T)) for factor in factors])
    log_weights = np.log(weights) + np.log(np.diagonal(precision_factors, axis1=1, axis2=2)).sum(1)
    order = np.argsort(-weights)
    tensors = {
        "means": means[order], "factors": precision_factors[order], "log_weights": (log_weights - log_weights.max())[order],
    }
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / FILE).write_bytes(save({key: value.astype(np.float32) for key, value in tensors.items()}))
    record = {
        "data": f"{DATA}, {len(names)} clips (splits/{given.split}.json) and their mirror images, {len(x)} poses",
        "licence": LICENCE, "acknowledgement": ACKNOWLEDGEMENT, "seed": given.seed, "components": given.components,
        "floor_rad": given.floor, "log_likelihood": {
            "training": round(likelihood, 3),
            "validation": round(float(logsumexp(log_densities(held_out, weights, means, factors), axis=1).mean()), 3),
        },
        "weights": [round(float(weight), 4) for weight in weights[order]],
        "command": f"python -m sinew_train.pose_prior --components {given.components} --floor {given.floor} "
        f"--stride {given.stride} --starts {given.starts} --iterations {given.iterations} --seed {given.seed}",
        "date": datetime.date.today().isoformat(),
    }
    (given.out / FILE).with_suffix(".json").write_text(json.dumps(record, indent=2) + "\n")
    print(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()
