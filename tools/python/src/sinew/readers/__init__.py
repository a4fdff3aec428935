"""Result files of pose estimators, read without running what is in them.

>>> for track in sinew.readers.read("wham_output.pkl", "wham"):
...     print(track.name, track.theta.shape, track.convention.axes, track.warnings)

Every track is in the model frame (metres, y up) whatever its file had; ``track.convention`` says what the file promises of unit, axes,
rotation form, pivot and confidence, and ``track.warnings`` where the numbers say otherwise.
"""

from __future__ import annotations

import os

from ._clips import read_clip as read_clip, read_clips as read_clips, track_names as track_names
from ._estimate import Convention as Convention, EstimateError as EstimateError, Track as Track
from ._formats import (
    read_gvhmr as read_gvhmr, read_hybrik as read_hybrik, read_niki as read_niki, read_phalp as read_phalp, read_romp as read_romp,
    read_sam_3d_body as read_sam_3d_body, read_wham as read_wham,
)
from ._scene import CameraView as CameraView, merge as merge, people_of as people_of
from ._unpickle import UnsafePickle as UnsafePickle, load as load, load_npz as load_npz

#: Readers by the estimator's name.
READERS = {
    "hybrik": read_hybrik, "niki": read_niki, "phalp": read_phalp, "4d-humans": read_phalp, "wham": read_wham, "gvhmr": read_gvhmr,
    "romp": read_romp, "bev": read_romp, "sam-3d-body": read_sam_3d_body,
}


def read(path: str | os.PathLike[str], estimator: str) -> list[Track]:
    """The people of a result file. Raises :class:`EstimateError` or :class:`UnsafePickle` that says what is wrong with it."""
    if estimator not in READERS:
        raise EstimateError(f"no reader for “{estimator}”; there are {', '.join(sorted(READERS))}")
    return READERS[estimator](path)
