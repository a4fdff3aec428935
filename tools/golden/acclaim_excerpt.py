"""Cuts the first 17 frames of a CMU clip and the 5 poses that an independent conversion made of every fourth of them.

Run:  python tools/golden/acclaim_excerpt.py DATA   (numpy; DATA holds cmu-asfamc/02.asf, cmu-asfamc/02_01.amc and cmu24/amc_02_01.npz;
      the fixtures are committed)

The data used here was obtained from mocap.cs.cmu.edu; the database was created with funding from NSF EIA-0196217.
"""
import sys
from pathlib import Path

import numpy as np

OUT = Path(__file__).resolve().parents[2] / "Tests/SinewFormatsTests/Fixtures/acclaim"
FRAMES = 17

if __name__ == "__main__":
    data = Path(sys.argv[1])
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "02.asf").write_bytes((data / "cmu-asfamc/02.asf").read_bytes())
    lines = (data / "cmu-asfamc/02_01.amc").read_text().splitlines()
    end = lines.index(str(FRAMES + 1))
    (OUT / "02_01.amc").write_text("\n".join(lines[:end]) + "\n")
    poses = np.load(data / "cmu24/amc_02_01.npz")
    count = (FRAMES + 3) // 4
    np.savez_compressed(OUT / "every_fourth.npz", poses=poses["poses"][:count], trans=poses["trans"][:count])
