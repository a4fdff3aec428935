"""Turns a training state into a version of the model repository: published tensor names, hash, training record, measured accuracy.

    python -m sinew_train.export --state out/niki --name niki --out ../../Sources/SinewModels/Resources/models
"""

import argparse
import datetime
from pathlib import Path

import torch

from . import evaluate
from .checkpoint import read_model, write_model
from .coupling import LAYER_COUNT
from .data import split_names
from .train import build
from .training_options import command

LICENCE = "Apache-2.0"
ACKNOWLEDGEMENT = (
    "The data used in this project was obtained from mocap.cs.cmu.edu. The database was created with funding from NSF EIA-0196217."
)
DATA = "CMU Graphics Lab Motion Capture Database on the open body (CC0)"


OPTIONS = ["architecture", "hidden", "batch", "lr", "adam_lr", "recombine", "jitter", "blend", "dropout", "weight_decay", "seed"]


def command_of(options: dict) -> str:
    """The command lines that repeat the training, also when it was changed on the way."""
    further = ["--forward-inferred"] if options["forward_inferred"] else []
    further += ["--without", *options["without"]] if options.get("without") else []
    further += [f"--start {options['start']}"] if options.get("start") else []
    further += [] if options["bf16"] else ["--fp32"]
    return command(options, "train", OPTIONS, further)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, required=True, help="the --out folder of a training")
    parser.add_argument("--name", required=True, help="repository name, for example niki")
    parser.add_argument("--version", default="1")
    parser.add_argument("--out", type=Path, required=True, help="the repository folder")
    parser.add_argument("--data", default=DATA)
    parser.add_argument("--precision", choices=["float32", "bfloat16", "int8"], default="float32", help="of the weights in the program's memory")
    parser.add_argument("--storage", choices=["float32", "bfloat16"], default="float32", help="of the weights in the file")
    parser.add_argument("--samples", type=int, default=6000)
    parser.add_argument("--evaluation-seed", type=int, default=evaluate.SEED)
    given = parser.parse_args()
    state = torch.load(given.state / "state.pt", weights_only=True, map_location="cpu")
    options = argparse.Namespace(**state["options"])
    model = build(options)
    model.load_state_dict(state["model"])
    folder = given.out / given.name / given.version
    training = {
        "data": f"{given.data}, {len(split_names(options.split, 'train'))} clips (splits/{options.split}.json)", "licence": LICENCE, "acknowledgement": ACKNOWLEDGEMENT, "seed": options.seed,
        "samples": state["samples"], "command": command_of(state["options"]),
        "date": datetime.date.today().isoformat(),
    }
    couplings = 0 if options.architecture == "mlp-ik" else LAYER_COUNT
    record = dict(
        name=given.name, version=given.version, architecture=options.architecture, hidden=options.hidden,
        couplings=couplings, conditioning="heading-bones", tensors=model.tensors(), training=training,
        precision=given.precision, storage=given.storage)
    write_model(folder, **record, evaluation={})
    # The figures come from the file as written, run densely in float32, not from the network that was trained.
    written, _ = read_model(folder)
    sampler = evaluate.validation_sampler(None, options.split)
    found = evaluate.score(written, sampler, given.samples, given.evaluation_seed)
    digest = write_model(folder, **record, evaluation=found | {"samples": given.samples, "seed": given.evaluation_seed})
    print(f"{folder}: {digest}")
    for preset, figures in found.items():
        print(preset, figures)


if __name__ == "__main__":
    main()
