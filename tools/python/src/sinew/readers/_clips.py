"""Files of joints as ``sinew solve`` reads them (``.npz``), one or a folder of them, for requests and jobs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InvalidArgument
from ..people import GENDERS, People
from ._estimate import EstimateError
from ._unpickle import UnsafePickle, load_npz

_METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001}
#: Rows: the axes of the model frame (x, y up, z) in the file's coordinates, for what points up there.
_UP = {
    "y": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "-y": [[1, 0, 0], [0, -1, 0], [0, 0, -1]],
    "z": [[1, 0, 0], [0, 0, 1], [0, -1, 0]], "-z": [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
    "x": [[0, -1, 0], [1, 0, 0], [0, 0, 1]], "-x": [[0, 1, 0], [-1, 0, 0], [0, 0, 1]],
}
#: The most that a request may say, metres.
_SIGMA_MAX = 0.4
_FILES_MAX = 100_000


def read_clip(path: str | os.PathLike[str]) -> People:
    """The people of an ``.npz`` with ``joints3d`` [n, J, 3], or [T, P, J, 3] for P people over T frames, as a request in the model frame.

    Also read: ``skeleton`` (smpl-29, smpl-24), ``unit``, ``up_axis``, ``sigma`` or ``confidence``, ``observed``, ``twist``, ``betas``,
    ``gender``, ``track``. Joints that are NaN were not seen. Raises :class:`EstimateError` that names the file and the field; files of other
    tools and other skeletons are for ``sinew solve``, ``submit`` and ``convert``.
    """
    try:
        file = load_npz(path)
        return _people(file)
    except (EstimateError, InvalidArgument) as error:
        raise EstimateError(f"{path}: {error}") from None
    except UnsafePickle as error:
        raise EstimateError(str(error)) from None


def read_clips(folder: str | os.PathLike[str]) -> dict[str, People]:
    """Every ``.npz`` below a folder as :func:`read_clip` reads it, by its path without the ending: what ``submit`` takes.

    Raises :class:`EstimateError` when there are none, or one cannot be read.
    """
    root = Path(folder)
    paths = sorted(root.rglob("*.npz"))
    if not paths or len(paths) > _FILES_MAX:
        raise EstimateError(f"{folder}: {len(paths)} files *.npz below it, between 1 and {_FILES_MAX} are read")
    return {path.relative_to(root).with_suffix("").as_posix(): read_clip(path) for path in paths}


def track_names(path: str | os.PathLike[str]) -> list[str]:
    """The names of the tracks of a file, by the numbers that :func:`read_clip` gives them; ``person-0``, ``person-1``, … where it has none."""
    try:
        file = load_npz(path)
    except UnsafePickle as error:
        raise EstimateError(str(error)) from None
    labels = list(dict.fromkeys(_texts(file, "track" if "track" in file else "tracks")))
    shape = np.shape(file.get("joints3d", ()))
    return labels or [f"person-{number}" for number in range(shape[1] if len(shape) == 4 else 1)]


def _people(file: dict[str, Any]) -> People:
    joints = _numbers(file, "joints3d")
    if joints is None:
        raise EstimateError(f"no joints3d; there are {', '.join(sorted(file)[:20]) or 'no arrays'}. Other layouts: sinew convert, sinew submit")
    if joints.ndim not in (3, 4) or joints.shape[-1] != 3 or 0 in joints.shape:
        what = "keypoints in the image only, from which depth cannot be told" if joints.shape[-1:] == (2,) else "[n, J, 3] or [T, P, J, 3] expected"
        raise EstimateError(f"joints3d has shape {list(joints.shape)}: {what}")
    leading = joints.shape[:-2]
    metres = _METRES.get(unit := _text(file, "unit", "m"))
    up = _UP.get((_text(file, "up_axis", "y")).removeprefix("+"))
    if metres is None or up is None:
        raise EstimateError(f"unit “{unit}” and up_axis “{_text(file, 'up_axis', 'y')}”: use m, cm or mm, and x, y, z, -x, -y or -z")
    rows = _by_person(joints, leading)
    observed = ~np.isnan(rows).any(-1)
    sigma = _certainty(file, joints.shape[:-1], leading, metres, observed)
    if (given := _numbers(file, "observed", joints.shape[:-1])) is not None:
        observed &= _by_person(given, leading) != 0
    placed = np.where(observed[..., np.newaxis], rows, 0) @ np.array(up, np.float64).T * metres
    twists = _numbers(file, "twist" if "twist" in file else "twists", (*leading, 23))
    people = leading[-1] if len(leading) == 2 else 1
    return People(
        placed.astype(np.float32), skeleton=_text(file, "skeleton", ""), sigma=sigma, observed=None if observed.all() else observed,
        twists=None if twists is None else _by_person(twists, leading), betas=_betas(file, leading), genders=_genders(file, leading),
        tracks=_tracks(file, leading, people))


def _by_person(values: npt.NDArray[Any], leading: tuple[int, ...]) -> npt.NDArray[Any]:
    """[T, P, …] as [P · T, …], each person's frames together; [n, …] as it is."""
    return values if len(leading) == 1 else np.swapaxes(values, 0, 1).reshape(-1, *values.shape[2:])


