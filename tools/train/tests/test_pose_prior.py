"""The pose prior: expectation-maximisation finds a known mixture, and the shipped file is a proper mixture."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from sinew_train import pose_prior
from sinew_train.body import REPOSITORY

SHIPPED = REPOSITORY / "Sources" / "SinewModels" / "Resources" / "priors" / pose_prior.FILE


def test_a_known_mixture_is_found_again():
    random = np.random.default_rng(3)
    true_means = 2 * random.normal(size=(3, pose_prior.DIMENSION))
    owner = random.choice(3, size=6000, p=[0.5, 0.3, 0.2])
    x = true_means[owner] + 0.3 * random.normal(size=(6000, pose_prior.DIMENSION))
    _, (weights, means, factors) = pose_prior.fit(x, 3, 0.0, 50, random)
    order = [int(np.argmin(((means - mean) ** 2).sum(1))) for mean in true_means]
    assert sorted(order) == [0, 1, 2]
    np.testing.assert_allclose(weights[order], [0.5, 0.3, 0.2], atol=0.03)
    np.testing.assert_allclose(means[order], true_means, atol=0.05)
    covariances = factors @ factors.transpose(0, 2, 1)
    np.testing.assert_allclose(np.diagonal(covariances, axis1=1, axis2=2), 0.09, atol=0.02)


def test_the_floor_keeps_an_unmoved_joint_finite():
    random = np.random.default_rng(4)
    x = random.normal(size=(500, pose_prior.DIMENSION))
    x[:, 5] = 0.25
    _, (_, means, factors) = pose_prior.fit(x, 2, 0.05, 10, random)
    covariances = factors @ factors.transpose(0, 2, 1)
    np.testing.assert_allclose(covariances[:, 5, 5], 0.05**2, rtol=1e-6)
    np.testing.assert_allclose(means[:, 5], 0.25, rtol=1e-9)


@pytest.mark.skipif(not SHIPPED.is_file(), reason="the prior lies in the source tree only")
def test_the_shipped_prior_is_a_mixture():
    prior = load_file(SHIPPED)
    factors = prior["factors"].astype(np.float64)
    assert factors.shape == (8, pose_prior.DIMENSION, pose_prior.DIMENSION)
    assert np.all(np.triu(factors, 1) == 0) and np.all(np.diagonal(factors, axis1=1, axis2=2) > 0)
    # Taking the determinants out of the log weights leaves the weights, up to one factor.
    weights = np.exp(prior["log_weights"] - np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(1))
    weights /= weights.sum()
    assert np.all(weights[:-1] >= weights[1:]) and weights[-1] > 1e-4
    # No direction is held more tightly than the floor allows.
    precisions = factors @ factors.transpose(0, 2, 1)
    assert np.linalg.eigvalsh(precisions).max() < 1.01 / 0.05**2
