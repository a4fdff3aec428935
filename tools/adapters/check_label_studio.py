#!/usr/bin/env python3
"""Drives a real Label Studio server against the backend: connect, predict, move a keypoint, read the correction.

usage: check_label_studio.py --label-studio http://127.0.0.1:8080 --token TOKEN --backend http://127.0.0.1:9090 --corrections FOLDER

Not part of `make test`: Label Studio is a large installation. README.md says how to start both. Leaves the project that it makes.
needs: pip install label-studio-sdk tools/python
"""

from __future__ import annotations

import argparse
import copy
import json
import pathlib
import sys
import threading
import time
import urllib.request
from typing import Any

sys.path[:0] = [
    str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parent / "tests"),
    str(pathlib.Path(__file__).resolve().parents[1] / "python/tests")]

from adapter_scene import HEIGHT, WIDTH, Scene  # noqa: E402
from label_studio_sdk import LabelStudio  # noqa: E402
from label_studio_tasks import labelling_config  # noqa: E402

PATIENCE = 60.0


def wait_for(what: str, condition: Any) -> Any:
    """The first true value of a condition."""
    end, pause = time.monotonic() + PATIENCE, threading.Event()
    while not (value := condition()):
        if time.monotonic() > end:
            raise SystemExit(f"check: waited {PATIENCE:.0f} s for {what}")
        pause.wait(0.2)
    return value


def ask(options: argparse.Namespace, path: str, body: Any) -> Any:
    """A request that the SDK has no answer type for."""
    request = urllib.request.Request(
        options.label_studio + path, json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Token {options.token}"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
        return json.load(reply)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--label-studio", "--token", "--backend"):
        parser.add_argument(option, required=True)
    parser.add_argument("--corrections", type=pathlib.Path, required=True)
    options = parser.parse_args()
    server = LabelStudio(base_url=options.label_studio, api_key=options.token)
    project = server.projects.create(title="Sinew", label_config=labelling_config())
    data = Scene().task()["data"] | {"image": "https://example.org/frame.png"}
    data["sinew"]["clip"] = f"check/{project.id}"
    server.projects.import_tasks(id=project.id, request=[{"data": data}, {"data": {"image": data["image"]}}])
    backend = server.ml.create(project=project.id, url=options.backend, title="sinew", is_interactive=True)
    print(f"connected: {backend.state}, model {backend.model_version}")
    tasks = sorted(server.tasks.list(project=project.id, fields="all"), key=lambda task: task.id)
    # Opening a task lets Label Studio ask the backend for it.
    server.actions.create(id="retrieve_tasks_predictions", project=project.id, selected_items={"all": True, "excluded": []})
    predictions = wait_for("a prediction", lambda: [each for each in server.predictions.list(project=project.id) if each.task == tasks[0].id])
    regions = predictions[0].result
    print(f"predicted: {len(regions)} keypoints, score {predictions[0].score:.3f}, {predictions[0].model_version}")
    assert len(regions) == 58 and "smpl" in regions[0]["meta"], "the pose of the body was not kept"
    assert not [each for each in server.predictions.list(project=project.id) if each.task == tasks[1].id], "a task without joints"
    moved = copy.deepcopy(regions)
    (region,) = [each for each in moved if each["id"] == "sinew-ben-left_wrist"]
    region["value"]["x"] += 100 * 40 / WIDTH
    region["value"]["y"] -= 100 * 25 / HEIGHT
    answer = ask(options, f"/api/ml/{backend.id}/interactive-annotating", {"task": tasks[0].id, "context": {"result": [region]}})
    solved_again = answer["data"]["result"]
    print(f"solved again while dragging: {len(solved_again)} keypoints")
    assert {each["meta"]["track"] for each in solved_again} == {"ben"}
    server.annotations.create(id=tasks[0].id, result=moved)
    path = options.corrections / f"check/{project.id}.jsonl"
    (line,) = wait_for("the correction", lambda: path.exists() and path.read_text().splitlines())
    print(f"corrected: {line}")
    assert json.loads(line)["track"] == "ben" and list(json.loads(line)["move"]) == ["left_wrist"]


if __name__ == "__main__":
    main()
