"""Results of a job put together again, by the labels of its tasks."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np

from ._generated.error import ItemError
from ._generated.errors import ErrorCode
from ._jobs import JobResult
from .errors import failure
from .people import GENDERS
from .poses import Poses, fill, settle, zeroed

#: Rows of a clip that are put together in memory.
_ROWS_MAX = 1 << 26


class Collection:
    """The clips of a job as far as their tasks have ended."""

    def __init__(self) -> None:
        self.clips: dict[str, Poses] = {}
        self._missing: dict[str, Any] = {}

    def add(self, result: JobResult) -> None:
        """Puts a result in its rows; raises MALFORMED_REPLY when its label does not say which they are."""
        label = _read(result)
        name, count = label["file"], label["rows"]
        if name not in self.clips:
            clip = zeroed(count)
            clip.tracks, clip.frames = np.zeros(count, np.int64), np.zeros(count, np.int64)
            clip.fps = label.get("fps")
            self.clips[name] = clip
            self._missing[name] = np.ones(count, bool)
        clip = self.clips[name]
        if len(clip) != count:
            raise _wrong(result, f"{name} has {count} rows here and {len(clip)} in another task")
        error = result.error
        poses = None if error else result.poses()
        at = 0
        for run in label["runs"]:
            rows = range(run["at"], run["at"] + run["n"])
            cut = slice(rows.start, rows.stop)
            if poses is not None:
                piece = poses[at : at + run["n"]]
                piece.parts = [dataclasses.replace(part, rows=rows) for part in poses.parts]
                fill(clip, rows, piece)
            elif error is not None:
                clip.item_errors += [ItemError(row, error.status, int(error.code), error.field, error.message) for row in rows]
            betas = np.zeros(10, np.float32)
            betas[: len(run.get("betas", ()))] = run.get("betas", ())
            clip.betas[cut] = betas
            clip.genders[cut] = [run.get("g", "neutral")] * run["n"]
            assert clip.tracks is not None and clip.frames is not None
            clip.tracks[cut] = run["t"]
            clip.frames[cut] = run["frame"] + run.get("step", 1) * np.arange(run["n"])
            clip.track_names[run["t"]] = run["of"]
            self._missing[name][cut] = False
            at += run["n"]

    def finish(self) -> dict[str, Poses]:
        """The clips; rows that no task held are not solved."""
        for name, clip in self.clips.items():
            clip.item_errors += [
                ItemError(int(row), 9, 0, "", "no task of the job held this row") for row in np.flatnonzero(self._missing[name])]
            settle(clip)
        return self.clips


def _read(result: JobResult) -> dict[str, Any]:
    try:
        label = json.loads(result.label)
        assert isinstance(label["file"], str) and 1 <= label["rows"] <= _ROWS_MAX
        for run in label["runs"]:
            assert 0 <= run["at"] and 1 <= run["n"] and run["at"] + run["n"] <= label["rows"]
            assert all(type(run[key]) is int for key in ("at", "n", "t", "frame")) and isinstance(run["of"], str)
            assert run.get("g", "neutral") in GENDERS and len(run.get("betas", ())) <= 10
            assert np.isfinite(np.array(run.get("betas", ()), float)).all() and type(run.get("step", 1)) is int
        assert sum(run["n"] for run in label["runs"]) == result.items
    except (AssertionError, KeyError, TypeError, ValueError):
        raise _wrong(
            result, f"its label does not say which rows it holds ({result.label[:80]!r}); iterate over the job instead") from None
    read: dict[str, Any] = label
    return read


def _wrong(result: JobResult, what: str) -> Exception:
    return failure(ErrorCode.MALFORMED_REPLY, f"task {result.index}: {what}")
