"""Kinematics, decomposition and analytic IK agree with each other and with plain numpy."""

import math

import numpy as np
import pytest
import torch

from sinew_train import conditioning, hybrik, metrics, noise
from sinew_train.body import JointTable, forward_kinematics
from sinew_train.rotations import about_y, from_axis_angle, from_rows6d, geodesic, swing_between, to_rows6d
from sinew_train.skeleton import PARENTS

SEED = 31


def synthetic_table(dtype=torch.float64) -> JointTable:
    """A skeleton with bones of many directions, so that the tests need no body file."""
    generator = torch.Generator().manual_seed(SEED)
    steps = torch.randn(29, 3, generator=generator, dtype=torch.float64)
    steps = 0.25 * steps / steps.norm(dim=1, keepdim=True)
    base = torch.zeros(29, 3, dtype=torch.float64)
    for j in range(1, 29):
        base[j] = base[PARENTS[j]] + steps[j]
    return JointTable(base.to(dtype), 0.005 * torch.randn(29, 3, 10, generator=generator, dtype=torch.float64).to(dtype))


def random_people(count: int, spread: float, seed: int = SEED):
    generator = torch.Generator().manual_seed(seed)
    rest = synthetic_table().rest(torch.randn(count, 10, generator=generator, dtype=torch.float64))
    local = from_axis_angle(spread * torch.randn(count, 24, 3, generator=generator, dtype=torch.float64))
    return local, rest


def test_forward_kinematics_equals_the_chain_of_4x4_matrices():
    local, rest = random_people(20, 0.7)
    joints, _ = forward_kinematics(local, rest)
    for person in range(20):
        chain = []
        for j in range(29):
            step = np.eye(4)
            step[:3, :3] = local[person, j] if j < 24 else np.eye(3)
            step[:3, 3] = rest[person, j] - (rest[person, PARENTS[j]] if j else rest[person, 0])
            chain.append(chain[PARENTS[j]] @ step if j else step)
        np.testing.assert_allclose(joints[person], np.stack([m[:3, 3] for m in chain]), atol=1e-12)


def test_decomposition_multiplies_back_and_the_swing_has_no_twist():
    local, rest = random_people(200, 0.8)
    swing, twists = hybrik.decompose(local, rest)
    torch.testing.assert_close(swing @ hybrik.twist_rotations(rest, twists), local, atol=1e-9, rtol=0)
    assert twists.abs().max() <= math.pi


def test_naive_ik_of_exact_joints_and_twists_gives_the_rotations_back():
    local, rest = random_people(200, 0.5)
    joints, _ = forward_kinematics(local, rest)
    swing, twists = hybrik.decompose(local, rest)
    found = hybrik.solve_naive(joints, rest, twists)
    assert geodesic(found, local).max() < 1e-6
    again, _ = hybrik.decompose(found, rest)
    assert geodesic(again, swing).max() < 1e-6


def test_adaptive_ik_places_every_joint_of_an_exact_pose():
    local, rest = random_people(200, 0.5)
    joints, _ = forward_kinematics(local, rest)
    _, twists = hybrik.decompose(local, rest)
    placed, _ = forward_kinematics(hybrik.solve_adaptive(joints, rest, twists), rest)
    assert (placed - joints).norm(dim=-1).max() < 1e-4


def test_swing_of_antiparallel_bones_is_a_half_turn():
    a = torch.tensor([[0.0, 2, 0], [1, 0, 0], [0.3, -0.2, 0.9]], dtype=torch.float64)
    turned = (swing_between(a, -a) @ a[..., None])[..., 0]
    torch.testing.assert_close(turned, -a, atol=1e-9, rtol=0)


def test_rows6d_of_a_quarter_turn_about_z_are_the_published_numbers():
    quarter = from_axis_angle(torch.tensor([0, 0, math.pi / 2], dtype=torch.float64))
    torch.testing.assert_close(to_rows6d(quarter), torch.tensor([0, -1, 0, 1, 0, 0], dtype=torch.float64), atol=1e-12, rtol=0)
    torch.testing.assert_close(from_rows6d(to_rows6d(quarter)), quarter, atol=1e-12, rtol=0)


