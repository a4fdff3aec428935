"""Files of other estimators: what they hold is found, what is wrong is said, and nothing in them is run."""

from __future__ import annotations

import gzip
import os
import pathlib
import pickle
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
import pytest
from client_motion import forward_kinematics
from make_estimates import FRAMES, motion as known_motion, rotation, write, write_torch

import sinew
from sinew import readers
from sinew._rotations import axis_angle, matrix


@pytest.fixture(scope="module")
def estimates(tmp_path_factory: pytest.TempPathFactory) -> tuple[pathlib.Path, dict[str, Any], Any]:
    folder = tmp_path_factory.mktemp("estimates")
    theta = known_motion()["theta"]
    joints = forward_kinematics(theta, np.zeros((FRAMES, 3)))
    return folder, write(folder, joints), joints


FILES = {"hybrik": "hybrik.pk", "niki": "niki.pk", "phalp": "phalp.pkl", "wham": "wham.pkl", "gvhmr": "gvhmr.pt", "romp": "romp.npz"}


@pytest.mark.parametrize("estimator", list(FILES))
def test_poses_are_found_in_the_model_frame(estimates: Any, estimator: str) -> None:
    folder, known, _ = estimates
    track = readers.read(folder / FILES[estimator], estimator)[0]
    joints = 22 if estimator == "gvhmr" else 24
    off = np.swapaxes(rotation(known["theta"][:, :joints]), -1, -2) @ matrix(track.theta[:, :joints])
    assert np.degrees(np.arccos(np.clip((np.trace(off, axis1=-2, axis2=-1) - 1) / 2, -1, 1))).max() < 0.05
    np.testing.assert_allclose(track.translation, known["place"], atol=1e-5)
    if track.betas is not None:
        np.testing.assert_allclose(track.betas, known["betas"], atol=1e-6)
    convention = track.convention
    assert all((convention.unit, convention.axes, convention.rotation, convention.pivot, convention.confidence))
    assert not any("heads" in warning or "bones" in warning for warning in track.warnings)


def test_what_else_the_files_hold_is_found(estimates: Any) -> None:
    folder, _, joints = estimates
    (hybrik,) = readers.read_hybrik(folder / "hybrik.pk")
    np.testing.assert_allclose(hybrik.joints, joints, atol=1e-5)
    assert hybrik.frames.tolist() == [5 + 2 * n for n in range(FRAMES)] and hybrik.confidence.max() == np.float32(0.9)
    np.testing.assert_allclose(hybrik.twists, np.linspace(-1, 1, FRAMES * 23).reshape(FRAMES, 23), atol=1e-6)
    (niki,) = readers.read_niki(folder / "niki.pk")
    assert niki.sigma.max() == np.float32(0.03) and niki.confidence is None
    first, second = readers.read_phalp(folder / "phalp.pkl")
    assert (first.name, len(first), second.name, len(second)) == ("3", 20, "7", 10)
    assert "10 predicted entries" in second.warnings[0] and second.confidence.max() == np.float32(0.5)
    assert readers.read_wham(folder / "wham.pkl")[0].frames[0] == 10
    assert "hands" in readers.read_gvhmr(folder / "gvhmr.pt")[0].warnings[0]
    romp = readers.read_romp(folder / "romp.npz")[0]
    assert romp.name == "2" and "eleventh beta" in romp.warnings[0]
    (sam,) = readers.read_sam_3d_body(folder / "sam.pkl")
    places = sam.joints - joints[:, :24] - known_motion()["place"][:, None]
    assert np.abs(places[:, [1, 2, 4, 5, 7, 8, 16, 17, 18, 19, 20, 21]]).max() < 1e-5 and np.isnan(sam.joints[:, 15]).all()


