"""What stands on the page is what the broker says, under load, figure by figure."""

import json
import threading
import time
import urllib.request

import figures
import pytest
from fleet import PATIENCE, Fleet, Load, wait_until


class Stream:
    """The broker's event stream, kept: what it said at which instant."""

    def __init__(self, fleet):
        self.events = {}
        self.jobs = []
        self.stopping = threading.Event()
        self.reply = urllib.request.urlopen(fleet.url + "api/v1/events", timeout=PATIENCE)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        name = None
        for line in self.reply:
            text = line.decode().rstrip("\n")
            if text.startswith("event:"):
                name = text[6:].strip()
            elif text.startswith("data:"):
                value = json.loads(text[5:])
                if name == "fleet":
                    self.events[value["time_unix_us"]] = value
                else:
                    self.jobs.append((time.time(), value["jobs"]))
            if self.stopping.is_set():
                return

    def close(self):
        self.stopping.set()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleet")
    with Fleet("--store", folder / "store", http="127.0.0.1:0") as fleet:
        fleet.worker("north")
        fleet.worker("south")
        fleet.wait_for_workers(2)
        with Load(fleet, folder):
            wait_until("work", lambda: fleet.get("api/v1/fleet")["broker"]["items_done"] > 0)
            yield fleet


@pytest.fixture(scope="module")
def stream(fleet):
    stream = Stream(fleet)
    yield stream
    stream.close()


SNAPSHOT = """
const rows = (selector) => [...document.querySelectorAll(`${selector} tbody tr`)].map((row) => Object.fromEntries(
    [...row.cells].map((cell) => [cell.dataset.field, (cell.querySelector(".name, .fill-text, .progress-text") ?? cell).textContent.trim()])));
return {
    time: document.body.dataset.timeUnixUs, throughput: document.getElementById("throughput").textContent,
    totals: Object.fromEntries([...document.querySelectorAll("#totals [data-field]")].map((n) => [n.dataset.field, n.textContent])),
    workers: rows("#workers"), models: rows("#models"), jobs: rows("#jobs"), title: document.title,
    counts: ["worker", "model"].map((name) => document.getElementById(`${name}-count`).textContent),
};
"""

FIELDS = ["persons_per_second", "queued_items", "running_items", "latency_p50_us", "latency_p99_us", "cpu_cores", "gflop_per_second",
          "resident_bytes", "batch_fill"]


def moment(page, stream, condition=lambda event: True):
    """The page at one instant and what the stream said of the same instant."""
    def look():
        snapshot = page.run(SNAPSHOT)
        event = stream.events.get(int(snapshot["time"]))
        return (snapshot, event) if event and condition(event) else None
    return wait_until("the page and the stream to show one instant", look)


def is_working(event):
    return event["broker"]["persons_per_second"] and all(
        worker["persons_per_second"] and worker["latency_p99_us"] for worker in event["workers"])


def test_every_figure_of_every_worker_is_the_brokers(page, fleet, stream):
    page.open(fleet)
    seen = set()
    for _ in range(3):
        snapshot, event = moment(page, stream, lambda event: is_working(event) and event["time_unix_us"] not in seen)
        seen.add(event["time_unix_us"])
        assert [row["name"] for row in snapshot["workers"]] == ["north", "south"]
        for row, worker in zip(snapshot["workers"], event["workers"]):
            assert row["state"] == worker["state"] == "serving"
            assert row["version"] == worker["version"]
            for field in FIELDS:
                assert figures.agrees(row[field], worker[field]), f"{worker['name']} {field}: {row[field]!r} is not {worker[field]}"


def test_the_totals_are_the_brokers(page, fleet, stream):
    page.open(fleet)
    snapshot, event = moment(page, stream, is_working)
    broker = event["broker"]
    assert figures.agrees(snapshot["throughput"], broker["persons_per_second"])
    assert snapshot["title"] == f"{snapshot['throughput']} people/s – Sinew"
    # Nothing waits: no time rather than none at all.
    for field in ("oldest_waiting_us", "drain_us_estimated"):
        assert figures.agrees(snapshot["totals"][field], broker[field] or None), field
    for field in ("queued_items", "running_items", "calls_per_second", "calls_failed", "clients", "items_done"):
        assert figures.agrees(snapshot["totals"][field], broker[field]), f"{field}: {snapshot['totals'][field]!r} is not {broker[field]}"
    assert snapshot["totals"]["workers_serving"] == "2"
    assert snapshot["counts"] == ["2 of 2 serving", "1"]


def test_models_are_the_sums_over_their_workers(page, fleet, stream):
    page.open(fleet)
    snapshot, event = moment(page, stream, is_working)
    [row] = snapshot["models"]
    models = [worker["models"][0] for worker in event["workers"]]
    assert (row["name"], row["version"], row["workers"]) == (models[0]["name"], models[0]["version"], "2")
    for field in ("persons_per_second", "items_ok", "items_failed"):
        assert figures.agrees(row[field], sum(model[field] or 0 for model in models)), field


def test_the_workers_rates_are_the_brokers_rate(page, fleet, stream):
    """The broker counts both at every result, so in each second the sum of the rows is the throughput."""
    page.open(fleet)
    events = wait_until("ten seconds", lambda: len(stream.events) >= 10 and list(stream.events.values()))[-10:]
    compared = 0
    for event in events:
        rates = [worker["persons_per_second"] for worker in event["workers"]]
        if None not in rates and event["broker"]["persons_per_second"] is not None:
            assert sum(rates) == pytest.approx(event["broker"]["persons_per_second"], rel=1e-9)
            compared += 1
    assert compared >= 5


def test_sparklines_move_with_the_seconds(page, fleet, stream):
    page.open(fleet)
    path = "return document.querySelector('#workers .sparkline .line').getAttribute('d')"
    first = wait_until("a line", lambda: page.run(path))
    wait_until("another line", lambda: page.run(path) != first)


def test_nothing_moves_on_the_page_as_time_goes_on(page, fleet, stream):
    page.open(fleet)
    page.run("""
        window.shift = 0;
        new PerformanceObserver((list) => { for (const e of list.getEntries()) window.shift += e.value; }).observe({ type: "layout-shift" });
        window.firstTime = document.body.dataset.timeUnixUs;""")
    wait_until("five more seconds", lambda: page.run("return document.body.dataset.timeUnixUs - window.firstTime") > 5e6)
    assert page.run("return window.shift") < 0.01


def test_the_page_asks_nobody_else_and_the_console_stays_quiet(page, fleet, stream):
    page.open(fleet)
    loaded = page.run("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert loaded and all(name.startswith(fleet.url) for name in loaded)
    assert page.browser.complaints() == []
