"""How ``map`` packs people into calls: no service, a port that answers when the test says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sinew
from sinew._generated.pose_solver import SolvePosesReply, SolveQuality
from sinew._plan import Answered, MapRun
from sinew._tensor import Tensor


class Service:
    """Keeps calls until they are answered; a person's translation is then the first joint that was sent."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def send(self, method: Any, request: Any, *_: Any) -> int:
        self.calls.append(request.joints.array)
        return len(self.calls) - 1

    def cancel(self, call_id: int) -> None:
        raise AssertionError("nothing is given up here")

    def sizes(self) -> list[int]:
        return list(map(len, self.calls))

    def answer(self, call_id: int) -> Answered:
        joints = self.calls[call_id]
        count = len(joints)
        numbers = [0.0] * count
        reply = SolvePosesReply(
            Tensor(np.zeros((count, 24, 3), np.float32)), Tensor(np.ascontiguousarray(joints[:, 0])),
            Tensor(np.zeros((count, 29, 3), np.float32)), SolveQuality(numbers, numbers, numbers, [0] * count), "hybrik", worker="w")
        return Answered(call_id, memoryview(reply.encode()))


def run_of(service: Service, items: Any, in_flight_max: int, large: int = 256, in_order: bool = True) -> MapRun:
    return MapRun(service, iter(items), "hybrik", in_flight_max, 64, large, lambda _: None, None, {}, in_order)


def person(number: float) -> Any:
    return np.full((29, 3), number, np.float32)


@pytest.mark.parametrize("items", [4096, 16], ids=["persons", "groups"])
def test_what_waits_for_an_earlier_result_counts_as_under_way(items: int) -> None:
    source = [person(n) for n in range(4096)] if items == 4096 else [np.zeros((200, 29, 3), np.float32)] * 64
    service = Service()
    run = run_of(service, source, 8, large=64)
    run.send_what_may()
    for call_id in range(1, 8):
        assert list(run.take(service.answer(call_id))) == []
    # The first is late: however many others are answered, no more is read from the source or kept.
    assert len(service.calls) == 8
    # Then eight are due at once, and each makes room when its turn comes, no sooner.
    for count, result in enumerate(run.take(service.answer(0)), 1):
        assert result.places[0] == (count - 1) * len(result.places) and len(service.calls) == 8 + count
    assert count == 8


def test_results_that_are_wanted_as_they_come_make_room_at_once() -> None:
    service = Service()
    run = run_of(service, (person(n) for n in range(2048)), 8, large=64, in_order=False)
    run.send_what_may()
    places = [place for call_id in range(1, 5) for result in run.take(service.answer(call_id)) for place in result.places]
    assert places == list(range(64, 320)) and len(service.calls) == 12


def test_calls_grow_while_the_service_is_what_is_waited_for() -> None:
    service = Service()
    run = run_of(service, (person(n) for n in range(10_000)), 32)
    run.send_what_may()
    # Four small ones that count as one each, and large ones that count as four: 4 + 7 · 4 = 32.
    assert service.sizes() == [64] * 4 + [256] * 7
    order, call_id = [], 0
    while run.is_under_way:
        for result in run.take(service.answer(call_id)):
            order += [float(poses.translation[0, 0]) for poses in result.poses]
        call_id += 1
    assert order == [float(n) for n in range(10_000)]
    assert sum(service.sizes()) == 10_000 and service.sizes().count(256) >= 30


def test_a_slow_source_is_not_waited_for_longer() -> None:
    service, taken = Service(), 0

    def source() -> Any:
        nonlocal taken
        for n in range(640):
            taken += 1
            yield person(n)

    run = run_of(service, source(), 32, large=256)
    # As if each call were answered before the source had the next: none is ever larger than the client's setting.
    run.in_flight_max = 1
    run.send_what_may()
    for call_id in range(10):
        assert taken == 64 * (call_id + 1)
        list(run.take(service.answer(call_id)))
    assert service.sizes() == [64] * 10


def test_a_client_that_says_how_large_calls_are_is_obeyed() -> None:
    clients = [sinew.Client("tcp://127.0.0.1:1", items_per_call=size) for size in (None, 10, 300)]
    assert [(each.items_per_call, each.items_per_large_call) for each in clients] == [(64, 256), (10, 10), (300, 300)]
    for each in clients:
        each.close()


def test_arrays_of_other_shapes_get_calls_of_their_own() -> None:
    service = Service()
    other = np.zeros((24, 3), np.float32)
    run = run_of(service, [person(0), person(1), other, other, np.zeros((5, 29, 3)), person(2).tolist()], 32)
    run.send_what_may()
    assert [array.shape for array in service.calls] == [(2, 29, 3), (2, 24, 3), (6, 29, 3)]
    results = [poses for call_id in range(3) for result in run.take(service.answer(call_id)) for poses in result.poses]
    assert list(map(len, results)) == [1, 1, 1, 1, 5, 1] and results[5].translation[0, 0] == 2


def test_the_item_that_is_wrong_is_named() -> None:
    run = run_of(Service(), [person(0), np.zeros((29, 2), np.float32)], 32)
    with pytest.raises(sinew.InvalidArgument, match=r"map: item 1: joints.*\[29, 2\]"):
        run.send_what_may()
    run = run_of(Service(), [None, person(0)], 32)
    with pytest.raises(sinew.InvalidArgument, match="map: item 0: joints.*object"):
        run.send_what_may()
    run = run_of(Service(), [person(0), np.zeros((4097, 29, 3), np.float32)], 32)
    with pytest.raises(sinew.InvalidArgument, match="map: item 1 has 4097 people"):
        run.send_what_may()


def test_a_row_that_was_cut_out_has_what_the_whole_has() -> None:
    service = Service()
    run = run_of(service, [person(n) for n in range(5)], 32)
    run.send_what_may()
    (result,) = run.take(service.answer(0))
    last = result.poses[4]
    assert len(last) == 1 and last.item_errors == [] and last.genders == ["neutral"] and last.model == "hybrik"
    assert last.theta.shape == (1, 24, 3) and last.solved.tolist() == [True] and last.tracks is None
    with pytest.raises(AttributeError, match="thetta"):
        last.thetta  # type: ignore[attr-defined]
