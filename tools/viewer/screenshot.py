#!/usr/bin/env python3
"""Takes the README's picture of the viewer: the demo's page in headless Chromium, without a graphics card.

usage: tools/viewer/screenshot.py PAGE.html OUT.png [FRAME]        e.g. after `make demo`: out/demo.html deploy/screenshots/viewer.png 154
Needs Debian's chromium and chromium-driver, and selenium from PyPI (.build/tools-venv has it after `make test`).
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/tests"))

from browser import Browser  # noqa: E402
from fleet import wait_until  # noqa: E402


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__.strip())
    page, picture = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    frame = int(sys.argv[3]) if len(sys.argv) == 4 else 0
    with Browser(1280, 800, scale=1.5, has_webgl=True) as browser:
        browser.open(page.as_uri())
        wait_until("the page to be drawn", lambda: browser.run("return Boolean(window.sinewViewer)"))
        browser.driver.execute_async_script(
            "sinewViewer.seek(arguments[0]); requestAnimationFrame(() => requestAnimationFrame(arguments[1]));", frame)
        browser.driver.save_screenshot(picture)


if __name__ == "__main__":
    main()
