"""A client of the Jobs service written from proto/README.md alone. It remembers what was acknowledged, and only that."""

import hashlib
import os
import struct
import time

import msgpack
import zmq

CALL, REPLY = 1, 5
RETRYABLE = {8, 14}  # RESOURCE_EXHAUSTED, UNAVAILABLE


class Refused(Exception):
    def __init__(self, status, error, message):
        super().__init__(f"status {status}, error {error}: {message}")
        self.status = status


def uuid7():
    stamp = int(time.time() * 1000).to_bytes(6, "big")
    rest = bytearray(os.urandom(10))
    rest[0] = 0x70 | rest[0] & 0x0F
    rest[2] = 0x80 | rest[2] & 0x3F
    return stamp + bytes(rest)


def solve_request(rows):
    data = b"".join(struct.pack("<87f", *row) for row in rows)
    return msgpack.packb({"joints": {"dtype": "float32", "shape": [len(rows), 29, 3], "data": data}, "skeleton": "smpl-29"})


class JobClient:
    """One call at a time; a call that is not answered is sent again, until the answer comes: every method is idempotent."""

    def __init__(self, endpoint, say):
        self.endpoint = endpoint
        self.say = say
        self.context = zmq.Context()
        self.socket = None
        self.calls = 0
        self.resends = 0

    def connect(self):
        if self.socket is not None:
            self.socket.close(0)
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RECONNECT_IVL, 50)
        self.socket.connect(self.endpoint)

    def call(self, method, request, give_up=300.0):
        payload = msgpack.packb(request)
        end = time.monotonic() + give_up
        while time.monotonic() < end:
            if self.socket is None:
                self.connect()
            self.calls += 1
            head = [1, CALL, f"sinew.v1.Jobs/{method}", "hybrik", self.calls, 5_000_000, 0, 1, 0, "", 0, 0, 0]
            try:
                self.socket.send_multipart([msgpack.packb(head), payload], zmq.DONTWAIT)
            except zmq.Again:
                time.sleep(0.05)
                continue
            answer = self.answer(self.calls)
            if answer is None:
                self.resends += 1
                self.connect()  # a DEALER to a dead broker reports nothing
                continue
            head, body = answer
            status, error = head[11], head[12]
            message = msgpack.unpackb(body[-1]) if body else {}
            if status == 0:
                return message
            if status not in RETRYABLE:
                raise Refused(status, error, message.get("message", ""))
            time.sleep(min(1.0, max(0.02, (message.get("retry_after_us") or 50_000) / 1e6)))
        raise TimeoutError(f"{method} was not answered within {give_up:.0f} s")

    def answer(self, call):
        end = time.monotonic() + 2.0
        while (left := end - time.monotonic()) > 0:
            if not self.socket.poll(int(left * 1000) + 1):
                break
            head, *body = self.socket.recv_multipart()
            head = msgpack.unpackb(head)
            if head[1] == REPLY and head[4] == call:
                return head, body
        return None

    def results(self, job):
        """All results from the beginning, and whether the job is complete."""
        found, cursor = [], 0
        while True:
            reply = self.call("Results", {"id": job, "cursor": cursor, "count_max": 0, "failures_only": False})
            found += reply["results"]
            if reply["next_cursor"] == cursor or not reply["results"]:
                return found, reply["complete"]
            cursor = reply["next_cursor"]


class AcknowledgedJob:
    """A job whose every append was acknowledged; `rows` are the people by task."""

    def __init__(self, client, label, tasks):
        self.id = uuid7()
        self.rows = tasks
        client.call("Submit", {
            "id": self.id, "method": "sinew.v1.PoseSolver/SolvePoses", "model": "hybrik", "label": label,
            "content_sha256": b""})
        for index, rows in enumerate(tasks):
            payload = solve_request(rows)
            block = {"index": index, "items": len(rows), "sha256": hashlib.sha256(payload).digest(), "payload": payload,
                     "label": f"task {index}"}
            client.call("Append", {"id": self.id, "tasks": [block]})
        client.call("Seal", {"id": self.id, "tasks": len(tasks)})
