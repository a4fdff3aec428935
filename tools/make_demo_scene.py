#!/usr/bin/env python3
"""Places two motion-capture clips in one scene for `sinew demo`.

usage: tools/make_demo_scene.py CLIP_FOLDER OUTPUT.npz

Reads two clips in AMASS layout (`poses (T,72)`, `trans (T,3)`, `mocap_framerate`), both on the validation side of the
training split, and writes their first ten seconds side by side. The scene holds the true poses only; `sinew demo` adds
the noise when it runs. Needs numpy.
"""

import os
import sys

import numpy as np

CLIPS = ("exp_train_directing_traffic_4", "exp_train_walking_extra_50")
SECONDS = 10
DISTANCE = 1.8  # metres between the middles of the two paths
# Two bodies that differ: a shape of unit variance each, drawn once with the seed below.
BETA_SEED = 24


def main(folder, output):
    poses, translations = [], []
    for person, clip in enumerate(CLIPS):
        with np.load(os.path.join(folder, clip + ".npz")) as file:
            rate = float(file["mocap_framerate"])
            frames = int(SECONDS * rate)
            if len(file["poses"]) < frames:
                raise SystemExit(f"{clip}: {len(file['poses'])} frames, {frames} are needed")
            translation = file["trans"][:frames].astype(np.float64)
            middle = (translation.min(axis=0) + translation.max(axis=0)) / 2
            translation[:, 0] += (person - 0.5) * DISTANCE - middle[0]
            translation[:, 2] -= middle[2]
            poses.append(file["poses"][:frames].astype(np.float32))
            translations.append(translation.astype(np.float32))
    nearest = np.linalg.norm((translations[0] - translations[1])[:, [0, 2]], axis=1).min()
    print(f"{frames} frames at {rate:g} fps, people come as near as {nearest:.2f} m")
    np.savez_compressed(
        output,
        poses=np.stack(poses, axis=1),
        trans=np.stack(translations, axis=1),
        betas=np.random.default_rng(BETA_SEED).normal(size=(len(CLIPS), 10)).astype(np.float32),
        gender=np.array(["neutral"] * len(CLIPS)),
        mocap_framerate=np.float64(rate),
        clip=np.array(CLIPS),
    )


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(sys.argv[1], sys.argv[2])
