#!/usr/bin/env python3
"""People per second that the Python client gets out of a service, beside the Swift client, in the same run and in turns.

usage: python_map.py [--sinew .build/release/sinew] [--people 100000] [--model niki] [--rounds 3] [--workers 2]
needs: pip install numpy pyzmq msgpack. Starts a broker and workers of its own on loopback and ends them.

Prints a line per round and the ratio of the medians; with --json a machine reads it. Processor time per person is the client's own and
does not depend on who else uses the machine; the rates do, so take them on idle cores.
"""

import argparse
import json
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "python" / "src"))

import sinew  # noqa: E402


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def make_people(path, rows=6400):
    """The neutral body in its rest pose, turned to all sides, with a detector's noise of 2 cm."""
    rest = np.array(REST, np.float32).reshape(29, 3)
    random = np.random.default_rng(5)
    angle = random.uniform(-np.pi, np.pi, rows)
    turn = np.zeros((rows, 3, 3), np.float32)
    turn[:, 0, 0] = turn[:, 2, 2] = np.cos(angle)
    turn[:, 0, 2], turn[:, 2, 0], turn[:, 1, 1] = np.sin(angle), -np.sin(angle), 1
    joints = (rest @ np.swapaxes(turn, 1, 2) + random.normal(0, 0.02, (rows, 29, 3))).astype(np.float32)
    np.savez(path, joints3d=joints, skeleton="smpl-29", unit="m", up_axis="+y")
    return joints


def rest_joints():
    namespace = {"__name__": "example_client"}
    source = HERE.parents[1] / "proto" / "example_client.py"
    exec(compile(source.read_text(), str(source), "exec"), namespace)
    return namespace["REST"]


REST = rest_joints()


def python_round(client, joints, people, model):
    """One person at a time through `map`, in order."""
    items = (joints[row % len(joints)] for row in range(people))
    start, processor = time.perf_counter(), time.process_time()
    solved = failed = 0
    for poses in client.map(items, model):
        solved += len(poses)
        failed += len(poses.item_errors)
    seconds = time.perf_counter() - start
    return {
        "people": solved, "failed": failed, "seconds": seconds, "people_per_second": solved / seconds,
        "client_processor_seconds": time.process_time() - processor}


def swift_round(options, endpoint, file):
    out = subprocess.run(
        [options.sinew, "bench", "service", str(file), "--people", str(options.people), "--model", options.model, "--broker", endpoint,
         "--json"], check=True, capture_output=True, text=True)
    return json.loads(out.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sinew", default=str(HERE.parents[1] / ".build/release/sinew"))
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--model", default="niki")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "people.npz"
        joints = make_people(file)
        clients, workers = free_ports(2)
        endpoint = f"tcp://127.0.0.1:{clients}"
        log = open(pathlib.Path(folder) / "fleet.log", "wb")
        fleet = subprocess.Popen(
            [options.sinew, "up", "--workers", str(options.workers), "--clients", endpoint, "--worker-endpoint",
             f"tcp://127.0.0.1:{workers}", "--no-store", "--model", options.model], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            with sinew.Client(endpoint, wait_for_ready=True, deadline=60) as client:
                while not any(each.workers >= options.workers for each in client.models()):
                    time.sleep(0.05)
                client.solve(joints, options.model)
                rounds = {"python": [], "swift": []}
                for number in range(options.rounds):
                    for name in ("python", "swift") if number % 2 == 0 else ("swift", "python"):
                        result = (
                            python_round(client, joints, options.people, options.model) if name == "python"
                            else swift_round(options, endpoint, file))
                        rounds[name].append(result)
                        processor = result["client_processor_seconds"] / result["people"] * 1e6
                        print(
                            f"round {number + 1} {name:7} {result['people_per_second']:9.0f} people/s, client processor time "
                            f"{processor:5.2f} µs each, {result['failed']} failed", file=sys.stderr)
        finally:
            fleet.terminate()
            fleet.wait()
    rate = {name: statistics.median(each["people_per_second"] for each in results) for name, results in rounds.items()}
    summary = {
        "model": options.model, "people": options.people, "workers": options.workers, "python": rate["python"], "swift": rate["swift"],
        "ratio": rate["python"] / rate["swift"], "rounds": rounds}
    if options.json:
        print(json.dumps(summary))
    else:
        print(f"{options.model}: Python {rate['python']:.0f} people/s, Swift {rate['swift']:.0f} people/s, ratio {summary['ratio']:.3f}")


if __name__ == "__main__":
    main()
