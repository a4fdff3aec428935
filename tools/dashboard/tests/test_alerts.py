"""Alerts of a real fleet stand on the page, go when their cause goes, and dead tasks are where the alert says."""

import signal

import figures
import msgpack
from counting_client import CountingClient
from fleet import Fleet, wait_until
from made_job import Job
from scripted_worker import ScriptedWorker

INTERNAL = 13


def alerts(page):
    """[severity, what, do] of each, as they stand there."""
    return page.run("""
        return [...document.querySelectorAll("#alerts li")].map((item) =>
            [item.dataset.severity, item.querySelector("strong").textContent, item.querySelector(".do").textContent]);""")


def wait_for_alert(page, *words):
    return wait_until(f"an alert of {words}", lambda: next(
        (alert for alert in alerts(page) if all(word in alert[1] for word in words)), None))


def wait_for_silence(page):
    wait_until("no alert", lambda: alerts(page) == [] and page.run("return document.getElementById('alerts-empty').checkVisibility()"))


def test_a_worker_that_falls_silent_and_dies_is_an_alert_until_it_is_back(page):
    with Fleet(http="127.0.0.1:0") as fleet:
        fleet.worker("steady")
        doomed = fleet.worker("doomed")
        fleet.wait_for_workers(2)
        page.open(fleet)
        wait_for_silence(page)
        doomed.send(signal.SIGSTOP)
        severity, what, do = wait_for_alert(page, "doomed", "has said nothing for")
        assert severity == "warning" and f"process {doomed.process.pid}" in do
        assert "worker doomed" in page.text("#announcer")
        severity, what, do = wait_for_alert(page, "doomed", "has vanished")
        assert page.text("#alert-count") == "1" and "sinew worker --broker" in do
        # The page says what the API says, word for word.
        told = wait_until("both to say it", lambda: [
            alert for alert in fleet.get("api/v1/fleet")["alerts"] if [alert["severity"], alert["what"], alert["do"]] in alerts(page)])
        assert [alert["code"] for alert in told] == ["worker_gone"]
        doomed.send(signal.SIGCONT)
        page.wait_for_worker("doomed", "serving")
        wait_for_silence(page)


def test_work_that_nobody_can_do_is_critical(page, tmp_path):
    with Fleet("--store", tmp_path / "store", http="127.0.0.1:0") as fleet:
        page.open(fleet)
        wait_for_silence(page)
        job = Job(fleet, "early", good=3)
        severity, what, do = wait_for_alert(page, "no worker serves")
        assert (severity, what) == ("critical", "3 calls and tasks wait, and no worker serves") and "sinew worker" in do
        # A worker with another model is no help.
        fleet.worker("north", model="niki")
        severity, what, do = wait_for_alert(page, "which no worker has ready")
        assert severity == "critical" and what.startswith("3 calls and tasks wait for the model hybrik")
        assert "--model hybrik" in do
        fleet.worker("south", model="hybrik")
        wait_for_silence(page)
        assert fleet.get(f"api/v1/jobs/{job.id}")["job"]["done"] == 3 or wait_until(
            "its end", lambda: fleet.get(f"api/v1/jobs/{job.id}")["job"]["done"] == 3)


def test_dead_tasks_are_told_shown_with_their_reason_and_gone_when_they_are_replayed(page, tmp_path):
    reason = "the <b>scripted</b> worker never succeeds"
    attempts = []

    def refuse(head, payload):
        attempts.append(head)
        return INTERNAL, 0, msgpack.packb({"code": 0, "message": reason})

    with Fleet("--store", tmp_path / "store", http="127.0.0.1:0") as fleet:
        with ScriptedWorker(fleet.endpoints[1], "clumsy", refuse):
            fleet.wait_for_workers(1)
            job = Job(fleet, "doomed", good=2)
            page.open(fleet)
            severity, what, do = wait_for_alert(page, "tasks of jobs were given up")
            wait_until("both to be dead", lambda: any(alert[1].startswith("2 tasks of jobs") for alert in alerts(page)))
            assert severity == "warning" and "sinew dead list" in do and "sinew dead replay" in do
            row = wait_until("the row", lambda: page.run("""
                const row = document.querySelector("#jobs tbody tr");
                return row && row.querySelector("[data-field=dead]").textContent.trim() === "2"
                    && row.querySelector("[data-field=state]").textContent.trim();"""))
            assert row == "finished"
            page.run("location.hash = `#/jobs/${arguments[0]}`", job.id)
            rows = wait_until("the reasons", lambda: page.run("""
                return [...document.querySelectorAll("#dead tbody tr")].map((row) => [...row.cells].map((cell) => cell.textContent));"""))
        # The worker itself has counted how often it was asked.
        tried = len(attempts) // 2
        assert len(attempts) == 2 * tried and tried >= 2
        assert sorted(row[:3] for row in rows) == [[str(index), str(tried), f"<i>clip {index}</i>"] for index in range(2)]
        assert all(reason in row[3] or str(tried) in row[3] for row in rows)
        assert figures.agrees(page.text("#job-facts [data-field=dead]"), 2)
        assert figures.agrees(page.text("#job-facts [data-field=retries]"), len(attempts) - 2)
        assert "first task given up" in page.text("#timeline")
        assert page.run("return document.querySelectorAll('main b').length") == 0
        fleet.worker("able")
        fleet.wait_for_workers(1)
        fleet.run("dead", "replay", job.id)
        wait_until("its page to say that all are solved", lambda: page.text("#dead-empty") == "Every task that has ended was solved."
                   and figures.agrees(page.text("#job-facts [data-field=items_done]").split(" of ")[0], 8))
        assert "tasks without a result tried again" in page.text("#timeline")
        page.run("location.hash = '#/'")
        wait_for_silence(page)


def test_calls_for_models_that_nobody_has_are_told(page):
    with Fleet(http="127.0.0.1:0") as fleet:
        fleet.worker("north", model="hybrik")
        leaving = fleet.worker("south", model="mlp-ik")
        fleet.wait_for_workers(2)
        page.open(fleet)
        wait_for_silence(page)
        with CountingClient(fleet.client_endpoint, model="niki", calls=1, people=1, calls_max=5) as client:
            client.wait()
        assert len(client.failures) == 5
        severity, what, do = wait_for_alert(page, "a model that no worker has ever had")
        assert severity == "warning" and what.startswith("5 calls of the last minute") and "--model NAME" in do
        leaving.stop()
        fleet.wait_for_workers(1)
        with CountingClient(fleet.client_endpoint, model="mlp-ik", calls=1, people=1, calls_max=3) as client:
            client.wait()
        assert len(client.failures) == 3
        severity, what, do = wait_for_alert(page, "asked for the model mlp-ik, which no worker has ready")
        assert severity == "critical" and what.startswith("3 calls") and "--model mlp-ik" in do
