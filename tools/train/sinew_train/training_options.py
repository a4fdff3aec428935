"""The options that all trainings have, what may change when one goes on, and the command lines that repeat it."""

import argparse
from pathlib import Path

from .body import data_root

OF_A_RUN = ["out", "resume", "threads", "device", "clips", "save_every", "validate_every", "validation_samples"]
"""Say where and how a part of a training runs; the weights do not depend on them."""

CHANGEABLE = [
    "steps", "batch", "group", "lr", "adam_lr", "weight_decay", "average", "recombine", "jitter", "blend", "change", "rotation_weight",
    "position_weight"]
"""May be given again with --resume; each change becomes part of the record of how the weights came about."""


def add_options(parser: argparse.ArgumentParser, steps: int, batch: int, lr: float, weight_decay: float, seed: int = 123123) -> None:
    """The options that every training has, with this one's defaults."""
    parser.add_argument("--out", required=True, help="folder for state.pt and log.jsonl")
    parser.add_argument("--resume", action="store_true", help="go on from state.pt with its own options and those given beside")
    parser.add_argument("--clips", help="folder of AMASS-layout .npz files (default: cmu24 of the data folder)")
    parser.add_argument("--split", default="cmu24", help="file name under splits/, without .json")
    parser.add_argument("--steps", type=int, default=steps, help="length of the schedule")
    parser.add_argument("--batch", type=int, default=batch, help="people of a step, of all processes together")
    parser.add_argument("--lr", type=float, default=lr, help="Muon, spectral size of an update")
    parser.add_argument("--adam-lr", type=float, default=2e-3, help="Adam, for what is no matrix between layers")
    parser.add_argument("--weight-decay", type=float, default=weight_decay)
    parser.add_argument("--seed", type=int, default=seed)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (0: PyTorch's choice)")
    parser.add_argument("--save-every", type=int, default=100)


def add_pose_options(parser: argparse.ArgumentParser, recombine: float, jitter: float) -> None:
    """The options of trainings that draw single poses and validate on such."""
    parser.add_argument("--up", choices=["y", "z"], default="y", help="vertical axis of the clips (AMASS: z)")
    parser.add_argument("--recombine", type=float, default=recombine, help="share of people whose limbs come from several frames")
    parser.add_argument("--jitter", type=float, default=jitter, help="share of people whose joints are turned at random")
    parser.add_argument("--blend", type=float, default=0.0, help="share of people who stand between two frames")
    parser.add_argument("--fp32", dest="bf16", action="store_false", help="float32 products instead of bfloat16")
    parser.add_argument("--validate-every", type=int, default=500)
    parser.add_argument("--validation-samples", type=int, default=1000)


def clips_folder(options: argparse.Namespace) -> Path:
    """Where the clips lie."""
    return Path(options.clips) if options.clips else data_root() / "cmu24"


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The command line's options; `given` names those that stood on it."""
    options = parser.parse_args()
    # Attributes that are there already get no default.
    typed = parser.parse_args(namespace=argparse.Namespace(**dict.fromkeys(vars(options))))
    options.given = [name for name, value in vars(typed).items() if value is not None]
    return options


def begun(options: argparse.Namespace) -> argparse.Namespace:
    """The options of a training that starts, with its schedule: `[[step, {option: value}], ...]`, what held from the start first."""
    fields = {name: value for name, value in vars(options).items() if name != "given"}
    return argparse.Namespace(**fields | {"schedule": [[0, {"steps": options.steps}]]})


def resumed(options: argparse.Namespace, state: dict) -> argparse.Namespace:
    """The state's own options with those that were given beside `--resume`, whose changes are written down."""
    kept = state["options"]
    # What a state of an earlier version lacks has the default's value.
    fields = {name: value for name, value in vars(options).items() if name != "given"} | kept
    schedule = schedule_of(kept)
    changed = {}
    for name in options.given:
        value = getattr(options, name)
        if name in OF_A_RUN:
            fields[name] = value
        elif name not in CHANGEABLE and value != kept.get(name):
            word = "--" + name.replace("_", "-")
            raise SystemExit(
                f"{options.out}/state.pt: the training began with {word} {kept.get(name)}, which cannot change on the way. "
                f"Leave {word} out, or begin another training with another --out.")
        elif value != fields[name]:
            schedule[0][1].setdefault(name, fields[name])
            changed[name] = fields[name] = value
    if changed:
        schedule.append([state["step"], changed])
    return argparse.Namespace(**fields | {"schedule": schedule, "resume": True})


def schedule_of(options: dict) -> list:
    """A state's schedule; states of earlier versions name the steps alone."""
    found = options.get("schedule") or [[0, options["steps"]]]
    return [[at, dict(what) if isinstance(what, dict) else {"steps": what}] for at, what in found]


def words(options: dict, names: list[str]) -> list[str]:
    """Options as words of a command line."""
    return [f"--{name.replace('_', '-')} {options[name]}" for name in names if name in options]


def command(options: dict, module: str, names: list[str], further: list[str]) -> str:
    """The command lines that repeat a training: the one it began with, `further` words included, and what was changed where.

    - `names`: the options that matter, beside those that were changed.
    """
    (_, first), *changes = schedule_of(options)
    names = [*names, *(name for name in first if name != "steps" and name not in names)]
    start = [f"python -m sinew_train.{module} --out out", *words(options | first, names), *further, f"--steps {first['steps']}"]
    return "; ".join([
        " ".join(start), *(f"stopped at step {at}, then --resume {' '.join(words(changed, list(changed)))}" for at, changed in changes)])