def test_tracks_become_requests(estimates: Any, client: sinew.Client) -> None:
    folder, _, joints = estimates
    for name in ("hybrik", "niki"):
        (track,) = readers.read(folder / FILES[name], name)
        poses = client.solve(track.to_people(), "learnable-smplify")
        assert poses.solved.all() and np.linalg.norm(poses.joints - joints, axis=-1).mean() < 0.03
    (sam,) = readers.read_sam_3d_body(folder / "sam.pkl")
    assert client.solve(sam.to_people(), "niki").solved.all()
    with pytest.raises(readers.EstimateError, match="forward kinematics"):
        readers.read_wham(folder / "wham.pkl")[0].to_people()


def test_rotation_matrices_become_vectors_at_every_angle() -> None:
    random = np.random.default_rng(5)
    axes = random.normal(size=(4000, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    for angle in (0, 1e-9, 1e-4, 0.5, np.pi / 2, np.pi - 1e-5, np.pi):
        vectors = axes * angle
        assert np.abs(rotation(axis_angle(matrix(vectors), "x")) - rotation(vectors)).max() < 2e-6


# What looks wrong


def change(path: pathlib.Path, target: pathlib.Path, **fields: Any) -> pathlib.Path:
    record = readers.load(path)
    record = {key: (list(value) if isinstance(value, np.ndarray) else value) for key, value in record.items()} | fields
    with target.open("wb") as file:
        pickle.dump(record, file)
    return target


def test_numbers_that_contradict_the_format_are_warned_of(estimates: Any, tmp_path: pathlib.Path) -> None:
    folder, known, joints = estimates
    flip = np.array([1, -1, -1], np.float32)
    turned = rotation(np.array([np.pi / 2, 0, 0]))
    cases: list[tuple[dict[str, Any], str]] = [
        ({"pred_xyz_29": joints * flip * 1000}, "millimetres"),
        ({"pred_xyz_29": joints * flip * 100}, "centimetres"),
        ({"pred_xyz_29": joints * flip / 2.2}, "0.4"),
        ({"pred_thetas": np.concatenate([np.diag(flip) @ known["camera"][:, :1], known["camera"][:, 1:]], 1)}, "stand on their heads"),
        ({"pred_thetas": np.concatenate([turned @ known["camera"][:, :1], known["camera"][:, 1:]], 1)}, "lie on the ground"),
        ({"pred_scores": np.full((FRAMES, 29), 0.02)}, "looks like an uncertainty"),
        ({"pred_scores": np.full((FRAMES, 29), 40.0)}, "not from 0 to 1"),
        ({"pred_sigma": np.full((FRAMES, 29), 0.9)}, "looks like a confidence"),
        ({"pred_sigma": np.full((FRAMES, 29), -3.0)}, "logarithm"),
        ({"pred_phi": np.full((FRAMES, 23, 2), 0.5)}, "not 1"),
        ({"pred_thetas": np.repeat(known["camera"][:1], FRAMES, 0)}, "every frame has the same pose"),
    ]
    for fields, said in cases:
        (track,) = readers.read_niki(change(folder / "hybrik.pk", tmp_path / "changed.pk", **fields))
        assert any(said in warning for warning in track.warnings), (said, track.warnings)
    (swapped,) = readers.read_hybrik(change(
        folder / "hybrik.pk", tmp_path / "changed.pk",
        pred_xyz_29=joints[:, np.r_[0, 4, 2, 3, 1, np.arange(5, 29)]] * flip))
    assert any("bones" in warning for warning in swapped.warnings)


def test_files_that_are_something_else_are_refused_by_field(estimates: Any, tmp_path: pathlib.Path) -> None:
    folder, known, _ = estimates
    cases: list[tuple[dict[str, Any], str]] = [
        ({"pred_thetas": np.zeros((FRAMES, 72))}, r"pred_thetas: shape \[20, 72\]"),
        ({"pred_thetas": np.zeros((FRAMES, 24, 3, 3))}, "no rotation matrices"),
        ({"pred_betas": np.full((FRAMES, 10), np.nan)}, "pred_betas: row 0 holds a NaN"),
        ({"pred_betas": np.zeros((3, 10))}, "3 rows of betas and 20 poses"),
        ({"transl": "somewhere"}, "transl: no array of numbers"),
    ]
    for fields, said in cases:
        with pytest.raises(readers.EstimateError, match=said):
            readers.read_hybrik(change(folder / "hybrik.pk", tmp_path / "changed.pk", **fields))
    with pytest.raises(readers.EstimateError, match="no field “smpl_params_global”; there are img_path, pred_betas"):
        readers.read_gvhmr(folder / "hybrik.pk")
    with pytest.raises(readers.EstimateError, match="a list of people was expected"):
        readers.read_sam_3d_body(folder / "wham.pkl")
    with pytest.raises(readers.EstimateError, match="no reader for “smplerx”"):
        readers.read(folder / "wham.pkl", "smplerx")
    with pytest.raises(FileNotFoundError):
        readers.read_wham(tmp_path / "none.pkl")


# Hostile files


class Runs:
    """A pickle of this runs a command where it is loaded."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def hostile(tmp_path: pathlib.Path) -> dict[str, bytes]:
    mark = str(tmp_path / "was-run")
    array = pickle.dumps(np.zeros(3))
    bombs = {
        "os.system": pickle.dumps(Runs(os.system, f"touch {mark}")), "eval": pickle.dumps({"a": [Runs(eval, f"open({mark!r}, 'w')")]}),
        "open": pickle.dumps(Runs(open, mark, "w")), "getattr": pickle.dumps(Runs(getattr, [], "append")),
        "old protocol": pickle.dumps(Runs(os.system, f"touch {mark}"), 0), "class": pickle.dumps(Runs(type, "T", (), {})),
        "path": pickle.dumps(pathlib.PurePosixPath("x")), "exception": pickle.dumps(ValueError("x")),
        "instance": b"(i__main__\nRuns\n.", "extension": b"\x82\x01.", "persistent": b"Pkey\n.",
        "stand-in called": b"cnumpy\ndtype\n(X\x02\x00\x00\x00V9tR.", "object dtype": pickle.dumps(np.array([os.system], dtype=object)),
        "record dtype": pickle.dumps(np.zeros(2, "f4,i4")), "huge shape": array.replace(b"K\x03\x85", b"J\xff\xff\xff\x7f\x85"),
        "function where data should be": b"cnumpy\ndtype\n.", "attribute of a function": b"cnumpy\nndarray\n}(X\x01\x00\x00\x00xK\x01ub.",
        "huge bytearray": b"\x80\x05\x96" + struct.pack("<Q", 1 << 50) + b".", "huge bytes": b"\x8e" + struct.pack("<Q", 1 << 62) + b".",
        "deep": b"(" * 200_000 + b"t" * 200_000 + b".", "holds itself": b"]q\x00h\x00a.", "empty": b"", "text": b"no pickle at all",
        "memo": b"r\xff\xff\xff\xff.", "new object": b"\x80\x02cbuiltins\ndict\n)\x81.",
        "zlib bomb": zlib.compress(b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"\0" * (1 << 24)),
        "gzip cut off": gzip.compress(array)[:-12],
    }
    return bombs


def test_hostile_pickles_are_refused_and_nothing_is_run(tmp_path: pathlib.Path) -> None:
    for name, data in hostile(tmp_path).items():
        path = tmp_path / "hostile.pkl"
        path.write_bytes(data)
        with pytest.raises(readers.UnsafePickle):
            print(name, readers.load(path))
        with pytest.raises(readers.UnsafePickle):
            readers.read_wham(path)
    assert not (tmp_path / "was-run").exists()
    path.write_bytes(hostile(tmp_path)["os.system"])
    with pytest.raises(readers.UnsafePickle, match="posix.system, which is more than data; nothing was run"):
        readers.load(path)


def test_shared_containers_cost_what_they_are_and_not_what_they_unfold_to(tmp_path: pathlib.Path) -> None:
    tree: Any = [1]
    for _ in range(50):
        tree = [tree, tree]
    (tmp_path / "tree.pkl").write_bytes(pickle.dumps(tree))
    assert len(readers.load(tmp_path / "tree.pkl")) == 2


def test_hostile_archives_are_refused(estimates: Any, tmp_path: pathlib.Path) -> None:
    folder, _, _ = estimates
    with pytest.raises(readers.UnsafePickle):
        readers.read_romp(folder / "hybrik.pk")
    np.savez(tmp_path / "x.npz", results=np.array({"a": Runs(os.system, "true")}, dtype=object))
    with pytest.raises(readers.UnsafePickle, match="posix.system"):
        readers.read_romp(tmp_path / "x.npz")
    whole = (folder / "romp.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[:len(whole) // 2])
    with pytest.raises(readers.UnsafePickle):
        readers.read_romp(tmp_path / "cut.npz")
    write_torch(tmp_path / "t.pt", {"a": np.zeros((4, 3), np.float32)})
    with zipfile.ZipFile(tmp_path / "t.pt") as archive:
        pickled = archive.read("archive/data.pkl")
    for name, data in {"beyond": pickled.replace(b"J\x04\x00\x00\x00", b"J\x05\x00\x00\x00"),
                       "offset": pickled.replace(b"QJ\x00\x00\x00\x00", b"QJ\x07\x00\x00\x00"),
                       "stride": pickled.replace(b"(J\x03\x00\x00\x00J\x01", b"(J\xff\xff\xff\xffJ\x01"),
                       "storage": pickled.replace(b"X\x01\x00\x00\x000", b"X\x01\x00\x00\x009")}.items():
        assert data != pickled, name
        with zipfile.ZipFile(tmp_path / "bad.pt", "w") as archive:
            archive.writestr("archive/data.pkl", data)
            archive.writestr("archive/data/0", b"\0" * 48)
        with pytest.raises(readers.UnsafePickle):
            print(name, readers.load(tmp_path / "bad.pt"))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_of_every_protocol_is_read(tmp_path: pathlib.Path, protocol: int) -> None:
    data = {
        "floats": np.arange(6, dtype=np.float64).reshape(2, 3), "fortran": np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3)),
        "words": np.array(["a", "bc"]), "scalar": np.float32(2.5), "truth": np.bool_(True), "plain": [1, 2.5, "x", b"y", None, (True, {3})],
        "empty": np.zeros((0, 3), np.float32), "objects": np.array([{"a": 1}, None], dtype=object)}
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(data, protocol))
    read = readers.load(tmp_path / "plain.pkl")
    for name in ("floats", "fortran", "words", "empty"):
        np.testing.assert_array_equal(read[name], data[name])
    assert read["scalar"] == 2.5 and read["truth"] is True and read["plain"] == [1, 2.5, "x", b"y", None, (True, [3])]
    assert read["objects"] == [{"a": 1}, None]


def test_damaged_files_end_in_one_kind_of_error(estimates: Any, tmp_path: pathlib.Path) -> None:
    folder, _, _ = estimates
    random = np.random.default_rng(2)
    for name in ("hybrik.pk", "phalp.pkl", "gvhmr.pt", "sam.pkl", "romp.npz"):
        data = (folder / name).read_bytes()
        load = readers.load_npz if name.endswith("npz") else readers.load
        for _ in range(60):
            broken = bytearray(data)
            for at in random.integers(0, min(len(data), 4000), 3):
                broken[at] = random.integers(256)
            path = tmp_path / name
            path.write_bytes(bytes(broken[:int(random.integers(1, len(data) + 1))]))
            try:
                load(path)
            except readers.UnsafePickle:
                pass  # The one way in which reading may fail.
