"""Durable jobs from Python."""

from __future__ import annotations

import asyncio
import json
import pathlib
import uuid
from typing import Any

import numpy as np
import pytest
from client_fleet import Fleet, python, sinew as command, until

import sinew
from sinew._jobs import new_job_id


def test_a_job_gives_what_a_call_gives(client: sinew.Client, joints: Any) -> None:
    expected = client.solve(joints, "niki")
    job = client.submit(joints, "niki", fps=60, name="walk", idempotency_key=str(uuid.uuid4()))
    indexes = []
    for result in job:
        assert result.error is None and json.loads(result.label)["file"] == "walk"
        rows = json.loads(result.label)["runs"][0]
        np.testing.assert_array_equal(result.poses().theta, expected.theta[rows["at"]:rows["at"] + rows["n"]])
        indexes.append(result.index)
    assert sorted(indexes) == [0, 1, 2, 3, 4]
    poses = client.job(str(job.id)).poses()
    np.testing.assert_array_equal(poses.theta, expected.theta)
    np.testing.assert_array_equal(poses.joint_residual_mm, expected.joint_residual_mm)
    assert poses.fps == 60 and poses.frames is not None and poses.frames.tolist() == list(range(300)) and poses.solved.all()
    assert job.status().state is sinew.JobState.FINISHED


def test_the_same_content_is_the_same_job(client: sinew.Client, joints: Any) -> None:
    first = client.submit(joints[:100], "hybrik", betas=np.full(10, 0.25))
    assert client.submit(joints[:100], "hybrik", betas=np.full(10, 0.25)).id == first.id
    assert client.submit(joints[:100], "hybrik", betas=np.full(10, 0.5)).id != first.id
    one = client.submit(joints[:10], "hybrik", idempotency_key="monday")
    assert client.submit(joints[:10], "hybrik", idempotency_key="monday").id == one.id != first.id
    chosen = new_job_id()
    assert client.submit(joints[:10], "hybrik", id=chosen).id == chosen == client.submit(joints[:10], "hybrik", id=str(chosen)).id
    assert [status.id for status in client.jobs(count_max=1)] == [chosen.bytes]
    with pytest.raises(sinew.AlreadyExists):
        client.submit(joints[:20], "niki", id=chosen)


def test_jobs_and_the_command_understand_each_other(client: sinew.Client, joints: Any, tmp_path: pathlib.Path) -> None:
    tracks = np.repeat([4, 2], [150, 150])
    betas = np.repeat(np.random.default_rng(3).normal(size=(2, 10)).astype(np.float32), 150, axis=0)
    clips = {
        "a/left": sinew.People(joints, tracks=tracks, betas=betas, genders=["male"] * 150 + ["female"] * 150),
        "b": sinew.People(joints[:70])}
    job = client.submit(clips, "niki", fps=25)
    clips_back = job.collect()
    command("get", str(job.id), "-o", str(tmp_path), "--broker", client.endpoint)
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.npz"))
    assert files == ["a/left.2.npz", "a/left.4.npz", "b.npz"]
    for name, rows in (("4", slice(0, 150)), ("2", slice(150, 300))):
        with np.load(tmp_path / f"a/left.{name}.npz") as file:
            np.testing.assert_array_equal(file["poses"].reshape(-1, 24, 3), clips_back["a/left"].theta[rows])
            np.testing.assert_array_equal(file["betas"], betas[rows.start])
            assert float(file["mocap_framerate"]) == 25 and str(file["gender"]) == clips_back["a/left"].genders[rows.start]
    np.savez(tmp_path / "in.npz", joints3d=joints, skeleton="smpl-29", unit="m", up_axis="+y")
    theirs = command("submit", str(tmp_path / "in.npz"), "--model", "niki", "--broker", client.endpoint).stdout.strip()
    np.testing.assert_array_equal(client.job(theirs).poses().theta, client.solve(joints, "niki").theta)


def test_rows_that_fail_are_named(client: sinew.Client, joints: Any) -> None:
    bad = joints[:130].copy()
    bad[65, 3] = np.nan
    poses = client.submit(bad, "hybrik").poses()
    assert [error.item for error in poses.item_errors] == [65] and poses.solved.sum() == 129
    # Start poses are refused by this model: every task fails for good.
    job = client.submit(joints[:130], "hybrik", start_theta=np.zeros((130, 24, 3)))
    status = job.wait(deadline=60)
    assert status.failed == 3 and not client.job(job.id).poses().solved.any()
    failures = list(job.results(failures_only=True))
    assert len(failures) == 3 and isinstance(failures[0].error, sinew.InvalidArgument)
    with pytest.raises(sinew.InvalidArgument):
        failures[0].poses()
    assert job.replay([0]) == 1


