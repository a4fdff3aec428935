"""The client against a real broker and two workers."""

from __future__ import annotations

import asyncio
import pathlib
import threading
from typing import Any

import numpy as np
import pytest
from client_fleet import Fleet, python, sinew as command

import sinew

FIELDS = ("latent_norm", "joint_residual_mm", "orientation_residual_rad", "bone_length_change", "unobserved_joints")


def assert_same(one: sinew.Poses, other: sinew.Poses) -> None:
    for name in ("theta", "translation", "joints", *FIELDS):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)


@pytest.mark.parametrize("model", ["niki", "hybrik"])
def test_solve_gives_the_bits_of_a_local_solve(client: sinew.Client, joints: Any, model: str, tmp_path: pathlib.Path) -> None:
    betas = np.linspace(-1, 1, 10, dtype=np.float32)
    sigma = np.full(joints.shape[:2], 0.03, np.float32)
    poses = client.solve(joints, model, betas=betas, sigma=sigma, genders="female")
    np.savez(tmp_path / "in.npz", joints3d=joints, skeleton="smpl-29", unit="m", up_axis="+y", sigma=sigma, gender="female", betas=betas)
    command("solve", str(tmp_path / "in.npz"), "--model", model, "--local", "-o", str(tmp_path / "out.npz"))
    with np.load(tmp_path / "out.npz") as local:
        np.testing.assert_array_equal(poses.theta.reshape(-1, 72), local["poses"])
        np.testing.assert_array_equal(poses.translation, local["trans"])
        np.testing.assert_array_equal(poses.joints, local["joints3d"])
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(poses, name), local[name], name)
    assert poses.solved.all() and len(poses) == 300 and {part.worker for part in poses.parts} <= {"worker-1", "worker-2"}


def test_exact_joints_give_the_motion_back(client: sinew.Client, motion: dict[str, Any]) -> None:
    exact = motion["joints"][0]
    poses = client.solve(exact, "hybrik")
    # The bones of these joints are rounded to millimetres, so no pose meets them all.
    assert np.linalg.norm(poses.joints - exact, axis=-1).mean() < 0.002


def test_a_single_call_is_not_copied(client: sinew.Client, joints: Any) -> None:
    poses = client.solve(joints[:64], "hybrik")
    assert not poses.theta.flags.owndata and not poses.theta.flags.writeable


def test_one_person_and_float64_and_24_joints_are_taken(client: sinew.Client, joints: Any) -> None:
    one = client.solve(joints[0].astype(np.float64), "hybrik")
    assert one.theta.shape == (1, 24, 3)
    assert_same(one, client.solve(joints[:1], "hybrik"))
    smaller = client.solve(joints[:3, :24], "hybrik")
    assert (smaller.unobserved_joints == 5).all()


def test_the_parts_of_a_scene_make_up_the_whole(client: sinew.Client, joints: Any) -> None:
    whole = client.solve(joints, "niki")
    seen: set[int] = set()
    for rows, poses in client.solve_scene(joints, "niki"):
        assert not seen & set(rows)
        seen |= set(rows)
        np.testing.assert_array_equal(poses.theta, whole.theta[rows.start:rows.stop])
    assert seen == set(range(300))


def test_map_gives_each_items_poses_in_order(client: sinew.Client, joints: Any) -> None:
    whole = client.solve(joints, "hybrik")
    people = sinew.People(joints[90:95], refine=0)
    items: list[Any] = [joints[0], joints[1:4], joints[4], joints[5:90], people, *joints[95:300]]
    at = 0
    for item, poses in zip(items, client.map(iter(items), "hybrik"), strict=True):
        rows = item.count if isinstance(item, sinew.People) else 1 if item.ndim == 2 else len(item)
        assert len(poses) == rows
        np.testing.assert_array_equal(poses.theta, whole.theta[at:at + rows])
        at += rows
    assert at == 300
    unordered = dict(client.map_unordered(joints, "hybrik"))
    assert sorted(unordered) == list(range(300))
    np.testing.assert_array_equal(unordered[299].theta[0], whole.theta[299])


def test_map_takes_no_more_than_it_may_have_under_way(client: sinew.Client, joints: Any) -> None:
    taken = 0

    def source() -> Any:
        nonlocal taken
        while True:
            taken += 1
            yield joints[:64]

    results = client.map(source(), "hybrik", in_flight_max=4)
    for _ in range(20):
        next(results)
    assert taken <= 20 + 4 + 1
    results.close()


