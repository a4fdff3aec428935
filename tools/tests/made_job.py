"""A durable job made through the wire, for tests."""

import hashlib
import uuid

import people
from job_client import JobClient, solve_request, uuid7


class Job:
    """A job made through the wire: as many good tasks as wanted, and some that nobody can solve."""

    def __init__(self, fleet, label, good, bad=0, is_sealed=True, model="hybrik"):
        client = JobClient(fleet.client_endpoint, lambda text: None)
        self.key = uuid7()
        self.id = str(uuid.UUID(bytes=self.key))
        client.call("Submit", {"id": self.key, "method": "sinew.v1.PoseSolver/SolvePoses", "model": model, "label": label,
                               "content_sha256": b""})
        payloads = [solve_request(people.people(seed, 4)) for seed in range(good)] + [b"\x81\xa6joints\xc1" for _ in range(bad)]
        for index, payload in enumerate(payloads):
            client.call("Append", {"id": self.key, "tasks": [{
                "index": index, "items": 4, "sha256": hashlib.sha256(payload).digest(), "payload": payload,
                "label": f"<i>clip {index}</i>"}]})
        if is_sealed:
            client.call("Seal", {"id": self.key, "tasks": len(payloads)})
        client.socket.close(0)
        client.context.term()
