// What the fleet did: the last seconds from the stream, everything before that from the broker's history.

import { get } from "./api.js";

export const ranges = [
    { id: "15m", label: "15 min", seconds: 900, query: "seconds=900" },
    { id: "1h", label: "1 h", seconds: 3600, query: "seconds=3600" },
    { id: "24h", label: "24 h", seconds: 86400, query: "days=1" },
    { id: "30d", label: "30 d", seconds: 30 * 86400, query: "days=30" },
];

/** Points that a chart shows at most; more than that are put together. */
const pointsMax = 360;
/** From this range on history comes by the minute, and is asked for anew instead of being carried on. */
const refetchSeconds = 60;

export class History {
    range = ranges[1];
    /** The latest reply by the second; it has the workers' lines too. */
    bySecond = {};
    #points = [];
    #fetched = 0;
    #asked = 0;

    /** Whether the stream's seconds are finer than what the range shows. */
    get #isBySecond() {
        return this.range.seconds <= 3600;
    }

    /** Asks the broker for the range. A failure leaves what is there. */
    async load() {
        const asked = ++this.#asked;
        const range = this.range;
        const reply = await get(`api/v1/history?${range.query}`);
        if (asked !== this.#asked) return;
        this.#points = points(reply);
        if (this.#isBySecond) this.bySecond = reply;
        this.#fetched = performance.now();
    }

    /** Whether a long range is older than a minute. */
    get isOld() {
        return !this.#isBySecond && performance.now() - this.#fetched > refetchSeconds * 1000;
    }

    /** Adds a second from the stream. */
    add(fleet) {
        if (!this.#isBySecond) return;
        const time = fleet.time_unix_us / 1e6;
        const last = this.#points.at(-1);
        if (last && time <= last.time) return;
        this.#points.push({
            time, seconds: 1, rate: fleet.broker.persons_per_second ?? null, waiting: fleet.broker.queued_items ?? null,
        });
        const oldest = time - this.range.seconds;
        let old = 0;
        while (old < this.#points.length && this.#points[old].time < oldest) old += 1;
        this.#points.splice(0, old);
    }

    /** At most `pointsMax` points over the whole range: means of the rate, the highest of what waits; null where nothing was known. */
    shown(now) {
        const step = Math.max(1, Math.ceil(this.range.seconds / pointsMax));
        return gather(this.#points, now - this.range.seconds, now, step);
    }

    /** Twelve intervals for the table. */
    table(now) {
        return gather(this.#points, now - this.range.seconds, now, this.range.seconds / 12).reverse();
    }

    /** Mean and maximum of what is known in the range; null when nothing is. */
    summary(now) {
        const known = this.#points.filter((point) => point.time > now - this.range.seconds && point.rate !== null);
        if (known.length === 0) return null;
        const seconds = known.reduce((sum, point) => sum + point.seconds, 0);
        const people = known.reduce((sum, point) => sum + point.rate * point.seconds, 0);
        return { mean: people / seconds, highest: known.reduce((top, point) => Math.max(top, point.rate), 0) };
    }
}

function points(reply) {
    const { persons_per_second: rate = [], queued_items: waiting = [] } = reply.series ?? {};
    return rate.map((value, index) => ({
        time: reply.start_unix + index * reply.step_seconds, seconds: reply.step_seconds, rate: value ?? null, waiting: waiting[index] ?? null,
    }));
}

/** Intervals of `step` seconds that tile (start, end]; their borders stand still as time goes on. */
function gather(points, start, end, step) {
    const first = Math.floor(start / step);
    const slots = [];
    for (let index = first; index * step < end; index += 1) {
        slots.push({ time: index * step, sum: 0, known: 0, highest: null, waiting: null });
    }
    for (const point of points) {
        const slot = slots[Math.floor(point.time / step) - first];
        if (!slot) continue;
        if (point.rate !== null) {
            slot.sum += point.rate * point.seconds;
            slot.known += point.seconds;
            slot.highest = Math.max(slot.highest ?? 0, point.rate);
        }
        if (point.waiting !== null) slot.waiting = Math.max(slot.waiting ?? 0, point.waiting);
    }
    return slots.map(({ time, sum, known, highest, waiting }) => ({ time, rate: known > 0 ? sum / known : null, highest, waiting }));
}
