"""The twist-and-swing network of NIKI as an ONNX graph, from the same weights.safetensors that our models load.

The graph is the packed form of models.md 3.8, written to suit ONNX Runtime: even and odd halves come in and go out apart, masked
columns and rows are left out, the first coupling skips the padding, bias and LeakyReLU follow a Gemm with constant weights (so that
both are fused and the weights are packed once), and the shape is fixed. `merged` computes the first layers of the two nets of a
coupling as one Gemm. Conditioning and pose finishing are no part of it.
"""

import json
from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

OBSERVATION, PADDING, ROTATION, PHI, BETAS = 116, 60, 144, 46, 10


def read_safetensors(path):
    """All float32 tensors of a file, by name."""
    data = Path(path).read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        if entry["dtype"] != "F32":
            raise SystemExit(f"{path}: tensor {name} is {entry['dtype']}; export the model with F32 weights")
        start, end = (8 + size + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[start:end], "<f4").reshape(entry["shape"])
    return tensors


class Graph:
    """Nodes and constants with names of their own."""

    def __init__(self):
        self.nodes, self.constants, self.count = [], [], 0

    def constant(self, array):
        self.count += 1
        name = f"w{self.count}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, kind, *inputs, outputs=1, **attributes):
        names = []
        for _ in range(outputs):
            self.count += 1
            names.append(f"x{self.count}")
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def linear(self, x, weight, bias):
        """`x · weightᵀ + bias` with the weights transposed beforehand, which is how ONNX Runtime packs them."""
        return self.node("Gemm", x, self.constant(weight.T), self.constant(bias))

    def leaky(self, x):
        return self.node("LeakyRelu", x, alpha=0.01)

    def columns(self, x, start, end):
        bounds = [self.constant(np.array([value], np.int64)) for value in (start, end, 1)]
        return self.node("Slice", x, *bounds)


def coupling(graph, tensors, prefixes, slots, index, kept, updated, dimension, columns, gate, betas, merged):
    """One coupling: `updated · exp(tanh(s(kept))) + t(kept)`. `columns`: how many values of the kept half are known."""
    scale, translation = ([(tensors[f"{p}.{s}.weight"], tensors[f"{p}.{s}.bias"]) for s in slots] for p in prefixes)
    inputs = list(range(1 - index % 2, dimension, 2))[:columns]
    outputs = list(range(index % 2, dimension, 2))

    def first(net):
        weight, bias = net[0]
        parts = [weight[:, inputs]]
        if gate != 0:
            parts.append(weight[:, dimension : dimension + BETAS] * gate)
        return np.concatenate(parts, axis=1), bias

    if gate != 0:
        kept = graph.node("Concat", kept, betas, axis=1)
    if merged:
        (ws, bs), (wt, bt) = first(scale), first(translation)
        both = graph.leaky(graph.linear(kept, np.concatenate([ws, wt]), np.concatenate([bs, bt])))
        hidden = graph.node("Split", both, outputs=2, axis=1, num_outputs=2)
    else:
        hidden = [graph.leaky(graph.linear(kept, *first(net))) for net in (scale, translation)]
    ends = []
    for net, x in zip((scale, translation), hidden):
        x = graph.leaky(graph.linear(x, *net[1]))
        ends.append(graph.linear(x, net[2][0][outputs], net[2][1][outputs]))
    s = graph.node("Exp", graph.node("Tanh", ends[0]))
    return graph.node("Add", graph.node("Mul", updated, s), ends[1])


