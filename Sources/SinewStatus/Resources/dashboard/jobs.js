// The table of durable jobs, newest first.

import { byId, element, setAttribute, setText, stranger } from "./dom.js";
import * as format from "./format.js";
import { drawProgress, lost, progress } from "./progress.js";
import { SortableTable } from "./table.js";

/** Whether a job still works or takes work. */
export const isRunning = (job) => job.state === "open" || job.state === "sealed";

/** Seconds to the end: those the broker expects, or none when it cannot know. */
export function remaining(job) {
    if (!isRunning(job)) return "–";
    return format.clock(job.eta_seconds ?? undefined);
}

export class JobsTable {
    #table;
    #operator;

    constructor(operator) {
        this.#operator = operator;
        const number = (id, label, title, text) => ({ id, label, title, value: (job) => job[id], text: (job) => text(job[id]) });
        this.#table = new SortableTable(byId("jobs"), [
            { id: "id", label: "Job", title: "Its label, or its id", isText: true, value: (job) => job.label || job.id, fill: fillJob },
            { id: "state", label: "State", title: "How far it is", isText: true, value: (job) => job.state, fill: fillState },
            { id: "model", label: "Model", title: "What solves it", isText: true, value: (job) => job.model, fill: (cell, job) => { if (!cell.firstChild) cell.append(stranger(job.model || "–")); } },
            { id: "progress", label: "Tasks", title: "Tasks done, of all", value: (job) => (job.tasks ? (job.done + lost(job)) / job.tasks : 0), fill: fillProgress },
            { id: "items_done", label: "People", title: "People solved", value: (job) => job.items_done, text: (job) => format.count(job.items_done) },
            number("persons_per_second", "People/s", "People solved per second", format.rate),
            { id: "eta", label: "Time left", title: "At the present rate", value: (job) => (isRunning(job) ? job.eta_seconds : null), text: remaining },
            { id: "failed", label: "Failed", title: "Tasks whose request is wrong", value: (job) => job.failed, fill: fillTrouble("failed") },
            { id: "dead", label: "Dead", title: "Tasks given up after they killed workers or failed too often", value: (job) => job.dead, fill: fillTrouble("dead") },
            { id: "created", label: "Created", title: "When it was submitted", value: (job) => job.created_unix_us, text: (job) => format.timeOfDay(job.created_unix_us / 1e6, true) },
            { id: "actions", label: "", title: "What an operator may do", fill: (cell, job) => this.#fillActions(cell, job) },
        ], {
            key: (job) => job.id,
            sort: { id: "created", isDescending: true },
            row: (line, job) => setAttribute(line, "data-state", job.state),
        });
    }

    show(jobs) {
        setText(byId("job-count"), jobs.length ? `${jobs.filter(isRunning).length} running` : "");
        byId("jobs").hidden = jobs.length === 0;
        byId("jobs-empty").hidden = jobs.length > 0;
        if (jobs.length === 0) {
            byId("jobs-empty").replaceChildren("No job is kept here. Make one: ",
                element("code", {}, "sinew submit 'clips/*.npz' --model niki"));
        }
        this.#table.show(jobs);
    }

    /** Says why there is no list. */
    showFailure(message) {
        byId("jobs").hidden = true;
        byId("jobs-empty").hidden = false;
        byId("jobs-empty").replaceChildren(message);
    }

    #fillActions(cell, job) {
        const isOffered = this.#operator.isAccepted && isRunning(job);
        let button = cell.querySelector("button");
        if (!isOffered) {
            button?.remove();
            return;
        }
        if (!button) {
            button = element("button", { type: "button", class: "small" }, "Cancel");
            button.addEventListener("click", () => this.#operator.cancel(job.id, job.label));
            cell.append(button);
        }
        setAttribute(button, "aria-label", `Cancel job ${job.label || job.id}`);
    }
}

function fillJob(cell, job) {
    if (!cell.firstElementChild) {
        cell.append(element("a", { class: "name", href: `#/jobs/${encodeURIComponent(job.id)}` }, stranger(job.label || job.id)),
            element("span", { class: "detail" }, job.label ? job.id : ""));
    }
    setAttribute(cell, "title", job.label ? `${job.label}\n${job.id}` : job.id);
}

function fillState(cell, job) {
    if (!cell.firstElementChild) cell.append(element("span", { class: "state" }));
    setText(cell.firstElementChild, format.word(job.state));
    setAttribute(cell.firstElementChild, "data-state", job.state);
}

function fillProgress(cell, job) {
    if (!cell.firstElementChild) cell.append(progress());
    drawProgress(cell.firstElementChild, job);
}

function fillTrouble(field) {
    return (cell, job) => {
        setText(cell, format.count(job[field]));
        cell.classList.toggle("trouble", job[field] > 0);
    };
}
