#!/usr/bin/env python3
"""Two workers, one slowed four-fold: how soon the page and `sinew top` show it, what share it gets, and whether their rates add up.

usage: .build/tools-venv/bin/python tools/dashboard/slow_worker.py [--model niki] [--calls 16] [--people 64] [--seconds 30]

One client keeps calls under way and counts the answers. After a while one worker is given a quarter of the processor time of the other:
a process beside it sends SIGSTOP and SIGCONT every few milliseconds, which is far less than a beat, so no lease expires. Printed are:
seconds until the page's row and top's line of that worker say less than half of the other's; how many people it solved for each of the
other's, over the --seconds that follow, beside how much processor time it had for each second of the other's; and the throughput that
the page, top and the history showed in these seconds over what the client counted. Exit status 1: a figure is not as it should be (2 s,
a tenth beside the share of the processor, 2 %). Wants a machine with two idle cores.
"""

import argparse
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/tests"))

from browser import Browser  # noqa: E402
from counting_client import CountingClient  # noqa: E402
from fleet import SINEW, Fleet, wait_until  # noqa: E402

# A process of its own: the threads of this one hinder each other. The share is one of the other worker's time and not of the clock's,
# for on a machine with other work that one does not have a whole core either.
SLOWING = """
import os, pathlib, signal, sys, time
slow, fast, share = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])

def used(process):
    return sum(int(task.joinpath("schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{process}/task").iterdir()) / 1e9

while True:
    # In each stretch anew, so that what one had too little once is not made up for.
    begin, of_slow, of_fast = time.monotonic(), used(slow), used(fast)
    stopped = begin
    while time.monotonic() < begin + 0.5:
        if used(slow) - of_slow > share * (used(fast) - of_fast) and time.monotonic() < stopped + 0.1:
            os.killpg(slow, signal.SIGSTOP)
        else:
            os.killpg(slow, signal.SIGCONT)
            stopped = time.monotonic()
        time.sleep(0.002)
"""


@contextlib.contextmanager
def slowed(worker, other, share=0.25):
    """Lets a worker have a share of the processor time that the other has."""
    slowing = subprocess.Popen([sys.executable, "-c", SLOWING, str(worker.process.pid), str(other.process.pid), str(share)])
    try:
        yield
    finally:
        slowing.kill()
        slowing.wait()
        worker.send(signal.SIGCONT)


def processor_seconds(service):
    fields = pathlib.Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Top:
    """What `sinew top --json` says."""

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
        self.process.stdout.close()

    def rates(self):
        return {worker["name"]: worker.get("persons_per_second") for worker in self.moments[-1]["workers"]} if self.moments else {}

    def figures(self):
        return [(moment["time_unix_us"] / 1e6, moment.get("persons_per_second")) for moment in list(self.moments)]


def page_rates(browser):
    """{name: people per second} as the rows say it."""
    rows = browser.run("""
        return [...document.querySelectorAll("#workers tbody tr")].map((row) =>
            [row.querySelector(".name").textContent, row.querySelector("[data-field=persons_per_second]").textContent]);""")
    return {name: None if text == "–" else float(text.replace("\u202f", "")) for name, text in rows}


def shows_it(rates):
    return rates.get("slow") is not None and rates.get("fast") and rates["slow"] < rates["fast"] / 2


RECORD = """
window.figures = [];
new MutationObserver(() => {
    const text = document.getElementById("throughput").textContent.replace(/\\u202f/g, "");
    window.figures.push([Number(document.body.dataset.timeUnixUs) / 1e6, text === "–" ? null : Number(text)]);
}).observe(document.body, { attributes: true, attributeFilter: ["data-time-unix-us"] });
"""


def agreement(figures, client, begin, end):
    """The integral of shown rates between the first and the last look in a stretch of time, over what the client counted then."""
    inside = [(at, rate) for at, rate in figures if begin <= at <= end and rate is not None]
    shown = sum(rate * (at - before) for (before, _), (at, rate) in zip(inside, inside[1:]))
    return shown / client.people_between(inside[0][0], inside[-1][0])


def history_figures(fleet):
    reply = fleet.get("api/v1/history?seconds=60")
    rates = reply["series"]["persons_per_second"]
    return [(reply["start_unix"] + place, rate) for place, rate in enumerate(rates)]


def measure(fleet, browser, top, client, workers, seconds):
    both_work = lambda rates: rates.get("fast") and rates.get("slow") and not shows_it(rates)  # noqa: E731
    wait_until("both at full speed", lambda: both_work(page_rates(browser)) and both_work(top.rates()))
    time.sleep(3)
    with slowed(workers["slow"], workers["fast"]):
        began, seen = time.monotonic(), {}
        while len(seen) < 2:
            for name, rates in (("page", page_rates(browser)), ("top", top.rates())):
                if name not in seen and shows_it(rates):
                    seen[name] = time.monotonic() - began
            if time.monotonic() - began > 30:
                sys.exit(f"after 30 s only {seen} showed it; page {page_rates(browser)}, top {top.rates()}")
        people, used = client.people_by_worker(), {name: processor_seconds(worker) for name, worker in workers.items()}
        begin = time.time()
        time.sleep(seconds)
        end = time.time()
        people = {name: count - people.get(name, 0) for name, count in client.people_by_worker().items()}
        used = {name: processor_seconds(worker) - used[name] for name, worker in workers.items()}
        ratios = {
            "page": agreement(browser.run("return window.figures"), client, begin, end),
            "top": agreement(top.figures(), client, begin, end),
            "history": agreement(history_figures(fleet), client, begin, end),
        }
    return seen, people, used, ratios


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--model", default="niki")
    options.add_argument("--calls", type=int, default=16, help="under way at a time")
    options.add_argument("--people", type=int, default=64, help="of one call")
    options.add_argument("--seconds", type=int, default=30)
    options = options.parse_args()
    with Fleet(http="127.0.0.1:0") as fleet, Browser() as browser, Top(fleet) as top:
        workers = {name: fleet.worker(name, model=options.model) for name in ("fast", "slow")}
        fleet.wait_for_workers(2)
        browser.open(fleet.url)
        wait_until("the page", lambda: browser.run("return document.body.dataset.link") == "live")
        browser.run(RECORD)
        with CountingClient(fleet.client_endpoint, options.model, options.calls, options.people) as client:
            seen, people, used, ratios = measure(fleet, browser, top, client, workers, options.seconds)
        expiries = fleet.get("api/v1/fleet")["broker"]["lease_expiries"]
    share, granted = people.get("slow", 0) / people["fast"], used["slow"] / used["fast"]
    print(f"shown after: page {seen['page']:.1f} s, top {seen['top']:.1f} s (at most 2)")
    print(f"people of the slowed worker for each of the other's: {share:.3f}; processor time: {granted:.3f}")
    print("throughput shown over the client's: " + ", ".join(f"{name} {ratio:.4f}" for name, ratio in ratios.items()))
    print(f"calls that failed: {len(client.failures)}, leases that expired: {expiries}")
    is_right = (
        max(seen.values()) <= 2 and abs(share - granted) <= 0.1 and all(abs(ratio - 1) <= 0.02 for ratio in ratios.values())
        and not client.failures and expiries == 0)
    sys.exit(0 if is_right else 1)


if __name__ == "__main__":
    main()
