"""The examples are run against the Python client of this repository, and a real broker and workers."""

import pathlib
import sys

PYTHON = pathlib.Path(__file__).resolve().parents[2] / "python"
sys.path[:0] = [str(PYTHON / "src"), str(PYTHON / "tests")]
