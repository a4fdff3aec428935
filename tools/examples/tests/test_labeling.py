"""The labeling example from end to end, killed at every step."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
from client_fleet import REPOSITORY, Fleet, sinew as command, wait_ready

import sinew

SCRIPT = REPOSITORY / "tools/examples/labeling/label.py"


def label(step: str, folder: pathlib.Path, broker: str, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(SCRIPT), step, "--folder", str(folder), "--broker", broker, *options], capture_output=True, text=True,
        timeout=300, env=os.environ | {"PYTHONPATH": str(REPOSITORY / "tools/python/src")})


def test_a_labeling_job_survives_kills_and_ends_in_files(tmp_path: pathlib.Path) -> None:
    fleet = Fleet(tmp_path / "fleet", ("niki", "smpl-ik")).start()
    work = tmp_path / "work"
    try:
        wait_ready(fleet, ("niki", "smpl-ik"))
        killed = label("submit", work, fleet.endpoint, "--die-after", "1")
        assert killed.returncode == -signal.SIGKILL and "tasks are safe" in killed.stdout and not (work / "job.json").exists()
        fleet.kill("broker")
        fleet.kill("worker-1")
        fleet.start_broker()
        resumed = label("submit", work, fleet.endpoint)
        assert resumed.returncode == 0, resumed.stderr
        # What was safe was not sent again, and it is the same job.
        assert killed.stdout.strip() not in resumed.stdout and "304 tasks" in resumed.stdout
        with sinew.Client(fleet.endpoint) as client:
            assert len(client.jobs()) == 1
        cut = label("fetch", work, fleet.endpoint, "--die-after", "1")
        assert cut.returncode == -signal.SIGKILL
        for step in ("fetch", "triage", "correct", "export"):
            done = label(step, work, fleet.endpoint)
            assert done.returncode == 0, done.stderr
        assert len(list((work / "results").glob("*.bin"))) == 304
        report = json.loads((work / "report.json").read_text())
        # The worst frames by the solver's own quality are those whose arm was lost, and the annotator's joints mend them.
        assert report["corrected"] == 40 and report["before_mm"] > 25 and report["after_mm"] < 0.5 * report["before_mm"]
        job = json.loads((work / "job.json").read_text())["job"]
        command("get", job, "-o", str(tmp_path / "got"), "--broker", fleet.endpoint)
    finally:
        fleet.end()
    files = sorted((work / "out").rglob("*.npz"))
    assert len(files) == 16 and all(path.with_suffix(suffix).exists() for path in files for suffix in (".bvh", ".csv", ".html"))
    corrected = {(each["clip"], each["frame"]) for each in json.loads((work / "corrections.json").read_text())}
    for path in files:
        clip = str(path.relative_to(work / "out").with_suffix(""))
        with np.load(path) as ours, np.load(tmp_path / "got" / f"{clip}.npz") as theirs:
            same = (ours["poses"] == theirs["poses"]).all(1)
            mended = {frame for name, frame in corrected if name == clip}
            assert {int(frame) for frame in np.flatnonzero(~same)} == mended
            # The files tell what was moved by hand.
            moved = set(np.flatnonzero(ours["corrected_joints"]).tolist()) if "corrected_joints" in ours else set()
            assert moved == mended
