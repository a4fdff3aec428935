"""What another estimator found, with what its file says about units, axes and confidence, and what the numbers say about that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .._rotations import axis_angle, matrix
from ..people import People
from ..skeletons import SKELETONS

Floats = npt.NDArray[np.float32]

#: Mean lengths of thigh, shin and upper arm of a grown body, metres: what tells metres from millimetres.
_BONES = {"left thigh": (1, 4, 0.38), "right thigh": (2, 5, 0.38), "left shin": (4, 7, 0.40), "right shin": (5, 8, 0.40),
          "left upper arm": (16, 18, 0.26), "right upper arm": (17, 19, 0.26)}
_FACTORS = {"metres": 1.0, "millimetres": 1000.0, "centimetres": 100.0}


class EstimateError(ValueError):
    """A file that is not what its reader reads; the message says which field, and what was expected."""


@dataclass(frozen=True, slots=True)
class Convention:
    """What a format says about its numbers."""

    #: Who writes it.
    estimator: str
    unit: str
    #: Which way the axes of the file point, before :class:`Track` turns them.
    axes: str
    rotation: str
    #: What rotations and translations are about.
    pivot: str
    #: Which way its confidence goes.
    confidence: str


@dataclass(slots=True)
class Track:
    """One person through time: model frame, metres, y up, whatever the file had.

    ``theta`` is parent-relative axis-angle; rows that the file does not have are not in the track.
    """

    name: str
    convention: Convention
    #: [T] frame numbers.
    frames: npt.NDArray[np.int64]
    #: [T, 24, 3] radians; None where the file has positions only.
    theta: Floats | None = None
    #: [T, 3] metres, the pivot's place as :attr:`Convention.pivot` says; None where the file has none.
    translation: Floats | None = None
    #: [T, 10].
    betas: Floats | None = None
    #: [T, J, 3] metres, relative to the pelvis or not; NaN where a joint is not in the file.
    joints: Floats | None = None
    skeleton: str = ""
    #: [T, 23] radians.
    twists: Floats | None = None
    #: [T] or [T, J], 1 is certain; None where the file has none.
    confidence: Floats | None = None
    #: [T, J] metres; None where the file has none.
    sigma: Floats | None = None
    #: What looks wrong, or was assumed.
    warnings: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.frames)

    def to_people(self, *, refine: int = 0, start_poses: bool = True) -> People:
        """The track as a request: its joints, and with ``start_poses`` its poses for models that turn one towards the joints; models that
        start from nothing refuse them.

        Raises :class:`EstimateError` when the file had no joints of a skeleton that can be solved.
        """
        if self.joints is None or self.skeleton not in SKELETONS:
            raise EstimateError(
                f"track {self.name}: {self.convention.estimator} gives no joints of {' or '.join(SKELETONS)}; pass theta through "
                "forward kinematics of the body first, or use the poses as they are")
        missing = np.asarray(np.isnan(self.joints).any(axis=-1))
        return People(
            np.where(missing[..., np.newaxis], 0, self.joints), skeleton=self.skeleton, observed=~missing if missing.any() else None,
            sigma=self.sigma, twists=self.twists, betas=None if self.betas is None else self.betas.mean(0),
            start_theta=self.theta if start_poses else None, tracks=np.zeros(len(self), np.int64), refine=refine)


# Getting numbers out of a file


def array_of(value: Any, name: str, shape: tuple[int | None, ...]) -> Floats:
    """A field as float32 of a shape, None standing for any extent; raises :class:`EstimateError`."""
    try:
        array = np.asarray(value, np.float32)
    except (TypeError, ValueError):
        raise EstimateError(f"{name}: no array of numbers") from None
    wanted = [extent if extent is not None else "?" for extent in shape]
    known = int(np.prod([extent for extent in shape if extent is not None]))
    if array.ndim != len(shape) or any(extent not in (None, found) for extent, found in zip(shape, array.shape)):
        # The same numbers in another arrangement: [T, 216] for [T, 24, 3, 3].
        if array.size == 0 or array.size % known or shape.count(None) > 1 or (array.ndim and len(array) != array.size // known and None in shape):
            raise EstimateError(f"{name}: shape {list(array.shape)}, {wanted} was expected")
        array = array.reshape([-1 if extent is None else extent for extent in shape])
    if not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0, 0]) if array.ndim else 0
        raise EstimateError(f"{name}: row {row} holds a NaN or an infinity")
    return array


def field_of(record: Any, name: str, where: str) -> Any:
    """A field of a dictionary; raises :class:`EstimateError` that lists those there are."""
    if not isinstance(record, dict):
        raise EstimateError(f"{where}: a dictionary was expected, found {type(record).__name__}")
    if name not in record:
        raise EstimateError(f"{where}: no field “{name}”; there are {', '.join(sorted(map(str, record))[:20])}")
    return record[name]


# Rotations and axes


def vectors_of(matrices: npt.NDArray[Any], name: str) -> Floats:
    """Rotation matrices [..., 3, 3] as axis-angle [..., 3]; raises :class:`EstimateError` when they are none."""
    try:
        return axis_angle(matrices, name)
    except ValueError as error:
        raise EstimateError(str(error)) from None


#: From a camera's axes (x right, y down, z forward) to the model frame (x right, y up, z back).
CAMERA_TO_MODEL = np.diag([1.0, -1.0, -1.0])


def turn(track: Track, rotation: npt.NDArray[np.float64]) -> Track:
    """Turns a track, rotation [3, 3]: global orientation, places and translation alike."""
    if track.theta is not None:
        track.theta = track.theta.copy()
        track.theta[:, 0] = axis_angle(rotation @ matrix(track.theta[:, 0]), "global orientation")
    if track.translation is not None:
        track.translation = (track.translation @ rotation.T).astype(np.float32)
    if track.joints is not None:
        track.joints = (track.joints @ rotation.T).astype(np.float32)
    return track


# What the numbers say


def check(track: Track) -> Track:
    """Compares the numbers with what the format says of them, and warns where they look wrong. The track is in the model frame."""
    _check_unit(track)
    _check_up(track)
    _check_confidence(track)
    if track.theta is not None and len(track):
        largest = float(np.linalg.norm(track.theta[:, 1:], axis=-1).max())
        if largest > np.pi + 0.01:
            track.warnings.append(
                f"a joint is turned by {np.degrees(largest):.0f}°: degrees where radians should be, or no axis-angle")
        if len(track) > 1 and not np.ptp(track.theta[:, 1:], axis=0).any():
            track.warnings.append("every frame has the same pose: the mean pose of an estimator that found nobody?")
    return track


def _check_unit(track: Track) -> None:
    if track.joints is None or track.skeleton not in SKELETONS or not len(track):
        return
    lengths = np.array([np.median(np.linalg.norm(track.joints[:, b] - track.joints[:, a], axis=-1)) for a, b, _ in _BONES.values()])
    factor = float(np.nanmedian(lengths / [usual for *_, usual in _BONES.values()]))
    if not np.isfinite(factor) or 0.6 <= factor <= 1.5:
        pairs = lengths.reshape(3, 2)
        uneven = np.abs(pairs[:, 0] - pairs[:, 1]) / np.maximum(pairs.mean(1), 1e-6)
        if np.nanmax(uneven, initial=0) > 0.25:
            track.warnings.append(
                f"left and right bones differ by {100 * np.nanmax(uneven):.0f} %: joints in another order than {track.skeleton}?")
        return
    unit = min(_FACTORS, key=lambda name: abs(np.log(factor / _FACTORS[name])))
    guess = f"; the numbers look like {unit}" if unit != "metres" and 0.5 < factor / _FACTORS[unit] < 2 else ""
    track.warnings.append(f"bones are {factor:.3g} times as long as a grown body's: not {track.convention.unit}?{guess}")


def _check_up(track: Track) -> None:
    """People stand more than they hang: over a track the spine points up."""
    if not len(track):
        return
    if track.theta is not None:
        up = matrix(track.theta[:, 0])[:, 1, 1]
    elif track.joints is not None and track.skeleton in SKELETONS:
        spine = track.joints[:, 12] - track.joints[:, 0]
        up = spine[:, 1] / np.maximum(np.linalg.norm(spine, axis=-1), 1e-9)
    else:
        return
    if float(np.median(up)) < -0.5:
        track.warnings.append(f"people stand on their heads: the axes are not “{track.convention.axes}”; y and z are turned round")
    elif abs(float(np.median(up))) < 0.25:
        track.warnings.append(f"people lie on the ground in most frames: are the axes “{track.convention.axes}”, or is z up?")


def _check_confidence(track: Track) -> None:
    if track.confidence is not None and track.confidence.size:
        low, high, middle = float(track.confidence.min()), float(track.confidence.max()), float(np.median(track.confidence))
        if low < 0 or high > 1.001:
            track.warnings.append(f"confidence goes from {low:.3g} to {high:.3g}, not from 0 to 1: is it an uncertainty, or a logit?")
        elif middle < 0.1:
            track.warnings.append(f"half of the confidence is below {middle:.2g}: it looks like an uncertainty, where 0 is certain")
    if track.sigma is not None and track.sigma.size:
        if float(track.sigma.min()) < 0:
            track.warnings.append("sigma is negative somewhere: it is no standard deviation, but perhaps its logarithm")
        elif float(np.median(track.sigma)) > 0.4:
            track.warnings.append(f"half of sigma is above {float(np.median(track.sigma)):.2g} m: it looks like a confidence, where 1 is certain")
