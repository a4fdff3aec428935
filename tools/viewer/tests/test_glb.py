"""The .glb of `sinew view` as pygltflib and trimesh read it."""

import numpy as np
import pygltflib
import pytest
import trimesh
from viewer_clip import FRAMES, GAP

TYPES = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


@pytest.fixture(scope="module")
def path(clip):
    return clip.draw("clip.glb", *clip.poses)


@pytest.fixture(scope="module")
def file(path):
    return pygltflib.GLTF2().load(str(path))


def numbers(file, index):
    accessor = file.accessors[index]
    view = file.bufferViews[accessor.bufferView]
    start = view.byteOffset + (accessor.byteOffset or 0)
    width = WIDTHS[accessor.type]
    values = np.frombuffer(file.binary_blob(), TYPES[accessor.componentType], accessor.count * width, start)
    return values.reshape(-1, width)


def rotation(q):
    x, y, z, w = q / np.linalg.norm(q)
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])


def keys(file, time):
    """The value of every animated property at a time that has a key."""
    animation, found = file.animations[0], {}
    for channel in animation.channels:
        sampler = animation.samplers[channel.sampler]
        assert sampler.interpolation == "LINEAR"
        times = numbers(file, sampler.input)[:, 0]
        key = int(np.abs(times - time).argmin())
        assert abs(times[key] - time) < 1e-4
        found[channel.target.node, channel.target.path] = numbers(file, sampler.output)[key].astype(float)
    return found


def world(file, values):
    """4x4 matrices of all nodes."""
    matrices = {}

    def visit(index, above):
        node = file.nodes[index]
        own = np.eye(4)
        own[:3, :3] = rotation(values.get((index, "rotation"), np.array(node.rotation or [0, 0, 0, 1.0])))
        own[:3, 3] = values.get((index, "translation"), np.array(node.translation or [0, 0, 0.0]))
        matrices[index] = above @ own
        for child in node.children or []:
            visit(child, matrices[index])

    for root in file.scenes[0].nodes:
        visit(root, np.eye(4))
    return matrices


@pytest.mark.parametrize("frame", [0, 20, FRAMES - 1])
def test_joints_and_skin_are_where_numpy_places_them(file, clip, frame):
    matrices = world(file, keys(file, frame / 30))
    for person, skin in zip(clip.people, file.skins):
        assert [file.nodes[joint].name for joint in skin.joints][:2] == ["pelvis", "left_hip"]
        places = np.array([matrices[joint][:3, 3] for joint in skin.joints])
        assert np.abs(places - person.joints(frame)[:24]).max() < 1e-4
        turned, _ = person.body.transforms(person.theta[frame], person.betas)
        for joint, expected in zip(skin.joints, turned):
            trace = np.trace(matrices[joint][:3, :3] @ expected.T)
            assert np.degrees(np.arccos(min(1, (trace - 1) / 2))) < 0.05
            assert np.abs(matrices[joint][:3, :3] - expected).max() < 1e-5
        wearer = next(node for node in file.nodes if node.skin == file.skins.index(skin))
        part = file.meshes[wearer.mesh].primitives[0]
        inverse = numbers(file, skin.inverseBindMatrices).reshape(-1, 4, 4).transpose(0, 2, 1)
        moves = np.array([matrices[joint] for joint in skin.joints]) @ inverse
        rest = numbers(file, part.attributes.POSITION).astype(float)
        joints, weights = numbers(file, part.attributes.JOINTS_0), numbers(file, part.attributes.WEIGHTS_0)
        assert np.abs(weights.sum(1) - 1).max() < 1e-6
        vertices = np.einsum("vk,vkab,vb->va", weights, moves[joints], np.c_[rest, np.ones(len(rest))])[:, :3]
        exact = person.body.skinned(person.theta[frame], person.betas, person.translation[frame])
        # Four weights of up to six.
        assert np.abs(vertices - exact).max() < 5e-3
        assert np.abs(vertices - exact).mean() < 2e-5


def test_gaps_have_no_keys(file):
    counts = {file.accessors[sampler.input].count for sampler in file.animations[0].samplers}
    assert counts == {FRAMES, FRAMES - (GAP[1] - GAP[0])}


def test_it_follows_the_rules_that_readers_rely_on(file):
    for view in file.bufferViews:
        assert view.byteOffset % 4 == 0 and view.byteOffset + view.byteLength <= len(file.binary_blob())
    for mesh in file.meshes:
        positions = file.accessors[mesh.primitives[0].attributes.POSITION]
        values = numbers(file, mesh.primitives[0].attributes.POSITION)
        assert np.allclose(positions.min, values.min(0)) and np.allclose(positions.max, values.max(0))
        normals = numbers(file, mesh.primitives[0].attributes.NORMAL)
        assert np.abs(np.linalg.norm(normals, axis=1) - 1).max() < 1e-4
        assert numbers(file, mesh.primitives[0].indices).max() < len(values)
    for sampler in file.animations[0].samplers:
        time = file.accessors[sampler.input]
        assert time.min is not None and time.max is not None
        values = numbers(file, sampler.output)
        if values.shape[1] == 4:
            assert np.abs(np.linalg.norm(values, axis=1) - 1).max() < 1e-5
            assert ((values[1:] * values[:-1]).sum(1) > 0).all()


def test_trimesh_sees_closed_bodies_that_face_outwards(path):
    scene = trimesh.load(path)
    assert len(scene.geometry) == 2
    for mesh in scene.geometry.values():
        assert mesh.is_watertight and 0.03 < mesh.volume < 0.2
