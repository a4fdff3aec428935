#!/usr/bin/env python3
"""Two workers, one slowed four-fold: how soon the page and `sinew top` show it, what share it gets, and whether their rates add up.

usage: .build/tools-venv/bin/python tools/dashboard/slow_worker.py [--model niki] [--people 40000]

One worker is held by signals three quarters of the time (SIGSTOP and SIGCONT every few milliseconds), while one client has people
solved. Printed are: seconds until the page's row and top's line of that worker say less than half of the other's; its share of the
people solved from then on (an ideal router gives a fifth to one of a quarter of the speed: ¼ ÷ (1 + ¼)); and the integral of the
shown throughput over the client's own count. Wants a machine with two idle cores.
"""

import argparse
import contextlib
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/tests"))

from browser import Browser  # noqa: E402
from fleet import SINEW, Fleet, wait_until, write_people  # noqa: E402

PERIOD = 0.012


class Slowed:
    """Lets a worker run a quarter of the time."""

    def __init__(self, worker):
        self.worker = worker
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        self.worker.send(signal.SIGCONT)

    def _run(self):
        while not self.stopping.is_set():
            self.worker.send(signal.SIGSTOP)
            time.sleep(0.75 * PERIOD)
            self.worker.send(signal.SIGCONT)
            time.sleep(0.25 * PERIOD)


class Top:
    """What `sinew top --json` says: the latest moment and all of them."""

    def __init__(self, fleet):
        self.moments = []
        self.process = subprocess.Popen(
            [SINEW, "top", "--json", "--interval", "0.5", "--broker", fleet.client_endpoint], stdout=subprocess.PIPE, text=True)
        threading.Thread(target=lambda: self.moments.extend(map(json.loads, self.process.stdout)), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def rates(self):
        return {worker["name"]: worker["persons_per_second"] for worker in self.moments[-1]["workers"]} if self.moments else {}


def page_rates(browser):
    """{name: people per second} as the rows say it."""
    rows = browser.run("""
        return [...document.querySelectorAll("#workers tbody tr")].map((row) =>
            [row.querySelector(".name").textContent, row.querySelector("[data-field=persons_per_second]").textContent]);""")
    return {name: None if text == "–" else float(text.replace("\u202f", "")) for name, text in rows}


def shows_it(rates):
    return rates.get("slow") is not None and rates.get("fast") and rates["slow"] < rates["fast"] / 2


def shown_people(browser):
    """The integral of the shown throughput: each second's figure times the time since the one before."""
    figures = browser.run("return window.figures")
    return sum(rate * (later - earlier) for (earlier, _), (later, rate) in zip(figures, figures[1:]))


RECORD = """
window.figures = [];
new MutationObserver(() => {
    const text = document.getElementById("throughput").textContent.replace(/\\u202f/g, "");
    window.figures.push([Number(document.body.dataset.timeUnixUs) / 1e6, text === "–" ? 0 : Number(text)]);
}).observe(document.body, { attributes: true, attributeFilter: ["data-time-unix-us"] });
"""


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--model", default="niki")
    options.add_argument("--people", type=int, default=40_000)
    options = options.parse_args()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_people(folder / "people.jsonl", options.people)
        fleet = stack.enter_context(Fleet(http="127.0.0.1:0"))
        fleet.worker("fast", model=options.model)
        slow = fleet.worker("slow", model=options.model)
        fleet.wait_for_workers(2)
        browser = stack.enter_context(Browser())
        browser.open(fleet.url)
        wait_until("the page", lambda: browser.run("return document.body.dataset.link") == "live")
        browser.run(RECORD)
        top = stack.enter_context(Top(fleet))
        client = threading.Thread(target=lambda: fleet.run(
            "solve", folder / "people.jsonl", "--model", options.model, "-o", folder / "out.npz"))
        client.start()
        wait_until("both at full speed", lambda: all(page_rates(browser).get(name) for name in ("fast", "slow"))
                   and not shows_it(page_rates(browser)))
        with Slowed(slow):
            began, seen = time.monotonic(), {}
            while len(seen) < 2:
                for name, rates in (("page", page_rates(browser)), ("top", top.rates())):
                    if name not in seen and shows_it(rates):
                        seen[name] = time.monotonic() - began
                if time.monotonic() - began > 30:
                    sys.exit(f"after 30 s only {seen} showed it; page {page_rates(browser)}, top {top.rates()}")
            before = {worker["name"]: worker["items_done"] for worker in fleet.status()["workers"]}
            client.join()
            after = {worker["name"]: worker["items_done"] for worker in fleet.status()["workers"]}
        time.sleep(4)  # Until the window of the last rates is past.
        done = {name: after[name] - before[name] for name in after}
        share = done["slow"] / max(1, sum(done.values()))
        print(f"shown after: page {seen['page']:.1f} s, top {seen['top']:.1f} s")
        print(f"share of the slowed worker: {share:.3f} (ideal 0.200)")
        print(f"shown people over the client's: {shown_people(browser) / options.people:.4f}")


if __name__ == "__main__":
    main()
