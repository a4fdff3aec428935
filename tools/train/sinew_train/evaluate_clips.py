"""Solvers on whole held-out clips, frame after frame, through `sinew solve`: errors, jitter and time.

    python -m sinew_train.evaluate_clips --sinew ../../.build/release/sinew --models hybrik niki learnable-smplify --json clips.json

Every clip is a track of one file, its observations one of the three presets drawn anew in every frame. Keypoints alone are given unless
`--twists` asks for the twists too; the true betas are.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

from . import noise
from .evaluate import SEED
from .held_out import Clips


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sinew", type=Path, required=True, help="the program")
    parser.add_argument("--models", nargs="+", required=True)
    parser.add_argument("--model-folder", type=Path, help="a model repository (default: the models that ship with sinew)")
    parser.add_argument("--plug-in", nargs="*", default=[], help="also learnable-smplify started from these models' answers")
    parser.add_argument("--presets", nargs="+", default=noise.PRESETS)
    parser.add_argument("--frames", type=int, default=150, help="of each clip")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--split", default="cmu24")
    parser.add_argument("--twists", action="store_true")
    parser.add_argument("--extra", nargs="*", default=[], help="further words for sinew solve")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    table: dict[str, dict[str, dict]] = {}
    folder = ["--models", str(options.model_folder)] if options.model_folder else []
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for preset in options.presets:
            clips = Clips.anew(preset, options.frames, options.seed, options.split, options.twists)
            source = scratch / f"{preset}.npz"
            clips.write(source)
            runs = [(model, model, []) for model in options.models]
            for model in options.plug_in:
                starts = [word for clip in clips.names for word in ("--start", str(scratch / f"{preset}-{model}.{clip}.npz"))]
                runs.append((f"{model} + learnable-smplify", "learnable-smplify", starts))
            for label, model, extra in runs:
                out = scratch / f"{preset}-{label.replace(' ', '')}.npz"
                words = [str(options.sinew), "solve", str(source), "-o", str(out), "--local", "--threads", "1", "--json", "--model", model]
                done = subprocess.run([*words, *folder, *extra, *options.extra], capture_output=True, text=True)
                if done.returncode != 0:
                    raise SystemExit(f"{' '.join(words)}: status {done.returncode}\n{done.stderr}")
                found = {metric: round(value, 4) for metric, value in clips.score(out).items()}
                outcome, frames = clips.outcome, len(clips.outcome)
                found |= {"us_per_frame": round(json.loads(done.stdout)["seconds"] / frames * 1e6, 1)}
                found |= {"start_kept": int((outcome == 1).sum()), "restarted": int((outcome == 2).sum()), "frames": frames}
                table.setdefault(preset, {})[label] = found
                print(preset, label, found, flush=True)
    if options.json:
        options.json.write_text(json.dumps({"seed": options.seed, "frames": options.frames, "twists": options.twists, "presets": table}, indent=2) + "\n")


if __name__ == "__main__":
    main()
