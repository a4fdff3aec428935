// A line the size of a word: the last minutes of one worker.

const namespace = "http://www.w3.org/2000/svg";
const width = 100;
const height = 22;

/** An empty sparkline. */
export function sparkline() {
    const svg = document.createElementNS(namespace, "svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("class", "sparkline");
    svg.setAttribute("role", "img");
    for (const name of ["area", "line"]) {
        const path = document.createElementNS(namespace, "path");
        path.setAttribute("class", name);
        svg.append(path);
    }
    return svg;
}

/** Draws values, oldest first, newest at the right edge; `null` leaves a gap. They fill the width, `top` the height. */
export function drawSparkline(svg, values, top) {
    const known = values.filter((value) => value !== null);
    const x = (index) => (width * index) / Math.max(1, values.length - 1);
    const y = (value) => 1 + (height - 2) * (1 - value / top);
    let line = "";
    let area = "";
    let start = null;
    values.forEach((value, index) => {
        if (value !== null) {
            const point = `${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
            line += start === null ? `M${point}` : `L${point}`;
            if (start === null) {
                start = index;
                area += `M${x(index).toFixed(1)} ${height}`;
            }
            area += `L${point}`;
        }
        const isEnd = start !== null && (index === values.length - 1 || values[index + 1] === null);
        if (isEnd) {
            area += `L${x(index).toFixed(1)} ${height}Z`;
            start = null;
        }
    });
    const [areaPath, linePath] = svg.children;
    areaPath.setAttribute("d", area);
    linePath.setAttribute("d", line);
    svg.setAttribute("aria-label", known.length === 0 ? "nothing known yet"
        : `from ${Math.round(known[0])} to ${Math.round(known.at(-1))}, at most ${Math.round(Math.max(...known))} people per second`);
}
