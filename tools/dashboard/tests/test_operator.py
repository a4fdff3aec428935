"""Buttons that do something appear with the operator's token, and only with it."""

import pytest
from fleet import PATIENCE, Fleet, wait_until
from selenium.webdriver.common.keys import Keys

TOKEN = "correct-horse-battery-staple-42"


@pytest.fixture
def fleet(tmp_path):
    (tmp_path / "token").write_text(TOKEN + "\n")
    (tmp_path / "token").chmod(0o600)
    with Fleet("--http-token-file", tmp_path / "token", "--store", tmp_path / "store", http="127.0.0.1:0") as fleet:
        yield fleet


def buttons(page):
    return page.run("return [...document.querySelectorAll('main tbody button')].map((button) => button.getAttribute('aria-label'))")


def offer(page, token):
    page.find("#operator-button").click()
    assert page.focused() == "operator-token"
    page.press(token + Keys.ENTER)


def test_a_wrong_token_is_refused_and_shows_nothing(page, fleet):
    fleet.worker("north")
    fleet.wait_for_workers(1)
    page.open(fleet)
    page.wait_for_worker("north", "serving")
    offer(page, "open-sesame")
    wait_until("a refusal", lambda: page.text("#operator-message"))
    assert page.text("#operator-message") == "This is not the broker's token."
    assert buttons(page) == []
    offer_again = page.find("#operator-token")
    offer_again.clear()
    offer_again.send_keys("with a space" + Keys.ENTER)
    wait_until("another refusal", lambda: "without spaces" in page.text("#operator-message"))
    page.press(Keys.ESCAPE)
    assert page.run("return document.getElementById('operator-dialog').open") is False
    assert page.run("return sessionStorage.length") == 0


def test_with_the_token_a_worker_is_drained_after_a_question(page, fleet):
    fleet.worker("stays")
    leaving = fleet.worker("leaves/now?#")
    fleet.wait_for_workers(2)
    page.open(fleet)
    page.wait_for_worker("stays", "serving")
    assert buttons(page) == []
    offer(page, TOKEN)
    wait_until("buttons", lambda: buttons(page) == ["Drain leaves/now?#", "Drain stays"])
    button = page.find("#workers tbody tr:first-child button")
    button.click()
    assert page.text("#confirm-title") == "Drain leaves/now?#?"
    # The careful answer has the focus; Escape says the same.
    page.press(Keys.ESCAPE)
    wait_until("the question to go", lambda: not page.run("return document.getElementById('confirm-dialog').open"))
    assert leaving.process.poll() is None
    button.click()
    page.find("#confirm-yes").click()
    assert leaving.process.wait(PATIENCE) == 0
    wait_until("the row to say so", lambda: page.workers()["leaves/now?#"]["state"] == "gone")
    assert page.workers()["stays"]["state"] == "serving"
    assert "told to leave" in page.text("#notice")


def test_the_token_lives_as_long_as_the_tab_and_can_be_forgotten(page, fleet):
    fleet.worker("north")
    fleet.wait_for_workers(1)
    page.open(fleet)
    offer(page, TOKEN)
    wait_until("buttons", lambda: buttons(page))
    page.browser.driver.refresh()
    wait_until("buttons again", lambda: buttons(page))
    assert page.run("return JSON.stringify(localStorage)").find(TOKEN) == -1
    page.find("#operator-button").click()
    page.find("#operator-forget").click()
    wait_until("no buttons", lambda: buttons(page) == [])
    page.browser.driver.refresh()
    page.wait_for_link("live")
    page.wait_for_worker("north", "serving")
    assert buttons(page) == []


def test_a_token_that_is_no_longer_right_takes_the_buttons_away(page, fleet, tmp_path):
    fleet.worker("north")
    fleet.wait_for_workers(1)
    page.open(fleet)
    offer(page, TOKEN)
    wait_until("buttons", lambda: buttons(page))
    fleet.broker.kill()
    (tmp_path / "token").write_text("another-token-than-before-4711\n")
    fleet.start_broker()
    page.wait_for_link("live")
    page.wait_for_worker("north", "serving")
    page.find("#workers tbody button").click()
    page.find("#confirm-yes").click()
    wait_until("no buttons", lambda: buttons(page) == [])
    assert page.run("return sessionStorage.length") == 0
    assert page.run("return document.getElementById('notice').dataset.kind") == "failure"


def test_a_broker_without_a_token_says_how_to_get_one(page):
    with Fleet(http="127.0.0.1:0") as fleet:
        page.open(fleet)
        offer(page, TOKEN)
        wait_until("an explanation", lambda: page.text("#operator-message"))
        assert "--http-token-file" in page.text("#operator-message")
        page.press(Keys.ESCAPE)
