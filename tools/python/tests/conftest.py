"""Tests run against the sources beside them, not against a package that may be installed; and against a real broker and workers."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "src"), str(HERE)]

from client_fleet import Fleet, wait_ready  # noqa: E402
from client_motion import SCENE, forward_kinematics  # noqa: E402

import sinew  # noqa: E402

@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    models = ("hybrik", "niki", "learnable-smplify", "niki-temporal", "smpl-ik")
    running = Fleet(tmp_path_factory.mktemp("fleet"), models).start()
    try:
        wait_ready(running, models)
        yield running
    finally:
        running.end()


@pytest.fixture
def client(fleet: Fleet) -> Iterator[sinew.Client]:
    with sinew.Client(fleet.endpoint) as made:
        yield made


@pytest.fixture
def own_fleet(tmp_path: pathlib.Path) -> Iterator[Fleet]:
    """One that a test may kill."""
    running = Fleet(tmp_path / "fleet").start()
    try:
        wait_ready(running, ("hybrik",))
        yield running
    finally:
        running.end()


@pytest.fixture(scope="session")
def motion() -> dict[str, Any]:
    """Real motion: two people of the demo's scene on the neutral body. ``theta`` [2, 300, 24, 3], ``joints`` [2, 300, 29, 3] metres, y up,
    ``noisy`` with a detector's noise of 2 cm."""
    with np.load(SCENE) as scene:
        theta = np.moveaxis(scene["poses"].reshape(300, 2, 24, 3), 1, 0)
        translation = np.moveaxis(scene["trans"], 1, 0)
    exact = np.stack([forward_kinematics(theta[person], translation[person]) for person in range(2)])
    noise = np.random.default_rng(7).normal(0, 0.02, exact.shape)
    return {"theta": theta, "joints": exact, "noisy": (exact + noise).astype(np.float32)}


@pytest.fixture(scope="session")
def joints(motion: dict[str, Any]) -> Any:
    """The first person's noisy joints, [300, 29, 3]."""
    return motion["noisy"][0]
