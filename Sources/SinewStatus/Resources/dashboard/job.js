// One job's page: how far it is, what happened to it, and its tasks that were given up.

import { get } from "./api.js";
import { byId, element, setText, stranger } from "./dom.js";
import * as format from "./format.js";
import { isRunning, remaining } from "./jobs.js";
import { drawProgress, progress } from "./progress.js";

export class JobPage {
    #root = byId("job-view");
    #id = null;
    #drawn = null;
    #operator;

    constructor(operator) {
        this.#operator = operator;
    }

    /** Shows a job; `null` leaves. */
    open(id) {
        this.#id = id;
        this.#drawn = null;
        this.#root.replaceChildren();
        if (id === null) return;
        this.#frame();
        this.refresh();
    }

    /** Asks anew; called whenever the stream tells of jobs. */
    async refresh() {
        const id = this.#id;
        if (id === null) return;
        try {
            const reply = await get(`api/v1/jobs/${encodeURIComponent(id)}`);
            if (id === this.#id) this.#show(reply);
        } catch (error) {
            if (id === this.#id && this.#drawn === null) this.#showFailure(error);
        }
    }

    #frame() {
        const back = element("p", { class: "back" }, element("a", { href: "#/" }, "← The fleet"));
        this.#root.append(back, element("div", { id: "job-body" }, element("p", { class: "empty" }, "Asking the broker…")));
    }

    #showFailure(error) {
        const hint = error.status === 404
            ? [" Results are removed when their time is up. These are there: ", element("code", {}, "sinew jobs")] : [];
        byId("job-body").replaceChildren(element("section", { class: "panel" },
            element("h2", {}, "No such job"), element("p", { class: "empty" }, stranger(error.message), ".", ...hint)));
    }

    #show({ job, dead, timeline }) {
        // Drawn once per change of the answer, so that a selection in it lives.
        const text = JSON.stringify([job, dead, timeline, this.#operator.isAccepted]);
        if (text === this.#drawn) return;
        const isFirst = this.#drawn === null;
        this.#drawn = text;
        if (isFirst) this.#build(job);
        this.#showHead(job);
        this.#showTimeline(timeline ?? []);
        this.#showDead(job, dead ?? []);
    }

    #build(job) {
        const title = element("h2", { id: "job-title", tabindex: "-1" }, stranger(job.label || "Job without a label"));
        const head = element("section", { class: "panel", "aria-labelledby": "job-title" },
            element("div", { class: "panel-head" }, title, element("span", { class: "state", id: "job-state" }), element("span", { id: "job-actions" })),
            element("p", { class: "detail" }, element("code", { id: "job-id" }, job.id)), progress(), element("dl", { id: "job-facts", class: "facts" }),
            element("p", { class: "empty", id: "job-next" }));
        const timeline = element("section", { class: "panel", "aria-labelledby": "timeline-title" },
            element("h2", { id: "timeline-title" }, "Timeline"), element("ol", { id: "timeline" }));
        const dead = element("section", { class: "panel", "aria-labelledby": "dead-title" },
            element("h2", { id: "dead-title" }, "Tasks without a result ", element("span", { id: "dead-count", class: "count" })),
            element("div", { class: "scroll", role: "region", tabindex: "0", "aria-labelledby": "dead-title" }, element("table", { id: "dead" },
                element("thead", {}, element("tr", {}, ...[["Task", "number"], ["Attempts", "number"], ["Label", "text"], ["Why", "text"]].map(
                    ([name, kind]) => element("th", { scope: "col", class: kind }, name)))), element("tbody"))),
            element("p", { class: "empty", id: "dead-empty" }));
        byId("job-body").replaceChildren(head, element("div", { class: "job-grid" }, timeline, dead));
    }

    #showHead(job) {
        const state = byId("job-state");
        setText(state, format.word(job.state));
        state.dataset.state = job.state;
        drawProgress(this.#root.querySelector(".progress"), job);
        const time = (microseconds) => (microseconds ? format.timeOfDay(microseconds / 1e6, true, true) : "–");
        const facts = [
            ["People solved", "items_done", `${format.count(job.items_done)} of ${format.count(job.items)}`],
            ["People/s", "persons_per_second", format.rate(job.persons_per_second)],
            ["Time left", "eta", remaining(job)],
            ["Waiting", "queued", format.count(job.queued)],
            ["At work", "leased", format.count(job.leased)],
            ["Failed", "failed", format.count(job.failed)],
            ["Dead", "dead", format.count(job.dead)],
            ["Cancelled", "cancelled", format.count(job.cancelled)],
            ["Tried again", "retries", format.count(job.history?.retries)],
            ["Given out again", "redeliveries", format.count(job.history?.redeliveries)],
            ["Model", "model", job.model || "–"],
            ["Tenant", "tenant", job.tenant || "–"],
            ["Priority", "priority", format.count(job.priority)],
            ["Payloads", "payload_bytes", format.bytes(job.payload_bytes)],
            ["Results", "result_bytes", format.bytes(job.result_bytes)],
            ["Created", "created_unix_us", time(job.created_unix_us)],
            ["Ended", "ended_unix_us", time(job.ended_unix_us)],
            isRunning(job) ? ["Given up at", "give_up_unix_us", time(job.give_up_unix_us)] : ["Removed at", "remove_unix_us", time(job.remove_unix_us)],
        ];
        byId("job-facts").replaceChildren(...facts.map(([name, field, value]) =>
            element("div", {}, element("dt", {}, name), element("dd", { "data-field": field }, stranger(value)))));
        const next = isRunning(job) ? `sinew wait ${job.id}` : `sinew get ${job.id} -o out/`;
        byId("job-next").replaceChildren(isRunning(job) ? "Wait for it in a terminal: " : "Fetch what was solved: ", element("code", {}, next));
        const actions = byId("job-actions");
        actions.replaceChildren();
        if (this.#operator.isAccepted && isRunning(job)) {
            const button = element("button", { type: "button", class: "small" }, "Cancel job");
            button.addEventListener("click", () => this.#operator.cancel(job.id, job.label));
            actions.append(button);
        }
    }

    #showTimeline(timeline) {
        byId("timeline").replaceChildren(...timeline.map(({ time_unix_us: time, event }) =>
            element("li", {}, element("time", { datetime: new Date(time / 1000).toISOString() }, format.timeOfDay(time / 1e6, true, true)),
                element("span", {}, stranger(event)))));
    }

    #showDead(job, dead) {
        const all = (job.failed ?? 0) + (job.dead ?? 0);
        setText(byId("dead-count"), all > 0 ? format.count(all) : "");
        byId("dead").hidden = dead.length === 0;
        byId("dead").tBodies[0].replaceChildren(...dead.map((task) => element("tr", {},
            element("th", { scope: "row", class: "number" }, format.count(task.index)), element("td", { class: "number" }, format.count(task.attempts)),
            element("td", { class: "text wrap" }, stranger(task.label || "–")), element("td", { class: "text wrap" }, stranger(task.reason)))));
        const isCut = all > dead.length;
        byId("dead-empty").replaceChildren(...(all === 0 ? ["Every task that has ended was solved."] : [
            isCut ? `${format.count(all - dead.length)} more: ` : "In a terminal: ", element("code", {}, `sinew dead list ${job.id}`),
            " — once the cause is gone: ", element("code", {}, `sinew dead replay ${job.id}`)]));
    }
}
