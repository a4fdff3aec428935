"""Held-out samples as input files of `sinew solve`, and the errors of the poses that it writes: people, effector sets, clips.

Each class has `name`, `write(path)` and `score(path)` (means of the metrics from the output file of the command).
They are the samples of `evaluate`, `smpl_ik_evaluate`, `evaluate_clips` and `train_temporal`.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import noise, smpl_ik_evaluate
from .body import JointTable, data_root, forward_kinematics
from .clip_noise import corrupt_clip
from .conditioning import Observations
from .data import PoseSampler, Truth, clips_of, load_clips, split_names, truth_of
from .effectors import GENDERS, LOOK_AT, POSITION, EffectorSet
from .evaluate import CHUNK, errors
from .rotations import from_axis_angle
from .smpl_ik_data import GenderedPoseSampler, Pose
from .smpl_ik_losses import Solved
from .temporal import acceleration_error


def _means(values: dict[str, Tensor]) -> dict[str, float]:
    return {name: float(value.double().mean()) for name, value in values.items()}


def _rotations(theta: np.ndarray) -> Tensor:
    return from_axis_angle(torch.from_numpy(theta).unflatten(1, (24, 3)))


class People:
    """People of one preset, each by themselves: the very samples of `evaluate.table`."""

    def __init__(self, preset: str, sampler: PoseSampler, count: int, seed: int):
        self.name = preset
        poses = torch.Generator().manual_seed(seed)
        corruption = torch.Generator().manual_seed(seed + 1 + noise.PRESETS.index(preset))
        truths, self.seen = [], []
        for start in range(0, count, CHUNK):
            truths.append(sampler.draw(min(CHUNK, count - start), poses))
            self.seen.append(noise.corrupt(preset, truths[-1].joints, truths[-1].twists, corruption))
        self.truth = Truth(*(torch.cat(parts) for parts in zip(*(vars(one).values() for one in truths))))

    def write(self, path: Path) -> None:
        np.savez(
            path, joints3d=torch.cat([one.joints for one in self.seen]).numpy(), sigma=torch.cat([one.sigma for one in self.seen]).numpy(),
            twist=torch.cat([one.twists for one in self.seen]).numpy(), betas=self.truth.betas.numpy(), gender=np.array(["neutral"]),
            unit=np.array("m"), up_axis=np.array("y"))

    def score(self, path: Path) -> dict[str, float]:
        """MPJPE, PA-MPJPE (mm), GE (rad)."""
        with np.load(path, allow_pickle=False) as file:
            return _means(errors(_rotations(file["poses"]), self.truth))


class EffectorSets:
    """Effector sets of one protocol: the very samples of `smpl_ik_evaluate.score`. The input file is one of `--effectors`."""

    def __init__(self, protocol: str, sampler: GenderedPoseSampler, count: int, seed: int):
        self.name = protocol
        self.parts: list[tuple[Pose, EffectorSet]] = list(smpl_ik_evaluate.samples(protocol, sampler, count, seed))

    def write(self, path: Path) -> None:
        with path.open("w") as file:
            for _, given in self.parts:
                rows: list[list[dict]] = [[] for _ in given.betas]
                for row, person in enumerate(given.person().tolist()):
                    rows[person].append(_effector(given, row))
                for person, effectors in enumerate(rows):
                    line = {"effectors": effectors, "gender": GENDERS[int(given.genders[person])], "betas": given.betas[person].tolist()}
                    file.write(json.dumps(line) + "\n")

    def score(self, path: Path) -> dict[str, float]:
        """MPJPE, PA-MPJPE (mm), GE (rad) and the distance of exact positional effectors (mm)."""
        with np.load(path, allow_pickle=False) as file:
            local, moved = _rotations(file["poses"]), torch.from_numpy(file["trans"])
        found: dict[str, list[Tensor]] = {}
        start = 0
        for truth, given in self.parts:
            rows = slice(start, start + len(truth.local))
            joints, world = forward_kinematics(local[rows], truth.rest)
            placed = joints + (truth.rest[:, 0] + moved[rows])[:, None]
            for metric, values in smpl_ik_evaluate.errors(Solved(local[rows], world, placed, placed), truth, given).items():
                found.setdefault(metric, []).append(values)
            start = rows.stop
        return _means({metric: torch.cat(values) for metric, values in found.items()})


def _effector(given: EffectorSet, row: int) -> dict:
    values, kind = given.values[row].tolist(), int(given.kind[row])
    out = {"joint": int(given.joint[row]), "weight": float(given.weight[row])}
    if kind == LOOK_AT:
        return out | {"look_at": values[:3], "direction": values[3:]}
    place = {"position": values[:3]} if kind == POSITION else {"rotation_6d": values}
    return out | place | {"tolerance": float(given.tolerance[row])}


class Clips:
    """Held-out clips one after the other, each a track of one file: truth and what is seen of it."""

    def __init__(self, preset: str, names: list[str], lengths: list[int], truth: Truth, seen: Observations, twists: bool):
        self.name, self.names, self.lengths, self.truth, self.seen, self.twists = preset, names, lengths, truth, seen, twists
        self.outcome = np.zeros(0)

    @staticmethod
    def anew(preset: str, frames: int, seed: int, split: str, twists: bool = False) -> "Clips":
        """Observations drawn anew in every frame, the first `frames` of each clip."""
        generator = torch.Generator().manual_seed(seed)
        names = split_names(split, "validation")
        parts = [load_clips(data_root() / "cmu24", [name])[:frames] for name in names]
        lengths = [len(part) for part in parts]
        betas = torch.repeat_interleave(noise.normal((len(parts), 10), generator), torch.tensor(lengths), 0)
        truth = truth_of(torch.cat(parts), betas, JointTable.load())
        return Clips(preset, names, lengths, truth, noise.corrupt(preset, truth.joints, truth.twists, generator), twists)

    @staticmethod
    def lasting(frames: int, seed: int, split: str) -> list["Clips"]:
        """All presets with errors that last for several frames (`clip_noise`), with twists; the samples of `train_temporal`."""
        generator = torch.Generator().manual_seed(seed)
        names = split_names(split, "validation")
        truths = clips_of(names, data_root() / "cmu24", JointTable.load(), generator, frames)
        truth = Truth(*(torch.cat(parts) for parts in zip(*(vars(one).values() for one in truths))))
        out = []
        for preset in noise.PRESETS:
            seen = [corrupt_clip(preset, one.joints, one.twists, generator) for one in truths]
            together = Observations(*(torch.cat(parts) for parts in zip(*(vars(one).values() for one in seen))))
            out.append(Clips(preset, names, [len(one.local) for one in truths], truth, together, twists=True))
        return out

    def write(self, path: Path) -> None:
        labels = [name for name, count in zip(self.names, self.lengths) for _ in range(count)]
        arrays = {
            "joints3d": self.seen.joints.numpy(), "sigma": self.seen.sigma.numpy(), "betas": self.truth.betas.numpy(),
            "track": np.array(labels), "skeleton": np.array("smpl-29"), "unit": np.array("m"), "up_axis": np.array("y"),
            "gender": np.array("neutral"), "fps": np.array(30.0),
        }
        if self.twists:
            arrays["twist"] = self.seen.twists.numpy()
        np.savez(path, **arrays)

    def score(self, path: Path) -> dict[str, float]:
        """MPJPE, PA-MPJPE (mm), GE (rad), acceleration error (mm per frame squared), means over frames; keeps the outcomes."""
        theta, outcome = [], []
        for name, count in zip(self.names, self.lengths):
            with np.load(path.with_suffix(f".{name}.npz"), allow_pickle=False) as file:
                assert len(file["poses"]) == count and bool(file["solved"].all())
                theta.append(file["poses"])
                outcome.append(file["outcome"])
        self.outcome = np.concatenate(outcome)
        local = _rotations(np.concatenate(theta))
        joints, _ = forward_kinematics(local, self.truth.rest)
        return _means(errors(local, self.truth) | {"accel_mm": self._acceleration(joints)})

    def _acceleration(self, joints: Tensor) -> Tensor:
        pairs = zip(joints.split(self.lengths), self.truth.joints.split(self.lengths))
        return torch.cat([acceleration_error(a, b) for a, b in pairs])
