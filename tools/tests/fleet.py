"""A broker and its workers as processes, for tests: on ports that the system chose, ended with the `with` block, however it ends."""

import json
import os
import pathlib
import random
import runpy
import signal
import subprocess
import threading
import time
import urllib.request

from background import Background

SINEW = os.environ.get("SINEW_BINARY") or str(pathlib.Path(__file__).parents[2] / ".build/release/sinew")
# How long anything may take before a test gives it up; two busy cores are slow.
PATIENCE = int(os.environ.get("SINEW_TEST_PATIENCE", "60"))

# Joints of the open body at rest: x, y, z of 29 of them, metres.
REST = runpy.run_path(str(pathlib.Path(__file__).parents[2] / "proto/example_client.py"))["REST"]


def wait_until(what, condition, seconds=PATIENCE, interval=0.05):
    """The first true value of `condition()`; AssertionError when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(interval)


class Service:
    """A command of sinew that prints one line of JSON when it is ready, and runs."""

    def __init__(self, *arguments):
        self.talk = []
        # A group of its own: what it starts ends with it.
        self.process = subprocess.Popen(
            [SINEW, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True)
        # A full pipe would stop it.
        threading.Thread(target=lambda: self.talk.extend(self.process.stderr), daemon=True).start()
        line = self.process.stdout.readline()
        if not line:
            self.kill()
            raise AssertionError(f"sinew {' '.join(map(str, arguments))} did not start: {''.join(self.talk)}")
        self.ready = json.loads(line)

    def send(self, number):
        os.killpg(self.process.pid, number)

    def kill(self):
        try:
            self.send(signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        """The polite way: it drains."""
        self.send(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        finally:
            self.kill()


class Fleet:
    """A broker, workers as they are asked for, and what tests want to know of them. `http` is where it serves its status pages."""

    def __init__(self, *broker_options, http=None):
        self.options = broker_options
        self.http = http
        self.endpoints = ("tcp://127.0.0.1:*", "tcp://127.0.0.1:*")
        self.services = []
        self.broker = None

    def __enter__(self):
        try:
            self.start_broker()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for service in reversed(self.services):
            service.kill()

    def start_broker(self):
        """Also after it was killed: then at the addresses it had, so that workers and pages find it again."""
        clients, workers = self.endpoints
        self.broker = self._service(
            "broker", "--clients", clients, "--workers", workers, "--json",
            *(["--http", self.http] if self.http else []), *self.options)
        ready = self.broker.ready
        self.endpoints = (ready["client_endpoint"], ready["worker_endpoint"])
        if self.http:
            self.http = ready["http_address"]

    def worker(self, name, *options, model="hybrik"):
        models = [] if model is None else ["--model", model]
        return self._service("worker", "--broker", self.endpoints[1], "--name", name, "--threads", 1, "--json", *models, *options)

    def _service(self, *arguments):
        service = Service(*arguments)
        self.services.append(service)
        return service

    @property
    def client_endpoint(self):
        return self.endpoints[0]

    @property
    def url(self):
        return f"http://{self.http}/"

    def get(self, path):
        """The JSON that the broker serves at a path of its status pages."""
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as reply:
            return json.load(reply)

    def status(self):
        """The fleet as `sinew status` tells it."""
        return json.loads(self.run("status", "--json").stdout)

    def wait_for_workers(self, count):
        return wait_until(f"{count} workers", lambda: len(self.status()["workers"]) == count)

    def run(self, *arguments, check=True):
        """A command of sinew against this broker, until it ends."""
        done = subprocess.run(
            [SINEW, *map(str, arguments), "--broker", self.client_endpoint], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=5 * PATIENCE)
        assert not check or done.returncode == 0, f"sinew {arguments}: status {done.returncode}: {done.stderr}"
        return done


def write_people(path, count, seed=1):
    """Random people as JSON lines that `sinew solve` and `sinew submit` read: joints of the open body at rest, moved and shaken."""
    rng = random.Random(seed)
    with open(path, "w") as file:
        for _ in range(count):
            shift = [rng.uniform(-2, 2), rng.uniform(0.5, 1.5), rng.uniform(-2, 2)]
            joints = [
                [REST[3 * joint + axis] + rng.gauss(0, 0.04) + shift[axis] for axis in range(3)]
                for joint in range(len(REST) // 3)
            ]
            file.write(json.dumps({"joints3d": joints, "skeleton": "smpl-29", "unit": "m", "up_axis": "y"}) + "\n")


class Load(Background):
    """People sent to be solved again and again, by `sinew solve` in a loop, until the `with` block ends."""

    def __init__(self, fleet, folder, model="hybrik", count=512):
        super().__init__()
        self.fleet = fleet
        self.path = pathlib.Path(folder) / "load.jsonl"
        self.output = pathlib.Path(folder) / "load.npz"
        self.model = model
        self.solved = 0
        self.count = count
        self.failure = None
        write_people(self.path, count)

    def _run(self):
        while not self._ending.is_set():
            done = self.fleet.run("solve", self.path, "--model", self.model, "-o", self.output, check=False)
            if done.returncode == 0:
                self.solved += self.count
            elif not self._ending.is_set():
                self.failure = done.stderr
                self._ending.wait(0.2)  # A broker that starts anew refuses at first.
