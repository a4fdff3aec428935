// The table of workers: a row each, with the last minutes of its throughput.

import { byId, element, setAttribute, setText, stranger } from "./dom.js";
import * as format from "./format.js";
import { drawSparkline, sparkline } from "./sparkline.js";
import { SortableTable } from "./table.js";

/** Sparklines: sixty points of five seconds. More would cost a page of hundreds of workers its time. */
const sparkSlots = 60;
const slotSeconds = 5;

/** Workers may share a name; host and process tell them apart. */
export const workerKey = (worker) => `${worker.name} ${worker.host ?? ""} ${worker.process_id ?? ""}`;

const states = {
    serving: "takes work",
    draining: "finishes what it has, then leaves",
    silent: "has not been heard of; its work will be given to others",
    gone: "left or died",
};

export class WorkersTable {
    #table;
    #series = new Map();
    #states = new Map();
    /** The height of all sparklines: a slow worker's is low beside the others'. */
    #top = 1;
    #time = 0;
    #operator;

    constructor(operator) {
        this.#operator = operator;
        this.#table = new SortableTable(byId("workers"), this.#columns(), {
            key: workerKey,
            sort: { id: "name", isDescending: false },
            isLast: (worker) => worker.state === "gone",
            row: (line, worker) => setAttribute(line, "data-state", worker.state),
        });
    }

    /** What was before this page was opened, as `/api/v1/history` tells it. */
    addHistory({ step_seconds: step, start_unix: start, worker_series: series }) {
        this.#series.clear();
        for (const [name, { persons_per_second: rates = [] }] of Object.entries(series ?? {})) {
            // A step may be longer than a slot when there are many workers.
            rates.forEach((rate, index) => {
                for (let passed = 0; passed < step; passed += slotSeconds) this.#note(name, start + index * step + passed, rate);
            });
        }
    }

    /** Shows the workers of an instant, seconds since 1970. Returns what changed since the last time, as sentences. */
    show(workers, time) {
        const changes = this.#changes(workers);
        // Namesakes share a line, as they do in the history.
        const rates = new Map();
        for (const worker of workers) {
            const rate = worker.state === "gone" ? null : worker.persons_per_second ?? null;
            rates.set(worker.name, (rates.get(worker.name) ?? null) === null ? rate : rates.get(worker.name) + (rate ?? 0));
        }
        if (time > this.#time) for (const [name, rate] of rates) this.#note(name, time, rate);
        this.#time = Math.max(time, this.#time);
        for (const name of this.#series.keys()) if (!rates.has(name)) this.#series.delete(name);
        this.#top = 1;
        for (const name of rates.keys()) for (const value of this.#line(name)) this.#top = Math.max(this.#top, value ?? 0);

        const serving = workers.filter((worker) => worker.state === "serving").length;
        const present = workers.filter((worker) => worker.state !== "gone").length;
        setText(byId("worker-count"), workers.length ? `${serving} of ${present} serving` : "");
        byId("workers").hidden = workers.length === 0;
        byId("workers-empty").hidden = workers.length > 0;
        this.#table.show(workers);
        return changes;
    }

    /** Adds a second to a line. */
    #note(name, time, rate) {
        if (rate === null || rate === undefined) return;
        const slots = this.#series.get(name) ?? new Map();
        this.#series.set(name, slots);
        const slot = Math.floor(time / slotSeconds);
        const { sum = 0, known = 0 } = slots.get(slot) ?? {};
        slots.set(slot, { sum: sum + rate, known: known + 1 });
        for (const old of slots.keys()) {
            if (old > slot - sparkSlots) break; // In the order of time.
            slots.delete(old);
        }
    }

    /** The means of the last slots, null where nothing was known. */
    #line(name) {
        const last = Math.floor(this.#time / slotSeconds);
        const slots = this.#series.get(name);
        return Array.from({ length: sparkSlots }, (_, index) => {
            const slot = slots?.get(last - sparkSlots + 1 + index);
            return slot ? slot.sum / slot.known : null;
        });
    }

    #changes(workers) {
        const changes = [];
        const isFirst = this.#states.size === 0;
        const now = new Map(workers.map((worker) => [workerKey(worker), worker]));
        for (const [key, worker] of now) {
            const before = this.#states.get(key);
            if (!isFirst && before !== worker.state) changes.push(`Worker ${worker.name}: ${worker.state}.`);
        }
        this.#states = new Map([...now].map(([key, worker]) => [key, worker.state]));
        return changes;
    }

    #columns() {
        const number = (id, label, title, text) => ({ id, label, title, value: (worker) => worker[id], text: (worker) => text(worker[id]) });
        return [
            { id: "name", label: "Worker", title: "The name it gave itself", isText: true, value: (worker) => worker.name, fill: fillName },
            { id: "state", label: "State", title: "Whether it takes work", isText: true, value: (worker) => worker.state, fill: fillState },
            number("persons_per_second", "People/s", "People solved per second, over the last seconds", format.rate),
            { id: "spark", label: "Last 5 min", title: "People per second over the last five minutes", fill: (cell, worker) => this.#fillSpark(cell, worker) },
            { id: "batch_fill", label: "Batch fill", title: "Mean people per batch, as a share of the batch size that is fastest on that machine", value: (worker) => worker.batch_fill, fill: fillBatch },
            number("queued_items", "Waiting", "People waiting inside the worker", format.count),
            number("running_items", "Running", "People being solved", format.count),
            number("latency_p50_us", "p50", "Half of the requests took at most this long in the worker, waiting and computing", format.duration),
            number("latency_p99_us", "p99", "99 of 100 requests took at most this long in the worker", format.duration),
            number("cpu_cores", "CPU", "Processor seconds per second: 1.00 is one core", format.cores),
            number("gflop_per_second", "GFLOP/s", "Arithmetic of the networks, billions of operations per second", format.rate),
            number("resident_bytes", "Memory", "Resident memory of the process", format.bytes),
            { id: "version", label: "Version", title: "The release it runs, and the instruction set of its kernels", isText: true, value: (worker) => worker.version, fill: fillVersion },
            { id: "actions", label: "", title: "What an operator may do", fill: (cell, worker) => this.#fillActions(cell, worker) },
        ];
    }

    #fillSpark(cell, worker) {
        let svg = cell.firstElementChild;
        if (!svg) {
            svg = sparkline();
            cell.append(svg);
        }
        drawSparkline(svg, this.#line(worker.name), this.#top);
    }

    #fillActions(cell, worker) {
        const isOffered = this.#operator.isAccepted && worker.state !== "gone";
        let button = cell.querySelector("button");
        if (!isOffered) {
            button?.remove();
            return;
        }
        if (!button) {
            button = element("button", { type: "button", class: "small" }, "Drain");
            button.addEventListener("click", () => this.#operator.drain(worker.name));
            cell.append(button);
        }
        setAttribute(button, "aria-label", `Drain ${worker.name}`);
        button.disabled = worker.state === "draining";
    }
}

function fillName(cell, worker) {
    if (!cell.firstElementChild) {
        cell.append(element("span", { class: "name" }, stranger(worker.name)),
            element("span", { class: "detail" }, stranger(worker.host ? `${worker.host} · ${worker.process_id}` : "")));
    }
    setAttribute(cell, "title", worker.host ? `${worker.name} on ${worker.host}, process ${worker.process_id}` : worker.name);
}

function fillState(cell, worker) {
    if (!cell.firstElementChild) cell.append(element("span", { class: "state" }));
    const badge = cell.firstElementChild;
    setText(badge, format.word(worker.state));
    setAttribute(badge, "data-state", worker.state);
    const heard = worker.heard_us_ago === undefined ? "" : `; heard ${format.duration(worker.heard_us_ago)} ago`;
    setAttribute(badge, "title", `${states[worker.state] ?? ""}${heard}`);
}

function fillBatch(cell, worker) {
    if (!cell.firstElementChild) {
        cell.append(element("span", { class: "fill-text" }),
            element("span", { class: "meter", "aria-hidden": "true" }, element("span")));
    }
    const [text, meter] = cell.children;
    setText(text, format.percent(worker.batch_fill));
    meter.firstElementChild.style.width = `${Math.min(100, Math.max(0, 100 * (worker.batch_fill ?? 0)))}%`;
    setAttribute(cell, "title", typeof worker.mean_batch === "number" ? `${worker.mean_batch.toFixed(1)} people per batch` : null);
}

function fillVersion(cell, worker) {
    setText(cell, format.word(worker.version));
    const count = worker.compute_threads;
    const threads = count ? `, ${count} compute thread${count === 1 ? "" : "s"}` : "";
    setAttribute(cell, "title", worker.isa ? `${worker.isa}${threads}` : null);
}
