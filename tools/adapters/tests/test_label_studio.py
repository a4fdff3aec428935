"""Label Studio's side is played by its own SDK, which validates predictions against the labelling configuration, and by HTTP requests."""

from __future__ import annotations

import base64
import copy
import json
import pathlib
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from adapter_scene import FRAME, HEIGHT, WIDTH, Scene
from backend_server import BODY_BYTES_MAX, REQUESTS_MAX, Server
from cameras import AdapterError
from client_fleet import Fleet
from corrections import CorrectionFolder
from label_studio import Backend
from label_studio_sdk.label_interface import LabelInterface
from label_studio_tasks import Control, labelling_config
from observations import JOINTS

import sinew

TRACKS = ("anna", "ben")
SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "label_studio.py"


@pytest.fixture
def backend(client: sinew.Client, tmp_path: pathlib.Path) -> Backend:
    return Backend(client, "niki", CorrectionFolder(tmp_path / "corrections"))


def predicted(backend: Backend, *tasks: Any) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = backend.predict({"tasks": list(tasks), "label_config": labelling_config()})["results"]
    return results


def annotation_of(prediction: dict[str, Any]) -> dict[str, Any]:
    """What Label Studio makes of an accepted prediction."""
    return {"id": 3, "result": copy.deepcopy(prediction["result"])}


def shift(annotation: dict[str, Any], track: str, joint: str, right: float, down: float) -> Any:
    """Drags a keypoint by so many pixels; returns where it is then."""
    (region,) = [
        each for each in annotation["result"] if each["meta"]["track"] == track and each["value"]["keypointlabels"] == [joint]]
    region["value"]["x"] += 100 * right / WIDTH
    region["value"]["y"] += 100 * down / HEIGHT
    return np.array([region["value"]["x"] * WIDTH, region["value"]["y"] * HEIGHT]) / 100


def pixel_of(prediction: dict[str, Any], region_id: str) -> Any:
    (value,) = [region["value"] for region in prediction["result"] if region["id"] == region_id]
    return np.array([value["x"] * WIDTH, value["y"] * HEIGHT]) / 100


def saved(backend: Backend, task: Any, annotation: Any, action: str = "ANNOTATION_CREATED") -> int:
    count: int = backend.webhook({"action": action, "annotation": annotation, "task": task, "project": {"id": 1}})["corrections"]
    return count


def lines(backend: Backend, clip: str = "demo/walk") -> list[dict[str, Any]]:
    assert backend.folder is not None
    return [json.loads(line) for line in backend.folder.path(clip).read_text().splitlines()]


def test_predictions_pass_label_studios_own_validation_and_lie_on_the_solved_joints(backend: Backend, scene: Scene) -> None:
    interface = LabelInterface(labelling_config())
    (prediction,) = predicted(backend, scene.task())
    assert interface.validate_prediction(copy.deepcopy(prediction), return_errors=True) == []
    assert 0 < prediction["score"] <= 1 and prediction["model_version"].startswith("niki/")
    solved = {(region["meta"]["track"], region["value"]["keypointlabels"][0]): region for region in prediction["result"]}
    assert set(solved) == {(track, joint) for track in TRACKS for joint in JOINTS}
    for (track, joint), region in solved.items():
        pixel = np.array([region["value"]["x"] * WIDTH, region["value"]["y"] * HEIGHT]) / 100
        np.testing.assert_allclose(pixel, scene.project([region["meta"]["solved3d"]])[0], atol=1e-2)
        # The input was exact: the solution cannot be far from it. The second person has another body.
        if track == "anna":
            assert np.linalg.norm(region["meta"]["solved3d"] - scene.joints[0][JOINTS.index(joint)]) < 0.12
    poses = [region["meta"]["smpl"] for region in prediction["result"] if "smpl" in region["meta"]]
    assert [np.shape(each["theta"]) for each in poses] == [(24, 3)] * 2 and [each["gender"] for each in poses] == ["neutral", "female"]


