#!/usr/bin/env python3
"""CVAT and Sinew: annotation files in, the same files with solved people out, and what annotators moved.

usage: cvat.py labels                                                    a skeleton label with SMPL's joints, for CVAT's raw label editor
       cvat.py solve ANNOTATIONS -o SOLVED [--camera CAMERA.json]        a durable job, polled to its end
       cvat.py corrections ANNOTATIONS --camera CAMERA.json -o CORRECTIONS.jsonl

ANNOTATIONS: “CVAT for images 1.1” (.xml or the .zip), or annotations in JSON (REST interface, with --labels; or of a task backup).
needs: pip install tools/python, and for solve: sinew up. README.md says which attributes carry the joints.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

import cvat_files
import sinew
from cameras import AdapterError, Array, Camera, Frame, numbers
from corrections import TOLERANCE, line, moved_joints, write
from cvat_files import VALUE_CHARACTERS_MAX, Declarations, Skeleton
from observations import JOINTS, Observation, refuse_two_dimensional, score_of, solve, track_name

WHERE = "the attribute joint3d of each point, three numbers with spaces between them"
POINT_ATTRIBUTES = ("joint3d", "solved3d")
PERSON_ATTRIBUTES = ("track", "betas", "gender", "theta", "translation", "residual_mm", "score")

#: The body from the front, percent of the square that CVAT draws a skeleton in: the rest pose of the open body.
PICTURE = {
    "pelvis": (50, 47), "left_hip": (56, 48), "right_hip": (44, 48), "spine1": (50, 43), "left_knee": (56, 69), "right_knee": (44, 69),
    "spine2": (50, 39), "left_ankle": (56, 91), "right_ankle": (44, 91), "spine3": (50, 35), "left_foot": (56, 95),
    "right_foot": (44, 95), "neck": (50, 18), "left_collar": (52, 22), "right_collar": (48, 22), "head": (50, 13),
    "left_shoulder": (59, 23), "right_shoulder": (41, 23), "left_elbow": (72, 23), "right_elbow": (28, 23), "left_wrist": (85, 23),
    "right_wrist": (15, 23), "left_hand": (91, 23), "right_hand": (9, 23), "head_top": (50, 5), "left_middle": (95, 25),
    "right_middle": (5, 25), "left_bigtoe": (54, 97), "right_bigtoe": (46, 97)}


# The label


def label(name: str = "person") -> dict[str, Any]:
    """The skeleton as CVAT's raw label editor and its REST interface take it."""
    def text(attribute: str) -> dict[str, Any]:
        return {"name": attribute, "input_type": "text", "mutable": True, "default_value": "", "values": [""]}

    def colour(joint: str) -> str:
        return "#2a6fdb" if joint.startswith("left") else "#d1423a" if joint.startswith("right") else "#3d8f5f"

    edges = [(parent, joint) for joint, parent in enumerate(sinew.SMPL29.parents) if parent >= 0]
    svg = "".join(
        '<line x1="{}" y1="{}" x2="{}" y2="{}" data-type="edge" data-node-from="{}" data-node-to="{}"></line>'.format(
            *PICTURE[JOINTS[parent]], *PICTURE[JOINTS[joint]], parent + 1, joint + 1) for parent, joint in edges)
    svg += "".join(
        '<circle r="0.75" cx="{}" cy="{}" data-type="element node" data-element-id="{}" data-node-id="{}" data-label-name="{}"></circle>'
        .format(*PICTURE[joint], number, number, joint) for number, joint in enumerate(JOINTS, 1))
    return {
        "name": name, "type": "skeleton", "color": "#3d8f5f", "svg": svg, "attributes": [text(each) for each in PERSON_ATTRIBUTES],
        "sublabels": [
            {"name": joint, "type": "points", "color": colour(joint), "attributes": [text(each) for each in POINT_ATTRIBUTES]}
            for joint in JOINTS]}


# Reading


def triple(text: str, what: str) -> list[float]:
    """Three numbers with spaces or commas between them."""
    parts = [part for part in re.split(r"[\s,]+", text.strip()) if part]
    if len(parts) == 2:
        raise refuse_two_dimensional(what, WHERE)
    return numbers(parts, (3,), what).tolist()  # type: ignore[no-any-return]


