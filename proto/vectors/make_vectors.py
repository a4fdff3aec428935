#!/usr/bin/env python3
"""Writes the golden vectors beside this file with the msgpack package of Python (msgpack-python, Cython).

usage: make_vectors.py [--check]        needs: pip install msgpack

Each file is one message: bytes in hexadecimal, a comment behind each value. The values are repeated in
Tests/SinewWireTests/GoldenVectorTests.swift, which decodes every file and, unless its name begins with `lenient`, encodes the
same bytes again. --check fails when a file differs from what would be written.
"""

import pathlib
import struct
import sys

import msgpack

HERE = pathlib.Path(__file__).parent


def tensor(dtype, shape, values):
    """A tensor message; struct codes stand in for numpy so that nothing but msgpack is needed."""
    code = {"float32": "f", "float64": "d", "int32": "i", "uint8": "B"}[dtype]
    return {"dtype": dtype, "shape": shape, "data": struct.pack(f"<{len(values)}{code}", *values)}


def head(kind, **fields):
    names = ["method", "model", "call_id", "timeout_us", "lease", "attempt", "priority", "tenant", "items", "status", "error"]
    defaults = dict(zip(names, ["", "", 0, None, 0, 1, 0, "", 0, 0, 0]))
    assert fields.keys() <= defaults.keys()
    return [1, kind, *(defaults | fields).values()]


MODEL = {"name": "niki", "version": "1", "architecture": "niki-twist-and-swing", "weights_sha256": "ab" * 32}
BEAT = {
    "items_done": 5_000_000_000, "batches_done": 70_000, "busy_us": 1_234_567, "largest_batch": 256,
    "batch_sizes": [{"size": 1, "count": 3}, {"size": 256, "count": 69_997}], "queued_items": 12, "running_items": 64,
    "holding": {"leases": [3, 2**40]}, "cpu_us": 9_876_543, "resident_bytes": 2**28, "models": [], "uptime_us": 60_000_000,
    "malformed_messages": 1,
}
TIMES = {"sum_us": 2_400, "counts": [0, 1, 0, 0, 1] + [0] * 14}
NO_TIMES = {"sum_us": 0, "counts": []}
ACTIVITY = {
    "name": "niki", "version": "1", "requests_ok": 2, "requests_failed": 1, "items_ok": 66, "items_failed": 3, "batches": 2,
    "queued_items": 4, "busy_us": 2_100, "expected_us": 2_000, "flop": 6_006_000_000, "load_us": 41_000, "batches_full": 1,
    "batches_idle": 1, "queue_time": NO_TIMES, "compute_time": TIMES, "batch_sizes": [{"size": 2, "count": 1}, {"size": 64, "count": 1}],
    "total_time": TIMES, "best_batch": 64,
    "batch_items": 67,
}

