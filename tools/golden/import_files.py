"""Writes the fixtures of SinewImportTests: pickles and torch checkpoints in the layouts of the released files, all numbers random.

Run:  python tools/golden/import_files.py   (numpy, scipy, torch; the fixtures are committed)
"""
import pickle
import shutil
import sys
import types
from pathlib import Path

import numpy as np
import scipy.sparse
import torch

TOP = Path(__file__).resolve().parents[2]
OUT = TOP / "Tests/SinewImportTests/Fixtures"
COUPLINGS, HIDDEN = 2, 5


def chumpy_stand_ins():
    """Classes with chumpy's names: pickles of them look like those of the real library, which no longer installs."""
    ch, reordering = types.ModuleType("chumpy.ch"), types.ModuleType("chumpy.reordering")
    ch.Ch = type("Ch", (), {"__module__": "chumpy.ch"})
    reordering.Select = type("Select", (), {"__module__": "chumpy.reordering"})
    sys.modules.update({"chumpy": types.ModuleType("chumpy"), "chumpy.ch": ch, "chumpy.reordering": reordering})
    return ch.Ch, reordering.Select


def stored(cls, **members):
    made = cls()
    made.__dict__.update(members)
    return made


def arrays(rng):
    """One array for each thing a reader can get wrong."""
    return {
        "float64": rng.normal(size=(3, 4)), "float32": rng.normal(size=(2, 3, 2)).astype(np.float32),
        "fortran": np.asfortranarray(rng.normal(size=(3, 5))), "big_endian": rng.normal(size=4).astype(">f8"),
        "int32": rng.integers(-9, 9, (4, 2)).astype(np.int32), "uint32": np.array([2**32 - 1, 0], np.uint32),
        "bool": np.array([True, False, True]), "empty": np.zeros((0, 3)), "high_bytes": np.arange(120, 250, dtype=np.uint8),
    }


def pickles(rng):
    plain = arrays(rng)
    np.savez(OUT / "arrays.npz", **plain)
    rest = {
        "text": "é\n'\\\"", "none": None, "true": True, "false": False, "int": -70000, "long": 2**40, "negative": -(2**33),
        "float": -1.25, "list": [1, [2, 3]], "tuple": (1, 2, 3, 4), "bytes": b"\x00\xff", "scalar": np.float32(3),
    }
    for protocol in range(6):
        (OUT / f"protocol{protocol}.pkl").write_bytes(pickle.dumps({"arrays": plain, "rest": rest}, protocol))
    dense = np.where(rng.random((4, 6)) < 0.4, rng.normal(size=(4, 6)), 0)
    kinds = {"csc": scipy.sparse.csc_matrix, "csr": scipy.sparse.csr_matrix, "coo": scipy.sparse.coo_matrix}
    (OUT / "sparse.pkl").write_bytes(pickle.dumps({"dense": dense} | {k: make(dense) for k, make in kinds.items()}, 2))


def body(Ch, Select):
    """The tiny body of SinewBodyTests as a pickle: chumpy shape directions, a selection, a sparse regressor."""
    source = dict(np.load(TOP / "Tests/SinewBodyTests/Fixtures/tiny_smpl_layout.npz"))
    shutil.copy(TOP / "Tests/SinewBodyTests/Fixtures/tiny_smpl_layout.npz", OUT / "tiny_female.npz")
    wide = np.concatenate([source["shapedirs"], np.ones_like(source["shapedirs"])], 2).astype(np.float64)
    chosen = np.arange(wide.size).reshape(wide.shape)[:, :, :12].ravel()
    source["shapedirs"] = stored(
        Select, a=stored(Ch, x=wide, _dirty_vars=set()), idxs=chosen, preferred_shape=(40, 3, 12))
    source["posedirs"] = stored(Ch, x=source["posedirs"].astype(np.float64))
    source["J_regressor"] = scipy.sparse.csc_matrix(source["J_regressor"].astype(np.float64))
    source["bs_type"], source["gender"] = "lrotmin", "female"
    for protocol in (1, 2):
        (OUT / f"tiny_female_protocol{protocol}.pkl").write_bytes(pickle.dumps(source, protocol))


def linear(out, key, rows, columns):
    out[f"{key}.weight"] = torch.randn(rows, columns) / columns**0.5
    out[f"{key}.bias"] = torch.randn(rows) * 0.1


def masks(dim):
    return torch.tensor([[(column + layer) % 2 for column in range(dim)] for layer in range(COUPLINGS)]).float()


