// How far a job is, as a bar of its tasks: solved, without a result, at work.

import { element, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";

const parts = ["done", "lost", "leased"];

export function progress() {
    return element("span", { class: "progress" },
        element("span", { class: "bar", role: "progressbar", "aria-valuemin": 0, "aria-label": "Tasks ended" },
            ...parts.map((part) => element("span", { class: part }))),
        element("span", { class: "progress-text" }));
}

/** Tasks that ended without a result. */
export const lost = (job) => (job.failed ?? 0) + (job.dead ?? 0) + (job.cancelled ?? 0);

export function drawProgress(node, job) {
    const [bar, text] = node.children;
    const tasks = job.tasks ?? 0;
    const amounts = { done: job.done ?? 0, lost: lost(job), leased: job.leased ?? 0 };
    parts.forEach((part, index) => {
        bar.children[index].style.width = tasks > 0 ? `${(100 * amounts[part]) / tasks}%` : "0";
    });
    setAttribute(bar, "aria-valuemax", tasks);
    setAttribute(bar, "aria-valuenow", amounts.done + amounts.lost);
    setText(text, `${format.count(amounts.done)}\u202f/\u202f${format.count(tasks)}`);
    setAttribute(node, "title", `tasks: ${job.done ?? 0} done, ${job.leased ?? 0} at work, ${job.queued ?? 0} waiting, `
        + `${job.failed ?? 0} failed, ${job.dead ?? 0} dead, ${job.cancelled ?? 0} cancelled`);
}