def observation(skeleton: Skeleton, frame_of: Frame) -> Observation:
    """The person that a skeleton describes."""
    joints, occluded = {}, []
    for point in skeleton.points:
        value = point.attributes.get("joint3d")
        if point.is_outside or not value or not value.strip():
            continue
        joints[point.joint] = triple(value, f"{skeleton.what}, {point.joint}")
        if point.is_occluded:
            occluded.append(point.joint)
    if not joints:
        raise refuse_two_dimensional(skeleton.what, WHERE)
    person = Observation.of_joints(joints, frame_of, skeleton.frame, track_of(skeleton), skeleton.what, occluded)
    record: dict[str, Any] = {"gender": (skeleton.attributes.get("gender") or "").strip() or "neutral"}
    betas = (skeleton.attributes.get("betas") or "").split()
    if betas:
        record["betas"] = betas
    person.describe(record, skeleton.what)
    return person


def track_of(skeleton: Skeleton) -> str:
    """The attribute ``track``, else which of the image's people it is."""
    return track_name((skeleton.attributes.get("track") or "").strip(), skeleton.number, skeleton.what)


def is_person(skeleton: Skeleton) -> bool:
    """Whether a skeleton has joints of a body; others of the task are left alone."""
    return any(point.joint in JOINTS for point in skeleton.points)


class Cameras:
    """One camera for all images, or one for each by its name or frame."""

    def __init__(self, path: pathlib.Path, frame_of: Frame) -> None:
        try:
            record = json.loads(path.read_text())
        except ValueError as error:
            raise AdapterError(f"{path}: no JSON: {error}") from None
        several = record.get("cameras") if isinstance(record, dict) else None
        self.path = path
        self.by_image = {name: Camera.read(each, frame_of) for name, each in several.items()} if isinstance(several, dict) else None
        self.shared = Camera.read(record, frame_of) if self.by_image is None else None

    def of(self, skeleton: Skeleton) -> Camera:
        if self.shared is not None:
            return self.shared
        assert self.by_image is not None, "neither one camera nor several"
        camera = self.by_image.get(skeleton.image) or self.by_image.get(str(skeleton.frame))
        if camera is None:
            raise AdapterError(f"{self.path}: no camera for image {skeleton.image} (frame {skeleton.frame})")
        return camera


# Writing


def numbers_text(values: Any, digits: int = 5) -> str:
    """Numbers with spaces between them, as short as they can be said."""
    text = " ".join(f"{float(value):.{digits}f}".rstrip("0").rstrip(".") for value in np.asarray(values).reshape(-1))
    assert len(text) <= VALUE_CHARACTERS_MAX, "an attribute that CVAT would cut"
    return text


def check_declared(skeleton: Skeleton, declarations: Declarations) -> None:
    """CVAT refuses a file with attributes that its labels do not have."""
    for point in skeleton.points:
        if point.joint in JOINTS and not declarations.has(skeleton.label, point.joint, "solved3d"):
            raise AdapterError(
                f"{skeleton.what}: its point {point.joint} has no attribute solved3d in the task, and CVAT would refuse the file; add it to the "
                "label (`cvat.py labels` prints one that has everything)")


def write_solution(skeleton: Skeleton, poses: sinew.Poses, row: int, camera: Camera | None, declarations: Declarations) -> None:
    """Puts a solved person into its skeleton: attributes, and with a camera the points of the image."""
    solved = np.asarray(poses.joints[row], np.float64)
    residual = float(poses.joint_residual_mm[row])
    values = {
        "theta": numbers_text(poses.theta[row]), "translation": numbers_text(poses.translation[row]),
        "betas": numbers_text(poses.betas[row]), "residual_mm": numbers_text([residual], 2), "score": numbers_text([score_of(residual)], 3)}
    for name, value in values.items():
        if declarations.has(skeleton.label, "", name):
            skeleton.attributes.set(name, value)
    pixels = None if camera is None else camera.project(solved)[0]
    for point in skeleton.points:
        if point.joint not in JOINTS:
            continue
        index = JOINTS.index(point.joint)
        point.attributes.set("solved3d", numbers_text(solved[index]))
        if pixels is not None:
            x, y = (float(each) for each in pixels[index])
            if np.isfinite([x, y]).all() and (skeleton.size is None or (0 <= x <= skeleton.size[0] and 0 <= y <= skeleton.size[1])):
                point.place(x, y)
            else:
                point.hide()


def moved_in(skeleton: Skeleton, camera: Camera, tolerance: float) -> Mapping[str, Array]:
    """What an annotator moved in a solved skeleton, by joint, in the model frame."""
    points, solved = {}, np.zeros((29, 3))
    for point in skeleton.points:
        value = point.attributes.get("solved3d")
        if point.is_outside or point.joint not in JOINTS or not value:
            continue
        points[point.joint] = (point.x, point.y)
        solved[JOINTS.index(point.joint)] = triple(value, f"{skeleton.what}, {point.joint}")
    return moved_joints(points, solved, camera, tolerance)


