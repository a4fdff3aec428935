"""The page follows what happens: workers die and come back, the broker hangs, dies and comes back, a fleet is empty."""

import signal

import pytest
from fleet import Fleet, wait_until


def test_a_worker_that_dies_is_gone_and_its_return_is_shown(page):
    with Fleet(http="127.0.0.1:0") as fleet:
        fleet.worker("steady")
        doomed = fleet.worker("doomed")
        fleet.wait_for_workers(2)
        page.open(fleet)
        page.wait_for_worker("doomed", "serving")
        assert page.text("#worker-count") == "2 of 2 serving"
        doomed.kill()
        page.wait_for_worker("doomed", "gone")
        assert page.text("#worker-count") == "1 of 1 serving"
        assert page.workers()["steady"]["state"] == "serving"
        # Told to those who hear the page, too.
        assert "doomed: gone" in page.text("#announcer")
        fleet.worker("doomed")
        page.wait_for_worker("doomed", "serving")
        assert page.text("#worker-count") == "2 of 2 serving"
        assert len(page.run("return [...document.querySelectorAll('#workers tbody tr')].map((row) => row.textContent)")) == 2


def test_a_worker_that_says_nothing_is_silent_before_it_is_gone(page):
    with Fleet(http="127.0.0.1:0") as fleet:
        worker = fleet.worker("mute")
        fleet.wait_for_workers(1)
        page.open(fleet)
        page.wait_for_worker("mute", "serving")
        worker.send(signal.SIGSTOP)
        seen = set()
        wait_until("it to be gone", lambda: seen.add(page.workers()["mute"]["state"]) or "gone" in seen)
        assert "silent" in seen
        worker.send(signal.SIGCONT)
        page.wait_for_worker("mute", "serving")


def test_an_empty_fleet_says_what_to_type(page):
    with Fleet(http="127.0.0.1:0") as fleet:
        page.open(fleet)
        assert page.run("return document.getElementById('workers-empty').checkVisibility()")
        assert "sinew worker" in page.text("#workers-empty")
        assert "sinew up --workers 2" in page.text("#workers-empty")
        wait_until("the list of jobs", lambda: page.text("#jobs-empty"))
        assert not page.run("return document.getElementById('workers').checkVisibility()")
        worker = fleet.worker("first")
        page.wait_for_worker("first", "serving")
        assert not page.run("return document.getElementById('workers-empty').checkVisibility()")
        worker.stop()


def test_a_broker_that_hangs_makes_the_page_stale_and_one_that_dies_disconnects_it(page, tmp_path):
    with Fleet("--store", tmp_path, http="127.0.0.1:0") as fleet:
        fleet.worker("north")
        fleet.wait_for_workers(1)
        page.open(fleet)
        page.wait_for_worker("north", "serving")
        fleet.broker.send(signal.SIGSTOP)
        page.wait_for_link("stale", 6)
        assert page.text("#link-text").startswith("stale: last heard 0:0")
        fleet.broker.send(signal.SIGCONT)
        page.wait_for_link("live")
        fleet.broker.kill()
        page.wait_for_link("disconnected")
        assert "is the broker running? sinew up --workers 2" in page.text("#link-text")
        # What was known stays readable, without the colours of a fleet that lives.
        assert "north" in page.workers()
        assert page.run("return getComputedStyle(document.querySelector('main')).filter") == "grayscale(1)"
        fleet.start_broker()
        page.wait_for_link("live")
        page.wait_for_worker("north", "serving")


def test_pages_that_were_left_hold_no_connection(page):
    with Fleet(http="127.0.0.1:0") as fleet:
        for _ in range(8):
            page.open(fleet)
        # A browser makes six connections to one address; the ninth page has one all the same.
        page.browser.driver.back()
        page.browser.driver.back()
        page.wait_for_link("live")


def test_without_an_answer_the_page_says_what_to_start(page):
    with Fleet(http="127.0.0.1:0") as fleet:
        page.open(fleet)
        url = fleet.url
        fleet.broker.kill()
        page.wait_for_link("disconnected")
    assert page.browser.driver.current_url == url
    text = wait_until("the seconds to count", lambda: page.text("#link-text"))
    assert "sinew up --workers 2" in text


@pytest.mark.parametrize("name", [
    "<img src=x onerror=\"document.title='owned'\">", "a\u202egnp.evil", "</td></table><script>document.title='owned'</script>",
    "x" * 120, "日本 worker", "&lt;b&gt;", "../../drain?#",
])
def test_names_of_strangers_are_text(page, name):
    with Fleet(http="127.0.0.1:0") as fleet:
        fleet.worker(name)
        fleet.wait_for_workers(1)
        page.open(fleet)
        page.wait_for_worker(name, "serving")
        assert page.run("return document.querySelectorAll('main img, main script, main iframe').length") == 0
        assert page.browser.driver.title.endswith("people/s – Sinew")
        # Its writing direction ends where the name ends, and a long one widens nothing.
        assert page.run("return document.querySelector('#workers .name bdi') !== null")
        assert page.run("return document.documentElement.scrollWidth <= innerWidth")
        assert page.browser.complaints() == []
