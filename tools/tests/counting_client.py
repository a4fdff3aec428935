"""A client that keeps calls under way and counts what comes back, for tests: nothing of it is Sinew's own code."""

import bisect
import pathlib
import runpy
import time

import msgpack
import zmq
from background import Background

EXAMPLE = runpy.run_path(str(pathlib.Path(__file__).parents[2] / "proto/example_client.py"))
CALL, REPLY, REST, pack_tensor = (EXAMPLE[name] for name in ("CALL", "REPLY", "REST", "pack_tensor"))
SOLVE = "sinew.v1.PoseSolver/SolvePoses"


def solve_request(people):
    """So many people in the open body's rest pose."""
    return msgpack.packb({
        "joints": pack_tensor(REST * people, [people, 29, 3]), "skeleton": "smpl-29", "genders": ["neutral"] * people})


def call_head(number, model, people, timeout_us=30_000_000):
    return msgpack.packb([1, CALL, SOLVE, model, number, timeout_us, 0, 1, 0, "", people, 0, 0])


class CountingClient(Background):
    """Asks from the beginning of the `with` block to its end, and then waits for what is under way.

    `answers` has an entry for each reply: when it came (time.time()), who gave it, the size of its batch, and how long it waited and was
    computed, microseconds.
    """

    def __init__(self, endpoint, model="hybrik", calls=16, people=64, calls_max=None):
        self.people_per_call = people
        self.answers = []
        self.failures = []
        self._options = (endpoint, model, calls, people, calls_max)
        super().__init__()

    def wait(self):
        """Until all calls of a limited number are answered."""
        self._thread.join()

    @property
    def people(self):
        return len(self.answers) * self.people_per_call

    def people_between(self, begin, end):
        """Solved in a stretch of time."""
        times = [answer[0] for answer in list(self.answers)]
        return (bisect.bisect_right(times, end) - bisect.bisect_right(times, begin)) * self.people_per_call

    def people_by_worker(self):
        counts = {}
        for answer in list(self.answers):
            counts[answer[1]] = counts.get(answer[1], 0) + self.people_per_call
        return counts

    def _run(self):
        endpoint, model, calls, people, calls_max = self._options
        request = solve_request(people)
        with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
            socket.setsockopt(zmq.LINGER, 0)
            socket.connect(endpoint)
            sent = 0
            give_up = None
            while True:
                is_asking = not self._ending.is_set() and sent != calls_max
                while is_asking and sent - len(self.answers) - len(self.failures) < calls and sent != calls_max:
                    sent += 1
                    socket.send_multipart([call_head(sent, model, people), request])
                if not is_asking:
                    give_up = give_up or time.monotonic() + 60
                    if sent == len(self.answers) + len(self.failures) or time.monotonic() > give_up:
                        return
                if socket.poll(100):
                    self._take(*socket.recv_multipart())

    def _take(self, head, *body):
        head, message = msgpack.unpackb(head), msgpack.unpackb(body[-1]) if body else {}
        if head[1] != REPLY:
            return
        if head[11] != 0:
            self.failures.append((head[11], message.get("message", "")))
            return
        self.answers.append((time.time(), message["worker"], message["batch_size"], message["queue_us"], message["compute_us"]))
