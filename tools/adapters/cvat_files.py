"""CVAT's annotation files with skeletons: “CVAT for images 1.1” (XML, or the archive with it) and annotations in JSON (REST interface, task backup).

A file is changed where it stands: what Sinew has no use for is written back as it came.
"""

from __future__ import annotations

import json
import pathlib
import re
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cameras import AdapterError

FILE_BYTES_MAX = 512 << 20
#: CVAT stores at most so many characters of an attribute's value.
VALUE_CHARACTERS_MAX = 4096


class Attributes(Protocol):
    """The attributes of a skeleton or of one of its points, by name."""

    def get(self, name: str) -> str | None: ...
    def set(self, name: str, value: str) -> None: ...


@dataclass
class Point:
    """A point of a skeleton, pixels. A point that is outside has no place."""

    joint: str
    x: float
    y: float
    is_outside: bool
    is_occluded: bool
    attributes: Attributes
    _store: Any

    def place(self, x: float, y: float) -> None:
        """Moves the point; one that had no place becomes an occluded one."""
        self.x, self.y = x, y
        self.is_occluded = self.is_occluded or self.is_outside
        self.is_outside = False
        self._store(self)

    def hide(self) -> None:
        """The image does not show the point."""
        self.is_outside = True
        self._store(self)


@dataclass
class Skeleton:
    """A person in an image."""

    label: str
    frame: int
    #: The image's name, and its size in pixels where the file says it.
    image: str
    size: tuple[float, float] | None
    #: Which of the image's skeletons it is.
    number: int
    points: list[Point]
    attributes: Attributes

    @property
    def what(self) -> str:
        """For messages."""
        return f"image {self.image}, {self.label} {self.number + 1}"


@dataclass
class Declarations:
    """Which attributes each label of the task has; a file that does not say lets everything pass."""

    by_label: Mapping[tuple[str, str], frozenset[str]] | None

    def has(self, skeleton: str, joint: str, attribute: str) -> bool:
        """``joint`` is empty for the skeleton itself."""
        return self.by_label is None or attribute in self.by_label.get((skeleton, joint), frozenset())


class AnnotationFile(Protocol):
    """What is read, changed and written back."""

    declarations: Declarations

    def skeletons(self) -> Iterator[Skeleton]: ...
    def write(self, path: pathlib.Path) -> None: ...


# XML


@dataclass
class _XMLAttributes:
    element: ElementTree.Element

    def get(self, name: str) -> str | None:
        for child in self.element.iterfind("attribute"):
            if child.get("name") == name:
                return child.text or ""
        return None

    def set(self, name: str, value: str) -> None:
        for child in self.element.iterfind("attribute"):
            if child.get("name") == name:
                child.text = value
                return
        child = ElementTree.SubElement(self.element, "attribute", {"name": name})
        child.text = value


class XMLFile:
    """“CVAT for images 1.1”."""

    def __init__(self, data: bytes, path: pathlib.Path) -> None:
        # Entities can be nested until memory ends, and CVAT writes none.
        if re.search(rb"<!\s*(DOCTYPE|ENTITY)", data, re.IGNORECASE) or b"\0" in data:
            raise AdapterError(f"{path}: declares a document type or entities, or is no UTF-8; CVAT writes neither")
        try:
            self.root = ElementTree.fromstring(data)
        except (ElementTree.ParseError, ValueError) as error:
            raise AdapterError(f"{path}: no XML: {error}") from None
        if self.root.tag != "annotations":
            raise AdapterError(f"{path}: the document is <{self.root.tag}>, not CVAT's <annotations>")
        if self.root.find("track") is not None:
            raise AdapterError(
                f"{path}: tracks of a video (“CVAT for video 1.1”), which only hold key frames; export as “CVAT for images 1.1”, where every "
                "frame has its own")
        self.path = path
        self.declarations = Declarations(self._declared())

    def _declared(self) -> dict[tuple[str, str], frozenset[str]] | None:
        labels = self.root.findall("meta//labels/label")
        if not labels:
            return None
        found = {}
        for label in labels:
            name, parent = label.findtext("name", ""), label.findtext("parent", "")
            attributes = frozenset(each.findtext("name", "") for each in label.iterfind("attributes/attribute"))
            found[(parent, name) if parent else (name, "")] = attributes
        return found

    def skeletons(self) -> Iterator[Skeleton]:
        """Every skeleton of every image, in the order of the file."""
        for image in self.root.iterfind("image"):
            name = image.get("name", "")
            frame = _integer(image.get("id", ""), f"{self.path}: image {name}: id")
            size = (
                _number(image.get("width", ""), f"{self.path}: image {name}: width"),
                _number(image.get("height", ""), f"{self.path}: image {name}: height"))
            for number, element in enumerate(image.iterfind("skeleton")):
                label = element.get("label", "")
                points = [self._point(each, f"{self.path}: image {name}, {label} {number + 1}") for each in element.iterfind("points")]
                yield Skeleton(label, frame, name, size, number, points, _XMLAttributes(element))

    @staticmethod
    def _point(element: ElementTree.Element, what: str) -> Point:
        joint = element.get("label", "")
        pair = element.get("points", "").split(",")
        if len(pair) != 2:
            raise AdapterError(f"{what}, {joint}: points is {element.get('points')!r}, one x,y was expected")

        def store(point: Point) -> None:
            element.set("points", f"{point.x:.2f},{point.y:.2f}")
            element.set("outside", "1" if point.is_outside else "0")
            element.set("occluded", "1" if point.is_occluded else "0")

        return Point(
            joint, _number(pair[0], f"{what}, {joint}"), _number(pair[1], f"{what}, {joint}"), element.get("outside") == "1",
            element.get("occluded") == "1", _XMLAttributes(element), store)

    def write(self, path: pathlib.Path) -> None:
        """Writes the document, which CVAT imports as “CVAT 1.1”."""
        _write(path, ElementTree.tostring(self.root, encoding="utf-8", xml_declaration=True))


