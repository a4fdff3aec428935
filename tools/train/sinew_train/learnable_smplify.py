"""Learnable SMPLify (models.md 7): a graph network that turns a start pose and target keypoints into residual rotations.

The published network pools the joints away, knows no noise and no missing keypoint. Ours keeps every joint's features (`flatten`), gets each bone
in the start pose's own frame and the confidence of each keypoint, and predicts all 24 joints. `Layout` says which; both are the same code.
"""

from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from .body import forward_kinematics, rest_offsets
from .conditioning import SIGMA_MAX, Observations
from .rotations import swing_between
from .skeleton import CHILDREN, JOINT_COUNT, PARENTS, ROTATION_COUNT

CONFIDENCE_SCALE = 0.02
"""Metres: the deviation at which a keypoint counts half."""

FEATURES = {"position": 3, "position-bone-confidence": 7}
"""Channels per keypoint and frame."""

NTU_EDGES = [
    (1, 2), (2, 21), (3, 21), (4, 3), (5, 21), (6, 5), (7, 6), (8, 7), (9, 21), (10, 9), (11, 10), (12, 11), (13, 1), (14, 13), (15, 14),
    (16, 15), (17, 1), (18, 17), (19, 18), (20, 19), (22, 23), (23, 8), (24, 25), (25, 12),
]
"""The published graph, counted from 1: NTU RGB+D's, although the keypoints are BODY-25's."""

BODY25_JOINTS = [15, 12, 17, 19, 21, 16, 18, 20, 0, 2, 5, 8, 1, 4, 7, 15, 15, 15, 15, 27, 7, 7, 28, 8, 8]
"""The joint of the 29 that stands for each BODY-25 keypoint, for bodies without that regressor, or that carries it (`BODY25_OFFSETS`)."""

_LEFT_OFFSETS = {0: (0.0, 0.004, 0.117), 16: (0.031, 0.04, 0.088), 18: (0.08, 0.035, -0.01), 20: (0.04, -0.057, 0.15), 21: (0.002, -0.04, -0.05)}
_MIRRORED = {15: 16, 17: 18, 23: 20, 24: 21}
BODY25_OFFSETS = [
    list(_LEFT_OFFSETS[k]) if k in _LEFT_OFFSETS else [-_LEFT_OFFSETS[_MIRRORED[k]][0], *_LEFT_OFFSETS[_MIRRORED[k]][1:]] if k in _MIRRORED
    else [0.0, 0.0, 0.0] for k in range(25)]
"""Nose, eyes and ears from the head joint, small toes and heels from the ankles, metres at rest: measured on the open body."""


@dataclass
class Layout:
    """Everything about a network that its tensors do not say."""

    features: str = "position-bone-confidence"
    keypoints: list[int] = field(default_factory=lambda: list(range(JOINT_COUNT)))
    edges: list[tuple[int, int]] = field(default_factory=lambda: [(j, PARENTS[j]) for j in range(1, JOINT_COUNT)])
    frame: list[int] = field(default_factory=lambda: [0, 1, 2, 12])
    """Keypoints that span the human-centric frame: origin, left hip, right hip, neck."""
    channels: int = 32
    blocks: list[tuple[int, int, int]] = field(default_factory=lambda: [(32, 64, 2), (64, 64, 1), (64, 64, 1)])
    """Inputs, outputs and temporal stride of each block."""
    temporal_kernel: int = 3
    pooling: str = "flatten"
    hidden: int = 192
    joint_width: int = 32
    rotations: int = ROTATION_COUNT
    offsets: list[list[float]] = field(default_factory=list)
    """Per keypoint how far it is from its joint, in the joint's frame; empty where all keypoints are joints."""

    @staticmethod
    def published() -> "Layout":
        """The released checkpoint's."""
        blocks = [(64, 64, 1)] * 3 + [(64, 128, 2)] + [(128, 128, 1)] * 2 + [(128, 256, 2)] + [(256, 256, 1)] * 2
        return Layout(
            "position", list(BODY25_JOINTS), [(a - 1, b - 1) for a, b in NTU_EDGES], [8, 12, 9, 1], 64, blocks, 9, "mean", 256, 256, 22,
            list(BODY25_OFFSETS))

    @property
    def feature_width(self) -> int:
        return self.blocks[-1][1] * (len(self.keypoints) if self.pooling == "flatten" else 1)

    def graph_json(self) -> dict:
        """The `graph` object of `model.json`."""
        found = asdict(self)
        del found["hidden"]
        if not self.offsets:
            del found["offsets"]
        return found

    @staticmethod
    def of(described: dict) -> "Layout":
        """From `model.json`."""
        return Layout(hidden=described["dims"]["hidden"], **described["graph"])


