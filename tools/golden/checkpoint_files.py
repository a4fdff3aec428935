"""Writes the SMPL-IK and Learnable SMPLify fixtures of SinewImportTests: checkpoints in the layouts of the released files, saved by PyTorch
from modules whose parameters carry the published names (all numbers random, small sizes), and what these modules compute.

Run:  PYTHONPATH=tools/train python tools/golden/checkpoint_files.py   (torch, numpy, omegaconf; the fixtures are committed)
"""
import collections
from pathlib import Path

import numpy as np
import torch
from omegaconf import OmegaConf
from torch import nn
from torch.nn import functional

from sinew_train.body import JointTable
from sinew_train.skeleton import PARENTS

OUT = Path(__file__).resolve().parents[2] / "Tests/SinewImportTests/Fixtures"
WIDTH, EMBEDDING = 9, 5


def norm(x, a, b):
    """Unbiased deviation, epsilon outside (models.md 5.2)."""
    return a * (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + 1e-6) + b


class Norm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.a_2, self.b_2 = nn.Parameter(torch.randn(size)), nn.Parameter(torch.randn(size))

    def forward(self, x):
        return norm(x, self.a_2, self.b_2)


class FCBlock(nn.Module):
    def __init__(self, inputs, outputs, has_norm):
        super().__init__()
        self.fc_layers = nn.ModuleList([nn.Linear(inputs, WIDTH), nn.Dropout(0.01), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)])
        self.forward_projection, self.backward_projection = nn.Linear(WIDTH, outputs), nn.Linear(inputs, WIDTH)
        if has_norm:
            self.norm = Norm(inputs)

    def forward(self, x):
        h = self.norm(x) if hasattr(self, "norm") else x
        for layer in self.fc_layers:
            h = layer(h) if isinstance(layer, nn.Dropout) else functional.leaky_relu(layer(h), 0.01)
        return torch.relu(h + self.backward_projection(x)), self.forward_projection(h)


class Stack(nn.Module):
    def __init__(self, inputs, outputs, has_norm):
        super().__init__()
        self.blocks = nn.ModuleList([FCBlock(WIDTH if i else inputs, outputs, has_norm) for i in range(3)])

    def forward(self, x):
        total = 0
        for block in self.blocks:
            x, forecast = block(x)
            total = total + forecast
        return total


class Embedding(nn.Module):
    def __init__(self):
        super().__init__()
        self.projection = nn.Linear(65, EMBEDDING)

    def forward(self, index):
        return self.projection(functional.one_hot(index, 65).to(self.projection.weight.dtype))


class Network(nn.Module):
    """models.md 5.3 and 5.4 for one person."""

    def __init__(self):
        super().__init__()
        self.embeddings = nn.ModuleList([Embedding(), Embedding()])
        self.encoder = Stack(18 + 2 * EMBEDDING, WIDTH, False)
        self.decoder_stage1, self.decoder_stage2 = Stack(WIDTH + 11, 72, True), Stack(72 + WIDTH + 11, 144, True)

    def forward(self, data, kind, joint, weight, shape):
        w = weight[:, None]
        x = torch.cat([data, shape.expand(len(data), -1), self.embeddings[0](joint), self.embeddings[1](kind)], 1)
        found = 0
        for index, block in enumerate(self.encoder.blocks):
            backcast, forecast = block(x)
            found = found + forecast
            pooled = (w * found).sum(0) / w.sum().clamp_min(1e-6)
            x = torch.relu(backcast - pooled / (index + 1))
        given = torch.cat([pooled, shape])
        positions = self.decoder_stage1(given)
        relative = (positions.view(24, 3) - positions.view(24, 3)[0]).flatten()
        return positions, self.decoder_stage2(torch.cat([relative, given]))


class Body(nn.Module):
    """SMPL's place in the checkpoint; only the names matter here."""

    def __init__(self):
        super().__init__()
        for name in ["v_template", "shapedirs", "posedirs", "J_regressor", "lbs_weights"]:
            self.register_buffer(name, torch.zeros(2))


class Counter(nn.Module):
    """The state of a metric."""

    def __init__(self):
        super().__init__()
        self.register_buffer("total", torch.tensor(3))


class Training(nn.Module):
    """What Lightning saves of a training."""

    def __init__(self):
        super().__init__()
        self.net = Network()
        self.smpl_male, self.smpl_female, self.smpl_neutral = Body(), Body(), Body()
        for name in ["rot", "fk", "lookat", "true_lookat"]:
            setattr(self, f"{name}_loss_scale", nn.Parameter(torch.tensor(-2.3)))
        self.mpjpe = Counter()


def rotation(vector):
    """Rodrigues' formula, `[..., 3]` to `[..., 3, 3]`."""
    angle = vector.norm(dim=-1)[..., None, None]
    k = torch.zeros(*vector.shape, 3, dtype=vector.dtype)
    k[..., 0, 1], k[..., 0, 2], k[..., 1, 2] = -vector[..., 2], vector[..., 1], -vector[..., 0]
    k = (k - k.transpose(-1, -2)) / angle
    return torch.eye(3, dtype=vector.dtype) + angle.sin() * k + (1 - angle.cos()) * k @ k


