"""Which frames somebody should look at first: the ranking of ``sinew triage``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from .poses import Poses

#: What frames can be ranked by.
Criterion = Literal["score", "residual", "orientation", "bones", "latent", "unobserved"]
#: The value at which somebody should look at a frame, by criterion: mm, rad, relative, norm, joints.
REFERENCES = {"residual": 50.0, "orientation": 0.35, "bones": 1.0, "latent": 20.0, "unobserved": 10.0}
#: What becomes of a start pose, as an outcome: kept, or lost and begun anew.
_OUTCOME_SHARES = np.array([0.0, 0.5, 1.0])
#: A frame of a stretch is at least as bad as this part of its worst one, and as this many medians of all.
_PART_OF_WORST, _MEDIANS = 0.2, 1.5
#: Better frames between two bad ones of a stretch.
_BETTER_MAX = 2


@dataclass(frozen=True, slots=True)
class Doubt:
    """Neighbouring frames that somebody should look at, told by the worst of them."""

    #: The row of the worst frame in the result, its number in its track, and the track's name.
    row: int
    frame: int
    track: str
    #: The numbers of the stretch's first and last frame, and how many rows it holds.
    first_frame: int
    last_frame: int
    rows: int
    #: From about 1 on a frame deserves a look; None where there is no pose.
    score: float | None
    #: In words.
    reason: str


def shares(poses: Poses) -> dict[str, npt.NDArray[np.float64]]:
    """Each measure of the rows beside its reference, [n]."""
    measures: dict[str, Any] = {
        "residual": poses.joint_residual_mm, "orientation": poses.orientation_residual_rad, "bones": poses.bone_length_change,
        "latent": poses.latent_norm, "unobserved": poses.unobserved_joints}
    found = {name: np.nan_to_num(np.asarray(values, np.float64), nan=np.inf) / REFERENCES[name] for name, values in measures.items()}
    found["outcome"] = _OUTCOME_SHARES[np.clip(poses.outcome, 0, 2)]
    return found


def worst(poses: Poses, count: int, by: Criterion, grouped: bool) -> list[Doubt]:
    if by != "score" and by not in REFERENCES:
        raise ValueError(f"by “{by}” is not one of score, {', '.join(REFERENCES)}")
    if count < 1:
        raise ValueError(f"n is {count}; it must be at least 1")
    parts = shares(poses)
    values = np.sqrt(sum(part**2 for part in parts.values())) if by == "score" else parts[by]
    solved, rows = poses.solved, len(poses)
    values = np.where(solved, values, 0)
    tracks = np.zeros(rows, np.int64) if poses.tracks is None else np.asarray(poses.tracks)
    frames = np.arange(rows) if poses.frames is None else np.asarray(poses.frames)
    order = np.lexsort((np.arange(rows), frames, tracks))
    values, solved, tracks, frames = values[order], solved[order], tracks[order], frames[order]
    known = np.sort(values[solved])[::-1]
    median = known[len(known) // 2] if len(known) else 0.0
    steps = _steps(tracks, frames)
    taken = np.zeros(rows, bool)
    found: list[Doubt] = []
    for at in np.lexsort((np.arange(rows), -values, solved)):
        if taken[at]:
            continue
        if len(found) == count:
            break
        first, last = (at, at)
        least = max(_MEDIANS * median, _PART_OF_WORST * values[at])
        if grouped and (not solved[at] or values[at] > 0 and values[at] >= least):
            belongs = solved & (values >= least) if solved[at] else ~solved
            first, last = (_end(at, way, belongs, solved, tracks, frames, steps, taken) for way in (-1, 1))
        taken[first : last + 1] = True
        row = int(order[at])
        track = int(tracks[at])
        score = float(np.sqrt(sum(part[row] ** 2 for part in parts.values()))) if solved[at] else None
        found.append(Doubt(
            row, int(frames[at]), poses.track_names.get(track, str(track)), int(frames[first]), int(frames[last]),
            int(last - first + 1), score, _reason(poses, row, parts) if solved[at] else _why_lost(poses, row)))
    return found


def _steps(tracks: npt.NDArray[Any], frames: npt.NDArray[Any]) -> dict[int, int]:
    """How far apart neighbouring frames of each track are at least; 0 where there is but one."""
    apart = np.diff(frames)
    inside = (np.diff(tracks) == 0) & (apart > 0)
    steps = dict.fromkeys(np.unique(tracks).tolist(), 0)
    for track in steps:
        own = apart[inside & (tracks[:-1] == track)]
        steps[track] = int(own.min()) if len(own) else 0
    return steps


def _end(
    at: int, way: int, belongs: npt.NDArray[Any], solved: npt.NDArray[Any], tracks: npt.NDArray[Any], frames: npt.NDArray[Any],
    steps: dict[int, int], taken: npt.NDArray[Any],
) -> int:
    """How far a stretch goes in one direction."""
    end, following, step = at, at + way, steps[int(tracks[at])]
    while (
        0 <= following < len(belongs) and tracks[following] == tracks[at] and not taken[following]
        and abs(following - end) <= _BETTER_MAX + 1 and abs(frames[following] - frames[following - way]) <= 2 * step
    ):
        if belongs[following]:
            end = following
        elif not (solved[following] and solved[at]):
            break  # Only frames with a pose are bridged, and only between such.
        following += way
    return end


def _why_lost(poses: Poses, row: int) -> str:
    return next((f"no pose: {error.message}" for error in poses.item_errors if error.item == row), "no pose")


def _reason(poses: Poses, row: int, parts: dict[str, npt.NDArray[np.float64]]) -> str:
    words = {
        "residual": f"joints {poses.joint_residual_mm[row]:.0f} mm from where they were seen",
        "orientation": f"turned {np.degrees(poses.orientation_residual_rad[row]):.0f}° away from what was asked",
        "bones": f"a bone {100 * poses.bone_length_change[row]:.0f} % off its length",
        "latent": f"joints that no body moves to (latent norm {poses.latent_norm[row]:.1f})",
        "unobserved": f"{poses.unobserved_joints[row]} of 29 joints not seen",
        "outcome": "the start pose was kept" if poses.outcome[row] == 1 else "the person was lost and begun anew"}
    ranked = sorted(parts, key=lambda name: -parts[name][row])
    most = parts[ranked[0]][row]
    if most <= 0:
        return "nothing stands out"
    return ", ".join(words[name] for name in ranked if parts[name][row] >= 0.6 * most)
