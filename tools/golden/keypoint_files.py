"""Writes the keypoint files of other tools that SinewFormatsTests reads, in the layouts that the tools document.

Run:  python tools/golden/keypoint_files.py [FOLDER]   (numpy; the fixtures are committed)

A walking stick figure with a detector's points. What SMPL's joints are follows here once more, in numpy:
expected.npz holds `joints` (T, P, 29, 3) in metres, y up, and `seen` (29).
"""
import json
import sys
from pathlib import Path

import numpy as np

OUT = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "Tests/SinewFormatsTests/Fixtures/keypoints"
POINTS = {
    "nose": (0, 1.55, 0.15), "left_eye": (0.03, 1.58, 0.12), "right_eye": (-0.03, 1.58, 0.12),
    "left_ear": (0.08, 1.57, 0.02), "right_ear": (-0.08, 1.57, 0.02), "head_top": (0, 1.72, 0.03),
    "left_shoulder": (0.19, 1.4, 0), "right_shoulder": (-0.19, 1.4, 0), "left_elbow": (0.25, 1.13, -0.02),
    "right_elbow": (-0.25, 1.13, -0.02), "left_wrist": (0.26, 0.9, 0.05), "right_wrist": (-0.26, 0.9, 0.05),
    "left_hip": (0.1, 0.92, 0), "right_hip": (-0.1, 0.92, 0), "left_knee": (0.1, 0.5, 0.04),
    "right_knee": (-0.1, 0.5, 0.04), "left_ankle": (0.1, 0.09, -0.02), "right_ankle": (-0.1, 0.09, -0.02),
    "left_big_toe": (0.1, 0.02, 0.16), "right_big_toe": (-0.1, 0.02, 0.16), "left_small_toe": (0.15, 0.02, 0.13),
    "right_small_toe": (-0.15, 0.02, 0.13), "left_heel": (0.1, 0.02, -0.07), "right_heel": (-0.1, 0.02, -0.07),
}
BODY25 = """nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist pelvis right_hip right_knee
right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear left_ear left_big_toe left_small_toe left_heel
right_big_toe right_small_toe right_heel""".split()
COCO17 = """nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow left_wrist
right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle""".split()
# MMPose's own words for Human3.6M.
H36M = """root right_hip right_knee right_foot left_hip left_knee left_foot spine thorax neck_base head left_shoulder
left_elbow left_wrist right_shoulder right_elbow right_wrist""".split()
# Pose2Sim's names and order of HALPE_26.
TRC = """Hip RHip RKnee RAnkle RBigToe RSmallToe RHeel LHip LKnee LAnkle LBigToe LSmallToe LHeel Neck Head Nose RShoulder
RElbow RWrist LShoulder LElbow LWrist""".split()
SMPL = """pelvis left_hip right_hip spine1 left_knee right_knee spine2 left_ankle right_ankle spine3 left_foot right_foot
neck left_collar right_collar head left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist left_hand
right_hand head_top left_middle right_middle left_bigtoe right_bigtoe""".split()


def scene(frames=6):
    """Name -> (T, P, 3): the second person a metre to the side and lower; both walk forward and turn a little."""
    points = {}
    for name, place in POINTS.items():
        rows = np.zeros((frames, 2, 3))
        for frame in range(frames):
            angle = 0.1 * frame
            turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
            for person in range(2):
                rows[frame, person] = turn @ np.array(place) * (1 - 0.05 * person) + [person, 0.01, 0.05 * frame]
        points[name] = rows
    points["pelvis"] = (points["left_hip"] + points["right_hip"]) / 2
    points["neck"] = (points["left_shoulder"] + points["right_shoulder"]) / 2
    return points


def expected(points):
    """SMPL's 29 joints, zeros where nothing is said."""
    joints = np.zeros((*points["nose"].shape[:2], 29, 3))
    for index, name in enumerate(SMPL):
        if name in points and name not in ("neck", "head"):
            joints[:, :, index] = points[name]
    shoulders, hips = points["neck"], points["pelvis"]
    joints[:, :, 12] = hips + 1.2 * (shoulders - hips)
    joints[:, :, 15] = (points["left_ear"] + points["right_ear"]) / 2
    joints[:, :, 27], joints[:, :, 28] = points["left_big_toe"], points["right_big_toe"]
    return joints


def stacked(points, names):
    return np.stack([points[name] for name in names], 2)