def from_rows(six):
    b1 = functional.normalize(six[..., :3], dim=-1)
    b2 = functional.normalize(six[..., 3:] - (b1 * six[..., 3:]).sum(-1, keepdim=True) * b1, dim=-1)
    return torch.stack([b1, b2, torch.linalg.cross(b1, b2)], -2)


def posed(local, rest, translation):
    """Joints and world rotations of one body in the world of `local`."""
    joints, world = [rest[0]], [local[0]]
    for joint in range(1, 24):
        above = PARENTS[joint]
        joints.append(joints[above] + world[above] @ (rest[joint] - rest[above]))
        world.append(world[above] @ local[joint])
    return torch.stack(joints) + translation, torch.stack(world)


def model_frame(v):
    """AMASS's world, z up, to y up."""
    return torch.stack([v[..., 0], v[..., 2], -v[..., 1]], -1)


def smpl_ik():
    training = Training()
    generator = torch.Generator().manual_seed(3)
    people = collections.defaultdict(list)
    network = Network().double().eval()
    network.load_state_dict(training.net.state_dict())
    for person, gender in enumerate(["male", "female", "neutral", "neutral"]):
        betas = 0.7 * torch.randn(10, generator=generator).double()
        rest = JointTable.load(gender=gender, dtype=torch.float64).rest(betas[None])[0, :24]
        local = rotation(0.5 * torch.randn(24, 3, generator=generator).double())
        joints, world = posed(local, rest, torch.randn(3, generator=generator).double())
        kinds = [0, 0, 0, 1, 2, 1, 2][: 3 + person + (person == 3)]
        kind, joint = torch.tensor(kinds), torch.randint(24, (len(kinds),), generator=generator)
        direction = functional.normalize(torch.randn(len(kinds), 3, generator=generator).double(), dim=-1)
        target = joints[joint] + 0.7 * (world[joint] @ direction[..., None])[..., 0]
        tolerance = 0.1 * torch.rand(len(kinds), generator=generator).double() * (kind != 2)
        weight = torch.ones(len(kinds)).double()
        weight[1] = 0.5
        reference = (weight[:, None] * joints[joint])[kind == 0].sum(0) / weight[kind == 0].sum()
        zeros = torch.zeros(len(kinds), 3).double()
        turned = world[joint]
        choose = kind[:, None]
        values = torch.where(choose == 0, torch.cat([joints[joint], zeros], 1), torch.where(
            choose == 1, turned[:, :2].flatten(1), torch.cat([target, direction], 1)))
        centred = values.clone()
        centred[kind != 1, :3] -= reference
        shape = torch.cat([betas, torch.tensor([["male", "female", "neutral"].index(gender)]).double()])
        positions, six = network(torch.cat([centred, tolerance[:, None]], 1), kind, joint, weight, shape)
        solved = from_rows(six.view(24, 6))
        found, _ = posed(solved, rest, reference + positions[:3])
        # What a caller with y up gives: places turned, world rotations turned from the left, directions left alone.
        upright = values.clone()
        upright[kind != 1, :3] = model_frame(values[kind != 1, :3])
        upright[kind == 1] = model_frame(turned.transpose(-1, -2)).transpose(-1, -2)[kind == 1][:, :2].flatten(1)
        for name, value in {
            "data": torch.cat([centred, tolerance[:, None]], 1), "kind": kind, "joint": joint, "weight": weight, "values": upright,
            "tolerance": tolerance, "counts": torch.tensor([len(kinds)]), "shape": shape[None], "positions": positions[None],
            "rotation6d": six[None], "joints": model_frame(found)[None], "rotations": torch.cat([
                model_frame(solved[0].T).T[None], solved[1:]])[None],
        }.items():
            people[name].append(value)
    dump = {name: torch.cat(values).detach() for name, values in people.items()}
    np.savez_compressed(OUT / "smpl_ik_dump.npz", **{
        k: (v.float() if v.is_floating_point() else v.to(torch.uint8)).numpy() for k, v in dump.items()})
    parameters = [training.net.embeddings[0].projection.bias]
    optimiser = torch.optim.Adam(parameters, lr=2e-4)
    parameters[0].grad = torch.zeros_like(parameters[0])
    optimiser.step()
    torch.save({
        "epoch": 13, "global_step": 24648, "pytorch-lightning_version": "1.2.8", "state_dict": training.state_dict(),
        "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.058), "best_model_path": "epoch=13.ckpt"}},
        "optimizer_states": [optimiser.state_dict()], "lr_schedulers": [], "hparams_name": "kwargs",
        "hyper_parameters": {"model": OmegaConf.create({"width": WIDTH, "layer_norm": True, "stages": [3, 3], "dropout": 0.01})},
    }, OUT / "smpl_ik.ckpt")


