"""Writes the glTF fixtures of SinewFormatsTests with pygltflib, and what numpy and scipy make of them; checks what sinew writes.

Run:  PYTHONPATH=tools/train python tools/golden/gltf_files.py                    (numpy, scipy, torch, pygltflib; the fixtures are committed)
      PYTHONPATH=tools/train python tools/golden/gltf_files.py check FILE.glb FILE.json   (a motion that sinew wrote as both)
"""
import base64
import json
import sys
from pathlib import Path

import numpy as np
import pygltflib as gl
from scipy.spatial.transform import Rotation, Slerp

OUT = Path(__file__).resolve().parents[2] / "Tests/SinewFormatsTests/Fixtures"
NAMES = [
    "Hips", "LeftUpLeg", "RightUpLeg", "Spine", "LeftLeg", "RightLeg", "Spine1", "LeftFoot", "RightFoot", "Spine2", "LeftToeBase",
    "RightToeBase", "Neck", "LeftShoulder", "RightShoulder", "Head", "LeftArm", "RightArm", "LeftForeArm", "RightForeArm", "LeftHand",
    "RightHand", "LeftHandMiddle1", "RightHandMiddle1"]
FPS, FRAMES = 25, 9


def matrix(rotation, translation, scale=1.0):
    out = np.eye(4)
    out[:3, :3] = scale * rotation.as_matrix()
    out[:3, 3] = translation
    return out


class Builder:
    """Accessors over one growing buffer."""

    def __init__(self):
        self.data, self.views, self.accessors = b"", [], []

    def add(self, values, kind, component=gl.FLOAT, normalized=False, stride=None):
        values = np.ascontiguousarray(values)
        rows = values.reshape(len(values), -1)
        if stride:  # padded rows
            wide = np.zeros((len(rows), stride), np.uint8)
            wide[:, : rows.itemsize * rows.shape[1]] = rows.view(np.uint8).reshape(len(rows), -1)
            payload = wide.tobytes()
        else:
            payload = rows.tobytes()
        self.data += b"\0" * (-len(self.data) % 4)
        self.views.append(gl.BufferView(buffer=0, byteOffset=len(self.data), byteLength=len(payload), byteStride=stride))
        self.data += payload
        self.accessors.append(gl.Accessor(
            bufferView=len(self.views) - 1, componentType=component, count=len(values), type=kind, normalized=normalized,
            min=[float(values.min())] if kind == "SCALAR" else None, max=[float(values.max())] if kind == "SCALAR" else None))
        return len(self.accessors) - 1


def exported(rng):
    """A character as exporters leave it: an armature in centimetres laid on its back, a worn skin, nodes left in a pose that is not
    the bind pose, a camera beside it."""
    from sinew_train.body import JointTable
    from sinew_train.skeleton import PARENTS
    import torch
    rest = JointTable.load(dtype=torch.float64).rest(torch.zeros(1, 10, dtype=torch.float64))[0, :24].numpy()
    armature = matrix(Rotation.from_euler("x", -90, degrees=True), [0, 0, 0.1], 0.01)
    lying = np.linalg.inv(armature)
    turned = Rotation.random(24, random_state=rng)
    bind = [lying @ matrix(turned[j], rest[j]) for j in range(24)]  # in the armature, scale 100
    for m in bind:
        m[:3, :3] /= np.linalg.norm(m[:3, 0])
    local = [bind[j] if j == 0 else np.linalg.inv(bind[PARENTS[j]]) @ bind[j] for j in range(24)]
    offset = np.stack([m[:3, 3] for m in local])
    still = Rotation.from_matrix(np.stack([m[:3, :3] for m in local])) * Rotation.from_rotvec(rng.normal(0, 0.2, (24, 3)))
    built = Builder()
    times = (np.arange(FRAMES) / FPS).astype(np.float32)
    few = times[[0, 3, 8]]
    inputs = {FRAMES: built.add(times, "SCALAR"), 3: built.add(few, "SCALAR")}
    channels, samplers, curves = [], [], {}

    def animate(node, path, values, kind, way="LINEAR", **options):
        samplers.append(gl.AnimationSampler(input=inputs[len(values)], output=built.add(values, kind, **options), interpolation=way))
        channels.append(gl.AnimationChannel(sampler=len(samplers) - 1, target=gl.AnimationChannelTarget(node=node, path=path)))

    first = 3  # camera, mesh, armature come first
    for joint in range(24):
        if NAMES[joint] == "Head":
            continue
        keys = 3 if joint in (4, 18) else FRAMES
        way = "STEP" if joint == 18 else "LINEAR"
        quaternion = (still[joint] * Rotation.from_rotvec(rng.normal(0, 0.5, (keys, 3)))).as_quat()
        if joint == 5:
            stored = np.round(quaternion * 32767).astype(np.int16)
            animate(first + joint, "rotation", stored, "VEC4", component=gl.SHORT, normalized=True)
            quaternion = np.maximum(stored / 32767, -1)
        else:
            stored = (quaternion * rng.choice([-1, 1], (keys, 1))).astype(np.float32)
            animate(first + joint, "rotation", stored, "VEC4", way, stride=20 if joint == 8 else None)
            quaternion = stored.astype(np.float64)
        curves[joint] = (times if keys == FRAMES else few, Rotation.from_quat(quaternion), way)
    moves = (offset[0] + rng.normal(0, 20, (FRAMES, 3))).astype(np.float32)
    animate(first, "translation", moves, "VEC3")
    animate(first + 1, "scale", np.ones((FRAMES, 3), np.float32), "VEC3")
    inverse = np.stack([np.linalg.inv(m).T for m in bind]).astype(np.float32)
    nodes = [
        gl.Node(name="Camera", camera=0), gl.Node(name="Body", mesh=0, skin=0),
        gl.Node(name="Armature", matrix=armature.T.flatten().tolist(), children=[1, first])]
    for joint in range(24):
        children = [first + c for c in range(24) if PARENTS[c] == joint]
        nodes.append(gl.Node(
            name=f"mixamorig:{NAMES[joint]}", translation=offset[joint].tolist(), rotation=still[joint].as_quat().tolist(),
            children=children))
    corner = built.add(np.eye(3, dtype=np.float32), "VEC3")
    model = gl.GLTF2(
        asset=gl.Asset(version="2.0", generator="pygltflib"), scene=0, scenes=[gl.Scene(nodes=[0, 2])], nodes=nodes,
        cameras=[gl.Camera(type="perspective", perspective=gl.Perspective(yfov=1.0, znear=0.1))],
        meshes=[gl.Mesh(primitives=[gl.Primitive(attributes=gl.Attributes(POSITION=corner))])],
        skins=[gl.Skin(joints=[first + j for j in range(24)], inverseBindMatrices=built.add(inverse, "MAT4"))],
        animations=[gl.Animation(name="walk", channels=channels, samplers=samplers)])
    model.accessors, model.bufferViews = built.accessors, built.views
    model.buffers = [gl.Buffer(byteLength=len(built.data))]
    model.set_binary_blob(built.data)
    # The world as numpy and scipy see it.
    rotations, pelvis = [], []
    for frame, time in enumerate(times.astype(np.float64)):
        world = []
        for joint in range(24):
            turn = still[joint]
            if joint in curves:
                keys, curve, way = curves[joint]
                keys = keys.astype(np.float64)
                turn = curve[max(np.searchsorted(keys, time, "right") - 1, 0)] if way == "STEP" else Slerp(keys, curve)(min(time, keys[-1]))
            own = matrix(turn, moves[frame] if joint == 0 else offset[joint])
            world.append((armature if joint == 0 else world[PARENTS[joint]]) @ own)
        rotations.append([m[:3, :3] * 100 for m in world])
        pelvis.append(world[0][:3, 3])
    bound = [armature @ m for m in bind]
    np.savez_compressed(
        OUT / "exported_rig.npz", rotations=np.array(rotations), pelvis=np.array(pelvis),
        rest_rotations=np.array([m[:3, :3] * 100 for m in bound]), rest_positions=np.array([m[:3, 3] for m in bound]))
    return model, built


