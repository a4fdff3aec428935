"""What sinew convert writes, opened by other people's readers: numpy without pickle, bvhio, pycocotools."""
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

SINEW = os.environ["SINEW_BINARY"]
FRAMES = 6


def convert(*arguments):
    """Runs sinew convert; returns what it did."""
    done = subprocess.run([SINEW, "convert", *map(str, arguments), "--json"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def matrices(vectors):
    """Rotation vectors (..., 3) as matrices (..., 3, 3), by Rodrigues' formula."""
    vectors = np.asarray(vectors, float)
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(vectors, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([np.stack([zero, -z, y], -1), np.stack([z, zero, -x], -1), np.stack([-y, x, zero], -1)], -2)
    safe = np.where(angle < 1e-9, 1, angle)
    return np.eye(3) + np.sin(angle) / safe * cross + (1 - np.cos(angle)) / safe**2 * cross @ cross


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A clip in AMASS's layout, written by numpy."""
    folder = tmp_path_factory.mktemp("clip")
    random = np.random.default_rng(3)
    poses = random.normal(0, 0.25, (FRAMES, 72)).astype(np.float32)
    arrays = {
        "poses": poses, "trans": random.normal(0, 1, (FRAMES, 3)).astype(np.float32),
        "betas": random.normal(0, 1, 10).astype(np.float32), "gender": "female", "mocap_framerate": 60.0, "up_axis": "y",
        "track": "anna"}
    np.savez(folder / "clip.npz", **arrays)
    return folder / "clip.npz", arrays


@pytest.fixture(scope="module")
def joints(clip):
    """Where sinew has the joints of the clip, (T, 29, 3)."""
    path, _ = clip
    convert(path, "-o", path.with_name("joints.npz"), "--joints")
    return np.load(path.with_name("joints.npz"), allow_pickle=False)["joints3d"]


@pytest.mark.parametrize("layout,width", [("smpl", 72), ("smplh", 156), ("smplx", 165)])
def test_amass_layouts_have_what_their_readers_ask_for(clip, layout, width):
    path, arrays = clip
    out = path.with_name(f"{layout}.npz")
    convert(path, "-o", out, "--layout", layout)
    with np.load(out, allow_pickle=False) as file:
        found = {name: file[name] for name in file.files}
    assert all(array.dtype != object for array in found.values())
    assert found["poses"].shape == (FRAMES, width)
    assert found["trans"].shape == (FRAMES, 3)
    # aitviewer and the SMPL-H add-on ask for the first, the SMPL-X add-on for the second.
    assert found["mocap_framerate"] == 60 and found["mocap_frame_rate"] == 60
    assert str(found["gender"]) == "female" and found["gender"].shape == ()
    assert found["betas"].shape == ((10,) if layout == "smpl" else (16,))
    if layout == "smpl":
        assert np.abs(found["poses"] - arrays["poses"]).max() < 1e-6
        return
    assert np.abs(found["poses"][:, 3:66] - arrays["poses"][:, 3:66]).max() < 1e-6
    assert not found["poses"][:, 66:].any()
    # z is up: a quarter turn about x before the root.
    turn = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])
    expected = turn @ matrices(arrays["poses"][:, :3])
    assert np.abs(matrices(found["poses"][:, :3]) - expected).max() < 1e-5
    if layout == "smplx":
        split = [found[name] for name in ("root_orient", "pose_body", "pose_jaw", "pose_eye", "pose_hand")]
        assert np.array_equal(np.concatenate(split, 1), found["poses"])
        assert str(found["surface_model_type"]) == "smplx"


def test_bvh_opens_in_bvhio_with_joints_and_bones_where_they_are(clip, joints):
    import bvhio
    path, arrays = clip
    out = path.with_name("clip.bvh")
    convert(path, "-o", out)
    root = bvhio.readAsHierarchy(str(out))
    names = [joint.Name for joint, _, _ in root.layout()]
    skeleton = json.loads(subprocess.run([SINEW, "skeleton", "show", "smpl-24", "--json"], capture_output=True, text=True).stdout)
    order = [joint["name"] for joint in skeleton["joints"]]
    assert set(order) <= set(names)
    for frame in range(FRAMES):
        root.loadPose(frame)
        for joint, _, _ in root.layout():
            if joint.Name not in order:
                continue
            theirs = np.array(joint.PositionWorld) / 100
            assert np.abs(theirs - joints[frame, order.index(joint.Name)]).max() < 1e-4, (frame, joint.Name)


def test_coco_opens_in_pycocotools(clip, joints):
    from pycocotools.coco import COCO
    path, arrays = clip
    out = path.with_name("clip.json")
    convert(path, "-o", out)
    coco = COCO(str(out))
    person, = coco.loadCats(coco.getCatIds(catNms=["person"]))
    assert len(person["keypoints"]) == 29 and len(person["skeleton"]) == 28
    images = coco.loadImgs(sorted(coco.getImgIds()))
    assert [image["frame_id"] for image in images] == list(range(FRAMES))
    for image in images:
        annotation, = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
        frame = image["frame_id"]
        assert len(annotation["keypoints"]) == 87 and annotation["num_keypoints"] == 0
        points = np.array(annotation["keypoints3d"])
        assert np.abs(points[:, :3] - joints[frame]).max() < 1e-6
        assert np.abs(np.array(annotation["smpl"]["poses"]) - arrays["poses"][frame]).max() < 1e-6
        assert annotation["smpl"]["gender"] == "female" and annotation["track_id"] == "anna"


def test_json_lines_are_objects_with_poses_and_joints(clip, joints):
    path, arrays = clip
    out = path.with_name("clip.jsonl")
    convert(path, "-o", out)
    header, *lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert header["unit"] == "m" and header["up_axis"] == "y" and header["fps"] == 60
    assert [line["frame"] for line in lines] == list(range(FRAMES))
    assert np.abs(np.array([line["poses"] for line in lines]) - arrays["poses"]).max() < 1e-6
    assert np.abs(np.array([line["joints3d"] for line in lines]) - joints).max() < 1e-6


def test_joints_of_other_tools_become_ours(tmp_path):
    """The fixtures of the readers, through the command line."""
    fixtures = Path(__file__).resolve().parents[3] / "Tests/SinewFormatsTests/Fixtures/keypoints"
    done = convert(fixtures / "easymocap", "-o", tmp_path / "people.npz")
    assert done["kind"] == "joints" and done["frames"] == 11 and done["tracks"] == ["7", "8"]
    expected = np.load(fixtures / "expected.npz")["joints"]
    with np.load(tmp_path / "people.npz", allow_pickle=False) as file:
        for row, (frame, track) in enumerate(zip(file["frame"], file["track"])):
            seen = file["observed"][row]
            wanted = expected[frame, ["7", "8"].index(track)]
            assert np.abs(file["joints3d"][row][seen] - wanted[seen]).max() < 1e-4
    convert(tmp_path / "people.npz", "-o", tmp_path / "one.trc", "--track", "7")
    again = convert(tmp_path / "one.trc", "-o", tmp_path / "one.jsonl")
    assert again["frames"] == 6


def test_what_cannot_be_is_refused_with_what_to_type(clip, tmp_path):
    path, _ = clip
    fixtures = Path(__file__).resolve().parents[3] / "Tests/SinewFormatsTests/Fixtures/keypoints"
    for arguments, status, words in [
        ((fixtures / "coco.json", "-o", tmp_path / "a.bvh"), 64, ["sinew solve"]),
        ((fixtures / "openpose_2d.json", "-o", tmp_path / "a.npz"), 65, ["2D keypoints only"]),
        ((path, "-o", tmp_path / "a.xyz"), 64, [".npz"]),
        ((path, "-o", tmp_path / "a.npz", "--track", "ben"), 64, ["anna"]),
        ((tmp_path / "none.npz", "-o", tmp_path / "a.npz"), 66, ["none.npz"]),
    ]:
        done = subprocess.run([SINEW, "convert", *map(str, arguments)], capture_output=True, text=True, timeout=60)
        assert done.returncode == status, done.stderr
        assert all(word in done.stderr for word in words), done.stderr
        assert not (tmp_path / "a.npz").exists()
