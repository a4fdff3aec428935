"""CVAT's files are read back by other people's code: dagshub's converter for XML, CVAT's own SDK for JSON."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
import zipfile
from typing import Any

import cvat
import numpy as np
import pytest
from adapter_scene import HEIGHT, WIDTH, Scene
from client_fleet import Fleet
from cvat_scene import TRACKS, backup_annotations, export, meta, rest_annotations, rest_labels
from cvat_sdk.api_client import ApiClient, Configuration
from cvat_sdk.api_client.models import LabeledDataRequest, PatchedLabelRequest
from dagshub_annotation_converter.converters.cvat import load_cvat_from_xml_file
from observations import JOINTS

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "cvat.py"


def command(*arguments: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)], capture_output=True, text=True, timeout=120,
        env={"PYTHONPATH": str(SCRIPT.parents[1] / "python/src"), "PATH": "/usr/bin:/bin"})


def camera_file(folder: pathlib.Path, scene: Scene) -> pathlib.Path:
    path = folder / "camera.json"
    path.write_text(json.dumps(scene.camera))
    return path


def solve(fleet: Fleet, folder: pathlib.Path, scene: Scene | None, data: str | bytes, *options: Any, status: int = 0) -> pathlib.Path:
    """Solves a file; returns the path of the solved one."""
    source, output = folder / "annotations", folder / "solved"
    source.write_bytes(data if isinstance(data, bytes) else data.encode())
    camera = () if scene is None else ("--camera", camera_file(folder, scene))
    done = command("solve", source, "-o", output, *camera, *options, "--broker", fleet.endpoint)
    assert done.returncode == status, done.stderr
    return output


def attribute(element: Any, name: str) -> Any:
    """Numbers of an attribute."""
    (text,) = [each.text for each in element.iterfind("attribute") if each.get("name") == name]
    return np.array(text.split(), float)


def lines(path: pathlib.Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_solved_people_stand_in_the_file_that_was_exported(fleet: Fleet, scene: Scene, tmp_path: pathlib.Path) -> None:
    root = ElementTree.parse(solve(fleet, tmp_path, scene, export(scene, images=3))).getroot()
    assert len(root.findall("image/box")) == 3 and root.findtext("meta/task/name") == "walk"
    skeletons = root.findall("image/skeleton")
    assert len(skeletons) == 6
    for number, skeleton in enumerate(skeletons):
        assert [each.text for each in skeleton.iterfind("attribute[@name='track']")] == [TRACKS[number % 2]]
        assert attribute(skeleton, "theta").shape == (72,) and attribute(skeleton, "translation").shape == (3,)
        assert 0 < attribute(skeleton, "residual_mm")[0] < 60 and 0 < attribute(skeleton, "score")[0] <= 1
        points = {each.get("label"): each for each in skeleton.iterfind("points")}
        assert list(points) == list(JOINTS)
        solved = np.stack([attribute(points[joint], "solved3d") for joint in JOINTS])
        assert np.linalg.norm(solved - scene.joints[number % 2], axis=1).max() < 0.12
        drawn = np.array([points[joint].get("points", "").split(",") for joint in JOINTS], float)
        np.testing.assert_allclose(drawn, scene.project(solved), atol=0.02)
        # What the annotators' tools knew of the joints is still there.
        np.testing.assert_allclose(attribute(points["head"], "joint3d"), scene.joints[number % 2, JOINTS.index("head")], atol=1e-5)


def test_another_reader_finds_the_points_where_they_were_put(fleet: Fleet, tmp_path: pathlib.Path) -> None:
    scene = Scene()
    # dagshub's converter knows no attributes of a skeleton itself; a task whose label has none gets none.
    data = export(scene, labels=meta(person_attributes=())).replace('<attribute name="track">anna</attribute>', "").replace(
        '<attribute name="track">ben</attribute>', "")
    output = solve(fleet, tmp_path, scene, data)
    poses = [each for each in load_cvat_from_xml_file(output)["frame_000.png"] if hasattr(each, "points")]
    assert len(poses) == 2
    root = ElementTree.parse(output).getroot()
    for pose, skeleton in zip(poses, root.iter("skeleton"), strict=True):
        solved = {each.get("label", ""): attribute(each, "solved3d") for each in skeleton.iterfind("points")}
        ours = scene.project([solved[joint] for joint in sorted(JOINTS)])
        np.testing.assert_allclose([(each.x, each.y) for each in pose.points], ours, atol=0.02)


def test_points_that_were_moved_become_corrections(fleet: Fleet, scene: Scene, tmp_path: pathlib.Path) -> None:
    output = solve(fleet, tmp_path, scene, export(scene, images=2))
    camera, out = camera_file(tmp_path, scene), tmp_path / "moved.jsonl"
    done = command("corrections", output, "--camera", camera, "-o", out)
    assert done.returncode == 0 and lines(out) == [] and "0 of 4" in done.stderr
    tree = ElementTree.parse(output)
    point = tree.getroot().findall("image/skeleton")[3].findall("points")[JOINTS.index("left_wrist")]
    x, y = map(float, point.get("points", "").split(","))
    point.set("points", f"{x + 35:.2f},{y - 20:.2f}")
    hidden = tree.getroot().findall("image/skeleton")[0].findall("points")[JOINTS.index("head")]
    hidden.set("points", "0.00,0.00")
    hidden.set("outside", "1")  # Nowhere is no place to move to.
    tree.write(output)
    done = command("corrections", output, "--camera", camera, "-o", out)
    assert done.returncode == 0, done.stderr
    (line,) = lines(out)
    assert (line["frame"], line["track"], list(line["move"])) == (1, "ben", ["left_wrist"])
    np.testing.assert_allclose(scene.project([line["move"]["left_wrist"]])[0], (x + 35, y - 20), atol=0.02)
    assert abs(line["move"]["left_wrist"][2] - attribute(point, "solved3d")[2]) < 1e-5
    done = command("corrections", tmp_path / "annotations", "--camera", camera, "-o", out)
    assert done.returncode == 1 and "cvat.py solve" in done.stderr


def test_missing_and_occluded_joints_are_filled_in(fleet: Fleet, tmp_path: pathlib.Path) -> None:
    scene = Scene()
    output = solve(fleet, tmp_path, scene, export(scene, without=("left_hand", "left_middle")))
    points = {each.get("label"): each for each in ElementTree.parse(output).getroot().findall("image/skeleton")[0]}
    filled = points["left_hand"]
    assert (filled.get("outside"), filled.get("occluded")) == ("0", "1")
    assert np.linalg.norm(attribute(filled, "solved3d") - scene.joints[0, JOINTS.index("left_hand")]) < 0.3
    # A camera that looks away sees nobody; without one the points stay where they were.
    away = Scene()
    away.camera["translation"] = [0, 0, -50]
    output = solve(fleet, tmp_path, away, export(scene))
    assert {each.get("outside") for each in ElementTree.parse(output).getroot().iter("points")} == {"1"}
    output = solve(fleet, tmp_path, None, export(scene))
    drawn = [each.get("points") for each in ElementTree.parse(output).getroot().findall("image/skeleton")[0].iterfind("points")]
    assert drawn == [f"{index}.00,10.00" for index in range(29)]


def test_an_archive_and_cameras_by_image(fleet: Fleet, tmp_path: pathlib.Path) -> None:
    scene, nearer = Scene(), Scene()
    nearer.camera["translation"][2] -= 1.5
    archive = tmp_path / "task.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("annotations.xml", export(scene, images=2))
    cameras = tmp_path / "cameras.json"
    cameras.write_text(json.dumps({"cameras": {"frame_000.png": scene.camera, "1": nearer.camera}}))
    done = command("solve", archive, "-o", tmp_path / "out.xml", "--camera", cameras, "--broker", fleet.endpoint)
    assert done.returncode == 0, done.stderr
    root = ElementTree.parse(tmp_path / "out.xml").getroot()
    for image, seen_by in zip(root.iter("image"), (scene, nearer), strict=True):
        for point in image.iter("points"):
            if point.get("outside") == "0":
                at = np.array(point.get("points", "").split(","), float)
                np.testing.assert_allclose(at, seen_by.project([attribute(point, "solved3d")])[0], atol=0.02)
    cameras.write_text(json.dumps({"cameras": {"0": scene.camera}}))
    done = command("solve", archive, "-o", tmp_path / "out.xml", "--camera", cameras, "--broker", fleet.endpoint)
    assert done.returncode == 1 and "no camera for image frame_001.png" in done.stderr


def test_json_of_the_rest_interface_is_what_cvats_sdk_accepts(fleet: Fleet, tmp_path: pathlib.Path) -> None:
    scene = Scene()
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps(rest_labels()))
    output = solve(fleet, tmp_path, scene, json.dumps(rest_annotations(scene)), "--labels", labels)
    record = json.loads(output.read_text())
    with ApiClient(Configuration("http://127.0.0.1:1")) as api:
        accepted = LabeledDataRequest._new_from_openapi_data(**record, _configuration=api.configuration)
    assert [len(shape["elements"]) for shape in accepted["shapes"]] == [29, 29]
    (person,) = rest_labels()["results"]
    sub = person["sublabels"][JOINTS.index("neck")]
    solved_spec = next(each["id"] for each in sub["attributes"] if each["name"] == "solved3d")
    element = record["shapes"][1]["elements"][JOINTS.index("neck")]
    (value,) = [each["value"] for each in element["attributes"] if each["spec_id"] == solved_spec]
    np.testing.assert_allclose(scene.project([list(map(float, value.split()))])[0], element["points"], atol=1e-2)
    element["points"][1] += 12
    output.write_text(json.dumps(record))
    out = tmp_path / "moved.jsonl"
    done = command("corrections", output, "--labels", labels, "--camera", tmp_path / "camera.json", "-o", out)
    assert done.returncode == 0, done.stderr
    assert [(each["frame"], each["track"], list(each["move"])) for each in lines(out)] == [(5, "ben", ["neck"])]
    done = command("solve", output, "-o", out, "--broker", fleet.endpoint)
    assert done.returncode == 1 and "--labels" in done.stderr


def test_json_of_a_backup_says_the_same_by_name(fleet: Fleet, tmp_path: pathlib.Path) -> None:
    scene = Scene()
    record = json.loads(solve(fleet, tmp_path, scene, json.dumps(backup_annotations(scene))).read_text())
    root = ElementTree.parse(solve(fleet, tmp_path, scene, export(scene))).getroot()
    for shape, skeleton in zip(record[0]["shapes"], root.iter("skeleton"), strict=True):
        values = {each["name"]: each["value"] for each in shape["attributes"]}
        np.testing.assert_array_equal(np.array(values["theta"].split(), float), attribute(skeleton, "theta"))
        for element, point in zip(shape["elements"], skeleton.iterfind("points"), strict=True):
            np.testing.assert_allclose(element["points"], list(map(float, point.get("points", "").split(","))), atol=0.01)


def test_the_label_is_one_that_cvat_takes() -> None:
    (label,) = json.loads(command("labels", "--name", "body").stdout)
    with ApiClient(Configuration("http://127.0.0.1:1")) as api:
        accepted = PatchedLabelRequest._new_from_openapi_data(**label, _configuration=api.configuration)
    assert accepted["name"] == "body" and [each["name"] for each in accepted["sublabels"]] == list(JOINTS)
    drawing = ElementTree.fromstring(f"<svg>{label['svg']}</svg>")
    nodes = {each.get("data-node-id"): each.get("data-label-name") for each in drawing.iter("circle")}
    assert list(nodes.values()) == list(JOINTS) and len(drawing.findall("line")) == 28
    places = {each.get("data-node-id"): (each.get("cx"), each.get("cy")) for each in drawing.iter("circle")}
    for line in drawing.iter("line"):
        assert places[line.get("data-node-from")] == (line.get("x1"), line.get("y1"))
        assert places[line.get("data-node-to")] == (line.get("x2"), line.get("y2"))
    assert len(set(places.values())) == 29


def edited(old: str, new: str) -> Any:
    return lambda scene: export(scene).replace(old, new)


@pytest.mark.parametrize(("data", "said"), [
    (edited('name="joint3d"', 'name="note"'), "from one image the depth of a joint is not known"),
    (lambda scene: export(scene, labels=meta(point_attributes=("joint3d",))), "has no attribute solved3d in the task"),
    (edited("<version>", '<track id="0" label="person"></track><version>'), "CVAT for video"),
    (edited("<annotations>", "<!DOCTYPE annotations [<!ENTITY a 'b'>]><annotations>"), "entities"),
    (edited("</annotations>", ""), "no XML"),
    (edited("annotations>", "notes>"), "not CVAT's <annotations>"),
    (edited('id="0" name', 'id="first" name'), "no whole number"),
    (edited(f'width="{WIDTH}" height="{HEIGHT}"', 'width="wide" height="1"'), "'wide' is no number"),
    (edited('points="3.00,10.00"', 'points="3.00"'), "one x,y was expected"),
    (edited('points="3.00,10.00"', 'points="3.00,nan"'), "no place"),
    (lambda scene: export(scene).replace(">anna<", ">" + 101 * "a" + "<").replace(">ben<", ">" + 101 * "b" + "<"), "at most 100 characters"),
    (lambda scene: "{}", "no annotations of CVAT"),
    (lambda scene: "[" * 100_000, "no JSON"),
    (lambda scene: json.dumps({"shapes": [], "tracks": [{"type": "skeleton"}]}), "tracks, which only hold key frames"),
    (lambda scene: json.dumps({"shapes": [{"type": "skeleton", "frame": "x", "label": "a"}]}), "frame is 'x'"),
    (lambda scene: json.dumps({"shapes": [{"type": "rectangle"}]}), "nobody in it can be solved"),
    (lambda scene: b"PK\x03\x04 and no more", "no archive"),
])
def test_a_file_that_cannot_be_used_says_why(data: Any, said: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "annotations"
    written = data(Scene())
    path.write_bytes(written if isinstance(written, bytes) else written.encode())
    # No broker is asked: nothing listens there.
    done = command("solve", path, "-o", tmp_path / "out", "--broker", "tcp://127.0.0.1:1")
    assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert not (tmp_path / "out").exists()


def test_one_wrong_person_does_not_keep_the_others_from_being_solved(fleet: Fleet, tmp_path: pathlib.Path) -> None:
    scene = Scene()
    data = export(scene).replace(">" + " ".join(f"{value:.5f}" for value in scene.joints[0, 15]) + "<", ">1.0 2.0<")
    path = tmp_path / "annotations"
    path.write_text(data)
    done = command("solve", path, "-o", tmp_path / "out", "--broker", fleet.endpoint)
    assert done.returncode == 3 and "from one image the depth" in done.stderr and "1 of 2 people" in done.stderr
    first, second = ElementTree.parse(tmp_path / "out").getroot().iter("skeleton")
    assert [any(each.get("name") == "theta" for each in person.iterfind("attribute")) for person in (first, second)] == [False, True]
