#!/usr/bin/env python3
"""Kills, stops, cuts off and starves a real broker, real workers and real clients while durable jobs flow; then compares every result with a
local solve.

usage: chaos.py --sinew .build/release/sinew [--kills 300] [--workers 3] [--seed 1] [--pace 0.65] [--links] [--disk MiB] [--folder DIR]
needs: pip install -r tools/chaos/requirements.txt; root for --links (network namespaces) and --disk (a tmpfs that is filled)

Two kinds of clients submit. One is written from proto/README.md and remembers what was acknowledged; it never sends a task again once the
answer came, so what it remembers must be there at the end. The other is `sinew submit`, which is killed and run again until it succeeds.

The verdict counts: tasks acknowledged, lost (acknowledged and without a result), double (more than one result), different (other bits than a
local solve), unstable (another reading of the same cursor gave other bytes). Exit status 0 when the last four are 0.
"""

import argparse
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

from job_client import AcknowledgedJob, JobClient
from people import people, write_json_lines
from processes import Child, Supervisor
from surroundings import Link, SmallDisk

DONE, DEAD = 1, 3


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def free_ports(count):
    import socket

    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Fleet:
    """A broker, its workers and the command-line clients."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.logs = folder / "logs"
        self.logs.mkdir()
        client_port, worker_port = free_ports(2)
        self.clients_at = f"tcp://127.0.0.1:{client_port}"
        self.links = [Link(number) for number in range(1, options.workers + 1)] if options.links else []
        self.disk = SmallDisk(str(folder / "disk"), options.disk) if options.disk else None
        store = folder / "disk" / "store" if self.disk else folder / "store"
        # With links, workers come from other addresses; there are no keys here.
        host = "0.0.0.0" if self.links else "127.0.0.1"
        insecure = ["--insecure"] if self.links else []
        self.broker = Child(
            "broker",
            [options.sinew, "broker", "--clients", self.clients_at, "--workers", f"tcp://{host}:{worker_port}",
             "--store", str(store), *insecure], self.logs / "broker.log")
        self.workers = []
        for number in range(options.workers):
            link = self.links[number] if self.links else None
            at = link.host if link else "127.0.0.1"
            self.workers.append(Child(
                f"worker {number + 1}",
                [options.sinew, "worker", "--broker", f"tcp://{at}:{worker_port}", "--model", "hybrik", "--name",
                 f"worker-{number + 1}", *insecure], self.logs / f"worker{number + 1}.log", link.prefix if link else ()))

    def start(self):
        self.broker.start()
        for worker in self.workers:
            worker.start()
        self.supervisor = Supervisor([self.broker, *self.workers])
        self.supervisor.start()

    def end(self):
        self.supervisor.stop()
        for worker in self.workers:
            worker.stop_politely()
        self.broker.stop_politely()
        for link in self.links:
            link.remove()
        if self.disk:
            self.disk.remove()


class Submitters:
    """Keeps jobs coming, by both kinds of clients, until told to stop."""

    def __init__(self, fleet, folder, seed):
        self.fleet = fleet
        self.folder = folder
        self.random = random.Random(seed)
        self.stopping = threading.Event()
        self.acknowledged = []
        self.files = []
        self.running = None  # the `sinew submit` of the moment
        self.submit_runs = 0
        self.trouble = []
        self.client = JobClient(fleet.clients_at, say)
        self.threads = [threading.Thread(target=self.guard, args=(body,)) for body in (self.remember, self.command_line)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def guard(self, body):
        try:
            body()
        except Exception as error:
            self.trouble.append(f"{body.__name__}: {error!r}")

    def remember(self):
        while not self.stopping.is_set():
            number = len(self.acknowledged)
            tasks = [people(f"{self.random.random()} {number} {index}", self.random.randint(1, 24))
                     for index in range(self.random.randint(5, 40))]
            self.acknowledged.append(AcknowledgedJob(self.client, f"chaos {number}", tasks))
            self.stopping.wait(0.6)

    def command_line(self):
        while not self.stopping.is_set():
            number = len(self.files)
            path = self.folder / f"people{number}.jsonl"
            write_json_lines(path, people(f"file {number} {self.random.random()}", self.random.randint(500, 2500)))
            while True:
                self.running = Child(
                    "client", [self.fleet.options.sinew, "submit", str(path), "--model", "hybrik", "--block", "2", "--broker",
                               self.fleet.clients_at, "--json"], self.folder / f"submit{number}.log")
                self.running.start()
                self.submit_runs += 1
                status = self.running.process.wait()
                if status == 0:
                    break
                if status > 0 and status not in (69, 75):
                    raise RuntimeError(f"sinew submit ended with {status}; see {self.running.log}")
                time.sleep(0.1)
            last = [line for line in self.running.log.read_text().splitlines() if line.startswith("{")][-1]
            self.files.append((path, json.loads(last)))
            self.stopping.wait(0.6)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


class Chaos:
    """Chooses what happens next, from one seed."""

    def __init__(self, fleet, submitters, options):
        self.fleet, self.submitters, self.options = fleet, submitters, options
        self.random = random.Random(options.seed)
        self.counts = {}

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    @property
    def kills(self):
        return sum(count for what, count in self.counts.items() if what.startswith("killed"))

    def run(self):
        while self.kills < self.options.kills and not self.submitters.trouble:
            time.sleep(self.random.uniform(0.1, 1.9) * self.options.pace)
            choice = self.random.random()
            if choice < 0.75:
                self.kill()
            elif choice < 0.9:
                self.pause()
            elif self.fleet.links and choice < 0.96:
                self.cut()
            elif self.fleet.disk:
                self.fill()
            if self.kills % 25 == 0 and self.kills:
                say(f"{self.kills} kills, {len(self.submitters.acknowledged)} + {len(self.submitters.files)} jobs acknowledged")

    def victim(self):
        choice = self.random.random()
        if choice < 0.25:
            return self.fleet.broker
        if choice < 0.5 and self.submitters.running is not None and self.submitters.running.is_running:
            return self.submitters.running
        return self.random.choice(self.fleet.workers)

    def kill(self):
        victim = self.victim()
        with self.fleet.supervisor.lock:
            if victim.kill():
                self.count(f"killed {victim.name.split()[0]}")
            if victim.name != "client":  # clients are run again by those who wait for them
                time.sleep(self.random.uniform(0, 0.6))
                victim.start()

    def pause(self):
        victim = self.victim()
        victim.signal(signal.SIGSTOP)
        time.sleep(self.random.choice([0.1, 0.5, 2.0, 6.5]))
        victim.signal(signal.SIGCONT)
        self.count(f"stopped {victim.name.split()[0]} for a while")

    def cut(self):
        link = self.random.choice(self.fleet.links)
        link.cut()
        time.sleep(self.random.uniform(0.2, 6.0))
        link.mend()
        self.count("cut a worker's link")

    def fill(self):
        self.fleet.disk.fill()
        time.sleep(self.random.uniform(0.5, 2.0))
        self.fleet.disk.relieve()
        self.count("filled the disk")


class Verdict:
    def __init__(self, fleet, submitters, folder):
        self.fleet, self.submitters, self.folder = fleet, submitters, folder
        self.client = JobClient(fleet.clients_at, say)
        self.acknowledged = self.lost = self.double = self.different = self.unstable = self.replayed = self.people = 0

    def finish(self, job, patience=300.0):
        """Waits for the end of a job. What killed too many workers by no fault of its own is tried again."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            status = self.client.call("Status", {"id": job, "wait_us": 2_000_000})
            if status["ended_unix_us"]:
                if not status["dead"]:
                    return
                self.replayed += self.client.call("Replay", {"id": job, "indexes": []})["replayed"]
        raise TimeoutError(f"job {job.hex()} did not end within {patience:.0f} s after the faults stopped: {status}")

    def local(self, rows, name):
        source, out = self.folder / f"{name}.jsonl", self.folder / f"{name}.npz"
        write_json_lines(source, rows)
        return self.solve_locally(source, out)

    def solve_locally(self, source, out):
        subprocess.run(
            [self.fleet.options.sinew, "solve", str(source), "--model", "hybrik", "--local", "-o", str(out)], check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with np.load(out) as arrays:
            return arrays["poses"].reshape(-1, 72), arrays["trans"]

    def look_at(self, job, number):
        self.finish(job.id)
        results, _ = self.client.results(job.id)
        again, _ = self.client.results(job.id)
        self.unstable += results != again
        by_index = {}
        for result in results:
            by_index.setdefault(result["index"], []).append(result)
        self.acknowledged += len(job.rows)
        flat = [row for rows in job.rows for row in rows]
        poses, trans = self.local(flat, f"acknowledged{number}")
        start = 0
        for index, rows in enumerate(job.rows):
            found = [result for result in by_index.get(index, []) if result["outcome"] == DONE]
            self.lost += not found
            self.double += len(found) > 1
            if found and not self.same(found[0]["payload"], poses[start : start + len(rows)], trans[start : start + len(rows)]):
                self.different += 1
            start += len(rows)
            self.people += len(rows)

    @staticmethod
    def same(payload, poses, trans):
        import msgpack

        reply = msgpack.unpackb(payload)
        theta = np.frombuffer(reply["theta"]["data"], "<f4").reshape(-1, 72)
        translation = np.frombuffer(reply["translation"]["data"], "<f4").reshape(-1, 3)
        return theta.tobytes() == poses.astype("<f4").tobytes() and translation.tobytes() == trans.astype("<f4").tobytes()

    def look_at_file(self, path, report, number):
        job = report["job"]["job"]
        self.finish(bytes.fromhex(job.replace("-", "")))
        out = self.folder / f"got{number}"
        subprocess.run(
            [self.fleet.options.sinew, "get", job, "-o", str(out), "--broker", self.fleet.clients_at], check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        files = sorted(out.rglob("*.npz")) if out.is_dir() else [out]
        poses, trans = self.solve_locally(path, self.folder / f"local{number}.npz")
        self.acknowledged += 1
        self.people += len(poses)
        if len(files) != 1:
            self.lost += not files
            self.double += len(files) > 1
            return
        with np.load(files[0]) as arrays:
            same = arrays["poses"].reshape(-1, 72).tobytes() == poses.tobytes() and arrays["trans"].tobytes() == trans.tobytes()
        self.different += not same


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sinew", required=True, help="the sinew command")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pace", type=float, default=0.65, help="mean seconds between two faults")
    parser.add_argument("--links", action="store_true", help="workers in network namespaces whose links are cut (root)")
    parser.add_argument("--disk", type=int, default=0, metavar="MiB", help="the store on a tmpfs of this size, which is filled (root)")
    parser.add_argument("--folder", type=pathlib.Path, help="where everything is kept (default: a temporary folder)")
    options = parser.parse_args()
    folder = options.folder or pathlib.Path(tempfile.mkdtemp(prefix="sinew-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    say(f"seed {options.seed}, everything is in {folder}")
    started = time.monotonic()
    fleet = Fleet(options, folder)
    try:
        fleet.start()
        submitters = Submitters(fleet, folder, options.seed)
        submitters.start()
        chaos = Chaos(fleet, submitters, options)
        chaos.run()
        say("no more faults; waiting for the clients")
        submitters.stop()
        if submitters.trouble:
            raise RuntimeError("; ".join(submitters.trouble))
        verdict = Verdict(fleet, submitters, folder)
        for number, job in enumerate(submitters.acknowledged):
            verdict.look_at(job, number)
        for number, (path, report) in enumerate(submitters.files):
            verdict.look_at_file(path, report, number)
    finally:
        fleet.end()
    report = {
        "seed": options.seed, "seconds": round(time.monotonic() - started), "kills": chaos.kills, "faults": chaos.counts,
        "jobs": len(submitters.acknowledged) + len(submitters.files), "tasks_acknowledged": verdict.acknowledged,
        "people": verdict.people, "submit_runs": submitters.submit_runs, "resends": submitters.client.resends,
        "ended_by_themselves": fleet.supervisor.restarts,
        "dead_and_replayed": verdict.replayed, "lost": verdict.lost, "double": verdict.double, "different": verdict.different,
        "unstable": verdict.unstable,
    }
    print(json.dumps(report))
    sys.exit(0 if not any(report[key] for key in ["lost", "double", "different", "unstable"]) and report["jobs"] else 1)


if __name__ == "__main__":
    main()
