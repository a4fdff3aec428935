"""Turns an SMPL-IK training state into a version of the model repository: the averaged weights, hash, training record, measured accuracy.

    python -m sinew_train.smpl_ik_export --state out/smpl-ik --out ../../Sources/SinewModels/Resources/models
"""

import argparse
import datetime
from pathlib import Path

import torch

from . import smpl_ik_evaluate
from .checkpoint import read_smpl_ik, write_smpl_ik
from .data import split_names
from .export import ACKNOWLEDGEMENT, DATA, LICENCE
from .smpl_ik_train import build
from .training_options import command

OPTIONS = [
    "width", "conditioning", "loss", "rotation_weight", "position_weight", "change", "dropout", "batch", "group", "lr", "adam_lr",
    "weight_decay", "average", "recombine", "jitter", "blend", "heading_steps", "seed"]


def command_of(options: dict, step: int) -> str:
    """The command lines that repeat the training, also when it was changed on the way."""
    further = [] if options["bf16"] else ["--fp32"]
    further += [f"--start {options['start']}"] if options.get("start") else []
    text = command(options, "smpl_ik_train", OPTIONS, further)
    # A training may be exported while it runs, before its learning rate has come down.
    return f"{text}; exported at step {step}" if step < options["steps"] else text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, required=True, help="the --out folder of a training")
    parser.add_argument("--name", default="smpl-ik")
    parser.add_argument("--version", default="1")
    parser.add_argument("--out", type=Path, required=True, help="the repository folder")
    parser.add_argument("--data", default=DATA)
    parser.add_argument("--storage", choices=["float32", "bfloat16"], default="float32", help="of the weights in the file")
    parser.add_argument("--samples", type=int, default=6000)
    parser.add_argument("--evaluation-seed", type=int, default=smpl_ik_evaluate.SEED)
    given = parser.parse_args()
    state = torch.load(given.state / "state.pt", weights_only=True, map_location="cpu")
    options = argparse.Namespace(**state["options"])
    model = build(options)
    model.load_state_dict(state["average"])
    folder = given.out / given.name / given.version
    training = {
        "data": f"{given.data}, {len(split_names(options.split, 'train'))} clips (splits/{options.split}.json)", "licence": LICENCE,
        "acknowledgement": ACKNOWLEDGEMENT, "seed": options.seed, "samples": state["samples"], "command": command_of(state["options"], state["step"]),
        "date": datetime.date.today().isoformat(), "heading_error": round(state["heading_error"], 5),
    }
    write_smpl_ik(folder, given.name, given.version, model, training, {}, given.storage)
    # The figures come from the file as written, not from the network that was trained.
    written, _ = read_smpl_ik(folder)
    found = smpl_ik_evaluate.score(
        written, smpl_ik_evaluate.validation_sampler(None, options.split, options.up), given.samples, given.evaluation_seed)
    measured = found | {"samples": given.samples, "seed": given.evaluation_seed}
    print(f"{folder}: {write_smpl_ik(folder, given.name, given.version, model, training, measured, given.storage)}")
    for protocol, figures in found.items():
        print(protocol, figures)


if __name__ == "__main__":
    main()
