"""The scene of the adapters' tests as CVAT would export it, in XML and in JSON."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

import cvat
from adapter_scene import HEIGHT, WIDTH, Scene
from observations import JOINTS

TRACKS = ("anna", "ben")


def place(position: Any) -> str:
    return " ".join(f"{float(value):.5f}" for value in position)


def meta(point_attributes: Any = cvat.POINT_ATTRIBUTES, person_attributes: Any = cvat.PERSON_ATTRIBUTES) -> str:
    """The labels of a task, flat as CVAT writes them: a point names its skeleton as parent."""
    def attributes(names: Any) -> str:
        return "<attributes>" + "".join(
            f"<attribute><name>{name}</name><mutable>True</mutable><input_type>text</input_type><default_value></default_value>"
            "<values></values></attribute>" for name in names) + "</attributes>"

    labels = f"<label><name>person</name><type>skeleton</type>{attributes(person_attributes)}</label>" + "".join(
        f"<label><name>{joint}</name><type>points</type>{attributes(point_attributes)}<parent>person</parent></label>" for joint in JOINTS)
    return f"<meta><task><id>4</id><name>walk</name><mode>annotation</mode><labels>{labels}</labels></task></meta>"


def export(scene: Scene, *, images: int = 1, attribute: str = "joint3d", labels: str | None = None, without: tuple[str, ...] = ()) -> str:
    """“CVAT for images 1.1” with the two people in every image, their points at the left edge."""
    body = ""
    for image in range(images):
        people = ""
        for row, track in enumerate(TRACKS):
            points = "".join(
                f'<points label="{joint}" source="manual" outside="{int(joint in without)}" occluded="0" points="{index}.00,10.00">'
                f'<attribute name="{attribute}">{escape(place(scene.joints[row, index]))}</attribute></points>'
                for index, joint in enumerate(JOINTS))
            people += (
                f'<skeleton label="person" source="manual" z_order="0">{points}<attribute name="track">{track}</attribute></skeleton>')
        body += (
            f'<image id="{image}" name="frame_{image:03}.png" width="{WIDTH}" height="{HEIGHT}">'
            f'<box label="car" source="manual" occluded="0" xtl="1" ytl="2" xbr="3" ybr="4" z_order="0"></box>{people}</image>')
    return f'<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>{labels or meta()}{body}</annotations>\n'


def rest_labels() -> dict[str, Any]:
    """What GET /api/labels?task_id=N answers for the label that `cvat.py labels` prints."""
    (record,) = [cvat.label()]
    numbers = iter(range(100, 1000))

    def numbered(label: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": next(numbers), "name": label["name"], "type": label["type"],
            "attributes": [{"id": next(numbers), "name": each["name"]} for each in label["attributes"]],
            "sublabels": [numbered(each) for each in label.get("sublabels", [])]}

    return {"count": 1, "results": [numbered(record)]}


def rest_annotations(scene: Scene) -> dict[str, Any]:
    """The same people as GET /api/tasks/N/annotations answers them."""
    (person,) = rest_labels()["results"]

    def spec(label: dict[str, Any], name: str) -> int:
        (number,) = [each["id"] for each in label["attributes"] if each["name"] == name]
        return int(number)

    def shape(kind: str, label: dict[str, Any], points: list[float], attributes: dict[str, str]) -> dict[str, Any]:
        return {
            "type": kind, "occluded": False, "outside": False, "z_order": 0, "rotation": 0.0, "points": points, "frame": 5,
            "group": 0, "source": "manual", "label_id": label["id"],
            "attributes": [{"spec_id": spec(label, name), "value": value} for name, value in attributes.items()]}

    shapes = [
        shape("skeleton", person, [], {"track": track}) | {"elements": [
            shape("points", sub, [float(index), 10.0], {"joint3d": place(scene.joints[row, index])})
            for index, sub in enumerate(person["sublabels"])]}
        for row, track in enumerate(TRACKS)]
    return {"version": 7, "tags": [], "shapes": shapes, "tracks": []}


def backup_annotations(scene: Scene) -> list[dict[str, Any]]:
    """The same as ``annotations.json`` of a task backup: names instead of numbers."""
    (person,) = rest_labels()["results"]
    labels = {each["id"]: each["name"] for each in (person, *person["sublabels"])}
    specs = {spec["id"]: spec["name"] for each in (person, *person["sublabels"]) for spec in each["attributes"]}
    record = rest_annotations(scene)
    for skeleton in record["shapes"]:
        for each in (skeleton, *skeleton["elements"]):
            each["label"] = labels[each.pop("label_id")]
            each["attributes"] = [{"name": specs[value["spec_id"]], "value": value["value"]} for value in each["attributes"]]
    return [record]
