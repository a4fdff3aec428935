"""The model repository's files: `weights.safetensors` and `model.json` of one version."""

import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from .dense import DenseModel
from .smpl_ik import SMPLIK


def write_model(
    folder: Path, name: str, version: str, architecture: str, hidden: int, couplings: int, conditioning: str,
    tensors: dict[str, Tensor], training: dict, evaluation: dict, graph: dict | None = None, precision: str = "float32", storage: str = "float32",
) -> str:
    """Writes both files and returns the SHA-256 of the weights.

    `precision` (float32, bfloat16, int8) is how the program holds the weights in memory, `storage` (float32, bfloat16) how the file does.
    `graph` is a graph network's layout; its 6D rotations are interleaved.
    """
    digest = write_weights(folder, tensors, getattr(torch, storage))
    described = {
        "name": name,
        "version": version,
        "architecture": architecture,
        "dims": {"couplings": couplings, "hidden": hidden},
        "precision": precision,
        "conditioning": conditioning,
        "body": "smpl-29",
        "rotation_layout": "interleaved" if graph else "rows",
        **({"graph": graph} if graph else {}),
        "weights_sha256": digest,
        "training": training,
        "evaluation": evaluation,
    }
    (folder / "model.json").write_text(json.dumps(described, indent=2) + "\n")
    return digest


def write_weights(folder: Path, tensors: dict[str, Tensor], kind: torch.dtype = torch.float32) -> str:
    """Writes `weights.safetensors` and returns its SHA-256."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "weights.safetensors"
    # Not save_file: it makes the file readable by its owner alone.
    weights.write_bytes(save({key: value.to(kind).contiguous() for key, value in sorted(tensors.items())}))
    return hashlib.sha256(weights.read_bytes()).hexdigest()


def write_smpl_ik(
    folder: Path, name: str, version: str, model: SMPLIK, training: dict, evaluation: dict, storage: str = "float32",
) -> str:
    """Writes both files of an SMPL-IK version and returns the SHA-256 of the weights."""
    digest = write_weights(folder, model.tensors(), getattr(torch, storage))
    described = {
        "name": name,
        "version": version,
        "architecture": model.architecture,
        "dims": model.dims,
        "precision": "float32",
        "conditioning": model.conditioning,
        "body": "smpl-29",
        "rotation_layout": "rows",
        "weights_sha256": digest,
        "training": training,
        "evaluation": evaluation,
    }
    (folder / "model.json").write_text(json.dumps(described, indent=2) + "\n")
    return digest


def read_smpl_ik(folder: Path) -> tuple[SMPLIK, dict]:
    """Loads an SMPL-IK version for evaluation, after checking the hash; every tensor must be there and none more."""
    tensors, described = read_tensors(folder)
    dims = described["dims"]
    model = SMPLIK(dims["width"], dims["blocks"], dims["embedding"], conditioning=described["conditioning"])
    model.load_state_dict(tensors)
    return model.eval(), described


def read_tensors(folder: Path, device: str = "cpu", dtype=torch.float32) -> tuple[dict[str, Tensor], dict]:
    """The tensors and the description of a version's folder, after checking the hash."""
    described = json.loads((folder / "model.json").read_text())
    weights = folder / "weights.safetensors"
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    if digest != described["weights_sha256"]:
        raise SystemExit(f"{weights}: SHA-256 {digest}, but model.json says {described['weights_sha256']}. Export it again.")
    return {key: value.to(device=device, dtype=dtype) for key, value in load_file(weights).items()}, described


def read_model(folder: Path, device: str = "cpu", dtype=torch.float32) -> tuple[DenseModel, dict]:
    """Loads a version's folder as the dense reference model, after checking the hash."""
    tensors, described = read_tensors(folder, device, dtype)
    return DenseModel(described["architecture"], tensors), described