def test_units_and_axes_of_a_task_change_nothing(backend: Backend) -> None:
    scene = Scene()
    # The same room in millimetres with z up: (x, y, z) is (x, -z, y) there.
    turn = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float)
    camera = scene.camera | {
        "rotation": (np.array(scene.camera["rotation"]) @ turn.T).tolist(),
        "translation": (1000 * np.array(scene.camera["translation"])).tolist()}
    people = [{"track": track, "joints3d": (1000 * scene.joints[row] @ turn.T).tolist()} for row, track in enumerate(TRACKS)]
    same = scene.task(people=[{"track": track, "joints3d": scene.joints[row].tolist()} for row, track in enumerate(TRACKS)])
    (here,), (there,) = predicted(backend, same), predicted(
        backend, scene.task(people=people, camera=camera, unit="mm", up_axis="z"))
    for ours, theirs in zip(here["result"], there["result"], strict=True):
        assert ours["id"] == theirs["id"]
        np.testing.assert_allclose(ours["meta"]["solved3d"], theirs["meta"]["solved3d"], atol=1e-4)
        np.testing.assert_allclose([ours["value"][axis] for axis in "xy"], [theirs["value"][axis] for axis in "xy"], atol=1e-2)


def test_moved_keypoints_become_corrections_and_a_second_save_replaces_them(backend: Backend, scene: Scene) -> None:
    task = scene.task()
    (prediction,) = predicted(backend, task)
    annotation = annotation_of(prediction)
    assert saved(backend, task, annotation) == 0
    pixel = shift(annotation, "ben", "left_wrist", 40, -25)
    shift(annotation, "anna", "head_top", 30, 0)  # A leaf of the mesh: nothing turns it.
    shift(annotation, "anna", "head", 0.3, 0.3)  # Less than a pixel: a rounding, not a move.
    assert saved(backend, task, annotation) == 1
    (line,) = lines(backend)
    assert (line["frame"], line["track"], list(line["move"])) == (FRAME, "ben", ["left_wrist"])
    before = next(
        each["meta"]["solved3d"] for each in prediction["result"] if each["id"] == "sinew-ben-left_wrist")
    after = line["move"]["left_wrist"]
    np.testing.assert_allclose(scene.project([after])[0], pixel, atol=0.05)
    assert abs(after[2] - before[2]) < 1e-5  # The camera looks along z: the depth stayed.
    # Another frame of the clip has a line of its own.
    assert saved(backend, scene.task(frame=FRAME - 1), annotation, "ANNOTATION_UPDATED") == 1
    shift(annotation, "ben", "left_wrist", -40, 25)
    shift(annotation, "anna", "right_knee", 0, 30)
    assert saved(backend, task, [annotation], "ANNOTATIONS_CREATED") == 1
    assert [(each["frame"], each["track"], list(each["move"])) for each in lines(backend)] == [
        (FRAME - 1, "ben", ["left_wrist"]), (FRAME, "anna", ["right_knee"])]
    assert saved(backend, task, annotation_of(prediction), "ANNOTATION_UPDATED") == 0 and len(lines(backend)) == 1


def test_keypoints_that_forgot_where_they_came_from_are_compared_with_the_same_solution(backend: Backend, scene: Scene) -> None:
    task = scene.task()
    (prediction,) = predicted(backend, task)
    annotation = annotation_of(prediction)
    shift(annotation, "anna", "left_ankle", -30, 0)
    remembered = copy.deepcopy(annotation)
    for region in annotation["result"]:
        region["meta"] = {"track": region["meta"]["track"]}
    assert saved(backend, task, annotation) == 1
    (forgotten,) = lines(backend)
    assert saved(backend, task, remembered) == 1
    (line,) = lines(backend)
    np.testing.assert_allclose(forgotten["move"]["left_ankle"], line["move"]["left_ankle"], atol=1e-4)
    assert list(forgotten["move"]) == ["left_ankle"]


def test_what_an_annotator_drags_is_solved_again_at_once(backend: Backend, scene: Scene) -> None:
    task = scene.task()
    (prediction,) = predicted(backend, task)
    annotation = annotation_of(prediction)
    target = shift(annotation, "anna", "right_wrist", 60, -40)
    dragged = [each for each in annotation["result"] if each["id"] == "sinew-anna-right_wrist"]
    answer = backend.predict({
        "tasks": [task], "label_config": labelling_config(), "params": {"context": {"result": dragged}}})
    (corrected,) = answer["results"]
    assert {region["meta"]["track"] for region in corrected["result"]} == {"anna"}
    was, now = (
        np.linalg.norm(pixel_of(each, "sinew-anna-right_wrist") - target) for each in (prediction, corrected))
    assert now < 0.35 * was
    # A drag of nothing changes nothing.
    still = [each for each in prediction["result"] if each["id"] == "sinew-anna-right_wrist"]
    body = {"tasks": [task], "label_config": labelling_config(), "params": {"context": {"result": still}}}
    assert backend.predict(body)["results"] == [prediction]


