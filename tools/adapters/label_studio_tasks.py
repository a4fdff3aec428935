"""Label Studio's tasks, keypoint regions and labelling configurations, and what Sinew reads from and writes into them."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

import sinew
from cameras import AdapterError, Array, Camera, Frame
from corrections import TOLERANCE, moved_joints
from observations import JOINTS, Observation, clip_name, frame_number, refuse_two_dimensional, score_of, track_name

CONFIG_BYTES_MAX = 1 << 20
PEOPLE_PER_TASK_MAX = 64
WHERE = "data.sinew.people[].joints3d, or as meta.joint3d of each keypoint region"


def labelling_config(joints: tuple[str, ...] = JOINTS) -> str:
    """A configuration for an image with keypoints of the given joints: left ones blue, right ones red."""
    def colour(joint: str) -> str:
        return "#2a6fdb" if joint.startswith("left") else "#d1423a" if joint.startswith("right") else "#3d8f5f"

    labels = "\n".join(f"    <Label value={quoteattr(joint)} background={quoteattr(colour(joint))}/>" for joint in joints)
    return (
        '<View>\n  <Image name="image" value="$image"/>\n'
        f'  <KeyPointLabels name="joints" toName="image" strokeWidth="3">\n{labels}\n  </KeyPointLabels>\n</View>\n')


@dataclass(frozen=True)
class Control:
    """The tag of a labelling configuration that keypoints belong to."""

    name: str
    to_name: str
    joints: tuple[str, ...]

    @classmethod
    def read(cls, config: Any) -> Control:
        """Finds the ``KeyPointLabels`` whose labels are joints."""
        if not isinstance(config, str) or len(config) > CONFIG_BYTES_MAX:
            raise AdapterError("the labelling configuration is missing or larger than 1 MiB")
        if "<!" in config.replace("<!--", ""):
            raise AdapterError("the labelling configuration declares a document type or entities, which it has no use for")
        try:
            root = ElementTree.fromstring(config)
        except ElementTree.ParseError as error:
            raise AdapterError(f"the labelling configuration is no XML: {error}") from None
        for tag in root.iter("KeyPointLabels"):
            joints = tuple(value for value in (label.get("value", "") for label in tag.iter("Label")) if value in JOINTS)
            if joints:
                return cls(tag.get("name", ""), tag.get("toName", "").split(",")[0], joints)
        raise AdapterError(
            "the labelling configuration has no <KeyPointLabels> with joints as labels; `label_studio.py config` prints one that has")


@dataclass
class Task:
    """A task whose people can be solved: one frame of a clip, seen by a camera."""

    clip: str
    frame: int
    width: int
    height: int
    camera: Camera
    people: list[Observation] = field(default_factory=list)

    @classmethod
    def read(cls, task: Any) -> Task:
        """A task as Label Studio sends it. Raises AdapterError that says what it lacks."""
        data = task.get("data") if isinstance(task, dict) else None
        if not isinstance(data, dict):
            raise AdapterError("a task without data")
        what = f"task {task.get('id', '')}".strip()
        record = data.get("sinew")
        if not isinstance(record, dict):
            raise AdapterError(f"{what}: data.sinew is missing: an object with clip, frame, width, height, camera and people")
        frame_of = Frame.read(record)
        width, height = (_pixels(record.get(name), f"{what}: data.sinew.{name}") for name in ("width", "height"))
        if "camera" not in record:
            raise AdapterError(f"{what}: data.sinew.camera is missing: without it nobody knows where in the image a joint belongs")
        result = cls(
            clip_name(record.get("clip", "clip")), frame_number(record.get("frame", 0), what), width, height,
            Camera.read(record["camera"], frame_of))
        people = record.get("people")
        if people is None:
            result.people = _people_of_regions(_regions(task), frame_of, result.frame, what)
        elif not isinstance(people, list) or not 0 < len(people) <= PEOPLE_PER_TASK_MAX:
            raise AdapterError(f"{what}: data.sinew.people is no list of 1…{PEOPLE_PER_TASK_MAX} people")
        else:
            result.people = [
                _person(each, frame_of, result.frame, row, f"{what}, person {row}") for row, each in enumerate(people)]
        tracks = [person.track for person in result.people]
        if len(set(tracks)) != len(tracks):
            raise AdapterError(f"{what}: two people have the same track; give each its own")
        return result


def _pixels(value: Any, what: str) -> int:
    if not isinstance(value, int) or not 0 < value <= 65536:
        raise AdapterError(f"{what} is {value!r}; it is the image's size in pixels")
    return value


def _person(record: Any, frame_of: Frame, frame: int, row: int, what: str) -> Observation:
    if not isinstance(record, dict):
        raise AdapterError(f"{what}: no object with joints3d")
    joints, track = record.get("joints3d"), track_name(record.get("track"), row, what)
    if joints is None:
        if any(name in record for name in ("joints2d", "keypoints", "keypoints2d")):
            raise refuse_two_dimensional(what, WHERE)
        raise AdapterError(f"{what}: joints3d is missing")
    read = Observation.of_joints if isinstance(joints, dict) else Observation.of_array
    person = read(joints, frame_of, frame, track, what)
    person.describe(record, what)
    return person


def _regions(task: Mapping[str, Any]) -> list[Any]:
    """The keypoints of the newest annotation that has some, else of the newest prediction."""
    for kind in ("drafts", "annotations", "predictions"):
        for each in reversed(task.get(kind) or []):
            regions = [region for region in each.get("result") or [] if is_keypoint(region)]
            if regions:
                return regions
    return []


def is_keypoint(region: Any) -> bool:
    """Whether a region is a labelled keypoint."""
    return isinstance(region, dict) and region.get("type") == "keypointlabels" and isinstance(region.get("value"), dict)


def _meta(region: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = region.get("meta")
    return meta if isinstance(meta, dict) else {}


def joint_of(region: Mapping[str, Any]) -> str | None:
    """The joint that a keypoint is labelled with."""
    labels = region["value"].get("keypointlabels")
    return labels[0] if isinstance(labels, list) and len(labels) == 1 and labels[0] in JOINTS else None


def _people_of_regions(regions: list[Any], frame_of: Frame, frame: int, what: str) -> list[Observation]:
    by_track: dict[str, dict[str, Any]] = {}
    for region in regions:
        joint, meta = joint_of(region), _meta(region)
        if joint is not None and "joint3d" in meta:
            by_track.setdefault(track_name(meta.get("track"), 0, what), {})[joint] = meta["joint3d"]
    if not by_track:
        if regions:
            raise refuse_two_dimensional(what, WHERE)
        raise AdapterError(f"{what}: nobody is in it: give 3D joints in metres as {WHERE}")
    return [Observation.of_joints(joints, frame_of, frame, track, what) for track, joints in sorted(by_track.items())]


# What goes out


def prediction(task: Task, poses: sinew.Poses, control: Control, version: str) -> dict[str, Any]:
    """A prediction in Label Studio's format: a keypoint for every joint that the image shows. Raises AdapterError when nobody was solved."""
    regions: list[dict[str, Any]] = []
    worst = 0.0
    failed = {error.item: error.message for error in poses.item_errors}
    for row, person in enumerate(task.people):
        if row in failed:
            continue
        worst = max(worst, float(poses.joint_residual_mm[row]))
        regions += _person_regions(task, person, poses, row, control)
    if len(failed) == len(task.people):
        raise AdapterError(f"nobody could be solved: {failed[0]}")
    return {"result": regions, "score": score_of(worst), "model_version": version}


