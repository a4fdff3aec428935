"""The adapters are run against the Python client of this repository, and a real broker and workers."""

import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest

TOOLS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOOLS / "adapters"), str(TOOLS / "adapters/tests"), str(TOOLS / "python/src"), str(TOOLS / "python/tests")]

from adapter_scene import CAMERAS, Scene  # noqa: E402
from client_fleet import Fleet, wait_ready  # noqa: E402


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    running = Fleet(tmp_path_factory.mktemp("fleet"), ("niki",)).start(1)
    try:
        wait_ready(running, ("niki",), workers=1)
        yield running
    finally:
        running.end()


@pytest.fixture(scope="session")
def client(fleet: Fleet) -> Iterator[Any]:
    import sinew

    with sinew.Client(fleet.endpoint) as connected:
        yield connected


@pytest.fixture(params=CAMERAS)
def scene(request: pytest.FixtureRequest) -> Scene:
    return Scene(request.param)