def test_joints_may_come_as_keypoint_regions(backend: Backend) -> None:
    scene = Scene()
    task = scene.task()
    del task["data"]["sinew"]["people"]
    region = {"type": "keypointlabels", "from_name": "joints", "to_name": "image"}
    task["annotations"] = [{"result": [
        region | {"value": {"x": 1, "y": 1, "keypointlabels": [joint]}, "meta": {"joint3d": place.tolist(), "track": track}}
        for row, track in enumerate(TRACKS) for joint, place in zip(JOINTS, scene.joints[row])]}]
    (prediction,) = predicted(backend, task)
    (same,) = predicted(backend, scene.task(people=[
        {"track": track, "joints3d": scene.joints[row].tolist()} for row, track in enumerate(TRACKS)]))
    assert prediction == same
    for each in task["annotations"][0]["result"]:
        del each["meta"]
    assert "from one image the depth of a joint is not known" in predicted(backend, task)[0]["error"]


@pytest.mark.parametrize(("changes", "said"), [
    ({"people": [{"joints2d": [[1, 2]] * 29}]}, "from one image the depth of a joint is not known"),
    ({"people": [{"joints3d": [[1, 2]] * 29}]}, "from one image the depth of a joint is not known"),
    ({"people": [{"joints3d": {"head": [1, 2]}}]}, "from one image the depth of a joint is not known"),
    ({"people": [{"joints3d": [[0, 0, 0]] * 17}]}, "17 joints"),
    ({"people": [{"joints3d": {"nose": [0, 0, 0]}}]}, "no joint “nose”"),
    ({"people": [{"joints3d": {"head": [0, 0, 0]}}]}, "at least 4"),
    ({"people": [{"joints3d": {"head": [0, float("nan"), 0]}}]}, "NaN"),
    ({"people": [{"joints3d": "yes"}]}, "joints3d has 0 joints"),
    ({"people": [{}]}, "joints3d is missing"),
    ({"people": []}, "no list of 1…64"),
    ({"people": None}, "nobody is in it"),
    ({"people": "me"}, "no list of 1…64"),
    ({"camera": None}, "camera: not an object"),
    ({"camera": {"fx": 1, "fy": 1, "cx": 0}}, "fx, fy, cx, cy"),
    ({"camera": {"fx": 1, "fy": 1, "cx": 0, "cy": 0, "rotation": [[2, 0, 0], [0, 1, 0], [0, 0, 1]]}}, "no rotation matrix"),
    ({"camera": {"kind": "fisheye"}}, "pinhole or orthographic"),
    ({"width": "wide"}, "data.sinew.width is 'wide'"),
    ({"unit": "inch"}, "unit is 'inch'"),
    ({"up_axis": "w"}, "up_axis is 'w'"),
    ({"clip": "../../etc/passwd"}, "clip is"),
    ({"clip": "/tmp/x"}, "clip is"),
    ({"frame": -1}, "whole number from 0"),
    ({"frame": "last"}, "frame is 'last'"),
    ({"people": [{"track": 1.5, "joints3d": [[0, 0, 0]] * 29}]}, "track is 1.5"),
])
def test_a_task_that_cannot_be_used_says_why_and_its_neighbours_are_predicted(
    backend: Backend, changes: dict[str, Any], said: str
) -> None:
    good = Scene().task()
    first, wrong, last = predicted(backend, good, Scene().task(**changes), good)
    assert said in wrong["error"] and "result" not in wrong
    assert first == last and len(first["result"]) == 58
    for other in ({"data": {}}, {"data": {"image": "a.png"}}, "task", None):
        assert "error" in predicted(backend, other)[0]


def test_two_people_are_not_one_track_and_a_new_keypoint_needs_an_owner(backend: Backend) -> None:
    scene = Scene()
    person = {"track": 1, "joints3d": scene.joints[0].tolist()}
    assert "same track" in predicted(backend, scene.task(people=[person, person]))[0]["error"]
    new = {"type": "keypointlabels", "value": {"x": 50, "y": 50, "keypointlabels": ["head"]}}
    with pytest.raises(AdapterError, match="belongs to nobody"):
        saved(backend, scene.task(), {"result": [new]})
    with pytest.raises(AdapterError, match="track “9”"):
        saved(backend, scene.task(), {"result": [new | {"meta": {"track": 9}}]})
    # With one person there is no doubt, whoever drew the point.
    assert saved(backend, scene.task(people=[person]), {"result": [new]}) == 1 and lines(backend)[0]["track"] == "1"
    assert saved(backend, scene.task(), None, "PROJECT_UPDATED") == 0
    with pytest.raises(AdapterError, match="--corrections"):
        saved(Backend(backend.client, "niki", None), scene.task(), {"result": [new]})


