"""What happens when something is killed, cut off, refused, cancelled or forked."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import pickle
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from client_fleet import Fleet, free_ports, python, sinew as command, until, wait_ready

import sinew


def items_done(client: sinew.Client) -> int:
    return client.status(deadline=20).broker.items_done


def test_a_broker_that_is_not_there_is_said_so() -> None:
    with sinew.Client(f"tcp://127.0.0.1:{free_ports(1)[0]}") as client:
        with pytest.raises(sinew.Unavailable, match="start one: sinew up") as caught:
            client.solve(np.zeros((1, 29, 3)), "hybrik", deadline=20)
        assert caught.value.code is sinew.ErrorCode.BROKER_UNREACHABLE and isinstance(caught.value, ConnectionError)
        with pytest.raises(sinew.Unavailable):
            client.solve(np.zeros((1, 29, 3)), "hybrik", deadline=0.2)


def test_a_deadline_ends_a_call(own_fleet: Fleet, joints: Any) -> None:
    for name in ("worker-1", "worker-2"):
        own_fleet.stop(name, signal.SIGSTOP)
    with sinew.Client(own_fleet.endpoint) as client:
        with pytest.raises(sinew.DeadlineExceeded, match="more time|raise the deadline") as caught:
            client.solve(joints, "hybrik", deadline=0.5)
        assert isinstance(caught.value, TimeoutError)


def test_a_killed_worker_costs_no_call(own_fleet: Fleet, joints: Any) -> None:
    with sinew.Client(own_fleet.endpoint) as client:
        expected = client.solve(joints, "hybrik")
        results = client.map((joints for _ in range(60)), "hybrik", deadline=60)
        count = 0
        for poses in results:
            np.testing.assert_array_equal(poses.theta, expected.theta)
            count += 1
            if count == 10:
                own_fleet.kill("worker-1")
        assert count == 60


def test_calls_survive_a_restart_of_the_broker(own_fleet: Fleet, joints: Any) -> None:
    with sinew.Client(own_fleet.endpoint, wait_for_ready=True) as client:
        expected = client.solve(joints, "hybrik")
        count = 0
        for poses in client.map((joints[:200] for _ in range(40)), "hybrik", deadline=60):
            np.testing.assert_array_equal(poses.theta, expected.theta[:200])
            count += 1
            if count == 10:
                own_fleet.kill("broker")
                own_fleet.start_broker()
        assert count == 40


def test_leaving_a_loop_cancels_what_is_under_way(own_fleet: Fleet, joints: Any) -> None:
    with sinew.Client(own_fleet.endpoint) as client:
        client.solve(joints, "hybrik")
        for name in ("worker-1", "worker-2"):
            own_fleet.stop(name, signal.SIGSTOP)
        other = threading.Thread(target=lambda: pytest.raises(sinew.Cancelled, client.solve, joints, "hybrik"))
        other.start()
        until(lambda: client.status(deadline=20).broker.running_calls + client.status(deadline=20).broker.queued_calls >= 5, "calls")
        client.close()
        other.join(20)
        assert not other.is_alive()
    with sinew.Client(own_fleet.endpoint) as observer:
        until(lambda: observer.status(deadline=20).broker.calls_cancelled >= 5, "the broker to hear of the cancellation")
    with pytest.raises(sinew.Cancelled, match="closed"):
        client.solve(joints, "hybrik")


def test_cancelling_a_task_cancels_its_calls(own_fleet: Fleet, joints: Any) -> None:
    async def main() -> None:
        async with sinew.AsyncClient(own_fleet.endpoint) as client:
            await client.solve(joints, "hybrik")
            for name in ("worker-1", "worker-2"):
                own_fleet.stop(name, signal.SIGSTOP)
            task = asyncio.create_task(client.solve(joints, "hybrik"))

            async def under_way() -> int:
                broker = (await client.status(deadline=20)).broker
                return broker.running_calls + broker.queued_calls

            while await under_way() < 5:
                await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            while await under_way():
                await asyncio.sleep(0.02)

    asyncio.run(asyncio.wait_for(main(), 60))


# Fork and pickle


def test_a_forked_client_says_what_to_do(fleet: Fleet, client: sinew.Client, joints: Any) -> None:
    expected = client.solve(joints[:5], "hybrik").theta
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            try:
                client.solve(joints[:5], "hybrik")
                said = "nothing was raised"
            except sinew.FailedPrecondition as error:
                said = str(error)
            client.close()
            with sinew.Client(fleet.endpoint) as own:
                same = bool((own.solve(joints[:5], "hybrik").theta == expected).all())
            os.write(writer, json.dumps([said, same]).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said, same = json.loads(pipe.read())
    os.waitpid(child, 0)
    assert "was forked from it" in said and "make a client of its own" in said and same
    np.testing.assert_array_equal(client.solve(joints[:5], "hybrik").theta, expected)


def test_a_client_is_not_pickled_and_an_error_is(client: sinew.Client) -> None:
    with pytest.raises(TypeError, match="make one in each process"):
        pickle.dumps(client)
    error = sinew.NotFound("no “niky”", sinew.ErrorCode.UNKNOWN_MODEL, "model", 3, 0.5)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is sinew.NotFound and str(again) == str(error) and again.retry_after == 0.5


def test_a_process_ends_without_closing_its_client(fleet: Fleet) -> None:
    code = "import sys, sinew; c = sinew.Client(sys.argv[1]); print(len(c.models()))"
    process = python(code, fleet.endpoint)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0 and int(out) >= 5 and not err


# Keys


@pytest.fixture
def keyed(tmp_path: pathlib.Path) -> Iterator[tuple[Fleet, pathlib.Path]]:
    keys = tmp_path / "keys"
    keys.mkdir()
    for name in ("broker", "worker", "anna", "stranger", "other-broker"):
        command("keys", "generate", str(keys / f"{name}.key"))
    for name, role in (("worker", "worker"), ("anna", "client")):
        command("keys", "authorize", str(keys / f"{name}.key.pub"), "--role", role, "--authorized-keys", str(keys / "authorized"))
    fleet = Fleet(
        tmp_path / "fleet", broker_options=("--key", str(keys / "broker.key"), "--authorized-keys", str(keys / "authorized")),
        worker_options=("--key", str(keys / "worker.key"), "--broker-key", str(keys / "broker.key.pub")))
    fleet.start()
    try:
        wait_ready(fleet, ("hybrik",), key=keys / "anna.key", broker_key=keys / "broker.key.pub")
        yield fleet, keys
    finally:
        fleet.end()


def test_keys_open_the_door_and_wrong_ones_do_not(keyed: tuple[Fleet, pathlib.Path], joints: Any) -> None:
    fleet, keys = keyed
    anna, broker = keys / "anna.key", keys / "broker.key.pub"
    with sinew.Client(fleet.endpoint, key=anna, broker_key=broker) as client:
        assert len(client.solve(joints[:3], "hybrik")) == 3
    public = broker.read_text().split()[-1]
    with sinew.Client(fleet.endpoint, key=anna, broker_key=public) as client:
        assert client.models()
    with sinew.Client(fleet.endpoint, key=keys / "stranger.key", broker_key=broker) as client:
        with pytest.raises(sinew.Unauthenticated, match="does not admit this key.*sinew keys authorize") as caught:
            client.models(deadline=20)
        assert caught.value.code is sinew.ErrorCode.KEY_REFUSED
        # Once the key is admitted, the same client gets in.
        command("keys", "authorize", str(keys / "stranger.key.pub"), "--role", "client", "--authorized-keys", str(keys / "authorized"))

        def admitted() -> bool:
            try:
                return bool(client.models(deadline=20))
            except sinew.Unauthenticated:
                return False

        until(admitted, "the key to be admitted")
    with sinew.Client(fleet.endpoint) as client, pytest.raises(sinew.Unauthenticated, match="asks for a key"):
        client.models(deadline=20)
    with sinew.Client(fleet.endpoint, key=anna, broker_key=keys / "other-broker.key.pub") as client:
        with pytest.raises(sinew.SinewError, match="does not hold the broker key") as caught:
            client.models(deadline=20)
        assert caught.value.code is sinew.ErrorCode.KEYS_DO_NOT_MATCH


def test_key_files_are_looked_at(tmp_path: pathlib.Path) -> None:
    key = tmp_path / "anna.key"
    command("keys", "generate", str(key))
    pub = tmp_path / "anna.key.pub"
    cases: list[tuple[Any, Any, str]] = [
        (pub, pub, "no line “secret KEY”"), (tmp_path / "none", pub, "cannot be read"), (key, "nonsense", "neither a public key"),
        (key, None, "go together"), (None, pub, "go together")]
    for own, broker, said in cases:
        with pytest.raises(sinew.InvalidArgument, match=said):
            sinew.Client(key=own, broker_key=broker)
    broken = tmp_path / "broken.key"
    broken.write_text("secret too-short\n")
    broken.chmod(0o600)
    with pytest.raises(sinew.InvalidArgument, match="is no key file"):
        sinew.Client(key=broken, broker_key=pub)
    key.chmod(0o644)
    with pytest.raises(sinew.PermissionDenied, match="chmod 600"):
        sinew.Client(key=key, broker_key=pub)


def test_an_endpoint_outside_this_machine_needs_keys() -> None:
    for endpoint in ("tcp://192.0.2.1:7690", "tcp://example.org:7690", "tcp://127.0.0.1.example.org:1", "tcp://[::2]:7690"):
        with pytest.raises(sinew.Unauthenticated, match="leaves this machine"):
            sinew.Client(endpoint)
    with pytest.raises(sinew.SinewError, match="endpoint"):
        sinew.Client("nonsense")
    for endpoint in ("tcp://localhost:7690", "tcp://127.9.9.9:1", "ipc:///tmp/none"):
        sinew.Client(endpoint).close()


def test_a_pause_of_the_broker_is_noticed_and_survived(own_fleet: Fleet, joints: Any) -> None:
    with sinew.Client(own_fleet.endpoint) as client:
        client.solve(joints, "hybrik")
        own_fleet.stop("broker", signal.SIGSTOP)
        start = time.monotonic()
        with pytest.raises(sinew.Unavailable, match="has not answered"):
            client.solve(joints, "hybrik", deadline=30)
        assert time.monotonic() - start < 25
        own_fleet.stop("broker", signal.SIGCONT)
        assert len(client.solve(joints, "hybrik")) == 300
