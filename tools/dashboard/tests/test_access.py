"""The page for everyone: by keyboard, in both themes with contrast, at any width, named for screen readers."""

import pytest
from browser import contrasts
from fleet import Fleet, write_people, wait_until
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleet")
    with Fleet("--store", folder / "store", http="127.0.0.1:0") as fleet:
        fleet.worker("north")
        fleet.worker("south")
        fleet.wait_for_workers(2)
        write_people(folder / "people.jsonl", 200)
        fleet.job = fleet.run("submit", folder / "people.jsonl", "--model", "hybrik", "--label", "night shift", "--wait").stdout.strip()
        yield fleet


def open_with_a_worker_that_died(page, fleet):
    """The page as it is for a minute after a worker was killed."""
    doomed = fleet.worker("was-here")
    page.open(fleet)
    page.wait_for_worker("was-here", "serving")
    doomed.kill()
    page.wait_for_worker("was-here", "gone")


def tab(page, times=1):
    for _ in range(times):
        ActionChains(page.browser.driver).send_keys(Keys.TAB).perform()


def columns(page, field):
    return page.run("return [...document.querySelectorAll(`#workers td[data-field=${arguments[0]}], #workers th[data-field=${arguments[0]}]`)]"
                    ".map((cell) => cell.textContent)", field)


def test_the_way_by_keyboard(page, fleet):
    page.open(fleet)
    page.wait_for_worker("north", "serving")
    wait_until("the job's row", lambda: page.text("#jobs .name"))
    visited = []
    for _ in range(60):
        tab(page)
        visited.append(page.focused())
        if visited[-1] == "BODY" or visited[-1].startswith("A night shift"):
            break
    assert visited[0] == "A Skip to the fleet"
    assert {"A Sinew", "operator-button", "theme-button", "BUTTON 1 h", "BUTTON Worker", "BUTTON People/s"} <= set(visited)
    assert visited[-1].startswith("A night shift")
    # Whoever presses keys sees where they are.
    assert page.run("""const s = getComputedStyle(document.activeElement);
        return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2;""")
    page.press(Keys.ENTER)
    wait_until("the job's page", lambda: page.text("#job-title") == "night shift")
    assert page.focused() == "main"
    tab(page)
    assert page.focused() == "A ← The fleet"
    page.press(Keys.ENTER)
    wait_until("the fleet", lambda: page.run("return document.getElementById('fleet-view').checkVisibility()"))


def test_columns_sort_by_keys_and_tell_how(page, fleet):
    open_with_a_worker_that_died(page, fleet)
    sorts = "return [...document.querySelectorAll('#workers th[aria-sort]')].map((th) => [th.dataset.column, th.getAttribute('aria-sort')])"
    assert page.run(sorts) == [["name", "ascending"]]
    names = "return [...document.querySelectorAll('#workers tbody .name')].map((n) => n.textContent)"
    assert page.run(names) == ["north", "south", "was-here"]
    page.run("document.querySelector('#workers th[data-column=name] button').focus()")
    page.press(Keys.ENTER)
    assert page.run(sorts) == [["name", "descending"]]
    # Workers that are gone stay below.
    assert page.run(names) == ["south", "north", "was-here"]
    page.run("document.querySelector('#workers th[data-column=resident_bytes] button').focus()")
    page.press(Keys.SPACE)
    assert page.run(sorts) == [["resident_bytes", "descending"]]
    assert page.focused() == "BUTTON Memory"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("place", ["fleet", "job", "operator", "disconnected"])
def test_every_text_has_contrast(page, fleet, theme, place):
    page.browser.prefer(theme)
    if place == "fleet":
        open_with_a_worker_that_died(page, fleet)
    elif place == "job":
        page.open(fleet, f"#/jobs/{fleet.job}")
        wait_until("the job", lambda: page.text("#job-title"))
    else:
        page.open(fleet)
        page.wait_for_worker("north", "serving")
    if place == "operator":
        page.find("#operator-button").click()
        page.press("no token" + Keys.ENTER)
        wait_until("a message", lambda: page.text("#operator-message"))
    if place == "disconnected":
        # The state alone decides the colours; the broker is shared with other tests.
        page.run("document.body.dataset.link = 'disconnected'")
    found = contrasts(page.browser)
    assert len(found) > (10 if place == "job" else 60)
    low = [text for text in found if text["ratio"] < 4.5]
    assert low == []
    dark = page.run("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, dark[4:-1].split(","))) < 200) == (theme == "dark")
    page.browser.prefer("light")


def test_the_theme_button_overrules_the_system_and_is_remembered(page, fleet):
    page.open(fleet)
    shade = "return getComputedStyle(document.body).backgroundColor"
    light = page.run(shade)
    button = page.find("#theme-button")
    assert button.text == "Theme: auto"
    button.click()
    button.click()
    assert button.text == "Theme: dark"
    dark = page.run(shade)
    assert dark != light
    page.browser.driver.refresh()
    page.wait_for_link("live")
    assert page.run(shade) == dark
    page.find("#theme-button").click()
    assert page.run(shade) == light
    # The canvas takes part: its lines are those of the theme.
    page.browser.prefer("dark")
    wait_until("the system's dark", lambda: page.run(shade) == dark)
    wait_until("the charts in its colours", lambda: page.run("""
        return Chart.getChart("throughput-chart").data.datasets[0].borderColor
            === getComputedStyle(document.documentElement).getPropertyValue("--accent").trim()"""))
    page.browser.prefer("light")


def test_everything_has_a_name(page, fleet):
    page.open(fleet)
    page.wait_for_worker("north", "serving")
    nameless = page.run("""
        // A question's words come with the question.
        document.getElementById("confirm-yes").textContent ||= "yes";
        const name = (n) => n.getAttribute("aria-label") || n.textContent.trim() || n.getAttribute("aria-labelledby")
            || (n.id && document.querySelector(`label[for="${n.id}"]`)?.textContent);
        return [...document.querySelectorAll("button, a, input, [role=img], [role=region], [role=progressbar], th, dialog, section")]
            .filter((n) => !name(n)).map((n) => n.outerHTML.slice(0, 100));""")
    assert nameless == []
    assert page.run("return [...document.querySelectorAll('[id]')].length === new Set([...document.querySelectorAll('[id]')].map((n) => n.id)).size")
    assert page.run("return [...document.querySelectorAll('[aria-labelledby]')].every((n) => document.getElementById(n.getAttribute('aria-labelledby')))")
    levels = page.run("return [...document.querySelectorAll('main h2, header h1')].map((n) => n.tagName)")
    assert levels[0] == "H1" and set(levels[1:]) == {"H2"}


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_the_page_fits_the_window(page, fleet, width):
    page.browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
    try:
        page.open(fleet)
        page.wait_for_worker("north", "serving")
        assert page.run("return document.documentElement.scrollWidth") <= width
        assert page.run("return innerWidth") == width
    finally:
        page.browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": 1440, "height": 1000, "deviceScaleFactor": 1, "mobile": False})
