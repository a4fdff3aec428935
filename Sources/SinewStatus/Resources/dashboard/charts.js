// The two charts over time: people solved per second, and people waiting.

import { byId, element, setText } from "./dom.js";
import * as format from "./format.js";
import { History, ranges } from "./history.js";

export class Charts {
    history = new History();
    #rate;
    #waiting;
    #now = 0;

    constructor() {
        this.#rate = chart("throughput-chart", "People per second", "--accent", true);
        this.#waiting = chart("waiting-chart", "People waiting", "--warn", false);
        document.addEventListener("themechange", () => this.#paint());
        byId("history-table").addEventListener("toggle", () => this.#showTable());
        for (const range of ranges) {
            const button = element("button", { type: "button", "data-range": range.id, "aria-pressed": String(range === this.history.range) }, range.label);
            button.addEventListener("click", () => this.#choose(range));
            byId("history-range").append(button);
        }
        this.#paint();
    }

    /** Asks for the history of the range; throws when the broker does not give it. */
    async load() {
        await this.history.load();
        this.#draw();
    }

    show(fleet) {
        this.#now = fleet.time_unix_us / 1e6;
        this.history.add(fleet);
        if (this.history.isOld) this.load().catch(() => { /* The stream's state says that the broker is away; asked again in a second. */ });
        this.#draw();
    }

    async #choose(range) {
        this.history.range = range;
        for (const button of byId("history-range").children) button.setAttribute("aria-pressed", button.dataset.range === range.id);
        try {
            await this.load();
        } catch (error) {
            setText(byId("history-summary"), error.message);
        }
    }

    #draw() {
        const now = this.#now || Date.now() / 1000;
        const points = this.history.shown(now);
        const known = points.some((point) => point.rate !== null);
        byId("history-empty").hidden = known;
        for (const [drawn, field] of [[this.#rate, "rate"], [this.#waiting, "waiting"]]) {
            drawn.data.datasets[0].data = points.map((point) => ({ x: point.time, y: point[field] }));
            Object.assign(drawn.options.scales.x, { min: now - this.history.range.seconds, max: now });
            drawn.update("none");
        }
        const summary = this.history.summary(now);
        setText(byId("history-summary"), summary === null ? ""
            : `mean ${format.rate(summary.mean)}, highest ${format.rate(summary.highest)} people/s`);
        if (byId("history-table").open) this.#showTable();
    }

    #showTable() {
        if (!byId("history-table").open) return;
        const isLong = this.history.range.seconds > 3600;
        const cells = (row) => [format.timeOfDay(row.time, isLong), format.rate(row.rate), format.rate(row.highest), format.count(row.waiting)];
        byId("history-table").querySelector("tbody").replaceChildren(...this.history.table(this.#now || Date.now() / 1000).map((row) =>
            element("tr", {}, ...cells(row).map((text, index) => element(index === 0 ? "th" : "td", { scope: index === 0 ? "row" : null, class: "number" }, text)))));
    }

    /** Takes the colours of the theme. */
    #paint() {
        const style = getComputedStyle(document.documentElement);
        const colour = (name) => style.getPropertyValue(name).trim();
        for (const drawn of [this.#rate, this.#waiting]) {
            const [dataset] = drawn.data.datasets;
            dataset.borderColor = colour(dataset.colourName);
            dataset.backgroundColor = `${colour(dataset.colourName)}26`;
            const { x, y } = drawn.options.scales;
            for (const scale of [x, y]) {
                scale.ticks.color = colour("--muted");
                scale.grid.color = colour("--line");
            }
            y.title.color = colour("--muted");
            Object.assign(drawn.options.plugins.tooltip, {
                backgroundColor: colour("--ink"), titleColor: colour("--panel"), bodyColor: colour("--panel"),
            });
            drawn.update("none");
        }
    }
}

/** Ticks at times that clocks strike, for spans from minutes to weeks. */
const tickSteps = [60, 120, 300, 600, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 432000];

function timeTicks(axis) {
    const { min, max } = axis;
    const wanted = Math.max(2, Math.floor(axis.width / 90));
    const step = tickSteps.find((candidate) => (max - min) / candidate <= wanted) ?? tickSteps.at(-1);
    const offset = new Date(max * 1000).getTimezoneOffset() * 60;
    const ticks = [];
    for (let value = Math.ceil((min - offset) / step) * step + offset; value <= max; value += step) ticks.push({ value });
    axis.ticks = ticks;
}

/** No room for labels at the sides, so that both charts have the same width; the layout's padding holds the last label. */
function flush(axis) {
    axis.paddingLeft = 0;
    axis.paddingRight = 0;
}

function tickText(value, span) {
    if (span <= 86400) return format.timeOfDay(value);
    return format.timeOfDay(value, true).slice(5, 10);
}

function chart(id, name, colourName, hasTimes) {
    const canvas = byId(id);
    canvas.setAttribute("aria-label", `${name} over time`);
    const font = { family: getComputedStyle(document.body).fontFamily, size: 11 };
    return new globalThis.Chart(canvas, {
        type: "line",
        data: { datasets: [{ label: name, colourName, data: [], borderWidth: 1.5, pointRadius: 0, pointHitRadius: 8, fill: "origin", spanGaps: false }] },
        options: {
            layout: { padding: { right: 18 } },
            animation: false, parsing: false, normalized: true, responsive: true, maintainAspectRatio: false,
            interaction: { mode: "nearest", axis: "x", intersect: false },
            plugins: {
                legend: { display: false },
                tooltip: {
                    displayColors: false, titleFont: font, bodyFont: font,
                    callbacks: {
                        title: ([item]) => format.timeOfDay(item.parsed.x, true, true),
                        label: (item) => `${name}: ${format.rate(item.parsed.y)}`,
                    },
                },
            },
            scales: {
                x: {
                    type: "linear", afterBuildTicks: timeTicks, afterFit: flush, grid: { drawTicks: hasTimes, drawBorder: false },
                    ticks: { display: hasTimes, font, maxRotation: 0, autoSkip: false, callback(value) { return tickText(value, this.max - this.min); } },
                },
                y: {
                    type: "linear", beginAtZero: true, suggestedMax: 1, grid: { drawBorder: false }, afterFit(axis) { axis.width = 64; },
                    title: { display: true, text: hasTimes ? "people/s" : "waiting", font },
                    ticks: { font, precision: 0, maxTicksLimit: hasTimes ? 6 : 3, callback: (value) => format.count(value) },
                },
            },
        },
    });
}