def _person_regions(task: Task, person: Observation, poses: sinew.Poses, row: int, control: Control) -> list[dict[str, Any]]:
    solved = np.asarray(poses.joints[row], np.float64)
    pixels, _ = task.camera.project(solved)
    regions: list[dict[str, Any]] = []
    for joint in control.joints:
        index = JOINTS.index(joint)
        percent = 100 * pixels[index] / (task.width, task.height)
        if not (np.isfinite(percent).all() and (percent >= 0).all() and (percent <= 100).all()):
            continue  # Behind the camera or beside the picture: nothing to draw.
        meta: dict[str, Any] = {"solved3d": _rounded(solved[index]), "track": person.track}
        if not regions:
            # Label Studio keeps only regions: the pose of the body travels with the first one of each person.
            meta["smpl"] = {
                "theta": _rounded(poses.theta[row]), "translation": _rounded(poses.translation[row]),
                "betas": _rounded(poses.betas[row]), "gender": person.gender,
                "joint_residual_mm": round(float(poses.joint_residual_mm[row]), 3),
                "bone_length_change": round(float(poses.bone_length_change[row]), 5)}
        regions.append({
            "id": f"sinew-{person.track}-{joint}", "from_name": control.name, "to_name": control.to_name, "type": "keypointlabels",
            "original_width": task.width, "original_height": task.height, "image_rotation": 0,
            "value": {"x": float(percent[0]), "y": float(percent[1]), "width": 0.5, "keypointlabels": [joint]}, "meta": meta})
    return regions


def _rounded(values: Any) -> Any:
    """Micrometres and microradians: what a float32 holds of a body in a room."""
    return np.round(np.asarray(values, np.float64), 6).tolist()


# What comes back


@dataclass
class Edit:
    """What an annotation says about a track: its points, and the solved joints they were drawn from where the regions remember them."""

    points: dict[str, tuple[float, float]] = field(default_factory=dict)
    solved: dict[str, Any] = field(default_factory=dict)


def edits(regions: Any, task: Task) -> dict[str, Edit]:
    """The keypoints of an annotation by track. A keypoint that an annotator drew anew belongs to the only person there is."""
    found: dict[str, Edit] = {}
    known = {person.track for person in task.people}
    for region in regions if isinstance(regions, list) else []:
        joint = joint_of(region) if is_keypoint(region) else None
        if joint is None:
            continue
        meta = _meta(region)
        if "track" not in meta and len(known) > 1:
            raise AdapterError(
                f"a keypoint “{joint}” that belongs to nobody: with several people in the image, move their keypoints instead of "
                "drawing new ones")
        track = track_name(meta["track"], 0, joint) if "track" in meta else next(iter(known))
        if track not in known:
            raise AdapterError(f"a keypoint “{joint}” of track “{track}”, which the task does not have")
        value = region["value"]
        point = (value.get("x"), value.get("y"))
        if not all(isinstance(each, (int, float)) and math.isfinite(each) for each in point):
            raise AdapterError(f"a keypoint “{joint}” without x and y")
        edit = found.setdefault(track, Edit())
        edit.points[joint] = (point[0] * task.width / 100, point[1] * task.height / 100)
        if "solved3d" in meta:
            edit.solved[joint] = meta["solved3d"]
    return found


def moves(task: Task, edit: Edit, solved: Array, tolerance: float = TOLERANCE) -> dict[str, Array]:
    """What an annotator moved, by joint, in the model frame.

    :param solved: the solved joints [29, 3], for keypoints that do not say where they were drawn from.
    """
    base = np.array(solved, np.float64)
    for joint, position in edit.solved.items():
        place = np.array(position, np.float64)
        if place.shape == (3,) and np.isfinite(place).all():
            base[JOINTS.index(joint)] = place
    return moved_joints(edit.points, base, task.camera, tolerance)
