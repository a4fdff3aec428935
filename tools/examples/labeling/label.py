#!/usr/bin/env python3
"""A labeling pipeline from a detector's joints to files that animators open, in steps that may be killed and typed again.

usage: label.py STEP --folder WORK [--broker tcp://127.0.0.1:7690] [--model niki]

  submit    real motion made noisy, as one durable job; the same step again goes on where it was cut off
  fetch     the job's results as they come; goes on behind what is in the folder already
  triage    ranks the frames by what the solver says of its own answers: worst.csv
  correct   an annotator moves joints in the worst frames; each is solved again from them in one call
  export    AMASS .npz, BVH, CSV and a page to look at, for each clip
  all       one after the other

needs: sinew up (broker and workers), pip install tools/python
The motion is the scene that `sinew demo` ships with: two people of CMU motion capture. Everything that is written lies below WORK.
"""

from __future__ import annotations

import argparse
import csv
import functools
import json
import os
import pathlib
import signal
import statistics
import time
from typing import Any

import numpy as np

import sinew

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
SCENE = REPOSITORY / "Sources/SinewCommands/Resources/demo/scene.npz"
#: Left shoulder, elbow, wrist, hand and finger tip: what an occluder hides.
ARM = [16, 18, 20, 22, 25]
#: What an annotator drags into place: pelvis, hips, knees, ankles, head, shoulders, elbows, wrists.
HANDLES = [0, 1, 2, 4, 5, 7, 8, 15, 16, 17, 18, 19, 20, 21]
DRAWS = 8
FPS = 60.0


# The input


def rest_joints() -> Any:
    """The 29 joints of the neutral body at rest, [29, 3] metres, as the example of proto/ has them."""
    namespace: dict[str, Any] = {"__name__": "example_client"}
    exec(compile((REPOSITORY / "proto/example_client.py").read_text(), "example_client.py", "exec"), namespace)
    return np.array(namespace["REST"]).reshape(29, 3)


@functools.cache
def true_motion() -> dict[str, Any]:
    """Joints [300, 29, 3] of each person, metres, y up."""
    rest = rest_joints()
    motion = {}
    with np.load(SCENE) as scene:
        for person, name in enumerate(scene["clip"].tolist()):
            world = sinew.world_rotations(scene["poses"][:, person].reshape(-1, 24, 3))
            joints = np.zeros((len(world), 29, 3))
            joints[:, 0] = rest[0] + scene["trans"][:, person]
            for joint in range(1, 29):
                parent = sinew.SMPL29.parents[joint]
                joints[:, joint] = joints[:, parent] + world[:, parent] @ (rest[joint] - rest[parent])
            motion[name] = joints
    return motion


def truth_of(clip: str) -> Any:
    """The true joints of a clip, whose name is `PERSON/DRAW`."""
    return true_motion()[clip.partition("/")[0]]


def detections() -> dict[str, sinew.People]:
    """What a detector might have seen: 2 cm of noise, and in a fifth of the frames an arm that is 15 cm off."""
    clips = {}
    for person, joints in true_motion().items():
        for draw in range(DRAWS):
            random = np.random.default_rng([draw, len(person)])
            seen = joints + random.normal(0, 0.02, joints.shape)
            start = int(random.integers(0, 240))
            seen[start:start + 60, ARM] += random.normal(0, 0.15, (60, len(ARM), 3))
            clips[f"{person}/{draw}"] = sinew.People(seen.astype(np.float32))
    return clips


# The steps


def submit(options: argparse.Namespace, client: sinew.Client) -> None:
    def progress(count: int) -> None:
        print(f"{count} tasks are safe", flush=True)
        if options.die_after is not None and count >= options.die_after:
            os.kill(os.getpid(), signal.SIGKILL)  # As a power cut would.

    job = client.submit(detections(), options.model, fps=FPS, label="labeling example", items_per_task=16, progress=progress)
    save(options.folder / "job.json", {"job": str(job.id)})
    print(f"job {job.id}: {job.status().tasks} tasks; next: label.py fetch")


def fetch(options: argparse.Namespace, client: sinew.Client) -> None:
    job = client.job(load(options.folder / "job.json")["job"])
    folder = options.folder / "results"
    folder.mkdir(exist_ok=True)
    state = options.folder / "cursor.json"
    cursor = load(state)["cursor"] if state.exists() else 0
    count = 0

    def keep(cursor: int) -> None:
        # The results are in the folder; from here on they need not be read again.
        save(state, {"cursor": cursor})
        if options.die_after is not None and count >= options.die_after:
            os.kill(os.getpid(), signal.SIGKILL)

    for result in job.results(after=cursor, on_page=keep):
        record = [int(result.outcome), result.label, result.items, result.attempts, result.status]
        write_whole(folder / f"{result.index}.json", json.dumps(record).encode())
        write_whole(folder / f"{result.index}.bin", result.payload)
        count += 1
    print(f"{count} results fetched, {len(list(folder.glob('*.bin')))} in all; next: label.py triage")


