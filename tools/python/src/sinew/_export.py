"""Files that other tools open: AMASS, BVH, Arrow, Parquet, CSV."""

from __future__ import annotations

import csv
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ._rotations import world_rotations
from .skeletons import SMPL24, SMPL29

if TYPE_CHECKING:
    import pyarrow

    from .poses import Poses

#: AMASS files always have a frame rate; where the input gave none, this one is written.
FPS_ASSUMED = 30.0


def tracks_of(poses: Poses) -> list[tuple[str, npt.NDArray[np.int64]]]:
    """The rows of each track, by name; one track without a name when nobody numbered them."""
    if poses.tracks is None:
        return [("0", np.arange(len(poses), dtype=np.int64))]
    numbers = list(dict.fromkeys(poses.tracks.tolist()))
    return [(poses.track_names.get(number, str(number)), np.flatnonzero(poses.tracks == number)) for number in numbers]


def paths_for(path: str | os.PathLike[str], names: list[str], suffix: str) -> list[Path]:
    """With several tracks the track's name goes before the ending: ``pose.npz`` becomes ``pose.left.npz``."""
    whole = Path(path)
    if whole.suffix != suffix:
        raise ValueError(f"{whole}: the name has to end in {suffix}")
    if len(names) == 1:
        return [whole]
    taken: set[str] = set()
    paths = []
    for index, name in enumerate(names):
        label = re.sub(r"[^A-Za-z0-9_-]", "_", name)
        if not label or label in taken:
            label += f"_{index}"
        taken.add(label)
        paths.append(whole.with_name(f"{whole.stem}.{label}{suffix}"))
    return paths


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> Path:
    """The file appears complete or not at all."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return path


def write_amass(poses: Poses, path: str | os.PathLike[str], fps: float | None) -> list[Path]:
    tracks = tracks_of(poses)
    rate = fps or poses.fps or FPS_ASSUMED
    solved = poses.solved
    paths = paths_for(path, [name for name, _ in tracks], ".npz")
    for target, (name, rows) in zip(paths, tracks):
        genders = list(dict.fromkeys(poses.genders[row] for row in rows))
        if len(genders) > 1:
            raise ValueError(f"track {name}: genders {', '.join(genders)} in one file; give each person a track of its own")
        betas = poses.betas[rows]
        arrays: dict[str, Any] = {
            "poses": poses.theta[rows].reshape(-1, 72), "trans": poses.translation[rows],
            "betas": betas.mean(0) if len(betas) else np.zeros(10, np.float32), "gender": np.array(genders[0] if genders else "neutral"),
            # Both spellings are in use: SMPL+H files have the first, SMPL-X files the second.
            "mocap_framerate": np.float64(rate), "mocap_frame_rate": np.float64(rate),
            "frame": np.arange(len(rows)) if poses.frames is None else poses.frames[rows], "track": np.array(name),
            "joints3d": poses.joints[rows], "skeleton": np.array("smpl-29"), "unit": np.array("m"), "up_axis": np.array("+y"),
            "latent_norm": poses.latent_norm[rows], "joint_residual_mm": poses.joint_residual_mm[rows],
            "orientation_residual_rad": poses.orientation_residual_rad[rows], "bone_length_change": poses.bone_length_change[rows],
            "unobserved_joints": poses.unobserved_joints[rows], "outcome": poses.outcome[rows], "solved": solved[rows],
            "model": np.array(poses.model),
        }
        corrected = [poses.corrections.get(int(row)) for row in rows]
        if any(corrected):
            arrays["corrected_joints"] = np.array(
                [sum(1 << joint for joint in each.joints) if each else 0 for each in corrected], np.int32)
            arrays["corrected_by"] = np.array([each.model if each else "" for each in corrected])
        if len(betas) and (betas != betas[0]).any():
            # AMASS knows one shape per file: the mean, and the rows beside it.
            arrays["betas_per_frame"] = betas
        elif len(betas):
            arrays["betas"] = betas[0]
        write_atomically(target, lambda file: np.savez_compressed(file, **arrays))
    return paths


# BVH


def _offsets(poses: Poses, rows: npt.NDArray[np.int64], world: npt.NDArray[np.float64], name: str) -> npt.NDArray[np.float64]:
    """Each joint's place in its parent's frame at rest, [29, 3] metres: the bones that the solved joints themselves show."""
    joints = poses.joints[rows].astype(np.float64)
    parents = np.array(SMPL29.parents[1:])
    bones = np.einsum("njba,njb->nja", world[:, parents], joints[:, 1:] - joints[:, parents])
    if len(rows) and float(np.ptp(bones, axis=0).max()) > 1e-3:
        raise ValueError(
            f"track {name}: bones differ by {1000 * float(np.ptp(bones, axis=0).max()):.1f} mm between rows, so they are of several "
            "bodies; give each person a track of its own (tracks=)")
    return np.concatenate([np.zeros((1, 3)), bones.mean(0) if len(rows) else np.zeros((28, 3))])


def _zxy_degrees(rotations: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Angles about z, x and y with R = Rz Rx Ry, [n, 3] degrees."""
    r = rotations
    x = np.arcsin(np.clip(r[:, 2, 1], -1, 1))
    free = np.abs(r[:, 2, 1]) < 1 - 1e-12
    # Straight up or down, z and y turn about the same axis; z takes it all.
    z = np.where(free, np.arctan2(-r[:, 0, 1], r[:, 1, 1]), np.arctan2(r[:, 1, 0], r[:, 0, 0]))
    y = np.where(free, np.arctan2(-r[:, 2, 0], r[:, 2, 2]), 0)
    angles: npt.NDArray[np.float64] = np.degrees(np.stack([z, x, y], -1))
    return angles


