"""What the workers' table shows besides its columns, against what the test sees itself: sparklines, and what is told on pointing at a cell."""

import pathlib
import platform
import re
import signal
import time

import figures
import pytest
from counting_client import CountingClient
from fleet import Fleet, wait_until

SLOT = 5  # Seconds to a point of a sparkline, and sixty points to a line.
SLOTS = 60


def told(page, field):
    """The title of the only worker's cell, or of what lies in it."""
    return page.run("""
        const cell = document.querySelector(`#workers tbody tr [data-field=${arguments[0]}]`);
        return cell.title || cell.querySelector("[title]")?.title || "";""", field)


def sparkline(page):
    """{slot of five seconds since 1970: people per second} of the only worker's line, read back from where it is drawn."""
    now, drawn, label = page.run("""
        const svg = document.querySelector("#workers tbody tr [data-field=spark] svg");
        return [Number(document.body.dataset.timeUnixUs), svg.querySelector(".line").getAttribute("d"), svg.getAttribute("aria-label")];""")
    points = [tuple(map(float, point)) for point in re.findall(r"[ML]([\d.]+) ([\d.]+)", drawn)]
    if not points:
        return {}
    first, last, most = map(int, re.fullmatch(r"from (\d+) to (\d+), at most (\d+) people per second", label).groups())
    # 22 high with a margin of 1; the highest of all lines, here this one, reaches the top.
    values = [max(1, most) * (1 - (y - 1) / 20) for _, y in points]
    assert values[0] == pytest.approx(first, abs=0.01 * most + 1) and values[-1] == pytest.approx(last, abs=0.01 * most + 1)
    newest = int(now / 1e6) // SLOT
    return {newest - SLOTS + 1 + round(x / 100 * (SLOTS - 1)): value for (x, _), value in zip(points, values)}


def test_a_sparkline_shows_what_the_client_counted_when_it_counted_it(page):
    with Fleet(http="127.0.0.1:0") as fleet:
        fleet.worker("only", model="mlp-ik")
        fleet.wait_for_workers(1)
        page.open(fleet)
        page.wait_for_worker("only", "serving")
        wait_until("a first point", lambda: sparkline(page))
        idle = int(time.time()) // SLOT
        wait_until("a slot without work", lambda: int(time.time()) // SLOT >= idle + 2)
        with CountingClient(fleet.client_endpoint, model="mlp-ik", people=16, calls=8) as client:
            begun = int(time.time()) // SLOT
            wait_until("three slots of work", lambda: int(time.time()) // SLOT >= begun + 4, seconds=60)
        ended = int(time.time()) // SLOT
        line = wait_until("two slots without work", lambda: (
            now := sparkline(page)) and max(now) >= ended + 3 and now, seconds=60)
        assert line[idle + 1] == 0 and line[ended + 2] == 0
        for slot in range(begun + 1, begun + 4):
            own = client.people_between(slot * SLOT, (slot + 1) * SLOT) / SLOT
            # A second's rate is of the last seconds, so a slot holds some of the one before.
            assert line[slot] == pytest.approx(own, rel=0.4), slot
        shown = SLOT * sum(value for slot, value in line.items() if slot >= begun)
        assert shown == pytest.approx(client.people, rel=0.1), "nothing is lost between the slots"


def instruction_set():
    """The best that has kernels, from what the system says of the processor."""
    if platform.machine() == "aarch64":
        return "neon"
    flags = set(re.search(r"^flags\s*:(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M).group(1).split())
    if {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= flags:
        return "avx512"
    return "avx2" if {"avx2", "fma"} <= flags else "portable"


@pytest.mark.parametrize("threads, words", [(1, "1 compute thread"), (2, "2 compute threads")])
def test_a_worker_tells_its_kernels_threads_host_and_process(page, threads, words):
    with Fleet(http="127.0.0.1:0") as fleet:
        worker = fleet.worker("only", "--threads", threads)
        fleet.wait_for_workers(1)
        page.open(fleet)
        page.wait_for_worker("only", "serving")
        assert told(page, "version") == f"{instruction_set()}, {words}"
        assert told(page, "name") == f"only on {platform.node()}, process {worker.process.pid}"


def test_how_long_a_worker_was_not_heard_of_is_how_long_it_has_stood_still(page):
    with Fleet(http="127.0.0.1:0") as fleet:
        worker = fleet.worker("only")
        fleet.wait_for_workers(1)
        page.open(fleet)
        page.wait_for_worker("only", "serving")

        def heard_ago():
            matched = re.fullmatch(r"(?:takes work|has not been heard of; .*); heard (.*) ago", told(page, "state"))
            return matched and figures.read(matched.group(1))[0] / 1e6

        worker.process.send_signal(signal.SIGSTOP)
        stopped = time.monotonic()
        try:
            silent = wait_until("two seconds of silence", lambda: (ago := heard_ago()) is not None and ago >= 2 and ago)
            # Its last beat was sent up to a second before, and what the page shows is up to a second and a half old.
            assert silent - 1.2 <= time.monotonic() - stopped <= silent + 2.5
        finally:
            worker.process.send_signal(signal.SIGCONT)
        wait_until("it to be heard again", lambda: (ago := heard_ago()) is not None and ago < 1.5)