def collected(options: argparse.Namespace) -> dict[str, sinew.Poses]:
    """The clips out of the results in the folder."""
    collection = sinew.Collection()
    for path in sorted((options.folder / "results").glob("*.bin"), key=lambda path: int(path.stem)):
        outcome, label, items, attempts, status = json.loads(path.with_suffix(".json").read_text())
        collection.add(sinew.JobResult(
            int(path.stem), sinew.TaskOutcome(outcome), label, items, attempts, status, path.read_bytes()))
    return collection.finish()


def triage(options: argparse.Namespace, client: sinew.Client) -> None:
    ranked = [
        (float("inf") if doubt.score is None else doubt.score, name, doubt.row, doubt.reason)
        for name, poses in collected(options).items() for doubt in poses.worst(len(poses), grouped=False)]
    ranked.sort(key=lambda entry: (-entry[0], entry[1], entry[2]))
    with (options.folder / "worst.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["score", "clip", "frame", "reason"])
        writer.writerows(ranked)
    print(f"{len(ranked)} frames ranked; the worst: {ranked[0][1]} frame {ranked[0][2]}, {ranked[0][3]}; next: label.py correct")


def correct(options: argparse.Namespace, client: sinew.Client) -> None:
    """The annotator is simulated: the joints are moved where they truly were."""
    clips = collected(options)
    with (options.folder / "worst.csv").open(newline="") as file:
        worst = [(row["clip"], int(row["frame"])) for row in csv.DictReader(file)][:options.worst]
    milliseconds, before, after = [], [], []
    corrections = []
    for clip, frame in worst:
        truth = truth_of(clip)[frame]
        poses = clips[clip]
        start = time.perf_counter()
        fixed = client.correct(poses, frame, {joint: truth[joint] for joint in HANDLES})
        milliseconds.append(1000 * (time.perf_counter() - start))
        before.append(error(poses.joints[frame], truth))
        after.append(error(fixed.joints[frame], truth))
        corrections.append({
            "clip": clip, "frame": frame, "theta": fixed.theta[frame].tolist(), "translation": fixed.translation[frame].tolist(),
            "joints": fixed.joints[frame].tolist(), "moved": fixed.corrections[frame].joints, "model": fixed.corrections[frame].model})
    save(options.folder / "corrections.json", corrections)
    report = {
        "corrected": len(worst), "before_mm": statistics.mean(before), "after_mm": statistics.mean(after),
        "median_ms": statistics.median(milliseconds)}
    save(options.folder / "report.json", report)
    print(
        f"{len(worst)} frames corrected: {report['before_mm']:.0f} mm before, {report['after_mm']:.0f} mm after; "
        f"{report['median_ms']:.1f} ms each at the median; next: label.py export")


def export(options: argparse.Namespace, client: sinew.Client) -> None:
    clips = collected(options)
    for correction in load(options.folder / "corrections.json"):
        poses, frame = clips[correction["clip"]], correction["frame"]
        for name in ("theta", "translation", "joints"):
            getattr(poses, name)[frame] = correction[name]
        poses.corrections[frame] = sinew.Correction(tuple(correction["moved"]), correction["model"])
    written = 0
    for name, poses in clips.items():
        base = options.folder / "out" / name
        base.parent.mkdir(parents=True, exist_ok=True)
        written += len(poses.to_amass(f"{base}.npz")) + len(poses.to_bvh(f"{base}.bvh"))
        poses.to_csv(f"{base}.csv")
        base.with_name(base.name + ".html").write_text(poses.to_html())
        written += 2
    print(f"{written} files in {options.folder / 'out'}")


# Helpers


def error(joints: Any, truth: Any) -> float:
    """Mean distance of the 24 joints after the pelvises are laid on each other, millimetres."""
    off = (joints - joints[:1]) - (truth - truth[:1])
    return float(1000 * np.linalg.norm(off[:24], axis=-1).mean())


def write_whole(path: pathlib.Path, data: bytes) -> None:
    """The file appears complete or not at all: a step may be killed at any time."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    os.replace(temporary, path)


def save(path: pathlib.Path, value: Any) -> None:
    write_whole(path, json.dumps(value).encode())


def load(path: pathlib.Path) -> Any:
    if not path.exists():
        raise SystemExit(f"label.py: there is no {path}; the step before has not been run to its end")
    return json.loads(path.read_text())


STEPS = {"submit": submit, "fetch": fetch, "triage": triage, "correct": correct, "export": export}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=[*STEPS, "all"])
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--broker", default="tcp://127.0.0.1:7690")
    parser.add_argument("--model", default="niki")
    parser.add_argument("--worst", type=int, default=40, help="frames that the annotator corrects")
    parser.add_argument("--die-after", type=int, help="end as by a power cut after so many tasks or results, to see the next run go on")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with sinew.Client(options.broker) as client:
        for step in STEPS if options.step == "all" else [options.step]:
            STEPS[step](options, client)


if __name__ == "__main__":
    try:
        main()
    except sinew.SinewError as failure:
        raise SystemExit(f"label.py: {failure}") from None