@pytest.mark.parametrize(("config", "said"), [
    ("<View/>", "no <KeyPointLabels>"), ("<View>", "no XML"), (None, "missing"),
    ("<!DOCTYPE a [<!ENTITY b 'c'>]><View/>", "entities"),
    ('<View><KeyPointLabels name="a" toName="b"><Label value="nose"/></KeyPointLabels></View>', "no <KeyPointLabels>"),
])
def test_a_configuration_without_joints_is_refused(backend: Backend, config: Any, said: str) -> None:
    with pytest.raises(AdapterError, match=said):
        backend.setup({"schema": config})


def test_only_the_joints_of_the_configuration_are_drawn_and_only_within_the_image(backend: Backend) -> None:
    config = labelling_config(("left_wrist", "head")).replace('"joints"', '"points"')
    assert Control.read(config).name == "points"
    scene = Scene()
    task = scene.task()
    answer = backend.predict({"tasks": [task], "label_config": config})["results"][0]
    assert {(each["from_name"], *each["value"]["keypointlabels"]) for each in answer["result"]} == {
        ("points", "left_wrist"), ("points", "head")}
    behind = scene.task(camera=scene.camera | {"translation": [0, 0, -50]})
    assert predicted(backend, behind)[0]["result"] == []


# Over HTTP


@pytest.fixture
def server(backend: Backend) -> Iterator[Server]:
    with Server(backend, ("127.0.0.1", 0), None) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join()


def request(server: Server, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    wanted = urllib.request.Request(
        f"http://127.0.0.1:{server.server_port}{path}", data, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(wanted, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_protocol_over_http(server: Server, backend: Backend) -> None:
    task = Scene().task()
    assert request(server, "/health") == (200, {"status": "UP", "model_class": "Sinew"})
    status, setup = request(server, "/setup", {"project": "1.2", "schema": labelling_config()})
    assert status == 200 and setup["model_version"].startswith("niki/")
    status, answer = request(server, "/predict", {"tasks": [task, task], "label_config": labelling_config(), "params": {"context": None}})
    assert status == 200 and answer["results"] == predicted(backend, task, task)
    annotation = annotation_of(answer["results"][0])
    shift(annotation, "anna", "head", 20, 0)
    event = {"action": "ANNOTATION_CREATED", "annotation": annotation, "task": task}
    assert request(server, "/webhook", event) == (201, {"corrections": 1})
    assert list(lines(backend)[0]["move"]) == ["head"]


def test_what_is_no_request_is_refused(server: Server) -> None:
    for path, body, wanted in (
        ("/predict", b"{", 400), ("/predict", b"[]", 400), ("/predict", b"[" * 100_000, 400), ("/predict", {}, 400),
        ("/predict", {"tasks": [], "label_config": 3}, 400), ("/setup", {}, 400), ("/train", {}, 404), ("/nowhere", None, 404),
    ):
        status, answer = request(server, path, body)
        assert status == wanted and answer["error"], (path, body)
    status, answer = request(server, "/predict", b"", **{"Content-Length": str(BODY_BYTES_MAX + 1)})
    assert status == 413 and "fewer tasks" in answer["error"]
    server.credentials = b"anna:secret"
    assert request(server, "/health")[0] == 401
    right = "Basic " + base64.b64encode(b"anna:secret").decode()
    assert request(server, "/health", Authorization=right)[0] == 200
    assert request(server, "/health", Authorization=right[:-4] + "AAAA")[0] == 401
    server.credentials = None
    for _ in range(REQUESTS_MAX):
        assert server.places.acquire(blocking=False)
    assert request(server, "/health")[0] == 503
    server.places.release(REQUESTS_MAX)
    assert request(server, "/health")[0] == 200


def test_a_broker_that_is_gone_is_a_503_with_its_reason(tmp_path: pathlib.Path) -> None:
    with sinew.Client("tcp://127.0.0.1:1", deadline=5) as nobody, Server(Backend(nobody, "niki", None), ("127.0.0.1", 0), None) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            status, answer = request(running, "/health")
        finally:
            running.shutdown()
            thread.join()
    assert status == 503 and "sinew up" in answer["error"]


# The command


def command(fleet: Fleet, *arguments: Any) -> "subprocess.CompletedProcess[str]":
    options = () if arguments[0] in ("config", "tasks") else ("--broker", fleet.endpoint)
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments), *options], capture_output=True, text=True, timeout=300,
        env={"PYTHONPATH": str(SCRIPT.parents[1] / "python/src"), "PATH": "/usr/bin:/bin"})