def _certainty(
    file: dict[str, Any], shape: tuple[int, ...], leading: tuple[int, ...], metres: float, observed: npt.NDArray[np.bool_],
) -> npt.NDArray[Any] | None:
    """Standard deviations [n, J], metres, from ``sigma`` or ``confidence``; confidence 0 is not seen."""
    sigma, confidence = _numbers(file, "sigma", shape), _numbers(file, "confidence", shape)
    if sigma is not None and confidence is not None:
        raise EstimateError("has both sigma and confidence; leave one of them out")
    if sigma is not None:
        if not (sigma >= 0).all():
            raise EstimateError("sigma: a standard deviation is zero or more")
        known: npt.NDArray[Any] = np.minimum(_by_person(sigma, leading) * metres, _SIGMA_MAX)
        return known
    if confidence is None:
        return None
    rows = _by_person(confidence, leading)
    if not ((rows >= 0) & (rows <= 1)).all():
        raise EstimateError("confidence lies between 0 (not seen) and 1")
    observed &= rows > 0
    doubt: npt.NDArray[Any] = np.minimum(1 - rows, _SIGMA_MAX)
    return doubt


def _betas(file: dict[str, Any], leading: tuple[int, ...]) -> npt.NDArray[Any] | None:
    betas = _numbers(file, "betas")
    if betas is None:
        return None
    count = int(np.prod(leading))
    width = min(betas.shape[-1], 10) if betas.ndim else 0
    before = betas.shape[:-1]
    if width and (before in ((), (1,)) or before == leading or (len(leading) == 2 and before == leading[1:])):
        rows = np.zeros((*before, 10))
        rows[..., :width] = betas[..., :width]
        return _by_person(np.broadcast_to(rows, (*leading, 10)), leading).reshape(count, 10)
    raise EstimateError(f"betas has shape {list(betas.shape)}: [10] for everybody, a row per person or a row per row of joints3d")


def _genders(file: dict[str, Any], leading: tuple[int, ...]) -> list[str]:
    names = [name.strip().lower() for name in _texts(file, "gender" if "gender" in file else "genders")] or ["neutral"]
    names = [next((gender for gender in GENDERS if name and gender.startswith(name)), name) for name in names]
    if len(names) not in (1, leading[-1]):
        raise EstimateError(f"gender has {len(names)} entries; 1 or {leading[-1]} are needed")
    if len(names) == 1:
        return names * int(np.prod(leading))
    return [name for name in names for _ in range(leading[0])] if len(leading) == 2 else names


def _tracks(file: dict[str, Any], leading: tuple[int, ...], people: int) -> npt.NDArray[Any]:
    """A number per row; rows of a track are one after the other."""
    labels = _texts(file, "track" if "track" in file else "tracks")
    if len(leading) == 2:
        if labels and (len(labels) != people or len(set(labels)) != people):
            raise EstimateError(f"track has {len(labels)} entries, {len(set(labels))} of them different; {people} names are needed")
        return np.repeat(np.arange(people), leading[0])
    if len(labels) in (0, 1):
        return np.zeros(leading[0], np.int64)
    if len(labels) != leading[0]:
        raise EstimateError(f"track has {len(labels)} entries; {leading[0]} are needed")
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    return np.array([numbers[label] for label in labels])


def _numbers(file: dict[str, Any], name: str, shape: tuple[int, ...] | None = None) -> npt.NDArray[np.float64] | None:
    if name not in file:
        return None
    array = np.asarray(file[name])
    if array.dtype.kind not in "fiub":
        raise EstimateError(f"{name} holds no numbers but {array.dtype}")
    if shape is not None and array.shape != shape:
        raise EstimateError(f"{name} has shape {list(array.shape)}, but {list(shape)} belongs to this joints3d")
    return array.astype(np.float64)


def _texts(file: dict[str, Any], name: str) -> list[str]:
    if name not in file:
        return []
    values = np.asarray(file[name]).reshape(-1)
    if values.dtype.kind not in "USiu":
        raise EstimateError(f"{name} holds no names but {values.dtype}")
    return [each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each) for each in values.tolist()]


def _text(file: dict[str, Any], name: str, missing: str) -> str:
    found = _texts(file, name)
    return found[0] if found else missing