def protores():
    """A network for one skeleton of its own: the blocks of all stacks in one list."""
    state = {f"net.model.{block}.{name}": torch.zeros(2) for block in range(9) for name in ("fc_layers.0.weight", "fc_layers.0.bias")}
    torch.save({"state_dict": state}, OUT / "protores.ckpt")


EDGES = [
    (1, 2), (2, 21), (3, 21), (4, 3), (5, 21), (6, 5), (7, 6), (8, 7), (9, 21), (10, 9), (11, 10), (12, 11), (13, 1), (14, 13), (15, 14),
    (16, 15), (17, 1), (18, 17), (19, 18), (20, 19), (22, 23), (23, 8), (24, 25), (25, 12)]


def adjacency():
    table = torch.zeros(3, 25, 25, dtype=torch.float64)
    table[0] = torch.eye(25)
    for i, j in EDGES:
        table[1, j - 1, i - 1] = table[2, i - 1, j - 1] = 1
    table /= table.sum(1, keepdim=True).clamp_min(1)
    assert table[1].sum() == 24 and abs(table[2].sum() - 20) < 1e-9
    return table


class GraphConvolution(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.mask = nn.Parameter(0.6 + 0.8 * torch.rand(3, 25, 25))
        self.conv_list = nn.ModuleList([nn.Conv2d(inputs, outputs, 1) for _ in range(3)])
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return torch.relu(self.bn(sum(conv(x @ (a * m)) for conv, a, m in zip(self.conv_list, adjacency(), self.mask))))


class TimeConvolution(nn.Module):
    def __init__(self, inputs, outputs, taps=9, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, (taps, 1), (stride, 1), (taps // 2, 0))
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return torch.relu(self.bn(self.conv(x)))


class GraphBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.gcn1, self.tcn1 = GraphConvolution(inputs, outputs), TimeConvolution(outputs, outputs, stride=stride)
        if stride == 2:
            self.down1 = TimeConvolution(inputs, outputs, 1, stride)

    def forward(self, x):
        return self.tcn1(self.gcn1(x)) + (self.down1(x) if hasattr(self, "down1") else x)


class Backbone(nn.Module):
    def __init__(self, blocks):
        super().__init__()
        self.data_bn = nn.BatchNorm1d(75)
        self.gcn0, self.tcn0 = GraphConvolution(3, blocks[0][0]), TimeConvolution(blocks[0][0], blocks[0][0])
        self.backbone = nn.ModuleList([GraphBlock(*block) for block in blocks])

    def forward(self, x):  # N C T V
        n, _, t, _ = x.shape
        x = self.data_bn(x.permute(0, 3, 1, 2).reshape(n, 75, t)).view(n, 25, 3, t).permute(0, 2, 3, 1)
        x = self.tcn0(self.gcn0(x))
        for block in self.backbone:
            x = block(x)
        return x.mean((2, 3))


class PerJoint(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(22, outputs, inputs) / 2), nn.Parameter(torch.randn(22, outputs))

    def forward(self, x):
        return (self.weight @ x[..., None])[..., 0] + self.bias


class Regressor(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layers = nn.ModuleList([nn.ModuleList([PerJoint(width, width)]), PerJoint(width, 6)])

    def forward(self, x):
        return self.layers[1](torch.relu(self.layers[0][0](x)))


class LearnableSMPLify(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = Backbone([(4, 4, 1), (4, 6, 2), (6, 6, 1), (6, 8, 2)])
        self.linear = nn.Sequential(nn.Linear(8 + 79, 7), nn.ReLU(), nn.Linear(7, 22 * 3))
        self.regressor = Regressor(3)
        self.register_buffer("openpose_regressor", torch.zeros(25, 40))

    def forward(self, graph, body):
        return self.regressor(self.linear(torch.cat([self.backbone(graph), body], 1)).view(-1, 22, 3))


def learnable_smplify():
    module = LearnableSMPLify()
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if name.endswith("running_var"):
                value.uniform_(0.5, 1.5)
            elif ".bn." in name or "data_bn" in name or name.endswith("running_mean"):
                value.copy_(torch.randn(value.shape) * 0.3 + (1 if name.endswith("weight") else 0))
    optimiser = torch.optim.AdamW(module.linear[0].parameters(), lr=1e-4, weight_decay=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 100, 1e-6)
    torch.save({"model": module.state_dict(), "epochs": 100, "optimizer": optimiser.state_dict(), "scheduler": scheduler.state_dict()},
               OUT / "learnable_smplify.pth.tar")
    module = module.double().eval()
    graph, body = torch.randn(3, 25, 2, 3).double(), torch.randn(3, 79).double()
    found = module(graph.permute(0, 3, 2, 1), body)
    np.savez_compressed(OUT / "learnable_smplify_dump.npz", graph=graph.float().numpy(), body=body.float().numpy(),
                        rotation6d=found.detach().flatten(1).float().numpy())


if __name__ == "__main__":
    torch.manual_seed(12)
    smpl_ik()
    protores()
    learnable_smplify()
