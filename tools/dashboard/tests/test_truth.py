"""The figures of the page against what the test counts and measures itself: answers, batches and times as a client sees them, /proc."""

import json
import os
import pathlib
import platform
import struct
import time
import urllib.request

import figures
import pytest
from counting_client import CountingClient, call_head, solve_request
from fleet import Fleet, wait_until
from made_job import Job
from scripted_worker import ScriptedWorker
from zmq import DEALER, LINGER, Context

PEOPLE = 16
# A plain network: what a person costs can be read from its file.
MODEL = "mlp-ik"


def totals(page):
    return page.run("""
        return Object.fromEntries([...document.querySelectorAll("#totals [data-field]")].map((n) => [n.dataset.field, n.textContent]));""")


def shows(page, field, value):
    return figures.agrees(totals(page)[field], value)


def processor_seconds(service):
    fields = pathlib.Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(service):
    return int(pathlib.Path(f"/proc/{service.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Asker:
    """A client that sends and does not read: its calls stay where they are."""

    def __init__(self, fleet):
        self.context = Context()
        self.socket = self.context.socket(DEALER)
        self.socket.setsockopt(LINGER, 0)
        self.socket.connect(fleet.client_endpoint)
        self.sent = 0

    def ask(self, people, model="hybrik"):
        self.sent += 1
        self.socket.send_multipart([call_head(self.sent, model, people), solve_request(people)])

    def close(self):
        self.socket.close(0)
        self.context.term()


def text_of_metrics(fleet):
    with urllib.request.urlopen(fleet.url + "metrics", timeout=30) as reply:
        return reply.read().decode()


def test_what_was_solved_is_what_the_client_counted(page):
    with Fleet(http="127.0.0.1:0") as fleet:
        started = time.time()
        services = {name: fleet.worker(name) for name in ("north", "south")}
        fleet.wait_for_workers(2)
        page.open(fleet)
        before = [client["items_done"] for client in fleet.get("api/v1/fleet")["workers"]]
        assert before == [0, 0]
        with CountingClient(fleet.client_endpoint, people=PEOPLE, calls_max=400) as client:
            client.wait()
        assert client.people == 400 * PEOPLE and not client.failures
        wait_until("all people", lambda: shows(page, "items_done", client.people))
        own = client.people_by_worker()
        workers = wait_until("the last beats", lambda: (all_ := fleet.get("api/v1/fleet")["workers"]) and sum(
            worker["items_done"] for worker in all_) == client.people and all_)
        for worker in workers:
            assert worker["items_done"] == worker["models"][0]["items_ok"] == own.get(worker["name"], 0)
            assert worker["process_id"] == services[worker["name"]].process.pid and worker["host"] == platform.node()
        cell = "#models tbody tr [data-field=items_{}]"
        wait_until("the sum over the workers", lambda: figures.agrees(page.text(cell.format("ok")), client.people))
        assert figures.agrees(page.text(cell.format("failed")), 0)
        # A question about a model that there is not.
        asker = Asker(fleet)
        for _ in range(7):
            asker.ask(1, model="no-such-model")
        wait_until("the refusals", lambda: shows(page, "calls_failed", 7))
        asker.close()
        up = page.text("#broker-line").split("up ")[1].split(" ")[0]
        assert abs(figures.read(up)[0] - (time.time() - started)) < 10
        # Prometheus's text is made from the same counters by other code.
        assert f"sinew_answered_items_total {client.people}\n" in text_of_metrics(fleet)


def test_what_waits_and_runs_is_what_a_worker_holds_and_what_it_has_no_room_for(page):
    with Fleet(http="127.0.0.1:0") as fleet, ScriptedWorker(fleet.endpoints[1], "holder", lambda head, payload: None, credits=20) as holder:
        fleet.wait_for_workers(1)
        page.open(fleet)
        askers = [Asker(fleet), Asker(fleet)]
        for asker in askers:
            for _ in range(5):
                asker.ask(6)
        wait_until("three tasks", lambda: len(holder.held) == 3)
        wait_until("the rest to wait", lambda: shows(page, "queued_items", 10 * 6 - 18) and shows(page, "running_items", 18))
        asked = time.monotonic()
        assert shows(page, "clients", 2) and shows(page, "workers_serving", 1)
        assert shows(page, "drain_us_estimated", None), "nobody has shown how fast he is"
        # What waits waits longer by the time that passes.
        first = figures.read(totals(page)["oldest_waiting_us"])[0] / 1e6
        began = time.monotonic()
        later = wait_until("three seconds more", lambda: (
            now := figures.read(totals(page)["oldest_waiting_us"])[0] / 1e6) >= first + 3 and now)
        assert later - first == pytest.approx(time.monotonic() - began, abs=1.5)
        assert later == pytest.approx(time.monotonic() - asked, abs=4)
        for asker in askers:
            asker.close()


def test_rates_batches_and_times_are_those_of_the_clients_answers(page):
    with Fleet(http="127.0.0.1:0") as fleet:
        fleet.worker("only", model=MODEL)
        fleet.wait_for_workers(1)
        page.open(fleet)
        with CountingClient(fleet.client_endpoint, model=MODEL, people=PEOPLE, calls=8) as client:
            wait_until("a steady load", lambda: len(client.answers) >= 100)
            # A worker's figures compare two of its beats, so they begin some seconds after its work.
            wait_until("the worker's figures", lambda: fleet.get("api/v1/fleet")["workers"][0]["mean_batch"] is not None)
            events, began = {}, time.time()

            def collect():
                fleet_now = fleet.get("api/v1/fleet")
                events[fleet_now["time_unix_us"]] = fleet_now
                return time.time() - began >= 8
            wait_until("eight seconds", collect, interval=0.3)
            wait_until("the page to have a rate", lambda: page.workers()["only"]["latency_p50_us"] != "–")
        own = [answer for answer in client.answers if began <= answer[0] <= began + 8]
        during = [event for at, event in sorted(events.items()) if at >= (began + 3) * 1e6]
        # People per second, window by window, and what the client counted in these windows.
        shown = counted = 0
        end = began
        for event in during:
            at, window = event["time_unix_us"] / 1e6, event["window_seconds"]
            if at - window >= end:
                end = at
                shown += event["broker"]["persons_per_second"] * window
                counted += client.people_between(at - window, at)
        assert counted > 0 and shown == pytest.approx(counted, rel=0.1)
        for event in during:
            broker = event["broker"]
            assert broker["calls_per_second"] == pytest.approx(broker["persons_per_second"] / PEOPLE, rel=1e-6)
        # Batches: an answer says how large its batch was.
        mean = len(own) * PEOPLE / sum(PEOPLE / answer[2] for answer in own)
        means = [event["workers"][0]["mean_batch"] for event in during]
        assert sum(means) / len(means) == pytest.approx(mean, rel=0.25)
        # Times: waiting and computing as each answer tells them. A histogram's classes are a factor of 2.5 wide.
        times = sorted(answer[3] + answer[4] for answer in own)
        p50 = sorted(event["workers"][0]["latency_p50_us"] for event in during)[len(during) // 2]
        assert times[len(times) // 2] / 2.6 <= p50 <= times[len(times) // 2] * 2.6
        longest = max(answer[3] + answer[4] for answer in client.answers)
        assert max(event["workers"][0]["latency_p99_us"] for event in during) <= longest * 2.6
        # What fills a batch: its mean over the size that the worker's own measurement found best.
        best = float(next(line for line in text_of_metrics(fleet).splitlines() if line.startswith(
            "sinew_worker_model_best_batch_items{")).split()[-1])
        for event in during:
            worker = event["workers"][0]
            assert worker["batch_fill"] == pytest.approx(min(1, worker["mean_batch"] / best), rel=1e-6)
            # Arithmetic: a person passes each matrix of this model once, and each weight is a multiplication and an addition.
            flop = 2 * weights_of(MODEL) * worker["models"][0]["persons_per_second"]
            assert worker["gflop_per_second"] * 1e9 == pytest.approx(flop, rel=1e-6)


def weights_of(model):
    """The number of weights in the matrices of a shipped model: read from the head of its file."""
    folder = pathlib.Path(__file__).parents[3] / "Sources/SinewModels/Resources/models" / model / "1"
    with open(folder / "weights.safetensors", "rb") as file:
        head = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    return sum(shape[0] * shape[1] for shape in (tensor.get("shape", ()) for tensor in head.values()) if len(shape) == 2)


def test_processor_and_memory_are_the_systems(page):
    with Fleet(http="127.0.0.1:0") as fleet:
        worker = fleet.worker("busy", model="niki")
        fleet.wait_for_workers(1)
        page.open(fleet)
        with CountingClient(fleet.client_endpoint, model="niki", people=64, calls=8) as client:
            wait_until("a steady load", lambda: len(client.answers) >= 100)
            services = {"worker": worker, "broker": fleet.broker}
            began, used = time.time(), {name: processor_seconds(service) for name, service in services.items()}
            samples = {"worker": [], "broker": []}

            def collect():
                now = fleet.get("api/v1/fleet")
                samples["broker"].append(now["broker"]["cpu_cores"])
                samples["worker"].append(now["workers"][0]["cpu_cores"])
                return time.time() - began >= 8
            wait_until("eight seconds", collect, interval=0.3)
            seconds = time.time() - began
            for name, service in services.items():
                expected = (processor_seconds(service) - used[name]) / seconds
                known = [value for value in samples[name] if value is not None]
                assert sum(known) / len(known) == pytest.approx(expected, rel=0.35, abs=0.1), name
            now = fleet.get("api/v1/fleet")
            assert now["workers"][0]["resident_bytes"] == pytest.approx(resident_bytes(worker), rel=0.1)
            assert now["broker"]["resident_bytes"] == pytest.approx(resident_bytes(fleet.broker), rel=0.1)
        wait_until("the page to say it too", lambda: figures.read(page.workers()["busy"]["resident_bytes"])[0] == pytest.approx(
            resident_bytes(worker), rel=0.1))


def test_a_jobs_rate_and_time_left_are_those_of_the_worker_that_works_on_it(page, tmp_path):
    answered = []

    def work(head, payload):
        # A worker of a known speed: one task of four people at a time.
        time.sleep(0.2)
        answered.append(time.time())
        return 0, 0, b"\x80"

    tasks = 110
    with Fleet("--store", tmp_path / "store", http="127.0.0.1:0") as fleet, \
            ScriptedWorker(fleet.endpoints[1], "steady", work, credits=8):
        fleet.wait_for_workers(1)
        job = Job(fleet, "long", good=tasks)
        page.open(fleet)
        # The broker compares over ten seconds.
        wait_until("fourteen seconds of work", lambda: answered and answered[-1] - answered[0] > 14)

        def row():
            return page.run("""
                const row = document.querySelector("#jobs tbody tr");
                return Object.fromEntries([...row.cells].map((cell) => [cell.dataset.field, cell.textContent.trim()]));""")
        shown = wait_until("a time left", lambda: (r := row())["eta"] != "–" and r)
        now = time.time()
        own = 4 * sum(1 for at in answered if now - 10 <= at <= now) / 10
        rate = figures.read(shown["persons_per_second"])[0]
        assert rate == pytest.approx(own, rel=0.2)
        done = figures.read(shown["items_done"])[0]
        assert done == pytest.approx(4 * len(answered), abs=4 * 20)
        assert figures.read(shown["eta"])[0] == pytest.approx((4 * tasks - done) / own, rel=0.25)
        expected_end = now + (4 * tasks - done) / own
        wait_until("its end", lambda: row()["state"] == "finished")
        assert time.time() == pytest.approx(expected_end, abs=0.3 * (expected_end - now) + 3)
        assert row()["eta"] == "–" and len(answered) == tasks
        assert fleet.get(f"api/v1/jobs/{job.id}")["job"]["items_done"] == 4 * tasks
