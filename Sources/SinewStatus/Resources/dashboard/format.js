// Numbers as people read them, without a locale: a figure looks the same on every machine. Unknown is an en dash.

const unknown = "–";
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** Thousands apart by a narrow no-break space. */
function grouped(digits) {
    return digits.replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** 12 345 */
export function count(value) {
    return isNumber(value) ? grouped(String(Math.round(value))) : unknown;
}

/** 3.4 below ten, 1 234 above. */
export function rate(value) {
    if (!isNumber(value)) return unknown;
    if (value !== 0 && value < 9.95) return value.toFixed(1);
    return count(value);
}

/** A share of one: 87 %. */
export function percent(value) {
    return isNumber(value) ? `${Math.round(value * 100)}\u202f%` : unknown;
}

/** Microseconds: 850 µs, 12.3 ms, 1.24 s, 3:20 min. */
export function duration(microseconds) {
    if (!isNumber(microseconds)) return unknown;
    if (microseconds < 1000) return `${Math.round(microseconds)}\u202fµs`;
    const milliseconds = microseconds / 1000;
    if (milliseconds < 99.95) return `${milliseconds.toFixed(1)}\u202fms`;
    if (milliseconds < 999.5) return `${Math.round(milliseconds)}\u202fms`;
    const seconds = milliseconds / 1000;
    if (seconds < 59.995) return `${seconds.toFixed(2)}\u202fs`;
    return clock(seconds);
}

/** Seconds: 0:07, 12:30, 3:05:00, 4 d 3 h. */
export function clock(seconds) {
    if (!isNumber(seconds)) return unknown;
    const whole = Math.max(0, Math.ceil(seconds));
    const two = (value) => String(value).padStart(2, "0");
    const hours = Math.floor(whole / 3600);
    if (hours >= 48) return `${Math.floor(hours / 24)}\u202fd ${hours % 24}\u202fh`;
    const rest = `${two(whole % 60)}`;
    const minutes = Math.floor(whole / 60) % 60;
    return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** 734 MiB, 1.4 GiB */
export function bytes(value) {
    if (!isNumber(value)) return unknown;
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let index = 0;
    let rest = value;
    while (rest >= 1023.5 && index < units.length - 1) {
        rest /= 1024;
        index += 1;
    }
    const digits = index === 0 || rest >= 99.95 ? String(Math.round(rest)) : rest.toFixed(1);
    return `${digits}\u202f${units[index]}`;
}

/** Two decimals, for cores. */
export function cores(value) {
    return isNumber(value) ? value.toFixed(2) : unknown;
}

/** The time of day on this machine; with the day when asked for. Takes seconds since 1970. */
export function timeOfDay(unixSeconds, withDay = false, withSeconds = false) {
    const date = new Date(unixSeconds * 1000);
    const two = (value) => String(value).padStart(2, "0");
    const time = `${two(date.getHours())}:${two(date.getMinutes())}${withSeconds ? `:${two(date.getSeconds())}` : ""}`;
    return withDay ? `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}` : time;
}

/** `silent` and the like are shown as they are; what is not known yet too. */
export function word(value) {
    return value ? String(value) : unknown;
}