def write_bvh(poses: Poses, path: str | os.PathLike[str], fps: float | None) -> list[Path]:
    tracks = tracks_of(poses)
    rate = fps or poses.fps or FPS_ASSUMED
    paths = paths_for(path, [name for name, _ in tracks], ".bvh")
    texts = [_bvh(poses, rows, name, rate) for name, rows in tracks]
    for target, text in zip(paths, texts):
        write_atomically(target, lambda file: file.write(text.encode()))
    return paths


def _bvh(poses: Poses, rows: npt.NDArray[np.int64], name: str, rate: float) -> str:
    failed = [int(row) for row in rows if not poses.solved[row]]
    if failed:
        raise ValueError(f"track {name}: row {failed[0]} was not solved; BVH cannot leave a frame out, so cut it off or fill it first")
    world = world_rotations(poses.theta[rows])
    offsets = _offsets(poses, rows, world, name)
    lines = ["HIERARCHY"]
    order: list[int] = []

    def joint(index: int, depth: int) -> None:
        indent = "  " * depth
        order.append(index)
        children = [child for child in range(1, 24) if SMPL24.parents[child] == index]
        leaves = [child for child in range(24, 29) if SMPL29.parents[child] == index]
        channels = "6 Xposition Yposition Zposition" if index == 0 else "3"
        lines.extend([
            f"{indent}{'JOINT' if index else 'ROOT'} {SMPL24.joint_names[index]}", f"{indent}{{", f"{indent}  OFFSET {_numbers(offsets[index])}",
            f"{indent}  CHANNELS {channels} Zrotation Xrotation Yrotation"])
        for child in children:
            joint(child, depth + 1)
        if not children:
            tip = offsets[leaves[0]] if leaves else np.zeros(3)
            lines.extend([f"{indent}  End Site", f"{indent}  {{", f"{indent}    OFFSET {_numbers(tip)}", f"{indent}  }}"])
        lines.append(f"{indent}}}")

    joint(0, 0)
    lines += ["MOTION", f"Frames: {len(rows)}", f"Frame Time: {1 / rate:.9g}"]
    columns = [poses.joints[rows, 0].astype(np.float64)]
    for index in order:
        parent = SMPL24.parents[index]
        local = world[:, index] if parent < 0 else np.swapaxes(world[:, parent], 1, 2) @ world[:, index]
        columns.append(_zxy_degrees(local))
    motion = np.concatenate(columns, axis=1)
    lines += [_numbers(row) for row in motion]
    return "\n".join(lines) + "\n"