# The commands


def solve_file(options: argparse.Namespace, frame_of: Frame) -> int:
    """Solves everybody in a file. Returns the exit status: 3 when some were not."""
    file = cvat_files.read(options.annotations, options.labels)
    cameras = Cameras(options.camera, frame_of) if options.camera else None
    work: list[tuple[Skeleton, Observation]] = []
    refused = 0
    for skeleton in filter(is_person, file.skeletons()):
        check_declared(skeleton, file.declarations)
        try:
            work.append((skeleton, observation(skeleton, frame_of)))
        except AdapterError as error:
            refused += 1
            print(f"cvat.py: {error}", file=sys.stderr)
    if not work:
        raise AdapterError(f"{options.annotations}: nobody in it can be solved")
    with sinew.Client(options.broker, key=options.key, broker_key=options.broker_key) as client:
        poses = solve(client, [person for _, person in work], options.model, durable=True, label=f"cvat {options.annotations.name}"[:200])
    failed = {error.item: error.message for error in poses.item_errors}
    for row, (skeleton, _) in enumerate(work):
        if row in failed:
            print(f"cvat.py: {skeleton.what}: {failed[row]}", file=sys.stderr)
        else:
            write_solution(skeleton, poses, row, cameras.of(skeleton) if cameras else None, file.declarations)
    file.write(options.output)
    count = len(work) - len(failed)
    print(f"{count} of {len(work) + refused} people are solved: {options.output}", file=sys.stderr)
    return 3 if failed or refused else 0


def correct_file(options: argparse.Namespace, frame_of: Frame) -> int:
    """Writes what annotators moved, a line for each person and frame."""
    file = cvat_files.read(options.annotations, options.labels)
    if options.camera is None:
        raise AdapterError("corrections need --camera: without it a point of the image has no place in space")
    cameras = Cameras(options.camera, frame_of)
    found: dict[tuple[int, str], str] = {}
    solved = 0
    for skeleton in filter(is_person, file.skeletons()):
        solved += any(point.attributes.get("solved3d") for point in skeleton.points)
        moved = moved_in(skeleton, cameras.of(skeleton), options.tolerance)
        place = (skeleton.frame, track_of(skeleton))
        if moved and place in found:
            raise AdapterError(f"{skeleton.what}: another person of the image has track “{place[1]}” too; give each its own attribute track")
        if moved:
            found[place] = line(*place, moved)
    if not solved:
        raise AdapterError(f"{options.annotations}: no point has the attribute solved3d; give the file to `cvat.py solve` before it is annotated")
    write(options.output, [found[place] for place in sorted(found)])
    print(f"{len(found)} of {solved} people were corrected: {options.output}", file=sys.stderr)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    labels = commands.add_parser("labels")
    labels.add_argument("--name", default="person")
    solving, correcting = commands.add_parser("solve"), commands.add_parser("corrections")
    for command in (solving, correcting):
        command.add_argument("annotations", type=pathlib.Path)
        command.add_argument("-o", "--output", type=pathlib.Path, required=True)
        command.add_argument("--camera", type=pathlib.Path, help="a camera, or {\"cameras\": {IMAGE OR FRAME: camera}}")
        command.add_argument("--labels", type=pathlib.Path, help="for JSON of the REST interface: what GET /api/labels?task_id=N answers")
        command.add_argument("--unit", default="m", help="of joint3d and of the camera: m, cm, mm")
        command.add_argument("--up-axis", default="y", help="of joint3d and of the camera: x, y, z, -x, -y, -z")
    correcting.add_argument("--tolerance", type=float, default=TOLERANCE, help="pixels within which a point was not moved")
    solving.add_argument("--broker", default="tcp://127.0.0.1:7690")
    solving.add_argument("--model", default="niki")
    solving.add_argument("--key", help="this client's key, for a broker with keys")
    solving.add_argument("--broker-key")
    return parser.parse_args()


def main() -> int:
    options = parse()
    if options.command == "labels":
        print(json.dumps([label(options.name)], indent=1))
        return 0
    frame_of = Frame.read({"unit": options.unit, "up_axis": options.up_axis})
    return solve_file(options, frame_of) if options.command == "solve" else correct_file(options, frame_of)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (AdapterError, OSError, sinew.SinewError) as failure:
        sys.exit(f"cvat.py: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