def adjacency(count: int, edges: list[tuple[int, int]]) -> Tensor:
    """`[3, V, V]`: itself, inward and outward, each column divided by its sum. `X . A` sums over the rows."""
    table = torch.zeros(3, count, count)
    table[0] = torch.eye(count)
    for i, j in edges:
        table[1, j, i] = 1
        table[2, i, j] = 1
    return table / table.sum(1, keepdim=True).clamp_min(1)


def axis_angle(rotations: Tensor) -> Tensor:
    """Rotation vectors `[..., 3]` of matrices, through quaternions."""
    r = rotations
    trace = r.diagonal(dim1=-2, dim2=-1).sum(-1)
    d = r.diagonal(dim1=-2, dim2=-1)
    q = torch.stack([1 + trace, 1 + 2 * d[..., 0] - trace, 1 + 2 * d[..., 1] - trace, 1 + 2 * d[..., 2] - trace], -1)
    s = torch.stack([r[..., 2, 1] - r[..., 1, 2], r[..., 0, 2] - r[..., 2, 0], r[..., 1, 0] - r[..., 0, 1]], -1)
    p = torch.stack([r[..., 0, 1] + r[..., 1, 0], r[..., 0, 2] + r[..., 2, 0], r[..., 1, 2] + r[..., 2, 1]], -1)
    rows = torch.stack([
        torch.stack([q[..., 0], s[..., 0], s[..., 1], s[..., 2]], -1), torch.stack([s[..., 0], q[..., 1], p[..., 0], p[..., 1]], -1),
        torch.stack([s[..., 1], p[..., 0], q[..., 2], p[..., 2]], -1), torch.stack([s[..., 2], p[..., 1], p[..., 2], q[..., 3]], -1)], -2)
    best = q.argmax(-1)[..., None, None].expand(*q.shape[:-1], 1, 4)
    quaternion = functional.normalize(rows.gather(-2, best)[..., 0, :], dim=-1)
    quaternion = torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    sine = quaternion[..., 1:].norm(dim=-1, keepdim=True)
    angle = 2 * torch.atan2(sine, quaternion[..., :1])
    return quaternion[..., 1:] * torch.where(sine > 1e-7, angle / sine.clamp_min(1e-12), torch.full_like(angle, 2.0))


def from_interleaved6d(d6: Tensor) -> Tensor:
    """`[..., 6]`, the row-major 3x2 matrix of the first two columns, to `[..., 3, 3]` by Gram-Schmidt."""
    a = d6.unflatten(-1, (3, 2))
    b1 = functional.normalize(a[..., 0], dim=-1)
    b2 = functional.normalize(a[..., 1] - (b1 * a[..., 1]).sum(-1, keepdim=True) * b1, dim=-1)
    return torch.stack([b1, b2, torch.linalg.cross(b1, b2)], -1)


@dataclass
class Inputs:
    """`graph` `[B, 2, V, C]` (start, target), `body` `[B, 79]`: rotation vectors of joints 1...23 and the betas."""

    graph: Tensor
    body: Tensor


def human_frame(keypoints: Tensor, frame: list[int]) -> Tensor:
    """The start pose's frame, columns x, y, z `[B, 3, 3]`. Left-handed, as published: x = z times y."""

    def unit(v: Tensor) -> Tensor:
        return v / (v.norm(dim=-1, keepdim=True) + 1e-8)

    origin, left, right, top = (keypoints[:, index] for index in frame)
    y = unit(left - right)
    up = unit(top - origin)
    z = unit(up - (up * y).sum(-1, keepdim=True) * y)
    x = unit(torch.linalg.cross(z, y))
    return torch.stack([x, y, z], -1)


def confidences(seen: Observations) -> Tensor:
    """1 for an exact keypoint, 1/2 at 20 mm, 0 for a missing one. `[B, 29]`."""
    sigma = seen.sigma.clamp(0, SIGMA_MAX)
    return torch.where(seen.observed, CONFIDENCE_SCALE / (CONFIDENCE_SCALE + sigma), torch.zeros_like(sigma))


