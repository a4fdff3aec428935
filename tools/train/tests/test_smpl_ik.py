"""SMPL-IK: the trained form equals the published dense form; weights, order and place of effectors do what they should."""

import math

import pytest
import torch
from safetensors.torch import load_file

from sinew_train import effectors, noise
from sinew_train.body import REPOSITORY, JointTable, forward_kinematics
from sinew_train.checkpoint import read_smpl_ik
from sinew_train.effectors import LOOK_AT, POSITION, ROTATION, EffectorSet
from sinew_train.rotations import about_y, from_axis_angle, from_rows6d, to_rows6d
from sinew_train.smpl_ik import SMPLIK
from sinew_train.smpl_ik_conditioning import restore, whole_rotation
from sinew_train.smpl_ik_dense import DenseSMPLIK
from sinew_train.smpl_ik_fixtures import ragged_sets, random_network

FIXTURES = REPOSITORY / "Tests" / "SinewModelsTests" / "Fixtures"


def solve(model, given):
    conditioned = model.condition(given)
    positions, rotation6d = model(given, conditioned)
    return restore(from_rows6d(rotation6d), positions[:, 0], conditioned)


def edited(given, **changes):
    return EffectorSet(**(vars(given) | changes))


@pytest.fixture(params=["none", "effector-heading"])
def case(request):
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        yield random_network(request.param, generator).double().eval(), ragged_sets(12, generator).double()


@pytest.mark.parametrize("name", ["smpl_ik_small", "smpl_ik_heading"])
def test_the_trained_form_in_float32_agrees_with_the_recorded_vectors(name):
    z = load_file(FIXTURES / f"{name}.safetensors")
    model, _ = read_smpl_ik(FIXTURES / name / "1")
    given = EffectorSet(
        [(1, int(each)) for each in z["counts"]], z["kind"].long(), z["joint"].long(), z["values"], z["tolerance"], z["weight"],
        z["betas"], z["genders"].long(), z["rest"])
    with torch.no_grad():
        conditioned = model.condition(given)
        positions, rotation6d = model(given, conditioned)
    for found, expected in [
        (conditioned.data, z["data"]), (positions, z["positions"]), (rotation6d.flatten(1), z["rotation6d"]),
    ]:
        torch.testing.assert_close(found, expected, atol=1e-5 * max(1.0, float(expected.abs().max())), rtol=0)


def test_the_published_shapes(case):
    tensors = SMPLIK(1024, conditioning="none").tensors()
    assert len(tensors) == 106 and sum(t.numel() for t in tensors.values()) == 39_878_596
    for name, shape in {
        "embeddings.1.projection.weight": (32, 65), "encoder.blocks.0.fc_layers.0.weight": (1024, 82),
        "encoder.blocks.0.backward_projection.weight": (1024, 82), "decoder_stage1.blocks.2.forward_projection.weight": (72, 1024),
        "decoder_stage2.blocks.0.norm.a_2": (1107,), "decoder_stage2.blocks.0.backward_projection.weight": (1024, 1107),
    }.items():
        assert tuple(tensors[name].shape) == shape


def test_the_trained_form_equals_the_dense_form(case):
    model, given = case
    conditioned = model.condition(given)
    positions, rotation6d = model(given, conditioned)
    _, dense_positions, dense_rotation6d = DenseSMPLIK(model.tensors()).run(given, conditioned.data)
    torch.testing.assert_close(positions, dense_positions, atol=1e-10, rtol=0)
    torch.testing.assert_close(rotation6d, dense_rotation6d, atol=1e-10, rtol=0)


def test_an_effector_of_weight_zero_has_no_effect(case):
    model, given = case
    quiet = given.weight == 0
    assert quiet.any()
    changed = edited(given, values=given.values + 3.0 * quiet[:, None], joint=torch.where(quiet, 23 - given.joint, given.joint))
    for a, b in zip(solve(model, given), solve(model, changed)):
        torch.testing.assert_close(a, b, atol=0, rtol=0)


def test_the_order_of_effectors_does_not_matter(case):
    model, given = case
    starts = torch.cumsum(torch.tensor([0] + [each for _, each in given.groups]), 0)
    order = torch.cat([torch.arange(int(b) - 1, int(a) - 1, -1) for a, b in zip(starts, starts[1:])])
    shuffled = edited(given, **{name: getattr(given, name)[order] for name in ("kind", "joint", "values", "tolerance", "weight")})
    for a, b in zip(solve(model, given), solve(model, shuffled)):
        torch.testing.assert_close(a, b, atol=1e-9, rtol=0)