def test_files_of_tasks_get_predictions_from_a_durable_job_and_give_corrections(
    fleet: Fleet, client: sinew.Client, tmp_path: pathlib.Path
) -> None:
    config = command(fleet, "config").stdout
    assert LabelInterface(config).is_valid
    scene = Scene()
    tasks = [scene.task(1, frame=1), scene.task(2, frame=2, unit="inch"), scene.task(3, frame=3)]
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    jobs = len(client.jobs())
    for _ in range(2):
        done = command(fleet, "predict", tmp_path / "tasks.json", "-o", tmp_path / "out.json")
        assert done.returncode == 3 and "unit is 'inch'" in done.stderr and "2 of 3 tasks" in done.stderr
    # The same content twice is one job.
    assert len(client.jobs()) == jobs + 1
    out = json.loads((tmp_path / "out.json").read_text())
    assert ["predictions" in each for each in out] == [True, False, True]
    assert LabelInterface(config).validate_prediction(copy.deepcopy(out[2]["predictions"][0]), return_errors=True) == []
    for each in out[::2]:
        each["annotations"] = [annotation_of(each["predictions"][0])]
    shift(out[2]["annotations"][0], "anna", "neck", 0, 15)
    (tmp_path / "export.json").write_text(json.dumps(out))
    done = command(fleet, "corrections", tmp_path / "export.json", "--corrections", tmp_path / "moved")
    assert done.returncode == 0, done.stderr
    (line,) = (tmp_path / "moved/demo/walk.jsonl").read_text().splitlines()
    assert json.loads(line)["frame"] == 3 and list(json.loads(line)["move"]) == ["neck"]
    (tmp_path / "tasks.json").write_text("{}")
    done = command(fleet, "predict", tmp_path / "tasks.json", "-o", tmp_path / "out.json")
    assert done.returncode == 1 and "no list of tasks" in done.stderr
    outside = command(fleet, "serve", "--listen", "0.0.0.0:0")
    assert outside.returncode == 1 and "--credentials" in outside.stderr


def test_a_file_of_joints_becomes_tasks(fleet: Fleet, backend: Backend, tmp_path: pathlib.Path) -> None:
    scene = Scene()
    joints = np.stack([scene.joints, scene.joints + np.float32([0.1, 0, 0])])
    joints[1, 0, 20] = np.nan
    np.savez(tmp_path / "walk.npz", joints3d=joints, track=np.array(TRACKS), gender=np.array(["female", "male"]))
    (tmp_path / "camera.json").write_text(json.dumps(scene.camera))
    arguments = ("tasks", tmp_path / "walk.npz", "--camera", tmp_path / "camera.json", "-o", tmp_path / "tasks.json", "--images", "d/{frame:03}.png")
    done = command(fleet, *arguments, "--size", f"{WIDTH}x{HEIGHT}")
    assert done.returncode == 0, done.stderr
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    assert [each["data"]["image"] for each in tasks] == ["d/000.png", "d/001.png"]
    people = tasks[1]["data"]["sinew"]["people"]
    assert [(each["track"], each["gender"], len(each["joints3d"])) for each in people] == [("anna", "female", 28), ("ben", "male", 29)]
    np.testing.assert_allclose(people[1]["joints3d"]["head"], joints[1, 1, JOINTS.index("head")])
    first, second = predicted(backend, *tasks)
    assert len(first["result"]) == len(second["result"]) == 58
    for wrong, said in (("wide", "--size"), ("0x", "--size")):
        assert said in command(fleet, *arguments, "--size", wrong).stderr
    assert "--images" in command(fleet, *arguments[:-1], "d/{number}.png", "--size", "10x10").stderr
    (tmp_path / "walk.npz").write_bytes(b"PK")
    done = command(fleet, *arguments, "--size", "10x10")
    assert done.returncode == 1 and "walk.npz" in done.stderr and "Traceback" not in done.stderr
