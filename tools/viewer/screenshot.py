#!/usr/bin/env python3
"""Takes the README's picture of the viewer: the demo's page in headless Chromium, without a graphics card.

usage: tools/viewer/screenshot.py PAGE.html OUT.png [FRAME]        e.g. after `make demo`: out/demo.html deploy/screenshots/viewer.png 154
Needs Debian's chromium and chromium-driver, and selenium from PyPI (.build/tools-venv has it after `make test`).
"""

import pathlib
import sys

from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

SWITCHES = [
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--hide-scrollbars", "--window-size=1280,800", "--force-device-scale-factor=1.5",
]


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__.strip())
    page, picture = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    frame = int(sys.argv[3]) if len(sys.argv) == 4 else 0
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for switch in SWITCHES:
        options.add_argument(switch)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        driver.get(page.as_uri())
        WebDriverWait(driver, 60).until(lambda d: d.execute_script("return Boolean(window.sinewViewer)"))
        driver.execute_async_script(
            "sinewViewer.seek(arguments[0]); requestAnimationFrame(() => requestAnimationFrame(arguments[1]));", frame)
        driver.save_screenshot(picture)
    finally:
        driver.quit()


if __name__ == "__main__":
    main()