def inputs(layout: Layout, start: Tensor, betas: Tensor, rest: Tensor, seen: Observations) -> Inputs:
    """What the network is given. `start` `[B, 24, 3, 3]`.

    The target is laid over the start pose by the confidence-weighted mean of their differences, so no translation has to be known. A missing
    keypoint stands where the start pose has it.
    """
    if layout.rotations < ROTATION_COUNT:
        start = with_identity(start, layout.rotations)
    posed, globals_ = forward_kinematics(start, rest)
    confidence = confidences(seen)
    weight = (confidence * confidence)[..., None]
    shift = (weight * (seen.joints - posed)).sum(1, keepdim=True) / weight.sum(1, keepdim=True).clamp_min(1e-12)
    target = torch.where(seen.observed[..., None], seen.joints - shift, posed)
    keypoints = torch.stack([posed[:, layout.keypoints], target[:, layout.keypoints]], 1)
    if layout.offsets:
        keypoints = keypoints + carried(layout, posed, globals_, target)
    axes = human_frame(keypoints[:, 0], layout.frame)
    channels = [(keypoints - keypoints[:, :1, layout.frame[0], None]) @ axes[:, None]]
    if layout.features == "position-bone-confidence":
        parents = [max(parent, 0) for parent in PARENTS]
        bones = globals_[:, parents].transpose(-1, -2) @ (target - target[:, parents])[..., None]
        both = torch.stack([rest_offsets(rest), bones[..., 0]], 1)
        sure = torch.stack([torch.ones_like(confidence), confidence], 1)[..., None]
        channels += [both[:, :, layout.keypoints], sure[:, :, layout.keypoints]]
    body = torch.cat([axis_angle(start[:, 1:]).flatten(1), betas], 1)
    return Inputs(torch.cat(channels, -1), body)


def carried(layout: Layout, posed: Tensor, globals_: Tensor, target: Tensor) -> Tensor:
    """What lies between joints and keypoints, `[B, 2, V, 3]`: turned with the joint in the start pose, and in the target as the shortest turn of the
    joint's bone from start to target turns it further."""
    out = posed.new_zeros(len(posed), 2, len(layout.keypoints), 3)
    for slot, (joint, offset) in enumerate(zip(layout.keypoints, layout.offsets)):
        if any(offset):
            bone = [both[:, CHILDREN[joint]] - both[:, joint] for both in (posed, target)]
            start = globals_[:, joint] @ posed.new_tensor(offset)
            out[:, 0, slot] = start
            out[:, 1, slot] = (swing_between(*bone) @ start[..., None])[..., 0]
    return out


def with_identity(rotations: Tensor, count: int) -> Tensor:
    """Joints from `count` on at rest."""
    eye = torch.eye(3, dtype=rotations.dtype, device=rotations.device).expand(len(rotations), rotations.shape[1] - count, 3, 3)
    return torch.cat([rotations[:, :count], eye], 1)