def net(out, prefix, slots, columns, rows):
    for slot, (high, wide) in zip(slots, [(HIDDEN, columns), (HIDDEN, HIDDEN), (rows, HIDDEN)]):
        linear(out, f"{prefix}.{slot}", high, wide)


def smpl_arrays():
    """SMPL's arrays as they lie in NIKI's checkpoints, shrunk: only their names matter here."""
    names = ["faces_tensor", "v_template", "shapedirs", "posedirs", "J_regressor", "J_regressor_h36m", "children_map", "parents",
             "lbs_weights"]
    return {f"smpl_layer.{name}": torch.zeros(2) for name in names}


def run(weights, prefix_s, prefix_t, slots, mask, x, betas=None):
    """The IK direction of models.md 3.2, dense, in float64."""
    def mlp(prefix, value):
        for position, slot in enumerate(slots):
            value = value @ weights[f"{prefix}.{slot}.weight"].double().T + weights[f"{prefix}.{slot}.bias"].double()
            if position < 2:
                value = torch.nn.functional.leaky_relu(value, 0.01)
        return value
    for layer in range(COUPLINGS):
        m = mask[layer].double()
        kept = m * x
        given = kept if betas is None else torch.cat([kept, betas], 1)
        s = (1 - m) * mlp(prefix_s.format(layer), given).tanh()
        t = (1 - m) * mlp(prefix_t.format(layer), given)
        x = kept + (1 - m) * (x * s.exp() + t)
    return x


def niki():
    count = 3
    inputs = torch.randn(count, 116) * 0.3
    padding, phi = torch.randn(count, 60) * 1e-3, torch.nn.functional.normalize(torch.randn(count, 23, 2), dim=2).flatten(1)
    x = torch.cat([inputs, padding], 1).double()

    one = {"flow.mask": masks(176)}
    for layer in range(COUPLINGS):
        for name in "ts":
            net(one, f"flow.{name}.{layer}", [0, 2, 4], 176, 176)
    out = run(one, "flow.s.{}", "flow.t.{}", [0, 2, 4], one["flow.mask"], x)
    np.savez(OUT / "niki_one_stage_dump.npz", input=inputs, padding=padding, rotation6d=out[:, :144].float(),
             latent=out[:, 144:].float())
    camera = {"camnet.init_cam": torch.zeros(3)}
    for slot in (0, 3, 6, 9):
        linear(camera, f"camnet.camera_net.{slot}", 3, 3)
    whole = {f"regressor.{key}": value for key, value in (one | camera | smpl_arrays()).items()}
    torch.save(whole, OUT / "niki_one_stage_legacy.pth", _use_new_zipfile_serialization=False)

    ts = {"flow_j2s.jts_masks": masks(176), "flow_j2s.shape_masks": torch.zeros(COUPLINGS), "flow_s2r.mask": masks(190)}
    for layer in range(COUPLINGS):
        for name in ("nett", "nets"):
            net(ts, f"flow_j2s.jts_{name}.{layer}.encoder", [0, 3, 6], 186, 176)
        for name in "ts":
            net(ts, f"flow_s2r.{name}.{layer}", [0, 3, 6], 190, 190)
    swing = run(ts, "flow_j2s.jts_nets.{}.encoder", "flow_j2s.jts_nett.{}.encoder", [0, 3, 6], ts["flow_j2s.jts_masks"], x,
                torch.zeros(count, 10).double())
    out = run(ts, "flow_s2r.s.{}", "flow_s2r.t.{}", [0, 3, 6], ts["flow_s2r.mask"], torch.cat([swing[:, :144], phi.double()], 1))
    np.savez(OUT / "niki_ts_dump.npz", input=inputs, padding=padding, phi=phi, rotation6d=out[:, :144].float(),
             latent=torch.cat([swing[:, 144:], out[:, 144:]], 1).float())
    # As training loops leave it: wrapped, as parameters, one tensor a transposed view, one in bfloat16, settings beside it.
    first = "flow_j2s.jts_nets.0.encoder.0.weight"
    ts[first] = ts[first].T.contiguous().T
    state = {f"module.regressor.{key}": torch.nn.Parameter(value) for key, value in ts.items()}
    state |= {f"module.regressor.{key}": value for key, value in smpl_arrays().items()}
    torch.save({"epoch": 3, "state_dict": state, "size": torch.Size([1, 2]), "half": torch.ones(2).bfloat16()}, OUT / "niki_ts.pth")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(11)
    pickles(np.random.default_rng(10))
    body(*chumpy_stand_ins())
    niki()
