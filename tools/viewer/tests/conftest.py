"""The clip that all tests of pictures look at."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from viewer_clip import Clip  # noqa: E402


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    return Clip(tmp_path_factory.mktemp("viewer"))
