#!/usr/bin/env python3
"""Times our NIKI network and ONNX Runtime in turn, in one run, on the same weights.

    python3 Benchmarks/make_random_model.py --out /tmp/models
    swift build -c release --package-path Benchmarks
    pip install -r tools/bench/requirements.txt
    python3 tools/bench/compare_onnxruntime.py --models /tmp/models --model niki-official --out comparison.json

Both sides first solve the same input and must agree to 1e-4 (0.1 with weights of bfloat16 or int8). Then they take turns, round by round, and each ratio is the median of the
rounds' ratios. Four things are compared; ONNX Runtime always computes in float32:

  one thread           one batch after the other on one thread
  one batch, two       each batch is solved by two threads: ONNX Runtime with intra_op_num_threads 2, ours with a team of two
  two batches          two threads, each with batches of its own, on both sides: throughput
  best of two          our better way with two threads against ONNX Runtime's better way

Rates are wall time. `cpu`, beside one thread and two batches, is the same ratio in processor time: on a machine that others use too,
it is the one to trust. Input halves are split and weights packed beforehand for ONNX Runtime; our time
includes both the splitting and joining of the halves. With --path public ours also includes conditioning and pose finishing.
"""

import argparse
import datetime
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import onnxruntime

import niki_graph

# Random weights of float32 agree to 1e-6; bfloat16 and int8 keep eight bits of each weight, through 32 couplings.
TOLERANCE = {"float32": 1e-4, "bfloat16": 0.1, "int8": 0.1}


