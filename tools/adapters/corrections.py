"""What annotators moved, as the JSON lines that ``sinew correct --corrections`` reads.

A line is ``{"frame": 7, "track": "anna", "move": {"left_wrist": [x, y, z]}}``: metres, y up. Each frame of a track has one line at most.
"""

from __future__ import annotations

import json
import os
import pathlib
import threading
from collections.abc import Mapping

import numpy as np

from cameras import Array, Camera
from observations import JOINTS, clip_name
from sinew import SMPL24

#: A point that is nearer to where it was than this was not moved, pixels.
TOLERANCE = 1.0


def moved_joints(
    points: Mapping[str, tuple[float, float]], solved: Array, camera: Camera, tolerance: float = TOLERANCE,
) -> dict[str, Array]:
    """The joints whose points lie elsewhere than the solved ones, in the model frame.

    A point is moved within the plane that is parallel to the image and goes through the joint: its depth stays. The leaves of the mesh
    (head_top, left_middle, …) have no rotation of their own and are not corrected.

    :param points: pixels by joint name.
    :param solved: the joints that the points were drawn from, [29, 3], metres, y up.
    """
    pixels, depths = camera.project(solved)
    moved = {}
    for name, point in points.items():
        index = JOINTS.index(name)
        if index >= SMPL24.joint_count or np.isnan(pixels[index]).any() or np.linalg.norm(pixels[index] - point) <= tolerance:
            continue
        moved[name] = camera.unproject(np.array(point, np.float64), float(depths[index]))
    return moved


def line(frame: int, track: str, moved: Mapping[str, Array]) -> str:
    """One correction; micrometres are enough."""
    return json.dumps({
        "frame": frame, "track": track,
        "move": {name: [round(float(value), 6) for value in position] for name, position in sorted(moved.items())}})


def write(path: pathlib.Path, lines: list[str]) -> None:
    """The file appears complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    temporary.write_text("".join(f"{each}\n" for each in lines))
    os.replace(temporary, path)


class CorrectionFolder:
    """A file of corrections for each clip. An annotation that is saved again replaces what it said before."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    def path(self, clip: str) -> pathlib.Path:
        return self.folder / f"{clip_name(clip)}.jsonl"

    def replace(self, clip: str, frame: int, moved_by_track: Mapping[str, Mapping[str, Array]]) -> int:
        """Notes what was moved in a frame, by track; a track without moves has no line any more. Returns how many lines the frame has."""
        path = self.path(clip)
        with self._lock:
            kept = []
            if path.exists():
                for text in path.read_text().splitlines():
                    record = json.loads(text)
                    if record["frame"] != frame or record["track"] not in moved_by_track:
                        kept.append((record["frame"], record["track"], text))
            fresh = [(frame, track, line(frame, track, moved)) for track, moved in moved_by_track.items() if moved]
            if fresh or path.exists():
                write(path, [text for _, _, text in sorted(kept + fresh)])
        return len(fresh)