def dump(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


if __name__ == "__main__":
    points = scene()
    OUT.mkdir(parents=True, exist_ok=True)
    np.savez(OUT / "expected.npz", joints=expected(points))
    frames = len(points["nose"])
    body = stacked(points, BODY25)
    # EasyMocap: metres, z up, one person leaves; hands behind the body.
    z_up = np.stack([body[..., 0], -body[..., 2], body[..., 1]], -1)
    for frame in range(frames):
        people = [
            {"id": 7 + person, "keypoints3d": [[*point, 0.9] for point in z_up[frame, person].tolist()] + [[0, 0, 0, 0]] * 42}
            for person in range(2) if (frame, person) != (3, 1)]
        dump(OUT / f"easymocap/{frame:06d}.json", people)
    # OpenPose with --3d: millimetres, y down, scores; a left wrist lost.
    down = body * [1000, -1000, -1000]
    for frame in range(frames):
        people = []
        for person in range(2):
            rows = [[*point, 0.8] for point in down[frame, person].tolist()]
            if frame == 2 and person == 0:
                rows[7] = [0, 0, 0, 0]
            people.append({"person_id": [-1], "pose_keypoints_2d": [], "pose_keypoints_3d": sum(rows, [])})
        dump(OUT / f"openpose/clip_{frame:012d}_keypoints.json", {"version": 1.3, "people": people})
    # The same tool without --3d.
    dump(OUT / "openpose_2d.json", {"version": 1.3, "people": [{"pose_keypoints_2d": [1.0] * 75, "pose_keypoints_3d": []}]})
    # COCO annotations with 3D in metres, two people.
    coco = stacked(points, COCO17)
    annotations = [
        {"id": frame * 2 + person + 1, "image_id": frame + 100, "category_id": 1, "track_id": person + 1, "iscrowd": 0,
         "keypoints3d": [[*point, 2] for point in coco[frame, person].tolist()]}
        for frame in range(frames) for person in range(2)]
    dump(OUT / "coco.json", {
        "images": [{"id": frame + 100, "file_name": f"{frame}.jpg"} for frame in range(frames)], "annotations": annotations,
        "categories": [{"id": 1, "name": "person", "keypoints": COCO17, "skeleton": []}]})
    dump(OUT / "coco_results_2d.json", [{"image_id": 1, "category_id": 1, "keypoints": [1.0] * 51, "score": 0.9}])
    dump(OUT / "alphapose_2d.json", [{"image_id": "1.jpg", "category_id": 1, "keypoints": [1.0] * 51, "score": 2.9, "idx": 1}])
    # MMPose: Human3.6M with the right leg first, z up, scores above 1.
    named = dict(zip(H36M, ["pelvis", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "nose", "nose",
                            "nose", "head_top", "left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow",
                            "right_wrist"]))
    h36m = np.stack([points[named[name]] for name in H36M], 2)
    h36m = np.stack([h36m[..., 0], -h36m[..., 2], h36m[..., 1]], -1)
    dump(OUT / "mmpose.json", {
        "meta_info": {"dataset_name": "h36m", "keypoint_id2name": {str(i): name for i, name in enumerate(H36M)}},
        "instance_info": [
            {"frame_id": frame, "instances": [
                {"keypoints": h36m[frame, person].tolist(), "keypoint_scores": [1.25] * 17, "track_id": person}
                for person in range(2)]} for frame in range(frames)]})
    # TRC as Pose2Sim writes it: metres, y up, an empty cell where a marker was lost.
    alias = {"Hip": "pelvis", "Neck": "neck", "Head": "head_top", "Nose": "nose"}
    side = {"R": "right_", "L": "left_"}
    tail = {"Hip": "hip", "Knee": "knee", "Ankle": "ankle", "BigToe": "big_toe", "SmallToe": "small_toe", "Heel": "heel",
            "Shoulder": "shoulder", "Elbow": "elbow", "Wrist": "wrist"}
    rows = []
    for frame in range(frames):
        cells = [str(frame + 1), f"{frame / 60:.6f}"]
        for name in TRC:
            key = alias.get(name) or side[name[0]] + tail[name[1:]]
            lost = frame == 4 and name == "RWrist"
            cells += ["", "", ""] if lost else [f"{value:.6f}" for value in points[key][frame, 0]]
        rows.append("\t".join(cells))
    header = [
        "PathFileType\t4\t(X/Y/Z)\twalk.trc", "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"60\t60\t{frames}\t{len(TRC)}\tm\t60\t1\t{frames}", "Frame#\tTime\t" + "\t\t\t".join(TRC) + "\t\t",
        "\t\t" + "\t".join(f"X{i}\tY{i}\tZ{i}" for i in range(1, len(TRC) + 1)), ""]
    (OUT / "walk.trc").write_text("\n".join(header + rows) + "\n")
