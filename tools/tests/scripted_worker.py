"""A worker that does as a test says, over the wire: nothing of it is Sinew's own code."""

import time

import msgpack
import zmq
from background import Background

HELLO, BEAT, RESULT, GOODBYE, TASK, HELLO_AGAIN = 10, 11, 12, 14, 21, 23


class ScriptedWorker(Background):
    """Serves until the `with` block ends. `answer` is called with each task's head and payload and returns a gRPC status, a number of
    errors.json and a payload; None: the task is kept and not answered."""

    def __init__(self, endpoint, name, answer, model="hybrik", credits=64):
        self.held = []
        self._endpoint = endpoint
        self._hello = {
            "name": name, "models": [{"name": model, "version": "1", "architecture": model, "weights_sha256": ""}],
            "credits": credits, "compute_threads": 1, "isa": "none", "host": "here", "process_id": 1, "version": "test",
            "incarnation": time.time_ns()}
        self._answer = answer
        super().__init__()

    def _run(self):
        with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
            socket.setsockopt(zmq.LINGER, 200)
            socket.connect(self._endpoint)
            self._send(socket, HELLO, msgpack.packb(self._hello))
            beat = time.monotonic() + 1
            while not self._ending.is_set():
                if time.monotonic() >= beat:
                    beat += 1
                    self._send(socket, BEAT, msgpack.packb({"uptime_us": int(time.monotonic() * 1e6)}))
                if socket.poll(50):
                    self._take(socket, *socket.recv_multipart())
            self._send(socket, GOODBYE)

    def _send(self, socket, kind, *body, head=None, status=0, error=0):
        _, _, method, model, call, timeout, lease, attempt, priority, tenant, items, *_ = head or [1, 0, "", "", 0, None, 0, 0, 0, "", 0]
        socket.send_multipart([
            msgpack.packb([1, kind, method, model, call, timeout, lease, attempt, priority, tenant, items, status, error]), *body])

    def _take(self, socket, head, *body):
        head = msgpack.unpackb(head)
        if head[1] == HELLO_AGAIN:
            self._send(socket, HELLO, msgpack.packb(self._hello))
        if head[1] != TASK:
            return
        answer = self._answer(head, body[-1])
        if answer is None:
            self.held.append(head)
        else:
            status, error, payload = answer
            self._send(socket, RESULT, payload, head=head, status=status, error=error)