def moved(given, heading, shift):
    """All effectors turned about y by `heading`, then moved."""
    turn = about_y(torch.tensor(math.cos(heading)).double(), torch.tensor(math.sin(heading)).double())
    points = torch.cat([given.values[:, :3] @ turn.T + shift, given.values[:, 3:]], 1)
    rows = to_rows6d(turn @ whole_rotation(given.values))
    return edited(given, values=torch.where((given.kind == ROTATION)[:, None], rows, points)), turn


def test_moving_the_effectors_moves_the_pose(case):
    model, given = case
    far, _ = moved(given, 0.0, torch.tensor([3.0, -1.0, 2.0]).double())
    (local, root), (far_local, far_root) = solve(model, given), solve(model, far)
    torch.testing.assert_close(local, far_local, atol=1e-9, rtol=0)
    torch.testing.assert_close(root + torch.tensor([3.0, -1.0, 2.0]).double(), far_root, atol=1e-9, rtol=0)


def test_turning_the_effectors_turns_the_pose():
    generator = torch.Generator().manual_seed(6)
    with torch.no_grad():
        model, given = random_network("effector-heading", generator).double().eval(), ragged_sets(12, generator).double()
        turned, turn = moved(given, 2.1, torch.zeros(3).double())
        (local, root), (turned_local, turned_root) = solve(model, given), solve(model, turned)
    # Without a heading (a lone position) the world's axes are taken, which do not turn with the effectors.
    told = model.condition(given).sin != 0
    assert 8 <= told.sum() < 12
    torch.testing.assert_close(turned_local[told, 1:], local[told, 1:], atol=1e-6, rtol=0)
    torch.testing.assert_close(turned_local[told, 0], turn @ local[told, 0], atol=1e-6, rtol=0)
    torch.testing.assert_close(turned_root[told], root[told] @ turn.T, atol=1e-6, rtol=0)


def test_a_person_without_a_position_is_refused(case):
    model, given = case
    with pytest.raises(ValueError, match="positional"):
        model.condition(edited(given, weight=given.weight * (given.kind != POSITION)))


def test_the_draw_is_the_published_one():
    generator = torch.Generator().manual_seed(9)
    betas, rest = torch.zeros(400, 10), JointTable.load().rest(torch.zeros(400, 10))[:, :24]
    local = from_axis_angle(0.5 * noise.normal((400, 24, 3), generator))
    joints, rotations = forward_kinematics(local, JointTable.load().rest(betas))
    joints = joints[:, :24]
    given = effectors.draw(joints, rotations, betas, torch.full((400,), 2), rest, 4, generator)
    person, exact = given.person(), given.tolerance < 1e-6
    assert [p for p, _ in given.groups] == [4] * 100 and 3 <= min(n for _, n in given.groups) and max(n for _, n in given.groups) <= 19
    assert given.tolerance.max() <= 0.1 and (given.tolerance[given.kind == LOOK_AT] == 0).all()
    for kind in (POSITION, ROTATION):
        rows = given.kind == kind
        pairs = person[rows] * 24 + given.joint[rows]
        assert len(pairs.unique()) == len(pairs), "joints of one kind are drawn without replacement"
    at = (given.kind == POSITION) & exact
    torch.testing.assert_close(given.values[at, :3], joints[person[at], given.joint[at]], atol=1e-5, rtol=0)
    at = (given.kind == ROTATION) & exact
    torch.testing.assert_close(from_rows6d(given.values[at]), rotations[person[at], given.joint[at]], atol=1e-5, rtol=0)
    at = given.kind == LOOK_AT
    toward = given.values[at, :3] - joints[person[at], given.joint[at]]
    seen = (rotations[person[at], given.joint[at]] @ given.values[at, 3:, None])[..., 0]
    assert (torch.nn.functional.cosine_similarity(toward, seen) > 0.999).all()


def test_the_euler_rotation_is_x_then_y_then_z_from_the_left():
    angles = torch.tensor([0.3, -0.7, 1.1]).double()
    x, y, z = (from_axis_angle(a * axis) for a, axis in zip(angles, torch.eye(3).double()))
    torch.testing.assert_close(effectors.euler_xyz(angles), x @ y @ z)