VECTORS = {
    "head-call": ("a client asks for 64 people to be solved within 30 s", head(
        1, method="sinew.v1.PoseSolver/SolvePoses", model="niki/1", call_id=7, timeout_us=30_000_000, priority=3,
        tenant="lab", items=64)),
    "head-reply-not-found": ("a call ended with NOT_FOUND, UNKNOWN_MODEL", head(
        5, call_id=2**64 - 1, attempt=2, status=5, error=103)),
    "head-task": ("the broker gives a task to a worker under a lease", head(
        21, method="sinew.v1.PoseSolver/SolvePoses", model="hybrik/1", call_id=70_000, timeout_us=0, lease=2**40,
        attempt=255, priority=255, items=2**32 - 1)),
    "lenient-head-longer": ("a later version appended two elements; they are skipped", head(
        6, call_id=9) + [{"later": [1, 2]}, "more"]),
    "solve-poses-request": ("two people of a made-up skeleton with one joint", {
        "joints": tensor("float32", [2, 1, 3], [0.0, 1.5, -2.25, 3.0, 0.1, 1e-20]), "skeleton": "smpl-29",
        "sigma": tensor("float32", [2, 1], [0.02, 0.4]), "observed": tensor("uint8", [2, 1], [1, 0]),
        "betas": tensor("float32", [10], [0.5] * 10), "genders": ["female", "male"],
        "start_theta": tensor("float32", [2, 1, 3], [0.25, -0.5, 1.0, 3.0, 0.0, -3.0]), "tracks": [7, 7], "refine": 12}),
    "lenient-solve-poses-request": ("as a dynamic language writes it: 64-bit floats, nil, an unknown field, another order", {
        "skeleton": "smpl-24", "later_field": {"a": [1, {"b": None}], "c": msgpack.ExtType(5, b"xyz")}, "sigma": None,
        "joints": dict(reversed(tensor("float64", [1, 1, 3], [0.25, 1.0, -8.5]).items()))}),
    "solve-poses-reply": ("one person solved and one refused", {
        "theta": tensor("float32", [2, 1, 3], [0.5, -0.5, 3.25, 0, 0, 0]), "translation": tensor("float32", [2, 3], [1, 2, 3, 0, 0, 0]),
        "joints": tensor("float32", [2, 1, 3], [9, 8, 7, 0, 0, 0]),
        "quality": {"latent_norm": [0.75, 0.0], "joint_residual_mm": [12.5, 0.0], "bone_length_change": [0.03125, 0.0],
                    "unobserved_joints": [3, 0], "outcome": [1, 0], "orientation_residual_rad": [0.0, 0.0]},
        "model": "niki", "model_version": "1", "weights_sha256": "0f" * 32, "worker": "anna-17", "batch_size": 40,
        "queue_us": 300, "compute_us": 70_000,
        "item_errors": [{"item": 1, "status": 3, "code": 120, "field": "joints", "message": "joint 4 is NaN"}]}),
    "solve-effectors-request": ("a person with two effectors and one with a single one", {
        "counts": tensor("int32", [2], [2, 1]), "kinds": tensor("uint8", [3], [0, 2, 0]), "joints": tensor("uint8", [3], [0, 15, 20]),
        "values": tensor("float32", [3, 6], [0.5, 1, 0, 0, 0, 0, 0, 1.5, 4, 0, 0, 1, -0.25, 1, 2, 0, 0, 0]),
        "tolerances": tensor("float32", [3], [0, 0.125, 0.5]), "weights": tensor("float32", [3], [1, 0.5, 2]),
        "betas": tensor("float32", [10], [0.25] * 10), "genders": ["male"], "refine": 12}),
    "error-detail": ("a refused call with everything filled in", {
        "message": "the queue is full – wait", "code": 200, "field": "", "item": 4, "retry_after_us": 250_000}),
    "error-detail-required": ("the same message without its optional fields", {
        "message": "no model “niky”", "code": 103, "field": "model"}),
    "worker-hello": ("a worker introduces itself", {
        "name": "anna-17", "models": [MODEL], "credits": 512, "compute_threads": 2, "isa": "avx512", "host": "anna",
        "process_id": 4_194_304, "version": "0.1.0", "incarnation": 2**63, "beat": BEAT}),
    "worker-welcome": ("the broker states its rules", {
        "beat_interval_us": 1_000_000, "lease_us": 5_000_000, "payload_bytes_max": 16_777_216, "version": "0.1.0"}),
    "fleet-status-reply": ("one broker, one draining worker", {
        "broker": {
            "version": "0.1.0", "uptime_us": 3_600_000_000, "queued_calls": 1, "queued_items": 2, "running_calls": 3,
            "running_items": 4, "calls_done": 5, "items_done": 6, "calls_failed": 7, "calls_cancelled": 8,
            "calls_redispatched": 9, "malformed_messages": 10, "clients": 11, "draining": True,
            "handshakes_refused": 12, "messages_refused": 13, "messages_too_fast": 14, "replies_dropped": 15,
            "jobs_open": 16, "jobs_sealed": 17, "jobs_finished": 18, "jobs_cancelled": 19, "jobs_expired": 20, "tasks_queued": 21,
            "tasks_leased": 22, "tasks_done": 23, "tasks_failed": 24, "tasks_dead": 25, "job_items": 26, "job_items_done": 27,
            "task_ends_done": 28, "task_ends_failed": 29, "task_ends_dead": 30, "task_retries": 31, "oldest_waiting_us": 32,
            "oldest_job_us": 33, "leases_given": 34, "lease_expiries": 35, "redeliveries": 36, "duplicates_dropped": 37,
            "workers_lost": 38, "credits_total": 39, "credits_in_use": 40, "drain_us_estimated": 41, "store_bytes": 42,
            "store_breakdowns": 43, "models": [{
                "name": "niki", "version": "", "statuses": [
                    {"status": 0, "requests": 2, "items": 66}, {"status": 3, "requests": 1, "items": 3}],
                "queue_time": NO_TIMES, "total_time": TIMES, "queued_requests": 46}],
            "cpu_us": 44, "resident_bytes": 45},
        "workers": [{
            "name": "anna-17", "state": 2, "models": [MODEL], "credits": 512, "in_flight_items": 64,
            "beat": BEAT | {"models": [ACTIVITY]},
            "heard_us_ago": 250_000, "compute_threads": 2, "isa": "avx2", "host": "anna", "process_id": 17,
            "version": "0.1.0", "items_answered": 63_999_936}],
        "time_unix_us": 1_700_000_000_000_000, "models": [ACTIVITY]}),
    "list-models-reply": ("two models", {
        "models": [{"model": {"name": "hybrik", "version": "1", "architecture": "hybrik", "weights_sha256": ""}, "workers": 2},
                   {"model": MODEL, "workers": 1}]}),
    "submit-job-request": ("a job with everything but a retention", {
        "id": bytes(range(16)), "method": "sinew.v1.PoseSolver/SolvePoses", "model": "niki", "label": "monday",
        "content_sha256": b"\x0f" * 32, "time_to_live_us": 3_600_000_000}),
    "append-tasks-request": ("two blocks, the second without a label", {
        "id": bytes(range(16)), "tasks": [
            {"index": 0, "items": 64, "sha256": b"\x11" * 32, "payload": b"\x81\xa1a\x01", "label": "a.npz 0-63"},
            {"index": 2**24 - 1, "items": 1, "sha256": b"\x22" * 32, "payload": b"\x80", "label": ""}]}),
    "job-status": ("a job under way", {
        "id": bytes(range(16)), "state": 2, "label": "monday", "method": "sinew.v1.PoseSolver/SolvePoses", "model": "niki",
        "tenant": "lab", "priority": 3, "created_unix_us": 1_700_000_000_000_000, "ended_unix_us": 0,
        "give_up_unix_us": 1_700_003_600_000_000, "remove_unix_us": 0, "next_index": 21, "tasks": 21, "items": 1_300, "queued": 1,
        "leased": 2, "done": 3, "failed": 4, "dead": 5, "cancelled": 6, "items_done": 192, "payload_bytes": 460_000,
        "result_bytes": 70_000, "content_sha256": b"", "history": {
            "sealed_unix_us": 0, "started_unix_us": 1_700_000_001_000_000, "first_done_unix_us": 1_700_000_002_000_000,
            "first_failed_unix_us": 1_700_000_003_000_000, "first_dead_unix_us": 1_700_000_004_000_000, "replayed_unix_us": 0,
            "retries": 7, "redeliveries": 8}}),
    "job-results-reply": ("one task solved, one given up", {
        "results": [
            {"index": 7, "outcome": 1, "status": 0, "label": "a.npz 0-63", "items": 64, "attempts": 1, "payload": b"\x80"},
            {"index": 3, "outcome": 3, "status": 13, "label": "", "items": 2, "attempts": 4, "payload": b"\x81\xa1a\x01"}],
        "next_cursor": 2**40, "complete": True}),
    "call-metadata": ("a call of a trace that asks for timings", {
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "sinew_trace": 1}),
    "lenient-call-metadata": ("further keys of the caller, which are forwarded and not read", {
        "tracestate": "vendor=1", "baggage": {"a": [1, None]}, "traceparent": None, "sinew_trace": 1}),
    "reply-metadata": ("a call that a second worker answered", {
        "worker": {"worker": "anna-17", "queue_us": 300, "compute_us": 70_000, "finish_us": 40, "batch_id": 2**33, "batch_size": 64},
        "broker": {"wait_us": 1_200, "retry_us": 3_000_000, "away_us": 71_000, "dispatches": 2}}),
    "health-check-reply": ("an enumeration is its number", {"status": 2}),
}