# JSON


@dataclass
class _Names:
    """Numbers of the REST interface and the names behind them."""

    labels: dict[int, str]
    attributes: dict[int, dict[int, str]]

    @classmethod
    def read(cls, path: pathlib.Path) -> tuple[_Names, Declarations]:
        """What ``GET /api/labels?task_id=N`` answers."""
        record = _json(path)
        names, declared = cls({}, {}), {}
        labels: Any = record.get("results") if isinstance(record, dict) else record
        try:
            for label in labels:
                for parent, each in [("", label), *((label["name"], sub) for sub in label.get("sublabels", []))]:
                    names.labels[each["id"]] = each["name"]
                    names.attributes[each["id"]] = {spec["id"]: spec["name"] for spec in each.get("attributes", [])}
                    key = (parent, each["name"]) if parent else (each["name"], "")
                    declared[key] = frozenset(names.attributes[each["id"]].values())
        except (TypeError, KeyError, AttributeError):
            raise AdapterError(f"{path}: not the labels of a task, as GET /api/labels?task_id=N answers them") from None
        return names, Declarations(declared)


@dataclass
class _JSONAttributes:
    values: list[dict[str, Any]]
    #: Names by number; None where the file has names.
    names: dict[int, str] | None

    def _is(self, entry: dict[str, Any], name: str) -> bool:
        return bool(entry.get("name") == name if self.names is None else self.names.get(entry.get("spec_id", -1)) == name)

    def get(self, name: str) -> str | None:
        return next((str(entry.get("value", "")) for entry in self.values if self._is(entry, name)), None)

    def set(self, name: str, value: str) -> None:
        for entry in self.values:
            if self._is(entry, name):
                entry["value"] = value
                return
        if self.names is None:
            self.values.append({"name": name, "value": value})
        else:
            number = next(number for number, each in self.names.items() if each == name)
            self.values.append({"spec_id": number, "value": value})


