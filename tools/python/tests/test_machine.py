"""What the client decides, without sockets and clocks."""

from __future__ import annotations

import random

import pytest

from sinew._machine import BROKER_SILENCE_MAX, Action, CallMachine, Complete, Fail, Ping, Send, SendCancel
from sinew._retry import BACKOFF_MAX, RetryBudget


def machine(in_flight_max: int = 2, wait_for_ready: bool = False) -> CallMachine:
    return CallMachine(in_flight_max, wait_for_ready, RetryBudget(seed=1))


def test_calls_beyond_the_places_wait_their_turn() -> None:
    m = machine()
    assert m.call(1, 10, 0) == [Send(1, 1, 10), Ping()]
    assert m.call(2, 10, 0) == [Send(2, 1, 10)]
    assert m.call(3, 10, 0) == []
    assert m.reply(1, 1, None, None, 0.5) == [Complete(1), Send(3, 1, 10)]
    assert m.cancel(3, 0.6) == [SendCancel(3), Fail(3, "cancelled")]
    assert m.cancel(3, 0.6) == [] and m.reply(3, 1, None, None, 0.7) == []
    assert m.close() == [SendCancel(2), Fail(2, "closed")]
    assert m.call(4, 10, 1) == [Fail(4, "closed")]


def test_a_refusal_is_tried_again_after_the_pushback_and_not_for_ever() -> None:
    m = machine()
    now = 0.0
    assert Send(1, 1, 1000) in m.call(1, 1000, now)
    for attempt in range(2, 6):
        assert m.reply(1, attempt - 1, "overloaded", 2.0, now) == []
        due = m.next_deadline
        assert due is not None and now + 2.0 <= due <= now + 2.4
        now = due
        assert m.tick(now)[0] == Send(1, attempt, 1000)
        # A late refusal of an earlier attempt changes nothing.
        assert m.reply(1, attempt - 1, "overloaded", 2.0, now) == []
    assert m.reply(1, 5, "overloaded", 2.0, now) == [Complete(1)]


def test_who_waits_for_a_worker_is_refused_only_by_the_deadline() -> None:
    m = machine(wait_for_ready=True)
    now = 0.0
    m.call(1, 60, now)
    attempt = 1
    while True:
        actions = m.reply(1, attempt, "unavailable", None, now)
        if actions:
            assert actions == [Complete(1)] and now > 60 - 1.2 * BACKOFF_MAX
            return
        due = m.next_deadline
        assert due is not None
        now, attempt = due, attempt + 1
        assert Send(1, attempt, 60) in m.tick(now)


def test_a_silent_broker_ends_calls_and_an_answer_to_a_ping_keeps_them() -> None:
    m = machine()
    m.call(1, 100, 0)
    assert m.next_deadline == 1.0 and m.tick(1.0) == [Ping()]
    m.pong(7, 1.5)
    assert m.tick(4.4) == [Ping()]
    assert m.tick(1.5 + BROKER_SILENCE_MAX) == [Fail(1, "silent", BROKER_SILENCE_MAX)]
    assert m.next_deadline is None


def test_a_broker_that_started_anew_is_asked_again() -> None:
    m = machine()
    m.call(1, 100, 0)
    m.pong(7, 0.1)
    assert m.pong(7, 0.2) == []
    assert m.pong(8, 0.3) == [Send(1, 2, 100)]


def test_the_end_of_a_deadline_says_whether_the_broker_lived() -> None:
    m = machine()
    m.call(1, 0.5, 0)
    assert m.tick(0.5) == [SendCancel(1), Fail(1, "silent", 0.5)]
    m.call(2, 2.0, 1.0)
    m.pong(7, 1.1)
    assert m.tick(2.0) == [SendCancel(2), Fail(2, "deadline")]


def test_most_calls_failing_stops_retries() -> None:
    m = machine(in_flight_max=1000)
    for call in range(200):
        m.call(call, 1000, 0)
    completed = sum(isinstance(action, Complete) for call in range(200) for action in m.reply(call, 1, "overloaded", 1.0, 0))
    assert 100 <= completed <= 160


@pytest.mark.parametrize("seed", range(200))
def test_every_call_ends_once_and_by_its_deadline(seed: int) -> None:
    """Random events; the model checks what must always hold."""
    chance = random.Random(seed)
    limit = chance.randint(1, 5)
    m = CallMachine(limit, chance.random() < 0.3, RetryBudget(seed))
    now, next_id = 0.0, 1
    deadlines: dict[int, float] = {}
    attempts: dict[int, int] = {}
    ended: set[int] = set()

    def look(actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Send):
                assert action.call_id not in ended and action.attempt == attempts.get(action.call_id, 0) + 1
                assert now < deadlines[action.call_id] == action.deadline
                attempts[action.call_id] = action.attempt
            elif isinstance(action, (Complete, Fail)):
                assert action.call_id not in ended, f"seed {seed}"
                ended.add(action.call_id)
        assert m._in_flight <= limit and m.call_count == len(deadlines) - len(ended)

    for _ in range(400):
        event = chance.randrange(7)
        if event == 0:
            deadlines[next_id] = now + chance.choice((0.1, 1, 5, 30))
            next_id += 1
            look(m.call(next_id - 1, deadlines[next_id - 1], now))
        elif event == 1 and attempts:
            call = chance.choice(list(attempts))
            refusal = chance.choice((None, "unavailable", "overloaded"))
            look(m.reply(call, chance.randint(1, attempts[call]), refusal, chance.choice((None, 0.1)), now))
        elif event == 2 and deadlines:
            look(m.cancel(chance.choice(list(deadlines)), now))
        elif event == 3:
            look(m.pong(chance.randint(1, 2), now))
        else:
            due = m.next_deadline
            now += chance.random() * 0.5 if due is None or chance.random() < 0.5 else max(0.0, due - now)
            look(m.tick(now))
        assert all(call in ended or deadline > now for call, deadline in deadlines.items()), f"seed {seed}"
    look(m.close())
    assert ended == set(deadlines)
