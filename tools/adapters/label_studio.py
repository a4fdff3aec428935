#!/usr/bin/env python3
"""Label Studio and Sinew: an ML backend that poses people, and takes back what annotators moved.

usage: label_studio.py serve --corrections FOLDER [--listen 127.0.0.1:9090] [--broker tcp://127.0.0.1:7690] [--model niki]
       label_studio.py predict TASKS.json -o WITH-PREDICTIONS.json     the same without a server: a durable job, polled to its end
       label_studio.py corrections EXPORT.json --corrections FOLDER    the same from an export of annotations
       label_studio.py tasks CLIP.npz --camera CAMERA.json --size 1280x720 --images 'frames/{frame:06}.png' -o TASKS.json
       label_studio.py config                                          a labelling configuration with SMPL's joints

needs: pip install tools/python, and sinew up. README.md says what a task holds.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

import sinew
import sinew.readers
from backend_server import serve
from cameras import AdapterError, Camera, Frame
from corrections import CorrectionFolder, write
from label_studio_tasks import Control, Edit, Task, edits, labelling_config, moves, prediction
from observations import JOINTS, Observation, clip_name, solve

ANNOTATION_EVENTS = ("ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED")


class Backend:
    """What Label Studio asks of an ML backend, without HTTP. Any thread may use it."""

    def __init__(self, client: sinew.Client, model: str, folder: CorrectionFolder | None) -> None:
        self.client = client
        self.model = model
        self.folder = folder

    # The protocol

    def health(self) -> dict[str, Any]:
        """Whether people can be solved now."""
        self.version()
        return {"status": "UP", "model_class": "Sinew"}

    def setup(self, body: dict[str, Any]) -> dict[str, Any]:
        """Called when a project connects: refuses a configuration that has no place for joints."""
        Control.read(body.get("schema"))
        return {"model_version": self.version()}

    def predict(self, body: dict[str, Any]) -> dict[str, Any]:
        """A prediction for every task, in order. A task that cannot be used has ``error`` in its place; Label Studio logs it and goes on."""
        tasks = body.get("tasks")
        if not isinstance(tasks, list):
            raise AdapterError("the request has no list of tasks")
        control = Control.read(body.get("label_config"))
        parameters = body.get("params")
        context = parameters.get("context") if isinstance(parameters, dict) else None
        drawn = context.get("result") if isinstance(context, dict) else None
        return {"results": self.predictions(tasks, control, drawn), "model_version": self.version()}

    def webhook(self, body: dict[str, Any]) -> dict[str, Any]:
        """Notes what an annotator moved when an annotation is saved; other events change nothing."""
        if body.get("action") not in ANNOTATION_EVENTS:
            return {"corrections": 0}
        annotations = body.get("annotation")
        return {"corrections": sum(
            self.note_moves(body.get("task"), each.get("result"))
            for each in (annotations if isinstance(annotations, list) else [annotations]) if isinstance(each, dict))}

    # The work

    def version(self) -> str:
        """The model and its version, as predictions name it."""
        for each in self.client.models():
            if self.model in (each.model.name, f"{each.model.name}/{each.model.version}"):
                return f"{each.model.name}/{each.model.version}"
        raise sinew.Unavailable(f"no worker has the model {self.model} ready; start one: sinew worker --model {self.model}")

    def predictions(self, tasks: Sequence[Any], control: Control, drawn: Any = None, durable: bool | None = None) -> list[dict[str, Any]]:
        """A prediction or an error for every task. ``drawn`` are regions that the annotator just moved in the only task."""
        version = self.version()
        results: list[dict[str, Any]] = []
        ready: list[tuple[int, Task]] = []
        for place, each in enumerate(tasks):
            results.append({"model_version": version})
            try:
                task = Task.read(each)
            except AdapterError as error:
                results[place]["error"] = str(error)
            else:
                ready.append((place, task))
        if drawn and len(ready) == 1:
            self._pin(ready[0][1], drawn)
        people: list[Observation] = [person for _, task in ready for person in task.people]
        poses = solve(self.client, people, self.model, durable=durable, label="label studio") if people else None
        start = 0
        for place, task in ready:
            assert poses is not None, "people without poses"
            part = poses[start:start + len(task.people)]
            start += len(task.people)
            try:
                results[place] = prediction(task, part, control, version)
            except AdapterError as error:
                results[place]["error"] = str(error)
        return results

    def note_moves(self, record: Any, regions: Any) -> int:
        """Writes down what the regions of an annotation say was moved; returns how many people were corrected."""
        if self.folder is None:
            raise AdapterError("the backend was started without --corrections FOLDER: there is no place for what annotators move")
        task = Task.read(record)
        by_track = self._moves(task, edits(regions, task))
        return self.folder.replace(task.clip, task.frame, by_track)

    def _pin(self, task: Task, drawn: Any) -> None:
        """The next solution goes through what the annotator moved, and is of those people only: the others stay as they are drawn."""
        by_track = self._moves(task, edits(drawn, task))
        for person in task.people:
            person.moved = by_track.get(person.track, {})
        task.people = [person for person in task.people if person.moved] or task.people

    def _moves(self, task: Task, by_track: dict[str, Edit]) -> dict[str, dict[str, Any]]:
        # Keypoints that forgot where they were drawn from are compared with what the same model says of the same joints.
        forgetful = any(set(edit.points) - set(edit.solved) for edit in by_track.values())
        poses = solve(self.client, task.people, self.model) if forgetful else None
        if poses is not None:
            poses.raise_for_errors()
        found = {}
        for row, person in enumerate(task.people):
            if person.track in by_track:
                solved = np.zeros((29, 3)) if poses is None else np.asarray(poses.joints[row], np.float64)
                found[person.track] = moves(task, by_track[person.track], solved)
        return found


# The commands


def read_tasks(path: pathlib.Path) -> list[Any]:
    """A file of tasks as Label Studio imports and exports it."""
    try:
        tasks = json.loads(path.read_text())
    except ValueError as error:
        raise AdapterError(f"{path}: no JSON: {error}") from None
    if not isinstance(tasks, list):
        raise AdapterError(f"{path}: no list of tasks; export from Label Studio as JSON, not as JSON-MIN or COCO")
    return tasks


def make_tasks(options: argparse.Namespace) -> int:
    """A task for every frame of a file of joints, to import into Label Studio."""
    people = sinew.readers.read_clip(options.clip)
    size = re.fullmatch(r"(\d+)x(\d+)", options.size)
    if size is None:
        raise AdapterError(f"--size is {options.size!r}; say for example 1280x720")
    try:
        camera = json.loads(options.camera.read_text())
    except ValueError as error:
        raise AdapterError(f"{options.camera}: no JSON: {error}") from None
    Camera.read(camera, Frame())
    try:
        options.images.format(frame=0)
    except (KeyError, IndexError, ValueError):
        raise AdapterError(f"--images is {options.images!r}; say for example 'frames/{{frame:06}}.png'") from None
    name = clip_name(options.name or options.clip.stem)
    joints, betas, genders = np.asarray(people.joints, np.float64), people.betas_of(), people.genders_of()
    seen = np.ones(joints.shape[:2], bool) if people.observed is None else np.asarray(people.observed) != 0
    tasks: dict[int, dict[str, Any]] = {}
    tracks = sinew.readers.track_names(options.clip)
    for number, rows in enumerate(people.track_runs() or [range(people.count)]):
        for frame, row in enumerate(rows):
            if frame not in tasks:
                record = {"clip": name, "frame": frame, "width": int(size[1]), "height": int(size[2]), "camera": camera, "people": []}
                tasks[frame] = {"data": {"image": options.images.format(frame=frame), "sinew": record}}
            tasks[frame]["data"]["sinew"]["people"].append({
                "track": tracks[number], "gender": genders[row], "betas": betas[row].tolist(),
                "joints3d": {joint: joints[row, index].tolist() for index, joint in enumerate(JOINTS[:joints.shape[1]]) if seen[row, index]}})
    write(options.output, [json.dumps([tasks[frame] for frame in sorted(tasks)])])
    print(f"{len(tasks)} tasks: {options.output}", file=sys.stderr)
    return 0


def predict_file(backend: Backend, options: argparse.Namespace) -> int:
    """Adds predictions to a file of tasks. Returns the exit status: 3 when some tasks have none."""
    tasks = read_tasks(options.tasks)
    config = options.config.read_text() if options.config else labelling_config()
    results = backend.predictions(tasks, Control.read(config), durable=True)
    failed = 0
    for task, result in zip(tasks, results):
        if "error" in result:
            failed += 1
            print(f"label_studio.py: {result['error']}", file=sys.stderr)
        else:
            task["predictions"] = [result]
    write(options.output, [json.dumps(tasks)])
    print(f"{len(tasks) - failed} of {len(tasks)} tasks have predictions: {options.output}", file=sys.stderr)
    return 3 if failed else 0


def correct_file(backend: Backend, options: argparse.Namespace) -> int:
    """Writes corrections out of an export. Returns the exit status: 3 when some annotations could not be used."""
    count = failed = 0
    for task in read_tasks(options.tasks):
        for annotation in task.get("annotations") or [] if isinstance(task, dict) else []:
            try:
                count += backend.note_moves(task, annotation.get("result"))
            except AdapterError as error:
                failed += 1
                print(f"label_studio.py: {error}", file=sys.stderr)
    print(f"{count} people were corrected: {options.corrections}", file=sys.stderr)
    return 3 if failed else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("config")
    run, predict, correct = (commands.add_parser(name) for name in ("serve", "predict", "corrections"))
    for command in (run, predict, correct):
        command.add_argument("--broker", default="tcp://127.0.0.1:7690")
        command.add_argument("--model", default="niki")
        command.add_argument("--key", help="this client's key, for a broker with keys")
        command.add_argument("--broker-key")
    make = commands.add_parser("tasks")
    make.add_argument("clip", type=pathlib.Path, help="joints3d as sinew solve reads it (.npz)")
    make.add_argument("--camera", type=pathlib.Path, required=True, help="in metres with y up")
    make.add_argument("--size", required=True, help="of the images, WIDTHxHEIGHT")
    make.add_argument("--images", required=True, help="where each frame's image is, with {frame} or {frame:06}")
    make.add_argument("--name", help="the clip's name; left out: the file's")
    make.add_argument("-o", "--output", type=pathlib.Path, required=True)
    run.add_argument("--listen", default="127.0.0.1:9090")
    run.add_argument("--credentials", type=pathlib.Path, help="a file with USER:PASSWORD that Label Studio has to give (basic auth)")
    for command in (run, correct):
        command.add_argument("--corrections", type=pathlib.Path, required=command is correct)
    for command in (predict, correct):
        command.add_argument("tasks", type=pathlib.Path)
    predict.add_argument("-o", "--output", type=pathlib.Path, required=True)
    predict.add_argument("--config", type=pathlib.Path, help="the project's labelling configuration; left out: what `config` prints")
    return parser.parse_args()


def main() -> int:
    options = parse()
    if options.command == "config":
        print(labelling_config(), end="")
        return 0
    if options.command == "tasks":
        return make_tasks(options)
    with sinew.Client(options.broker, key=options.key, broker_key=options.broker_key) as client:
        corrections = getattr(options, "corrections", None)
        backend = Backend(client, options.model, CorrectionFolder(corrections) if corrections else None)
        if options.command == "serve":
            serve(backend, options.listen, options.credentials)
            return 0
        return predict_file(backend, options) if options.command == "predict" else correct_file(backend, options)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (AdapterError, OSError, sinew.SinewError, sinew.readers.EstimateError) as failure:
        sys.exit(f"label_studio.py: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