class JSONFile:
    """Annotations of the REST interface (with the task's labels beside them), or ``annotations.json`` of a task backup."""

    def __init__(self, data: bytes, path: pathlib.Path, labels: pathlib.Path | None) -> None:
        self.path = path
        self.record = _json_of(data, path)
        self.parts = self.record if isinstance(self.record, list) else [self.record]
        if not all(isinstance(each, dict) and isinstance(each.get("shapes"), list) for each in self.parts):
            raise AdapterError(f"{path}: no annotations of CVAT: an object with shapes, or the list of a task backup")
        if any(shape.get("type") == "skeleton" for each in self.parts for shape in each.get("tracks") or [] if isinstance(shape, dict)):
            raise AdapterError(f"{path}: tracks, which only hold key frames; export as “CVAT for images 1.1”, where every frame has its own")
        self.names: _Names | None = None
        self.declarations = Declarations(None)
        if labels is not None:
            self.names, self.declarations = _Names.read(labels)
        elif any("label_id" in shape for each in self.parts for shape in each["shapes"] if isinstance(shape, dict)):
            raise AdapterError(f"{path}: labels are numbers: give --labels with what GET /api/labels?task_id=N answers")

    def skeletons(self) -> Iterator[Skeleton]:
        """Every skeleton of every frame, in the order of the file."""
        count: dict[int, int] = {}
        for part in self.parts:
            for shape in part["shapes"]:
                if not isinstance(shape, dict) or shape.get("type") != "skeleton":
                    continue
                frame = shape.get("frame")
                if not isinstance(frame, int) or frame < 0:
                    raise AdapterError(f"{self.path}: a skeleton whose frame is {frame!r}")
                number = count.get(frame, 0)
                count[frame] = number + 1
                label, what = self._label(shape), f"{self.path}: frame {frame}, skeleton {number + 1}"
                points = [self._point(each, what) for each in shape.get("elements") or []]
                yield Skeleton(label, frame, str(frame), None, number, points, self._attributes(shape))

    def _label(self, shape: dict[str, Any]) -> str:
        if self.names is None:
            return str(shape.get("label", ""))
        name = self.names.labels.get(shape.get("label_id", -1))
        if name is None:
            raise AdapterError(f"{self.path}: label {shape.get('label_id')!r} is not among the labels given")
        return name

    def _attributes(self, shape: dict[str, Any]) -> _JSONAttributes:
        values = shape.setdefault("attributes", [])
        return _JSONAttributes(values, None if self.names is None else self.names.attributes[shape["label_id"]])

    def _point(self, element: Any, what: str) -> Point:
        if not isinstance(element, dict) or len(element.get("points") or []) != 2:
            raise AdapterError(f"{what}: an element that is no point [x, y]")
        joint = self._label(element)

        def store(point: Point) -> None:
            element.update(points=[point.x, point.y], outside=point.is_outside, occluded=point.is_occluded)

        return Point(
            joint, _number(element["points"][0], f"{what}, {joint}"), _number(element["points"][1], f"{what}, {joint}"),
            bool(element.get("outside")), bool(element.get("occluded")), self._attributes(element), store)

    def write(self, path: pathlib.Path) -> None:
        """Writes the document, which ``PUT /api/tasks/N/annotations`` takes, or a backup holds."""
        _write(path, json.dumps(self.record).encode())


# Files


def read(path: pathlib.Path, labels: pathlib.Path | None = None) -> AnnotationFile:
    """A file of either kind, or the archive that CVAT exports it in."""
    data = _bytes(path)
    if data[:2] == b"PK":
        data = _archived(path)
    return JSONFile(data, path, labels) if data.lstrip()[:1] in (b"{", b"[") else XMLFile(data, path)


def _bytes(path: pathlib.Path) -> bytes:
    if path.stat().st_size > FILE_BYTES_MAX:
        raise AdapterError(f"{path}: {path.stat().st_size} bytes, at most {FILE_BYTES_MAX} are read; export fewer images at a time")
    return path.read_bytes()


def _archived(path: pathlib.Path) -> bytes:
    """The annotations in an archive, of which no more is unpacked than may be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in ("annotations.xml", "annotations.json"):
                if name in archive.namelist():
                    with archive.open(name) as file:
                        data = file.read(FILE_BYTES_MAX + 1)
                    if len(data) > FILE_BYTES_MAX:
                        raise AdapterError(f"{path}: {name} unpacks to more than {FILE_BYTES_MAX} bytes")
                    return data
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise AdapterError(f"{path}: no archive that can be read: {error}") from None
    raise AdapterError(f"{path}: an archive without annotations.xml or annotations.json")


def _json(path: pathlib.Path) -> Any:
    return _json_of(_bytes(path), path)


def _json_of(data: bytes, path: pathlib.Path) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise AdapterError(f"{path}: no JSON: {error}") from None


def _write(path: pathlib.Path, data: bytes) -> None:
    """The file appears complete or not at all."""
    temporary = path.with_name(f".{path.name}.partial")
    temporary.write_bytes(data)
    temporary.replace(path)


def _integer(text: str, what: str) -> int:
    if not text.isdecimal():
        raise AdapterError(f"{what} is {text!r}, no whole number")
    return int(text)


def _number(value: Any, what: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise AdapterError(f"{what}: {value!r} is no number") from None
    if not abs(number) < 1e9:
        raise AdapterError(f"{what}: {value!r} is no place")
    return number