def build(tensors, count, merged):
    """The serialised graph for batches of exactly `count`.

    Inputs: `even` and `odd` [count, 88] halves of the padded observation, `odd_known` [count, 58], `phi_even` and `phi_odd` [count, 23],
    `betas` [count, 10] where a shape gate is open. Outputs: `even` and `odd` halves of rotations and stage B's code [count, 95], and
    `code_even`, `code_odd` [count, 16] of stage A.
    """
    graph = Graph()
    gates = tensors["flow_j2s.shape_masks"]
    couplings = len(gates)
    even, odd = "even", "odd"
    dimension = OBSERVATION + PADDING
    known = OBSERVATION // 2
    for index in range(couplings):
        updates_even = index % 2 == 0
        kept, updated = (odd, even) if updates_even else (even, odd)
        # A first coupling that sees the betas reads the whole half, as ours does.
        skips = index == 0 and gates[0] == 0
        new = coupling(
            graph, tensors, [f"flow_j2s.jts_net{n}.{index}.encoder" for n in "st"], [0, 3, 6], index,
            "odd_known" if skips else kept, updated, dimension, known if skips else dimension // 2, float(gates[index]),
            "betas", merged)
        even, odd = (new, odd) if updates_even else (even, new)
    half = ROTATION // 2
    codes = [graph.columns(x, half, dimension // 2) for x in (even, odd)]
    even = graph.node("Concat", graph.columns(even, 0, half), "phi_even", axis=1)
    odd = graph.node("Concat", graph.columns(odd, 0, half), "phi_odd", axis=1)
    dimension = ROTATION + PHI
    for index in range(couplings):
        updates_even = index % 2 == 0
        kept, updated = (odd, even) if updates_even else (even, odd)
        new = coupling(
            graph, tensors, [f"flow_s2r.{n}.{index}" for n in "st"], [0, 3, 6], index, kept, updated, dimension,
            dimension // 2, 0.0, "", merged)
        even, odd = (new, odd) if updates_even else (even, new)
    for source, name in zip((even, odd, *codes), ("even_out", "odd_out", "code_even", "code_odd")):
        graph.nodes.append(helper.make_node("Identity", [source], [name]))

    def value(name, width):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [count, width])

    takes = [value("even", 88), value("odd", 88), value("phi_even", PHI // 2), value("phi_odd", PHI // 2)]
    takes += [value("odd_known", known)] if gates[0] == 0 else []
    takes += [value("betas", BETAS)] if np.any(gates != 0) else []
    gives = [value("even_out", 95), value("odd_out", 95), value("code_even", 16), value("code_odd", 16)]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "niki_twist_and_swing", takes, gives, graph.constants),
        opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    checker.check_model(model)
    return model.SerializeToString()


def build_published(tensors, count):
    """The serialised graph as the network is published: whole vectors, masks multiplied in, nets of the full width.

    This is what exporting the published network as it stands gives. Inputs: `vector` [count, 176], `phi` [count, 46], `betas` [count, 10];
    outputs: `rotation` and stage B's code as one [count, 190], `code` [count, 32].
    """
    graph = Graph()
    one = graph.constant(np.float32(1))

    def flow(x, masks, nets, gates):
        for index, mask in enumerate(masks):
            kept_mask = graph.constant(mask[None, :])
            updated_mask = graph.node("Sub", one, kept_mask)
            kept = graph.node("Mul", x, kept_mask)
            seen = kept
            if gates is not None:
                seen = graph.node("Concat", kept, graph.node("Mul", "betas", graph.constant(gates[index])), axis=1)
            ends = []
            for prefix in nets:
                value = seen
                for slot in (0, 3, 6):
                    name = f"{prefix.format(index)}.{slot}"
                    value = graph.linear(value, tensors[f"{name}.weight"], tensors[f"{name}.bias"])
                    value = graph.leaky(value) if slot < 6 else value
                ends.append(value)
            s = graph.node("Mul", graph.node("Tanh", ends[0]), updated_mask)
            t = graph.node("Mul", ends[1], updated_mask)
            moved = graph.node("Add", graph.node("Mul", x, graph.node("Exp", s)), t)
            x = graph.node("Add", kept, graph.node("Mul", updated_mask, moved))
        return x

    first = flow(
        "vector", tensors["flow_j2s.jts_masks"], ["flow_j2s.jts_nets.{}.encoder", "flow_j2s.jts_nett.{}.encoder"],
        tensors["flow_j2s.shape_masks"])
    both = graph.node("Concat", graph.columns(first, 0, ROTATION), "phi", axis=1)
    second = flow(both, tensors["flow_s2r.mask"], ["flow_s2r.s.{}", "flow_s2r.t.{}"], None)
    graph.nodes.append(helper.make_node("Identity", [second], ["rotation"]))
    graph.nodes.append(helper.make_node("Identity", [graph.columns(first, ROTATION, OBSERVATION + PADDING)], ["code"]))

    def value(name, width):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [count, width])

    takes = [value("vector", OBSERVATION + PADDING), value("phi", PHI), value("betas", BETAS)]
    gives = [value("rotation", ROTATION + PHI), value("code", OBSERVATION + PADDING - ROTATION)]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "niki_as_published", takes, gives, graph.constants),
        opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    checker.check_model(model)
    return model.SerializeToString()


def results(outputs):
    """Rotations [count, 144] and error codes [count, 78] from what either graph gives, in its order."""
    if len(outputs) == 4:
        second, first = interleaved(*outputs[:2]), interleaved(*outputs[2:])
    else:
        second, first = outputs
    return second[:, :ROTATION], np.concatenate([first, second[:, ROTATION:]], axis=1)


def feed(names, vectors, phi, betas):
    """The graph's inputs for conditioned vectors [count, 116], phi [count, 46] and betas [count, 10]."""
    padded = np.concatenate([vectors, np.zeros((len(vectors), PADDING), np.float32)], axis=1)
    all_inputs = {
        "even": padded[:, 0::2], "odd": padded[:, 1::2], "odd_known": vectors[:, 1::2], "phi_even": phi[:, 0::2],
        "phi_odd": phi[:, 1::2], "betas": betas, "vector": padded, "phi": phi,
    }
    return {name: np.ascontiguousarray(all_inputs[name]) for name in names}


def interleaved(even, odd):
    out = np.empty((len(even), 2 * even.shape[1]), np.float32)
    out[:, 0::2], out[:, 1::2] = even, odd
    return out
