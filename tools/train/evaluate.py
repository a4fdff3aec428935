#!/usr/bin/env python3
"""Prints the accuracy table of the README: presets of noise against analytic IK and trained models.

`python evaluate.py --models ../../Sources/SinewModels/Resources/models/{niki,mlp-ik}/1`; the work is in `sinew_train/evaluate.py`.
"""

from sinew_train.evaluate import main

if __name__ == "__main__":
    main()
