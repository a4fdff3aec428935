#!/usr/bin/env python3
"""Pictures of the dashboard for README.md: a real fleet under real load, in both themes.

usage: tools/tests.sh's environment:  .build/tools-venv/bin/python tools/dashboard/screenshot.py [--seconds 300] [--output deploy/screenshots]

Starts a broker, two workers of one thread each and a third at the portable instruction set, lets clients and a durable job keep them
busy for the time given, and takes the pictures while they work. What they show is what was measured on this machine.
"""

import argparse
import contextlib
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/tests"))

from browser import Browser  # noqa: E402
from fleet import Fleet, Load, wait_until, write_people  # noqa: E402


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=300, help="how long the fleet works before the pictures")
    options.add_argument("--output", type=pathlib.Path, default=ROOT / "deploy/screenshots")
    options = options.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fleet = stack.enter_context(Fleet("--store", folder / "store", http="127.0.0.1:0"))
        fleet.worker("bench-1", "--model", "niki")
        fleet.worker("bench-2", "--model", "niki")
        fleet.worker("old-laptop", "--model", "niki", "--isa-max", "portable")
        fleet.wait_for_workers(3)
        write_people(folder / "walks.jsonl", 3000, seed=7)
        fleet.run("submit", folder / "walks.jsonl", "--model", "hybrik", "--label", "walks, analytic", "--wait")
        write_people(folder / "night.jsonl", 40_000, seed=8)
        for index in range(2):
            (folder / f"client{index}").mkdir()
            stack.enter_context(Load(fleet, folder / f"client{index}", model="niki", count=1024))
        # Opened at once, so that its charts have seen everything.
        browser = stack.enter_context(Browser(width=1440, height=960))
        browser.open(fleet.url)
        wait_until("the page", lambda: browser.run("return document.body.dataset.link") == "live")
        browser.run("document.querySelector('[data-range=\"15m\"]').click()")
        time.sleep(options.seconds)
        fleet.run("submit", folder / "night.jsonl", "--model", "niki", "--label", "night shift")
        for theme in ("light", "dark"):
            picture(browser, theme, options.output / f"dashboard-{theme}.png")


def picture(browser, theme, path):
    """Once every worker has figures, two events after the theme was changed: all of it is of one moment under load."""
    browser.prefer(theme)
    wait_until("rates of every worker", lambda: browser.run(
        "return [...document.querySelectorAll('#workers [data-field=latency_p99_us]')].every((n) => n.textContent !== '–')"))
    first = int(browser.run("return document.body.dataset.timeUnixUs"))
    wait_until("two seconds", lambda: int(browser.run("return document.body.dataset.timeUnixUs")) > first + 2_000_000)
    browser.driver.save_screenshot(str(path))
    print(path)


if __name__ == "__main__":
    main()