def test_whole_tracks_stay_together(client: sinew.Client, joints: Any) -> None:
    tracks = np.repeat([0, 1, 2], [150, 10, 140])
    job = client.submit(joints, "learnable-smplify", tracks=tracks)
    poses = job.poses()
    np.testing.assert_array_equal(poses.theta, client.solve(joints, "learnable-smplify", tracks=tracks).theta)
    assert job.status().tasks == 3


def test_a_job_is_cancelled_and_unknown_ones_are_said_so(own_fleet: Fleet, joints: Any) -> None:
    with sinew.Client(own_fleet.endpoint, deadline=20) as client:
        for name in ("worker-1", "worker-2"):
            own_fleet.kill(name)
        job = client.submit(joints, "hybrik")
        with pytest.raises(sinew.DeadlineExceeded, match="5 of 5 tasks are left; it goes on"):
            job.wait(deadline=0.3)
        status = job.cancel()
        assert status.state is sinew.JobState.CANCELLED and status.cancelled == 5
        assert all(isinstance(result.error, sinew.Cancelled) for result in job)
        # What was given up is made anew.
        assert client.submit(joints, "hybrik").id != job.id
        with pytest.raises(sinew.NotFound):
            client.job(new_job_id()).status()
        for nonsense in ("nonsense", str(uuid.uuid4())):
            with pytest.raises(sinew.InvalidArgument):
                client.job(nonsense)


def test_a_job_survives_the_death_of_everyone(own_fleet: Fleet, joints: Any) -> None:
    """The submitting process is killed half-way, then the broker and a worker; the same submit goes on and ends with the same bits."""
    code = """
import sys, numpy as np, sinew, sinew._jobs as jobs
jobs._MESSAGE_TASKS_MAX = 4
made = jobs.JobPlan.tasks
def slow(self, first=0):
    for task in made(self, first):
        if first == 0 and task.index == 20 and sys.argv[2] == "die" and slow.hashed:
            print("half-way", flush=True)
            sys.stdin.read()
        yield task
    slow.hashed = True
slow.hashed = False
jobs.JobPlan.tasks = slow
with sinew.Client(sys.argv[1]) as client:
    joints = np.load(sys.argv[3])
    print(client.submit(joints, "hybrik", items_per_task=8).id)
"""
    path = own_fleet.folder / "joints.npy"
    np.save(path, joints)
    first = python(code, own_fleet.endpoint, "die", str(path))
    assert first.stdout is not None and first.stdout.readline() == "half-way\n"
    first.kill()
    first.communicate()
    with sinew.Client(own_fleet.endpoint) as client:
        (standing,) = client.jobs()
        assert standing.state is sinew.JobState.OPEN and 0 < standing.next_index <= 20
        own_fleet.kill("broker")
        own_fleet.kill("worker-1")
        second = python(code, own_fleet.endpoint, "live", str(path))
        own_fleet.start_broker()
        out, err = second.communicate(timeout=300)
        assert second.returncode == 0, err
        job = client.job(out.strip())
        assert job.id.bytes == standing.id
        own_fleet.kill("broker")
        cursors: list[int] = []
        own_fleet.start_broker()
        poses = job.poses()
        np.testing.assert_array_equal(poses.theta, client.solve(joints, "hybrik").theta)
        results = [result.index for result in job.results(on_page=cursors.append)]
        assert sorted(results) == list(range(38)) and not list(job.results(after=cursors[-1]))


def test_the_async_client_awaits_a_job(fleet: Fleet, joints: Any) -> None:
    async def main() -> None:
        async with sinew.AsyncClient(fleet.endpoint) as client:
            job = await client.submit(joints, "hybrik", label="async")
            poses = await job
            assert len([result async for result in client.job(job.id)]) == 5
            np.testing.assert_array_equal(poses.theta, (await client.solve(joints, "hybrik")).theta)
            status = await job.wait()
            assert status.label == "async" and (await client.jobs(count_max=1))[0].id == job.id.bytes
            assert (await job.status()).done == 5 and await job.replay() == 0
            await job.cancel()

    asyncio.run(main())


def test_ids_ascend_and_are_version_7() -> None:
    ids = [new_job_id() for _ in range(100)]
    assert all(each.version == 7 and each.variant == uuid.RFC_4122 for each in ids)
    until(lambda: new_job_id() > ids[0], "a later id")
    assert len(set(ids)) == 100