class Ours:
    """The NetworkBenchmark program, one command at a time."""

    def __init__(self, program, models, model, precision):
        self.process = subprocess.Popen(
            [program, "--models", models, "--model", model, "--precision", precision], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"NetworkBenchmark ended at {words}; its message stands above")
        return json.loads(line)

    def solve(self, vectors, phi, betas):
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "in", Path(folder) / "out"
            source.write_bytes(b"".join(np.ascontiguousarray(x, "<f4").tobytes() for x in (vectors, phi, betas)))
            self.ask("solve", len(vectors), source, target)
            flat = np.frombuffer(target.read_bytes(), "<f4")
        cut = len(vectors) * niki_graph.ROTATION
        return flat[:cut].reshape(len(vectors), -1), flat[cut:].reshape(len(vectors), -1)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def session(graph, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def run_sessions(sessions, inputs, times):
    """Wall and processor seconds while every session runs its input `times` times, each on a thread of its own.

    A run holds no interpreter lock. Processor time includes the spinning of intra-op threads.
    """
    def work(one):
        for _ in range(times):
            one.run(None, inputs)

    start, processor = time.perf_counter(), time.process_time()
    if len(sessions) == 1:
        work(sessions[0])
    else:
        threads = [threading.Thread(target=work, args=(one,)) for one in sessions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return time.perf_counter() - start, time.process_time() - processor


def random_input(count, seed):
    generator = np.random.default_rng(seed)
    return [generator.uniform(-1, 1, (count, width)).astype("<f4") for width in (116, 46, 10)]


def build(tensors, count, form):
    """The graph in one of its forms: `published`, or packed as `separate` or `merged`."""
    if form == "published":
        return niki_graph.build_published(tensors, count)
    return niki_graph.build(tensors, count, merged=form == "merged")


def check(ours, tensors, form, counts, tolerance):
    """The largest difference between the two programs, over every output."""
    worst = 0.0
    for count in counts:
        vectors, phi, betas = random_input(count, count)
        one = session(build(tensors, count, form), 1)
        theirs = niki_graph.results(one.run(None, niki_graph.feed([x.name for x in one.get_inputs()], vectors, phi, betas)))
        worst = max([worst, *(np.abs(a - b).max() for a, b in zip(ours.solve(vectors, phi, betas), theirs))])
    if not worst <= tolerance:
        raise SystemExit(f"the programs differ by {worst}, more than {tolerance}: they do not compute the same network")
    return float(worst)


def faster_form(tensors, count):
    """Whether ONNX Runtime is faster with `separate` or `merged` first layers at this batch; its better form is compared."""
    sessions = {form: session(build(tensors, count, form), 1) for form in ("separate", "merged")}
    one = sessions["separate"]
    inputs = niki_graph.feed([x.name for x in one.get_inputs()], *random_input(count, 1))
    spent = {form: [] for form in sessions}
    for _ in range(5):
        for form, one in sessions.items():
            spent[form].append(run_sessions([one], inputs, max(1, 64 // count))[1])
    return min(spent, key=lambda form: statistics.median(spent[form]))


def measure(ours, tensors, path, form, count, rounds, seconds):
    """One row of the table: persons per second of both sides, and the medians of the rounds' ratios."""
    form = faster_form(tensors, count) if form == "packed" else form
    graph = build(tensors, count, form)
    single, double, other = session(graph, 1), session(graph, 2), session(graph, 1)
    inputs = niki_graph.feed([x.name for x in single.get_inputs()], *random_input(count, 1))
    modes = {
        "one_thread": ([single], ["own", 1], 1), "one_batch_two": ([double], ["split", 2], 1),
        "two_batches": ([single, other], ["own", 2], 2),
    }
    found = {}
    for name, (sessions, way, batches) in modes.items():
        run_sessions(sessions, inputs, 1)
        theirs_times = max(1, round(seconds / run_sessions(sessions, inputs, 1)[0]))
        ours.ask("time", path, *way, count, 1)
        ours_times = max(1, round(seconds / ours.ask("time", path, *way, count, 1)["wall"]))
        pairs = []
        for _ in range(rounds):
            wall, processor = run_sessions(sessions, inputs, theirs_times)
            persons = theirs_times * count * batches
            # ONNX Runtime's threads spin for a moment after a run; they must not take a core from us.
            time.sleep(0.05)
            told = ours.ask("time", path, *way, count, ours_times)
            pairs.append((persons / wall, told["persons"] / told["wall"], persons / processor,
                          told["persons"] / told["processor"]))
        found[name] = {
            "onnxruntime_persons_per_second": statistics.median(p[0] for p in pairs),
            "sinew_persons_per_second": statistics.median(p[1] for p in pairs),
            "ratio": statistics.median(p[1] / p[0] for p in pairs),
        }
        # Without intra-op threads nobody spins, and processor time compares the two whatever else the machine does.
        if name != "one_batch_two":
            found[name] |= {
                "onnxruntime_persons_per_cpu_second": statistics.median(p[2] for p in pairs),
                "sinew_persons_per_cpu_second": statistics.median(p[3] for p in pairs),
                "cpu_ratio": statistics.median(p[3] / p[2] for p in pairs),
            }
    best = [max(found[m][f"{side}_persons_per_second"] for m in ("one_batch_two", "two_batches"))
            for side in ("sinew", "onnxruntime")]
    found["best_of_two"] = {"sinew_persons_per_second": best[0], "onnxruntime_persons_per_second": best[1],
                            "ratio": best[0] / best[1]}
    return {"batch": count, "onnxruntime_graph": form, **found}


def packed_flops(tensors):
    """Floating-point operations of the packed products per person; the padding that the first coupling skips is counted (0.1 %)."""
    total = 0
    for name, tensor in tensors.items():
        if not name.endswith("weight"):
            continue
        rows, columns = tensor.shape
        stage = 176 if name.startswith("flow_j2s") else 190
        rows = stage // 2 if rows == stage else rows
        columns = stage // 2 if columns in (stage, stage + 10) else columns
        total += 2 * rows * columns
    return total


def rounded(value):
    """The same report with four digits to each measured figure."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("--models", type=Path, required=True, help="the model repository")
    parser.add_argument("--model", default="niki-official", help="a niki-twist-and-swing model in it, version 1")
    parser.add_argument("--program", type=Path, default=root / "Benchmarks/.build/release/NetworkBenchmark")
    parser.add_argument("--batches", default="1,2,4,8,16,32,64,128,256,1024")
    parser.add_argument("--path", choices=["network", "public"], default="network")
    parser.add_argument(
        "--graph", choices=["packed", "published"], default="packed",
        help="what ONNX Runtime runs: our packed form, or the network as it is published, masks and all")
    parser.add_argument("--precision", choices=sorted(TOLERANCE), default="float32", help="how we hold our weights")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.3, help="length of a round of one side")
    parser.add_argument("--out", type=Path, help="where to write the JSON")
    arguments = parser.parse_args()
    tensors = niki_graph.read_safetensors(arguments.models / arguments.model / "1" / "weights.safetensors")
    ours = Ours(arguments.program, arguments.models, arguments.model, arguments.precision)
    machine = ours.ask("machine")
    difference = max(
        check(ours, tensors, form, [1, 7, 128], TOLERANCE[arguments.precision]) for form in ("separate", "merged", "published"))
    flops = packed_flops(tensors)
    load = os.getloadavg()[0]
    peak = machine["fma_peak_gflops_per_core"] * 1e9
    print(f"{machine['processor']}, {machine['cores']} cores, peak {peak / 1e9:.0f} GFLOP/s and {machine['memory_gbytes_per_second']:.1f} "
          f"GB/s read per core; largest difference {difference:.1e}; persons/s, ONNX Runtime {onnxruntime.__version__} | ours | ratio")
    print(f"{'batch':>6} {'one thread':>30} {'% of peak':>10} {'one batch, two threads':>24} {'two batches':>30} {'best of two':>24}")
    rows = []
    for count in map(int, arguments.batches.split(",")):
        row = measure(ours, tensors, arguments.path, arguments.graph, count, arguments.rounds, arguments.seconds)
        row["fma_peak_fraction"] = row["one_thread"]["sinew_persons_per_cpu_second"] * flops / peak
        rows.append(row)
        cells = [f"{row[m]['onnxruntime_persons_per_second']:.0f} | {row[m]['sinew_persons_per_second']:.0f} | {row[m]['ratio']:.2f}"
                 + (f" (cpu {row[m]['cpu_ratio']:.2f})" if "cpu_ratio" in row[m] else "")
                 for m in ("one_thread", "one_batch_two", "two_batches", "best_of_two")]
        print(f"{count:>6} {cells[0]:>30} {100 * row['fma_peak_fraction']:>9.0f}% {cells[1]:>24} {cells[2]:>30} {cells[3]:>24}", flush=True)
    ours.close()
    report = {
        "date": datetime.date.today().isoformat(), **machine, "load_average_before": load, "model": arguments.model,
        "path": arguments.path, "graph": arguments.graph, "precision": arguments.precision, "rounds": arguments.rounds, "onnxruntime": onnxruntime.__version__,
        "flops_per_person": flops, "largest_difference": difference, "results": rows,
    }
    if arguments.out:
        arguments.out.write_text(json.dumps(rounded(report), indent=1) + "\n")


if __name__ == "__main__":
    main()
