"""Durable jobs on the page: the table, a job's own page, its failures, and giving it up."""

import figures
import pytest
from fleet import Fleet, wait_until
from made_job import Job

TOKEN = "correct-horse-battery-staple-42"
HOSTILE = "<b>night</b> & \"shift\" <script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "token").write_text(TOKEN)
    (folder / "token").chmod(0o600)
    with Fleet("--store", folder / "store", "--http-token-file", folder / "token", http="127.0.0.1:0") as fleet:
        fleet.worker("north")
        fleet.wait_for_workers(1)
        yield fleet


def status(fleet, job):
    return fleet.get(f"api/v1/jobs/{job.id}")["job"]


def rows(page):
    return {row["id"]: row for row in page.run("""
        return [...document.querySelectorAll("#jobs tbody tr")].map((row) => Object.fromEntries([["id", row.dataset.key]].concat(
            [...row.cells].slice(1).map((cell) => [cell.dataset.field, (cell.querySelector(".progress-text") ?? cell).textContent.trim()]))));""")}


def facts(page):
    return page.run("return Object.fromEntries([...document.querySelectorAll('#job-facts dd')].map((n) => [n.dataset.field, n.textContent]))")


def test_a_finished_job_is_shown_as_the_broker_counts_it(page, fleet):
    job = Job(fleet, HOSTILE, good=6, bad=2)
    ended = wait_until("its end", lambda: (s := status(fleet, job))["state"] == "finished" and s)
    assert (ended["done"], ended["failed"]) == (6, 2)
    page.open(fleet)
    row = wait_until("its row", lambda: (r := rows(page).get(job.id)) and r["state"] == "finished" and r)
    assert row["progress"] == "6\u202f/\u202f8"
    for field in ("items_done", "failed", "dead"):
        assert figures.agrees(row[field], ended[field]), field
    assert row["model"] == "hybrik" and row["eta"] == "–"
    assert page.run("return document.querySelector('#jobs .trouble').textContent") == "2"
    assert page.run("return document.querySelector('#jobs .name').textContent") == HOSTILE
    assert page.run("return document.querySelectorAll('main b, main script').length") == 0
    bar = page.find("#jobs [role=progressbar]")
    assert (bar.get_attribute("aria-valuenow"), bar.get_attribute("aria-valuemax")) == ("8", "8")


def test_its_own_page_has_the_timeline_and_every_failure(page, fleet):
    job = Job(fleet, HOSTILE, good=3, bad=2)
    wait_until("its end", lambda: status(fleet, job)["state"] == "finished")
    page.open(fleet)
    wait_until("its row", lambda: job.id in rows(page))
    page.find(f"#jobs tr[data-key='{job.id}'] a").click()
    wait_until("its page", lambda: page.text("#job-title") == HOSTILE)
    told = fleet.get(f"api/v1/jobs/{job.id}")
    shown = facts(page)
    for field in ("queued", "leased", "failed", "dead", "cancelled", "priority", "payload_bytes", "result_bytes"):
        assert figures.agrees(shown[field], told["job"][field]), field
    assert shown["items_done"] == "12 of 20"
    events = page.run("return [...document.querySelectorAll('#timeline li span')].map((n) => n.textContent)")
    assert events == [entry["event"] for entry in told["timeline"]]
    assert sorted(events) == sorted(["submitted", "first task handed out", "first result", "first task failed", "all tasks known", "finished"])
    assert (events[0], events[-1]) == ("submitted", "finished")
    times = [entry["time_unix_us"] for entry in told["timeline"]]
    assert times == sorted(times) and told["job"]["created_unix_us"] == times[0] and told["job"]["ended_unix_us"] == times[-1]
    assert figures.agrees(shown["retries"], 0) and figures.agrees(shown["redeliveries"], 0)
    lost = page.run("return [...document.querySelectorAll('#dead tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))")
    assert lost == [[str(task["index"]), str(task["attempts"]), task["label"], task["reason"]] for task in told["dead"]]
    assert sorted(row[2] for row in lost) == ["<i>clip 3</i>", "<i>clip 4</i>"]
    assert f"sinew dead list {job.id}" in page.text("#dead-empty")
    assert f"sinew get {job.id} -o out/" in page.text("#job-next")
    assert page.browser.complaints() == []


def test_a_job_that_nobody_knows_is_said_to_be_unknown(page, fleet):
    page.open(fleet, "#/jobs/0192f3c1-7000-7000-8000-000000000000")
    wait_until("the answer", lambda: "No such job" in (page.text("#job-body") or ""))
    assert "sinew jobs" in page.text("#job-body")
    page.open(fleet, "#/jobs/%E0%A4%A")
    wait_until("the answer", lambda: "No such job" in (page.text("#job-body") or ""))


def test_a_job_grows_on_its_page_and_is_cancelled_with_the_token(page, fleet):
    job = Job(fleet, "open end", good=2, is_sealed=False)
    page.open(fleet, f"#/jobs/{job.id}")
    wait_until("two tasks", lambda: page.text("#job-body .progress-text") == "2\u202f/\u202f2")
    assert page.text("#job-state") == "open"
    assert page.run("return document.querySelector('#job-actions button')") is None
    page.find("#operator-button").click()
    page.press(TOKEN + "\n")
    button = wait_until("the button", lambda: page.run("return document.querySelector('#job-actions button')"))
    button.click()
    page.find("#confirm-yes").click()
    wait_until("the end", lambda: page.text("#job-state") == "cancelled")
    assert status(fleet, job)["state"] == "cancelled"
    assert page.run("return document.querySelector('#job-actions button')") is None
    page.run("sessionStorage.clear()")