def test_a_wrong_person_fails_alone(client: sinew.Client, joints: Any) -> None:
    bad = joints[:100].copy()
    bad[70, 4] = np.nan
    bad[3, 0, 0] = 1e9
    poses = client.solve(bad, "hybrik")
    assert [(error.item, sinew.ErrorCode(error.code).name) for error in poses.item_errors] == [(3, "OUT_OF_RANGE"), (70, "NOT_FINITE")]
    assert not poses.solved[70] and not poses.theta[70].any() and poses.solved.sum() == 98
    rest = np.delete(np.arange(100), [3, 70])
    np.testing.assert_array_equal(poses.theta[rest], client.solve(joints[:100], "hybrik").theta[rest])
    with pytest.raises(sinew.InvalidArgument, match="person 3"):
        poses.raise_for_errors()
    assert [error.item for error in poses[60:80].item_errors] == [10]


@pytest.mark.parametrize(("fields", "kind", "code", "said"), [
    ({"joints": np.zeros((5, 17, 3))}, sinew.InvalidArgument, "UNKNOWN_SKELETON", "no skeleton has 17 joints"),
    ({"joints": np.zeros((5, 17, 3)), "skeleton": "smpl-29"}, sinew.InvalidArgument, "WRONG_SHAPE", "smpl-29 has 29 joints"),
    ({"joints": np.zeros((5, 29, 2))}, sinew.InvalidArgument, "WRONG_SHAPE", r"\[5, 29, 2\]"),
    ({"joints": np.zeros((0, 29, 3))}, sinew.InvalidArgument, "WRONG_SHAPE", "n ≥ 1"),
    ({"joints": np.zeros((5, 29, 3), complex)}, sinew.InvalidArgument, "WRONG_SHAPE", "complex128"),
    ({"joints": np.full((5, 29, 3), "x")}, sinew.InvalidArgument, "WRONG_SHAPE", "no real numbers"),
    ({"joints": np.zeros((5, 29, 3), object)}, sinew.InvalidArgument, "WRONG_SHAPE", "dtype object"),
    ({"joints": np.zeros((5, 29, 3)), "skeleton": "body-25"}, sinew.InvalidArgument, "UNKNOWN_SKELETON", "body-25"),
    ({"sigma": np.zeros((4, 29))}, sinew.InvalidArgument, "WRONG_SHAPE", r"sigma: shape \[4, 29\].*smpl-29"),
    ({"observed": np.full((5, 29), 0.7)}, sinew.InvalidArgument, "WRONG_SHAPE", "threshold"),
    ({"twists": np.zeros((5, 24))}, sinew.InvalidArgument, "WRONG_SHAPE", "twists"),
    ({"betas": np.zeros((5, 16))}, sinew.InvalidArgument, "WRONG_SHAPE", "betas"),
    ({"genders": ["male", "female"]}, sinew.InvalidArgument, "WRONG_SHAPE", "2 genders for 5"),
    ({"genders": "divers"}, sinew.InvalidArgument, "UNKNOWN_GENDER", "divers"),
    ({"tracks": [1, 1, 2, 1, 1]}, sinew.InvalidArgument, "WRONG_SHAPE", "track 1 goes on at row 3"),
    ({"tracks": [0.5] * 5}, sinew.InvalidArgument, "WRONG_SHAPE", "tracks"),
    ({"refine": 65}, sinew.InvalidArgument, "OUT_OF_RANGE", "65"),
    ({"start_theta": np.zeros((5, 72))}, sinew.InvalidArgument, "WRONG_SHAPE", "start_theta"),
])
def test_a_wrong_request_is_refused_before_it_is_sent(fields: dict[str, Any], kind: type[sinew.SinewError], code: str, said: str) -> None:
    with pytest.raises(kind, match=said) as caught:
        sinew.People(**({"joints": np.zeros((5, 29, 3))} | fields))
    assert caught.value.code.name == code and isinstance(caught.value, ValueError)


def test_what_the_service_refuses_says_why(client: sinew.Client, joints: Any) -> None:
    with pytest.raises(sinew.NotFound, match="niky") as caught:
        client.solve(joints, "niky")
    assert caught.value.code is sinew.ErrorCode.UNKNOWN_MODEL
    with pytest.raises(sinew.InvalidArgument):
        client.solve(joints[:2], "hybrik", start_theta=np.zeros((2, 24, 3)))
    with pytest.raises(sinew.NotFound, match="model name"):
        client.solve(joints, "")


def test_tracks_of_a_sequential_model_go_on_over_calls(client: sinew.Client, joints: Any) -> None:
    tracks = np.repeat([5, 6, 7], [150, 10, 140])
    in_parts = client.solve(joints, "learnable-smplify", tracks=tracks)
    with sinew.Client(client.endpoint, items_per_call=300) as large:
        at_once = large.solve(joints, "learnable-smplify", tracks=tracks)
    assert len(in_parts.parts) > 3 and len(at_once.parts) == 1
    assert_same(in_parts, at_once)
    whole = client.solve(joints, "niki-temporal", tracks=tracks)
    assert {len(part.rows) for part in whole.parts} <= {150, 10, 140}
    # A model that solves every row by itself is not slowed down by tracks, nor changed.
    assert_same(client.solve(joints, "niki", tracks=tracks), client.solve(joints, "niki"))


