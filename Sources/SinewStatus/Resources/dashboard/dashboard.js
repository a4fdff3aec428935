// The page of a fleet: what the stream tells goes to its parts. Asks the broker for nothing else but history and single jobs.

import { get } from "./api.js";
import { Charts } from "./charts.js";
import { announce, byId, element, reconcile, setAttribute, setText, stranger } from "./dom.js";
import * as format from "./format.js";
import { JobPage } from "./job.js";
import { JobsTable } from "./jobs.js";
import { ModelsTable } from "./models.js";
import { Operator } from "./operator.js";
import { FleetStream } from "./stream.js";
import { WorkersTable } from "./workers.js";

let lastFleet = null;
let lastJobs = null;

const operator = new Operator(() => {
    if (lastFleet) workers.show(lastFleet.workers ?? [], lastFleet.time_unix_us / 1e6);
    if (lastJobs) jobs.show(lastJobs);
    jobPage.refresh();
});
const charts = new Charts();
const workers = new WorkersTable(operator);
const models = new ModelsTable();
const jobs = new JobsTable(operator);
const jobPage = new JobPage(operator);

/** name, field for tests and readers, the figure. */
function totals({ broker, workers: all }) {
    const serving = all.filter((worker) => worker.state === "serving").length;
    return [
        ["Waiting", "queued_items", format.count(broker.queued_items), "people"],
        ["Oldest waits", "oldest_waiting_us", format.duration(broker.oldest_waiting_us || null), ""],
        ["Done in", "drain_us_estimated", format.duration(broker.drain_us_estimated || null), ""],
        ["Running", "running_items", format.count(broker.running_items), "people"],
        ["Calls", "calls_per_second", format.rate(broker.calls_per_second), "/s"],
        ["Failed calls", "calls_failed", format.count(broker.calls_failed), "since start"],
        ["Workers serving", "workers_serving", format.count(serving), `of ${all.filter((worker) => worker.state !== "gone").length}`],
        ["Clients", "clients", format.count(broker.clients), ""],
        ["Solved", "items_done", format.count(broker.items_done), "people"],
    ];
}

function showTotals(fleet) {
    setText(byId("throughput"), format.rate(fleet.broker.persons_per_second));
    reconcile(byId("totals"), totals(fleet), ([, field]) => field,
        ([name, field]) => element("div", {}, element("dt", {}, name), element("dd", {}, element("span", { "data-field": field }), " ", element("small"))),
        (node, [, , figure, unit]) => {
            setText(node.querySelector("span"), figure);
            setText(node.querySelector("small"), unit);
        });
    const { broker } = fleet;
    const parts = [`broker ${format.word(broker.version)}`, `up ${format.clock((broker.uptime_us ?? 0) / 1e6)}`];
    if (typeof broker.cpu_cores === "number") parts.push(`${format.cores(broker.cpu_cores)} cores`);
    if (typeof broker.resident_bytes === "number") parts.push(format.bytes(broker.resident_bytes));
    if (broker.draining) parts.push("draining: it takes no new calls");
    setText(byId("broker-line"), parts.join(" · "));
    document.title = `${format.rate(broker.persons_per_second)} people/s – Sinew`;
}

let knownAlerts = new Set();

function showAlerts(alerts) {
    const key = (alert) => `${alert.code} ${alert.what}`;
    setText(byId("alert-count"), alerts.length ? String(alerts.length) : "");
    byId("alerts").hidden = alerts.length === 0;
    byId("alerts-empty").hidden = alerts.length > 0;
    reconcile(byId("alerts"), alerts, key, (alert) => element("li", { "data-severity": alert.severity },
        element("strong", {}, stranger(alert.what)), element("span", { class: "do" }, stranger(alert.do)),
        element("span", { class: "visually-hidden" }, alert.severity)), () => {});
    const fresh = alerts.filter((alert) => !knownAlerts.has(alert.code));
    knownAlerts = new Set(alerts.map((alert) => alert.code));
    return fresh.map((alert) => `${alert.severity}: ${alert.what}. ${alert.do}`);
}

function showFleet(fleet) {
    lastFleet = fleet;
    const all = fleet.workers ?? [];
    showTotals({ broker: fleet.broker, workers: all });
    const said = [...workers.show(all, fleet.time_unix_us / 1e6), ...showAlerts(fleet.alerts ?? [])];
    if (said.length > 0) announce(said.join(" "));
    models.show(all);
    charts.show(fleet);
    setAttribute(document.body, "data-time-unix-us", fleet.time_unix_us);
}

function showJobs(reply) {
    lastJobs = reply.jobs ?? [];
    jobs.show(lastJobs);
    jobPage.refresh();
}

let linkBefore = "connecting";

function showLink(state, age) {
    const texts = {
        connecting: "connecting",
        live: "live",
        stale: `stale: last heard ${format.clock(age ?? 0)} ago`,
        disconnected: age === null ? "no answer from the broker; start one: sinew up --workers 2"
            : `disconnected for ${format.clock(age)}; is the broker running? sinew up --workers 2`,
    };
    document.body.dataset.link = state;
    // The seconds are for the eye; whoever listens hears the state once.
    if (state !== linkBefore) announce(texts[state]);
    setText(byId("link-text"), texts[state]);
    if (state === "live" && linkBefore !== "live") catchUp();
    linkBefore = state;
}

/** After every connection: what happened before it. */
async function catchUp() {
    try {
        await charts.load();
        workers.addHistory(charts.history.bySecond);
    } catch {
        // Without history the charts begin now; the stream's state says whether the broker is there.
    }
    try {
        showJobs(await get("api/v1/jobs?limit=50"));
    } catch (error) {
        jobs.showFailure(error.message);
    }
}

function route() {
    const matched = /^#\/jobs\/([^/]+)$/.exec(location.hash);
    byId("fleet-view").hidden = matched !== null;
    byId("job-view").hidden = matched === null;
    let id = null;
    if (matched) {
        try {
            id = decodeURIComponent(matched[1]);
        } catch {
            id = matched[1]; // Not an address of ours: the broker says that there is no such job.
        }
    }
    jobPage.open(id);
}

addEventListener("hashchange", () => {
    route();
    scrollTo(0, 0);
    byId("main").focus({ preventScroll: true });
});
route();
new FleetStream("api/v1/events", { fleet: showFleet, jobs: showJobs, state: showLink });
