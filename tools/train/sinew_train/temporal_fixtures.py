"""Golden vectors of the temporal attention: a random one around the fixture `niki_ts_heading`, run in float64 on tracks of several lengths.

`python -m sinew_train.temporal_fixtures --out ../../Tests/SinewModelsTests/Fixtures`, after `sinew_train.make_fixtures`.
"""

import argparse
from pathlib import Path

import torch

from . import conditioning
from .checkpoint import read_model
from .conditioning import Observations
from .make_fixtures import people, save
from .rotations import from_rows6d
from .temporal import TemporalAttention
from .train_temporal import write_temporal

TRACKS = [7, 7, 7, 7, 7, 7, 7, 2, 2, 9, 0, 0, 0, 0, 5, 5]
REACH = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20260108)
    options = parser.parse_args()
    generator = torch.Generator().manual_seed(options.seed)
    attention = TemporalAttention(REACH)
    with torch.no_grad():
        for value in attention.parameters():
            value.copy_(torch.randn(value.shape, generator=generator))
    base = options.out / "niki_ts_heading" / "1"
    write_temporal(
        options.out / "niki_temporal" / "1", "niki_temporal", attention, base,
        {"data": "none: random weights for tests", "seed": options.seed}, {})
    model, _ = read_model(base, dtype=torch.float64)
    seen, betas, rest, _ = people(len(TRACKS), False, generator)
    seen64 = Observations(seen.joints.double(), seen.sigma.double(), seen.observed, seen.twists.double(), seen.has_twists)
    given = conditioning.heading_bones(seen64, rest.double())
    rotation6d, _, latent = model.inverse(given, betas.double())
    static = conditioning.restore_root(from_rows6d(rotation6d.unflatten(1, (24, 6))), given)
    norm, attention = latent.norm(dim=1), attention.double()
    tracks = torch.tensor(TRACKS)
    mixed = torch.empty_like(static)
    with torch.no_grad():
        for track in tracks.unique():
            rows = tracks == track
            mixed[rows] = attention(static[rows], given.sigma[rows], norm[rows])
    save({
        "joints": seen.joints, "sigma": seen.sigma, "observed": seen.observed.to(torch.uint8), "twists": seen.twists,
        "has_twists": seen.has_twists.to(torch.uint8), "betas": betas, "rest": rest, "tracks": tracks.to(torch.int32),
        "static": static, "conditioned_sigma": given.sigma, "latent_norm": norm, "rotations": mixed,
    }, options.out / "niki_temporal.safetensors")


if __name__ == "__main__":
    main()