def annotate(data):
    """Yields (hex, comment) for every value, read by the msgpack specification and not by the package under test."""
    def number(at, fmt):
        return struct.unpack_from(">" + fmt, data, at + 1)[0]

    def value(at, depth):
        tag, indent = data[at], "  " * depth
        sized = {0xC4: ("B", "bin"), 0xC5: ("H", "bin"), 0xC6: ("I", "bin"), 0xD9: ("B", "str"), 0xDA: ("H", "str"), 0xDB: ("I", "str"),
                 0xDC: ("H", "array"), 0xDD: ("I", "array"), 0xDE: ("H", "map"), 0xDF: ("I", "map"), 0xC7: ("B", "ext")}
        if tag < 0x80 or tag >= 0xE0:
            kind, size, count = "int", 1, struct.unpack_from("b", data, at)[0]
        elif tag < 0x90:
            kind, size, count = "map", 1, tag & 15
        elif tag < 0xA0:
            kind, size, count = "array", 1, tag & 15
        elif tag < 0xC0:
            kind, size, count = "str", 1, tag & 31
        elif tag in sized:
            fmt, kind = sized[tag]
            size, count = 1 + struct.calcsize(fmt), number(at, fmt)
        elif tag in (0xC0, 0xC2, 0xC3):
            kind, size, count = "const", 1, {0xC0: "nil", 0xC2: "false", 0xC3: "true"}[tag]
        elif 0xD4 <= tag <= 0xD8:
            kind, size, count = "ext", 1, 1 << (tag - 0xD4)
        else:
            fmt = {0xCA: "f", 0xCB: "d", 0xCC: "B", 0xCD: "H", 0xCE: "I", 0xCF: "Q", 0xD0: "b", 0xD1: "h", 0xD2: "i", 0xD3: "q"}[tag]
            kind, size, count = "int", 1 + struct.calcsize(fmt), number(at, fmt)
        end = at + size
        if kind in ("map", "array"):
            yield data[at:end].hex(), f"{indent}{kind} of {count}"
            for _ in range(count * (2 if kind == "map" else 1)):
                end = yield from value(end, depth + 1)
            return end
        if kind == "ext":
            end += count + 1
            yield data[at:end].hex(), f"{indent}extension of {count} bytes"
        elif kind == "str":
            end += count
            yield data[at:end].hex(), f"{indent}“{data[end - count:end].decode()}”"
        elif kind == "bin":
            yield data[at:end].hex(), f"{indent}{count} bytes"
            for begin in range(end, end + count, 16):
                yield data[begin:min(begin + 16, end + count)].hex(), ""
            end += count
        else:
            yield data[at:end].hex(), f"{indent}{count}"
        return end

    yield from value(0, 0)


def text(name, title, message):
    single = not name.startswith("lenient")
    data = msgpack.packb(message, use_single_float=single)
    lines = [f"# {title}", "# made by make_vectors.py"]
    for digits, comment in annotate(data):
        lines.append(f"{digits:<34} # {comment}" if comment else digits)
    return "\n".join(lines) + "\n"


def main():
    wrong = []
    for name, (title, message) in VECTORS.items():
        path, fresh = HERE / f"{name}.hex", text(name, title, message)
        if "--check" in sys.argv:
            if not path.exists() or path.read_text() != fresh:
                wrong.append(path.name)
        else:
            path.write_text(fresh)
    if wrong:
        sys.exit(f"not what make_vectors.py writes: {', '.join(wrong)}")


main()
