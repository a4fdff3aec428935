"""The past: the chart and its table are the broker's history, and a restart keeps it."""

import figures
from fleet import Fleet, Load, wait_until


def known(fleet, query):
    """The rates of the history that are known."""
    return [rate for rate in fleet.get(f"api/v1/history?{query}")["series"]["persons_per_second"] if rate is not None]


def summary(page):
    """(mean, highest) above the chart, each with its precision; None while nothing is known."""
    text = page.text("#history-summary") or ""
    if not text.startswith("mean "):
        return None
    mean, highest = text.removeprefix("mean ").removesuffix(" people/s").split(", highest ")
    return figures.read(mean), figures.read(highest)


def agree(page, fleet):
    """Whether what is above the chart is what the history says; seconds that pass meanwhile change both."""
    shown = summary(page)
    rates = known(fleet, "seconds=3600")
    if shown is None or not rates:
        return False
    (mean, half), (highest, half_of_highest) = shown
    expected = sum(rates) / len(rates)
    # One second more or less on either side.
    slack = max(rates) / len(rates)
    return abs(mean - expected) <= half + slack and abs(highest - max(rates)) <= half_of_highest


def test_chart_and_table_are_the_history_and_a_restart_keeps_it(page, tmp_path):
    with Fleet("--store", tmp_path / "store", http="127.0.0.1:0") as fleet:
        fleet.worker("north")
        fleet.wait_for_workers(1)
        with Load(fleet, tmp_path):
            wait_until("half a minute of history", lambda: len([rate for rate in known(fleet, "seconds=900") if rate > 0]) >= 25)
        before = known(fleet, "seconds=900")
        fleet.broker.stop()
        fleet.start_broker()
        page.open(fleet)
        wait_until("the page to show the history", lambda: agree(page, fleet))
        # What was before the restart is there: nothing was solved since.
        assert summary(page)[1][0] >= max(before) - summary(page)[1][1]
        page.run("document.getElementById('history-table').open = true")
        rows = page.run("""
            return [...document.querySelectorAll("#history-table tbody tr")].map((row) => [...row.cells].map((cell) => cell.textContent));""")
        highest = [figures.read(row[2]) for row in rows if row[2] != "–"]
        assert highest and any(abs(value - max(before)) <= half for value, half in highest)
        # Painted, not blank; and the worker's line was drawn from the past.
        assert page.run("""
            const canvas = document.getElementById("throughput-chart");
            const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            return new Set(new Uint32Array(pixels.buffer)).size;""") > 3
        page.wait_for_worker("north", "serving")
        assert page.run("return document.querySelector('#workers .sparkline .line').getAttribute('d').split('L').length") > 3


def test_a_month_comes_by_the_minute(page, tmp_path):
    with Fleet("--store", tmp_path / "store", http="127.0.0.1:0") as fleet:
        page.open(fleet)
        for name, query in (("15 min", "seconds=900"), ("1 h", "seconds=3600"), ("24 h", "days=1"), ("30 d", "days=30")):
            page.run("[...document.querySelectorAll('#history-range button')].find((b) => b.textContent === arguments[0]).click()", name)
            wait_until(f"the request of {name}", lambda: page.run(
                "return performance.getEntriesByType('resource').some((entry) => entry.name.endsWith(arguments[0]))", query))
            assert page.run("return document.querySelector('#history-range [aria-pressed=true]').textContent") == name
        assert page.browser.complaints() == []
