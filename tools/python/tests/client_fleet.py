"""A real broker and real workers, as processes that end with the tests."""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
SINEW = pathlib.Path(os.environ.get("SINEW_BINARY", REPOSITORY / ".build/release/sinew"))


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def until(condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Waits for an event; fails with ``what`` when it does not come."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        pause.wait(0.02)


class Fleet:
    """A broker and workers that are killed and started again as a test wants it."""

    def __init__(
        self, folder: pathlib.Path, models: tuple[str, ...] = ("hybrik",), broker_options: tuple[str, ...] = (),
        worker_options: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        clients, workers = free_ports(2)
        self.endpoint = f"tcp://127.0.0.1:{clients}"
        self.worker_endpoint = f"tcp://127.0.0.1:{workers}"
        self.broker_options = broker_options
        self.worker_options = (*worker_options, *(word for model in models for word in ("--model", model)))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start_broker(self) -> None:
        self._start(
            "broker", "broker", "--clients", self.endpoint, "--workers", self.worker_endpoint, "--store", str(self.folder / "store"),
            *self.broker_options)

    def start_worker(self, name: str) -> None:
        self._start(
            name, "worker", "--broker", self.worker_endpoint, "--name", name, "--threads", "1", *self.worker_options)

    def start(self, workers: int = 2) -> Fleet:
        self.start_broker()
        for number in range(workers):
            self.start_worker(f"worker-{number + 1}")
        return self

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self, name: str, number: int) -> None:
        self.processes[name].send_signal(number)

    def end(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
        for process in self.processes.values():
            process.wait()
        self.processes.clear()

    def _start(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [SINEW, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def sinew(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs the command."""
    return subprocess.run([SINEW, *arguments], check=check, capture_output=True, text=True, timeout=300)


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Another Python process with this package."""
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "tools/python/src")}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_ready(fleet: Fleet, models: tuple[str, ...], workers: int = 2, **keys: Any) -> None:
    from sinew import Client

    with Client(fleet.endpoint, wait_for_ready=True, **keys) as client:
        def ready() -> bool:
            have = {each.model.name: each.workers for each in client.models(deadline=60)}
            return all(have.get(model, 0) >= workers for model in models)
        until(ready, f"{workers} workers with {', '.join(models)}")