@pytest.mark.parametrize("angle", [0.0, 0.7, -2.5, 3.1])
def test_conditioning_does_not_see_the_heading(angle):
    """Turning and moving the whole person changes the restored root only."""
    local, rest = random_people(30, 0.3)
    joints, _ = forward_kinematics(local, rest)
    joints = joints + 0.02 * torch.randn(joints.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    turn = about_y(torch.tensor(math.cos(angle), dtype=torch.float64), torch.tensor(math.sin(angle), dtype=torch.float64))
    twists = torch.zeros(30, 23, dtype=torch.float64)
    observed = torch.ones(30, 29, dtype=torch.bool)
    observed[:, [0, 7, 20]] = False
    sigma = torch.full((30, 29), 0.03, dtype=torch.float64)
    first = conditioning.heading_bones(conditioning.Observations(joints, sigma, observed, twists, observed[:, 1]), rest)
    moved = (turn @ joints[..., None])[..., 0] + 3.0
    second = conditioning.heading_bones(conditioning.Observations(moved, sigma, observed, twists, observed[:, 1]), rest)
    torch.testing.assert_close(first.bones, second.bones, atol=1e-9, rtol=0)
    torch.testing.assert_close(turn @ first.heading(), second.heading(), atol=1e-9, rtol=0)


def test_pa_mpjpe_ignores_a_similarity_but_not_a_mirror():
    local, rest = random_people(10, 0.6)
    joints, _ = forward_kinematics(local, rest)
    turn = from_axis_angle(torch.tensor([0.4, -1.0, 0.3], dtype=torch.float64))
    moved = 1.7 * (turn @ joints[..., None])[..., 0] + 2
    assert metrics.pa_mpjpe(moved, joints).max() < 1e-3
    assert metrics.pa_mpjpe(joints * torch.tensor([-1.0, 1, 1]), joints).min() > 5


def test_standard_noise_has_the_stated_deviation_and_correlation():
    count = 20000
    joints, twists = torch.zeros(count, 29, 3), torch.zeros(count, 23)
    seen = noise.corrupt("standard", joints, twists, torch.Generator().manual_seed(SEED))
    # Joint 7 has base 25 mm, its root-relative error that and the pelvis's, weakly correlated; factors average to E[u^2 v^2].
    factor = (1 + 1 / 12) * (1 + 0.36 / 12)
    chain = [0, 1, 4, 7]
    base = noise.BASE_DEVIATION[chain]
    expected = base[3] ** 2 + base[0] ** 2 - 2 * 0.6**3 * base[3] * base[0]
    found = seen.joints[:, 7].square().mean()
    assert abs(float(found / (expected * factor)) - 1) < 0.05
    assert abs(float(seen.twists.std()) / 0.12 - 1) < 0.02


def test_occlusion_loses_each_limb_as_often_as_stated():
    count = 20000
    seen = noise.corrupt(
        "occlusion", torch.zeros(count, 29, 3), torch.zeros(count, 23), torch.Generator().manual_seed(SEED))
    # Head top belongs to one set only; lost deviations start at 0.09 x 0.7, standard ones end below 0.06 x 1.3.
    large = (seen.sigma[:, 24] > 0.0659).float().mean()
    assert abs(float(large) - noise.LOST_PROBABILITY) < 0.012


def test_an_smpl_layout_file_gives_the_joints_of_its_shaped_mesh(tmp_path):
    rng = np.random.default_rng(SEED)
    regressor = rng.random((24, 40))
    regressor /= regressor.sum(1, keepdims=True)
    template, shapes, leaves = rng.normal(0, 0.4, (40, 3)), rng.normal(0, 0.01, (40, 3, 300)), np.arange(30, 35)
    path = tmp_path / "body.npz"
    np.savez(path, J_regressor=regressor, v_template=template, shapedirs=shapes, leaf_vertex_ids=leaves)
    betas = rng.normal(size=10)
    shaped = template + shapes[:, :, :10] @ betas
    found = JointTable.load(path, dtype=torch.float64).rest(torch.from_numpy(betas)[None])[0]
    np.testing.assert_allclose(found, np.concatenate([regressor @ shaped, shaped[leaves]]), atol=1e-12)