class Normalised(nn.Module):
    """BatchNorm over the last axis."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x.flatten(0, -2)).view_as(x)

    def tensors(self, name: str) -> dict[str, Tensor]:
        return {f"{name}.{k}": v for k, v in self.norm.state_dict().items() if k != "num_batches_tracked"}


class GraphUnit(nn.Module):
    """`sum_k W_k (X A_k)`, BatchNorm, ReLU on `[B, T, V, C]`."""

    def __init__(self, channels: int, out: int, table: Tensor):
        super().__init__()
        self.register_buffer("table", table, persistent=False)
        self.mask = nn.Parameter(torch.ones_like(table))
        self.weight = nn.Parameter(torch.randn(3, out, channels) * (2 / (3 * channels)) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(out))
        self.norm = Normalised(out)

    def forward(self, x: Tensor) -> Tensor:
        count = x.shape[2]
        mixed = (self.table * self.mask).transpose(1, 2).reshape(3 * count, count) @ x
        mixed = mixed.unflatten(2, (3, count)).transpose(2, 3).flatten(3)
        y = functional.linear(mixed, self.weight.transpose(0, 1).flatten(1), self.bias)
        return functional.relu(self.norm(y))

    def tensors(self, name: str) -> dict[str, Tensor]:
        out = {f"{name}.mask": self.mask} | self.norm.tensors(f"{name}.bn")
        for k in range(3):
            out[f"{name}.conv_list.{k}.weight"] = self.weight[k, :, :, None, None]
            out[f"{name}.conv_list.{k}.bias"] = self.bias if k == 0 else torch.zeros_like(self.bias)
        return out


class TemporalUnit(nn.Module):
    """The convolution over at most two frames: only the taps that meet a frame. `[B, T, V, C]` to `[B, T', V, C']`."""

    def __init__(self, channels: int, out: int, frames: int, stride: int):
        super().__init__()
        self.frames, self.stride = frames, stride
        used = 1 if frames == 1 else 2 if stride == 2 else 3
        self.weight = nn.Parameter(torch.randn(used, out, channels) * (2 / (min(used, 2) * channels)) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(out))
        self.norm = Normalised(out)

    def forward(self, x: Tensor) -> Tensor:
        w = self.weight
        if self.frames == 1:
            y = functional.linear(x, w[0], self.bias)
        elif self.stride == 2:
            y = functional.linear(torch.cat([x[:, 0], x[:, 1]], -1), torch.cat([w[0], w[1]], 1), self.bias)[:, None]
        else:
            pair = torch.cat([x[:, 0], x[:, 1]], -1)
            whole = torch.cat([torch.cat([w[1], w[2]], 1), torch.cat([w[0], w[1]], 1)], 0)
            y = functional.linear(pair, whole, self.bias.repeat(2)).unflatten(-1, (2, -1)).permute(0, 2, 1, 3)
        return functional.relu(self.norm(y))

    def tensors(self, name: str, kernel: int) -> dict[str, Tensor]:
        """The taps in the middle of a kernel of odd length, the others zero."""
        middle = kernel // 2
        first = middle - 1 if len(self.weight) == 3 else middle
        whole = torch.zeros(*self.weight.shape[1:], kernel, 1)
        whole[..., first : first + len(self.weight), 0] = self.weight.permute(1, 2, 0).cpu()
        return {f"{name}.conv.weight": whole, f"{name}.conv.bias": self.bias} | self.norm.tensors(f"{name}.bn")


class Block(nn.Module):
    """Graph unit, temporal unit, and the way around them."""

    def __init__(self, channels: int, out: int, stride: int, frames: int, table: Tensor):
        super().__init__()
        self.stride = stride
        self.graph = GraphUnit(channels, out, table)
        self.time = TemporalUnit(out, out, frames, stride)
        self.down = None
        if channels != out or stride != 1:
            self.down = nn.Linear(channels, out)
            self.down_norm = Normalised(out)

    def forward(self, x: Tensor) -> Tensor:
        around = x
        if self.down is not None:
            around = functional.relu(self.down_norm(self.down(x[:, :: self.stride])))
        return self.time(self.graph(x)) + around

    def tensors(self, name: str, kernel: int) -> dict[str, Tensor]:
        out = self.graph.tensors(f"{name}.gcn1") | self.time.tensors(f"{name}.tcn1", kernel)
        if self.down is not None:
            out |= {f"{name}.down1.conv.weight": self.down.weight[..., None, None], f"{name}.down1.conv.bias": self.down.bias}
            out |= self.down_norm.tensors(f"{name}.down1.bn")
        return out


class LearnableSMPLify(nn.Module):
    """The network in the form that is trained: two frames, taps that only meet padding left out."""

    architecture = "learnable-smplify"

    def __init__(self, layout: Layout):
        super().__init__()
        self.layout = layout
        count, width = len(layout.keypoints), FEATURES[layout.features]
        table = adjacency(count, layout.edges)
        self.data_norm = nn.BatchNorm1d(count * width)
        self.graph = GraphUnit(width, layout.channels, table)
        self.time = TemporalUnit(layout.channels, layout.channels, 2, 1)
        frames, blocks = 2, []
        for channels, out, stride in layout.blocks:
            blocks.append(Block(channels, out, stride, frames, table))
            frames = 1 if stride == 2 else frames
        self.blocks = nn.ModuleList(blocks)
        self.first = nn.Linear(layout.feature_width + 79, layout.hidden)
        self.second = nn.Linear(layout.hidden, layout.rotations * layout.joint_width)
        bound = layout.joint_width**-0.5
        self.joint_weight = nn.Parameter(torch.empty(layout.rotations, layout.joint_width, layout.joint_width).uniform_(-bound, bound))
        self.joint_bias = nn.Parameter(torch.zeros(layout.rotations, layout.joint_width))
        # No residual at first: Gram-Schmidt of values near zero has huge gradients.
        self.last_weight = nn.Parameter(torch.zeros(layout.rotations, 6, layout.joint_width))
        self.last_bias = nn.Parameter(torch.tensor([1.0, 0, 0, 1, 0, 0]).repeat(layout.rotations, 1))

    def forward(self, given: Inputs) -> Tensor:
        """Residual rotations as interleaved 6D, `[B, rotations, 6]`."""
        x = given.graph
        x = self.data_norm(x.flatten(2).transpose(1, 2)).transpose(1, 2).view_as(x)
        x = self.time(self.graph(x))
        for block in self.blocks:
            x = block(x)
        x = x.mean(1)  # over frames that are left
        feature = x.mean(1) if self.layout.pooling == "mean" else x.flatten(1)
        h = functional.relu(self.first(torch.cat([feature, given.body], 1)))
        h = self.second(h).unflatten(1, (self.layout.rotations, self.layout.joint_width))
        h = functional.relu(torch.einsum("jdc,bjc->bjd", self.joint_weight, h) + self.joint_bias)
        return torch.einsum("jdc,bjc->bjd", self.last_weight, h) + self.last_bias

    def tensors(self) -> dict[str, Tensor]:
        """The published names."""
        kernel = self.layout.temporal_kernel
        out = {f"backbone.data_bn.{k}": v for k, v in self.data_norm.state_dict().items() if k != "num_batches_tracked"}
        out |= self.graph.tensors("backbone.gcn0") | self.time.tensors("backbone.tcn0", kernel)
        for index, block in enumerate(self.blocks):
            out |= block.tensors(f"backbone.backbone.{index}", kernel)
        for index, layer in ((0, self.first), (2, self.second)):
            out |= {f"linear.{index}.weight": layer.weight, f"linear.{index}.bias": layer.bias}
        out |= {
            "regressor.layers.0.0.weight": self.joint_weight, "regressor.layers.0.0.bias": self.joint_bias,
            "regressor.layers.1.weight": self.last_weight, "regressor.layers.1.bias": self.last_bias,
        }
        return {key: value.detach().cpu().clone() for key, value in out.items()}


class DenseLearnableSMPLify:
    """The network run from named tensors exactly as published, every tap and both frames: the reference of the Swift tests."""

    def __init__(self, layout: Layout, tensors: dict[str, Tensor]):
        self.layout, self.tensors = layout, tensors
        kind = next(iter(tensors.values()))
        self.table = adjacency(len(layout.keypoints), layout.edges).to(kind)

    def _norm(self, x: Tensor, name: str) -> Tensor:
        t = self.tensors
        return functional.batch_norm(x, t[f"{name}.running_mean"], t[f"{name}.running_var"], t[f"{name}.weight"], t[f"{name}.bias"])

    def _conv(self, x: Tensor, name: str, stride: int = 1, padding: int = 0) -> Tensor:
        return functional.conv2d(x, self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"], (stride, 1), (padding, 0))

    def _graph(self, x: Tensor, name: str) -> Tensor:
        mask = self.tensors[f"{name}.mask"]
        y = sum(self._conv(x @ (self.table[k] * mask[k]), f"{name}.conv_list.{k}") for k in range(3))
        return functional.relu(self._norm(y, f"{name}.bn"))

    def _time(self, x: Tensor, name: str, stride: int) -> Tensor:
        y = self._conv(x, f"{name}.conv", stride, self.layout.temporal_kernel // 2)
        return functional.relu(self._norm(y, f"{name}.bn"))

    def __call__(self, given: Inputs) -> Tensor:
        """Residual rotations as interleaved 6D, `[B, rotations, 6]`."""
        x = given.graph  # N T V C
        count, frames = len(x), x.shape[1]
        x = self._norm(x.permute(0, 2, 3, 1).reshape(count, -1, frames), "backbone.data_bn")
        x = x.view(count, len(self.layout.keypoints), -1, frames).permute(0, 2, 3, 1)  # N C T V
        x = self._time(self._graph(x, "backbone.gcn0"), "backbone.tcn0", 1)
        for index, (channels, out, stride) in enumerate(self.layout.blocks):
            name = f"backbone.backbone.{index}"
            around = x
            if channels != out or stride != 1:
                around = functional.relu(self._norm(self._conv(x, f"{name}.down1.conv", stride), f"{name}.down1.bn"))
            x = self._time(self._graph(x, f"{name}.gcn1"), f"{name}.tcn1", stride) + around
        x = x.mean(2)
        feature = x.mean(2) if self.layout.pooling == "mean" else x.transpose(1, 2).flatten(1)
        t = self.tensors
        h = functional.relu(functional.linear(torch.cat([feature, given.body], 1), t["linear.0.weight"], t["linear.0.bias"]))
        h = functional.linear(h, t["linear.2.weight"], t["linear.2.bias"]).unflatten(1, (self.layout.rotations, self.layout.joint_width))
        h = functional.relu((t["regressor.layers.0.0.weight"] @ h[..., None])[..., 0] + t["regressor.layers.0.0.bias"])
        return (t["regressor.layers.1.weight"] @ h[..., None])[..., 0] + t["regressor.layers.1.bias"]


def step(model, layout: Layout, start: Tensor, betas: Tensor, rest: Tensor, seen: Observations) -> Tensor:
    """One pass: local rotations `[B, 24, 3, 3]` nearer to the target."""
    turned = from_interleaved6d(model(inputs(layout, start, betas, rest, seen)))
    return with_identity(torch.cat([start[:, : layout.rotations] @ turned, start[:, layout.rotations :]], 1), layout.rotations)
