#!/usr/bin/env python3
"""A whole client in one page: asks a broker what it has, and for the poses of two people.

usage: example_client.py [ENDPOINT] [MODEL]     needs: pip install pyzmq msgpack
       The default is a broker on this machine (sinew up) and the analytic solver: tcp://127.0.0.1:7690 hybrik
"""

import struct
import sys

import msgpack
import zmq

CALL, REPLY = 1, 5

# The 29 joints of the neutral open body in its rest pose, metres, y up, in the order of the skeleton smpl-29.
REST = [
    0, 0, 0, .105, -.013, -.008, -.105, -.013, -.008, 0, .079, -.039, .105, -.406, -.008, -.105, -.406, -.008, 0, .144,
    -.024, .105, -.82, -.008, -.105, -.82, -.008, 0, .219, -.025, .108, -.882, .11, -.108, -.882, .11, 0, .534, -.002,
    .023, .462, .014, -.023, .462, .014, 0, .631, .033, .17, .44, .009, -.17, .44, .009, .412, .44, .009, -.411, .44,
    .009, .647, .44, .009, -.647, .44, .009, .748, .44, .009, -.748, .44, .009, 0, .779, .042, .826, .406, .001, -.826,
    .406, .001, .08, -.877, .178, -.08, -.877, .178,
]


class CallFailed(Exception):
    pass


class Client:
    def __init__(self, endpoint):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(endpoint)
        self.calls = 0

    def call(self, method, request, model="", items=0, timeout=10.0):
        """One call at a time; a real client tells replies apart by the call id and sends pings (see README.md)."""
        self.calls += 1
        head = [1, CALL, method, model, self.calls, int(timeout * 1e6), 0, 1, 0, "", items, 0, 0]
        self.socket.send_multipart([msgpack.packb(head), msgpack.packb(request)])
        while self.socket.poll(int(timeout * 1000)):
            head, *body = self.socket.recv_multipart()
            version, kind, _, _, call_id, *_, status, error = msgpack.unpackb(head)[:13]
            if version != 1 or kind != REPLY or call_id != self.calls:
                continue
            message = msgpack.unpackb(body[-1]) if body else {}
            if status != 0:
                raise CallFailed(f"status {status}, error {error}: {message.get('message', '')}")
            return message
        raise CallFailed(f"no answer within {timeout} s; is a broker running? sinew up")


def pack_tensor(values, shape):
    return {"dtype": "float32", "shape": shape, "data": struct.pack(f"<{len(values)}f", *values)}


def unpack_tensor(tensor):
    assert tensor["dtype"] == "float32"
    return struct.unpack(f"<{len(tensor['data']) // 4}f", tensor["data"]), tensor["shape"]


def main():
    endpoint = sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:7690"
    model = sys.argv[2] if len(sys.argv) > 2 else "hybrik"
    client = Client(endpoint)

    reply = client.call("sinew.v1.Fleet/ListModels", {})
    print("models:", [f"{m['model']['name']}/{m['model']['version']} on {m['workers']} workers" for m in reply["models"]])

    reply = client.call(
        "sinew.v1.PoseSolver/SolvePoses",
        {"joints": pack_tensor(REST * 2, [2, 29, 3]), "skeleton": "smpl-29", "genders": ["neutral"]},
        model=model, items=2)
    theta, shape = unpack_tensor(reply["theta"])
    print(f"theta {shape} from {reply['model']}/{reply['model_version']} by {reply['worker']}, batch of {reply['batch_size']}")
    print("global orientation of person 0:", [round(x, 4) for x in theta[:3]])
    print("joint residual, mm:", [round(x, 2) for x in reply["quality"]["joint_residual_mm"]])
    for error in reply.get("item_errors", []):
        print(f"person {error['item']} was not solved: {error['field']}: {error['message']}")


if __name__ == "__main__":
    try:
        main()
    except CallFailed as failure:
        sys.exit(str(failure))
