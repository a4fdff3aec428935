"""One window for all tests of a file, and what a test reads from the page."""

import pytest
from browser import Browser
from fleet import wait_until


class Page:
    """The dashboard in a window."""

    def __init__(self, browser):
        self.browser = browser
        self.url = None

    def open(self, fleet, fragment=""):
        """A fresh page of a fleet that is live."""
        self.url = fleet.url + fragment
        self.browser.open("about:blank")
        self.browser.complaints()  # Those of the page before are not this one's.
        self.browser.open(self.url)
        self.wait_for_link("live")
        wait_until("the first figures", lambda: self.browser.run("return document.body.dataset.timeUnixUs ?? null"))

    def run(self, script, *arguments):
        return self.browser.run(script, *arguments)

    def text(self, selector):
        return self.browser.text(selector)

    def find(self, selector):
        return self.browser.driver.find_element("css selector", selector)

    def press(self, keys):
        self.browser.driver.switch_to.active_element.send_keys(keys)

    def focused(self):
        """Where the keyboard is: id, or tag and text."""
        return self.run("const n = document.activeElement; return n.id || `${n.tagName} ${n.textContent.trim()}`")

    def link(self):
        return self.run("return document.body.dataset.link")

    def wait_for_link(self, state, seconds=30):
        wait_until(f"the link to be {state}", lambda: self.link() == state, seconds)

    def workers(self):
        """{name: {field: text}} of the table as it is drawn, gone ones included."""
        rows = self.run("""
            return [...document.querySelectorAll("#workers tbody tr")].map((row) => Object.fromEntries(
                [...row.cells].map((cell) => [cell.dataset.field, cell.dataset.field === "name"
                    ? cell.querySelector(".name").textContent : cell.textContent.trim()])));""")
        return {row["name"]: row for row in rows}

    def wait_for_worker(self, name, state):
        return wait_until(f"{name} to be {state}", lambda: self.workers().get(name, {}).get("state") == state)


@pytest.fixture(scope="module")
def page():
    with Browser() as browser:
        yield Page(browser)
