#!/usr/bin/env python3
"""Pictures of the dashboard for README.md: a real fleet under real load, in both themes.

usage: tools/tests.sh's environment:  .build/tools-venv/bin/python tools/dashboard/screenshot.py [--seconds 300] [--output deploy/screenshots]

Starts a broker, two workers of one thread each and a third at the portable instruction set, lets durable jobs and a client keep them busy
for the time given, and takes the pictures while they work. What they show is what was measured on this machine.
"""

import argparse
import contextlib
import pathlib
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/tests"))

from browser import Browser  # noqa: E402
from fleet import REST, Fleet, Load, wait_until, write_people  # noqa: E402


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=300, help="how long the fleet works before the pictures")
    options.add_argument("--people", type=int, default=800_000, help="in the larger job; it must last until the pictures")
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
        for label, people in (("night shift", options.people), ("dance floor, 4 cameras", options.people // 4)):
            path = folder / f"{people}.npz"
            write_arrays(path, people)
            fleet.run("submit", path, "--model", "niki", "--label", label)
        stack.enter_context(Load(fleet, folder, model="niki", count=1024))
        # Opened at once, so that its charts have seen everything.
        browser = stack.enter_context(Browser(width=1440, height=960))
        browser.open(fleet.url)
        wait_until("the page", lambda: browser.run("return document.body.dataset.link") == "live")
        browser.run("document.querySelector('[data-range=\"15m\"]').click()")
        time.sleep(options.seconds)
        for theme in ("light", "dark"):
            picture(browser, theme, options.output / f"dashboard-{theme}.png")


def write_arrays(path, count):
    """Random people as `sinew submit` reads them from NumPy: joints of the open body at rest, moved and shaken."""
    random = np.random.default_rng(count)
    rest = np.array(REST, np.float32).reshape(-1, 3)
    joints = rest + random.normal(0, 0.04, (count, *rest.shape)).astype(np.float32)
    np.savez(path, joints3d=joints + random.uniform(0.5, 1.5, (count, 1, 3)).astype(np.float32), skeleton="smpl-29", unit="m", up_axis="y")


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