def _numbers(values: npt.NDArray[np.float64]) -> str:
    return " ".join(f"{value:.8g}" for value in values.tolist())


# Tables


def _errors(poses: Poses) -> list[str | None]:
    texts: list[str | None] = [None] * len(poses)
    for error in poses.item_errors:
        texts[error.item] = error.message
    return texts


_SCALARS = (
    "latent_norm", "joint_residual_mm", "orientation_residual_rad", "bone_length_change", "unobserved_joints", "outcome")


def _row_numbers(poses: Poses) -> dict[str, Any]:
    count = len(poses)
    return {
        "row": np.arange(count), "track": np.zeros(count, np.int64) if poses.tracks is None else poses.tracks,
        "frame": np.arange(count) if poses.frames is None else poses.frames,
    }


def arrow_table(poses: Poses) -> pyarrow.Table:
    try:
        import pyarrow
    except ImportError:
        raise ImportError("to_arrow and to_parquet need pyarrow, which is not installed: pip install 'sinew[arrow]'") from None

    def rows_of(values: Any, width: int) -> Any:
        return pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(np.ascontiguousarray(values).reshape(-1)), width)

    columns: dict[str, Any] = {name: pyarrow.array(values) for name, values in _row_numbers(poses).items()}
    columns |= {
        "theta": rows_of(poses.theta, 72), "translation": rows_of(poses.translation, 3), "joints": rows_of(poses.joints, 87),
        "betas": rows_of(poses.betas, 10), "gender": pyarrow.array(poses.genders)}
    columns |= {name: pyarrow.array(getattr(poses, name)) for name in _SCALARS}
    columns |= {"solved": pyarrow.array(poses.solved), "error": pyarrow.array(_errors(poses), pyarrow.string())}
    metadata = {"model": poses.model, "frame": "model frame, metres, y up", "fps": str(poses.fps or "")}
    return pyarrow.table(columns).replace_schema_metadata(metadata)


def write_parquet(poses: Poses, path: str | os.PathLike[str]) -> Path:
    table = arrow_table(poses)
    import pyarrow.parquet

    return write_atomically(Path(path), lambda file: pyarrow.parquet.write_table(table, file))


def write_csv(poses: Poses, path: str | os.PathLike[str]) -> Path:
    names = [*_row_numbers(poses)]
    axes = "xyz"
    names += [f"theta_{joint}_{axis}" for joint in SMPL24.joint_names for axis in axes]
    names += [f"translation_{axis}" for axis in axes]
    names += [f"joint_{joint}_{axis}" for joint in SMPL29.joint_names for axis in axes]
    names += [*_SCALARS, "gender", "solved", "error"]
    count = len(poses)
    numbers = [values.tolist() for values in _row_numbers(poses).values()]
    floats = np.concatenate([poses.theta.reshape(count, 72), poses.translation, poses.joints.reshape(count, 87)], 1)
    solved, errors = poses.solved.tolist(), _errors(poses)
    scalars = [getattr(poses, name) for name in _SCALARS]

    def write(file: IO[bytes]) -> None:
        import io

        text = io.TextIOWrapper(file, "utf-8", newline="")
        writer = csv.writer(text)
        writer.writerow(names)
        for row in range(count):
            writer.writerow([
                *(column[row] for column in numbers), *map(str, floats[row]), *(str(column[row]) for column in scalars),
                poses.genders[row], int(solved[row]), errors[row] or ""])
        text.flush()
        text.detach()

    return write_atomically(Path(path), write)
