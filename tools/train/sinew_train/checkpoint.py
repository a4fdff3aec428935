"""The model repository's files: `weights.safetensors` and `model.json` of one version."""

import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from .dense import DenseModel


def write_model(
    folder: Path, name: str, version: str, architecture: str, hidden: int, couplings: int, conditioning: str,
    tensors: dict[str, Tensor], training: dict, evaluation: dict,
) -> str:
    """Writes both files and returns the SHA-256 of the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "weights.safetensors"
    # Not save_file: it makes the file readable by its owner alone.
    weights.write_bytes(save({key: value.float().contiguous() for key, value in sorted(tensors.items())}))
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    described = {
        "name": name,
        "version": version,
        "architecture": architecture,
        "dims": {"couplings": couplings, "hidden": hidden},
        "precision": "float32",
        "conditioning": conditioning,
        "body": "smpl-29",
        "rotation_layout": "rows",
        "weights_sha256": digest,
        "training": training,
        "evaluation": evaluation,
    }
    (folder / "model.json").write_text(json.dumps(described, indent=2) + "\n")
    return digest


def read_model(folder: Path, device: str = "cpu", dtype=torch.float32) -> tuple[DenseModel, dict]:
    """Loads a version's folder as the dense reference model, after checking the hash."""
    described = json.loads((folder / "model.json").read_text())
    weights = folder / "weights.safetensors"
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    if digest != described["weights_sha256"]:
        raise SystemExit(f"{weights}: SHA-256 {digest}, but model.json says {described['weights_sha256']}. Export it again.")
    tensors = {key: value.to(device=device, dtype=dtype) for key, value in load_file(weights).items()}
    return DenseModel(described["architecture"], tensors), described