def test_effectors_are_met(client: sinew.Client) -> None:
    goals = [
        sinew.Effector.position("pelvis", (0, 1, 0)), sinew.Effector.position(20, (0.4, 1.1, 0.3)),
        sinew.Effector.look_at("head", (0, 1.6, 2)), sinew.Effector.rotation("left_foot", np.eye(3), tolerance=0.1, weight=0.5)]
    poses = client.solve_effectors([goals, goals[:1]] * 40, refine=20, genders="female")
    assert len(poses) == 80 and np.linalg.norm(poses.joints[0, 20] - (0.4, 1.1, 0.3)) < 0.01
    np.testing.assert_array_equal(poses.theta[0], poses.theta[78])
    with pytest.raises(sinew.InvalidArgument, match="left_wing"):
        sinew.Effector.position("left_wing", (0, 0, 0))
    with pytest.raises(sinew.InvalidArgument, match="nobody"):
        client.solve_effectors([])


def test_the_fleet_is_shown(client: sinew.Client) -> None:
    status = client.status()
    assert {worker.name for worker in status.workers} == {"worker-1", "worker-2"} and status.broker.uptime_us > 0
    assert [each.workers for each in client.models() if each.model.name == "niki"] == [2]
    assert client.health("sinew.v1.PoseSolver").name == "SERVING"
    with pytest.raises(sinew.NotFound, match="nobody"):
        client.drain_worker("nobody")


def test_many_threads_share_a_client(client: sinew.Client, joints: Any) -> None:
    expected = client.solve(joints, "hybrik")
    results: dict[int, sinew.Poses] = {}

    def work(number: int) -> None:
        results[number] = client.solve(joints[number:number + 100], "hybrik")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(16):
        np.testing.assert_array_equal(results[number].theta, expected.theta[number:number + 100])


def test_the_async_client_gives_the_same(fleet: Fleet, client: sinew.Client, joints: Any) -> None:
    expected = client.solve(joints, "hybrik")

    async def main() -> None:
        async with sinew.AsyncClient(fleet.endpoint) as other:
            several = await asyncio.gather(*(other.solve(joints, "hybrik") for _ in range(4)))
            for poses in several:
                assert_same(poses, expected)
            mapped = [poses async for poses in other.map(joints, "hybrik")]
            np.testing.assert_array_equal(mapped[299].theta[0], expected.theta[299])
            rows = [part.rows async for part in other.solve_scene(joints, "hybrik")]
            assert sum(map(len, rows)) == 300
            assert (await other.status()).broker.uptime_us > 0 and await other.models()
            with pytest.raises(sinew.NotFound):
                await other.solve(joints, "niky")
            effectors = await other.solve_effectors([[sinew.Effector.position("pelvis", (0, 1, 0))]])
            assert len(effectors) == 1

    asyncio.run(main())


def test_files_open_elsewhere_and_hold_what_they_should(client: sinew.Client, joints: Any, tmp_path: pathlib.Path) -> None:
    tracks = np.repeat([3, 9], [200, 100])
    poses = client.solve(joints, "niki", tracks=tracks, betas=np.ones(10))
    first, second = poses.to_amass(tmp_path / "pose.npz", fps=60)
    assert [first.name, second.name] == ["pose.3.npz", "pose.9.npz"]
    with np.load(second, allow_pickle=False) as file:
        assert float(file["mocap_framerate"]) == float(file["mocap_frame_rate"]) == 60
        np.testing.assert_array_equal(file["poses"].reshape(-1, 24, 3), poses.theta[200:])
        assert file["betas"].tolist() == [1] * 10 and str(file["gender"]) == "neutral" and file["frame"][0] == 0
    assert command("effectors", str(first), "-o", str(tmp_path / "few.jsonl")).returncode == 0
    table = poses.to_arrow()
    assert table.num_rows == 300 and table["theta"][7].as_py() == poses.theta[7].reshape(-1).tolist()
    lines = poses.to_csv(tmp_path / "pose.csv").read_text().splitlines()
    row = dict(zip(lines[0].split(","), lines[8].split(",")))
    assert np.float32(row["theta_left_knee_y"]) == poses.theta[7, 4, 1] and row["track"] == "3"
    assert poses.to_parquet(tmp_path / "pose.parquet").stat().st_size > 1000
    page = poses.to_html()
    assert "http" not in page and "<canvas>" in page and "srcdoc" in poses._repr_html_()


def test_importing_is_quick_and_loads_nothing() -> None:
    code = "import sys; before = set(sys.modules); import sinew; print(len({m for m in set(sys.modules) - before if m in ('numpy', 'zmq')}))"
    process = python(code)
    assert process.communicate(timeout=300)[0].strip() == "0"
