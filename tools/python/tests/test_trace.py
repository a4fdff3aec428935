"""The trace context of a client's calls: what is sent, and what is sent when nobody asked for it."""

from __future__ import annotations

import re
from typing import Any

import msgpack
import numpy as np
import pytest
import zmq

import sinew
from sinew._trace import traceparent_or_new

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(("text", "sent"), [
    (GOOD, GOOD), (f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-00"), (f"cc-{TRACE}-{SPAN}-01", GOOD),
    (f"cc-{TRACE}-{SPAN}-01-more", GOOD),
])
def test_a_valid_trace_context_is_sent_on(text: str, sent: str) -> None:
    assert traceparent_or_new(text) == sent


@pytest.mark.parametrize("text", [
    "", "00", f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE.upper()}-{SPAN}-01",
    f"00-{TRACE}-{SPAN}-01-", f"00-{TRACE}-{SPAN}-01-more", f"00-{TRACE}-{SPAN}-1", f" {GOOD}", f"{GOOD}\n", f"0g-{TRACE}-{SPAN}-01",
    f"cc-{TRACE}-{SPAN}-01.more",
])
def test_a_malformed_one_is_replaced_by_a_new_one(text: str) -> None:
    first, second = traceparent_or_new(text), traceparent_or_new(text)
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", first) and first != second and TRACE not in first
    assert traceparent_or_new(first) == first


def frames_of_a_call(traceparent: str | None) -> list[bytes]:
    """What a broker that never answers receives."""
    context = zmq.Context()
    try:
        with context.socket(zmq.ROUTER) as router:
            router.linger = 0
            port = router.bind_to_random_port("tcp://127.0.0.1")
            with sinew.Client(f"tcp://127.0.0.1:{port}", traceparent=traceparent) as client:
                run = client.solve_scene(np.zeros((1, 29, 3)), "hybrik", deadline=0.05)
                with pytest.raises(sinew.SinewError):
                    next(run)
                assert router.poll(20_000), "nothing was sent"
                return list(router.recv_multipart()[1:])
    finally:
        context.term()


def test_a_call_has_metadata_only_when_it_belongs_to_a_trace() -> None:
    head, payload = frames_of_a_call(None)
    traced_head, metadata, traced_payload = frames_of_a_call(GOOD)
    assert msgpack.unpackb(metadata) == {"traceparent": GOOD}
    assert traced_payload == payload and msgpack.unpackb(traced_head)[2] == msgpack.unpackb(head)[2]


def test_a_fleet_solves_the_same_within_a_trace(client: sinew.Client, joints: Any) -> None:
    expected = client.solve(joints, "hybrik")
    with sinew.Client(client.endpoint, traceparent="malformed") as traced:
        assert traced.traceparent is not None and len(traced.traceparent) == 55
        np.testing.assert_array_equal(traced.solve(joints, "hybrik").theta, expected.theta)