def variants(model, built):
    model.save_binary(str(OUT / "exported_rig.glb"))
    whole = json.loads(model.to_json())
    (OUT / "exported_rig.bin").write_bytes(built.data)
    whole["buffers"][0]["uri"] = "exported%5Frig.bin"
    (OUT / "exported_rig.gltf").write_text(json.dumps(whole))
    whole["buffers"][0]["uri"] = "data:application/octet-stream;base64," + base64.b64encode(built.data).decode()
    (OUT / "exported_rig_embedded.gltf").write_text(json.dumps(whole))


def check(glb, expected):
    """Reads a file of sinew's with pygltflib and compares its joints' motion and rest with the same motion as JSON."""
    model, told = gl.GLTF2().load_binary(glb), json.loads(Path(expected).read_text())
    blob = model.binary_blob()

    def numbers(index):
        accessor = model.accessors[index]
        view = model.bufferViews[accessor.bufferView]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}[accessor.type]
        return np.frombuffer(blob, "<f4", accessor.count * width, view.byteOffset).reshape(accessor.count, width).astype(np.float64)

    index = {node.name: i for i, node in enumerate(model.nodes)}
    worst = 0.0
    animation = model.animations[0]
    for channel in animation.channels:
        sampler = animation.samplers[channel.sampler]
        times, values = numbers(sampler.input)[:, 0], numbers(sampler.output)
        worst = max(worst, abs(times - np.arange(len(times)) / told["fps"]).max())
        joint = next(i for i, j in enumerate(told["joints"]) if index[j["name"]] == channel.target.node)
        if channel.target.path == "rotation":
            given = Rotation.from_quat(np.array([f["rotations"][joint] for f in told["frames"]])[:, [1, 2, 3, 0]])
            worst = max(worst, (Rotation.from_quat(values).inv() * given).magnitude().max())
        else:
            worst = max(worst, abs(values - np.array([f["pelvis"] for f in told["frames"]])).max())
    world = {}
    for joint in told["joints"]:
        q = np.array(joint["rotation"])[[1, 2, 3, 0]]
        own = matrix(Rotation.from_quat(q), joint["offset"])
        world[joint["name"]] = own if joint["parent"] is None else world[joint["parent"]] @ own
        node = model.nodes[index[joint["name"]]]
        worst = max(worst, abs(matrix(Rotation.from_quat(node.rotation), node.translation) - own).max())
    bound = numbers(model.skins[0].inverseBindMatrices).reshape(-1, 4, 4).transpose(0, 2, 1)
    for joint, inverse in zip(model.skins[0].joints, bound):
        worst = max(worst, abs(inverse @ world[model.nodes[joint].name] - np.eye(4)).max())
    print(f"{len(told['frames'])} frames, {len(told['joints'])} joints, {len(animation.channels)} channels: largest difference {worst:.2e}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        check(*sys.argv[2:])
    else:
        variants(*exported(np.random.default_rng(5)))
