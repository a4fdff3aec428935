#!/usr/bin/env python3
"""Draws the roofline of one core from the figures of SGEMMBenchmark, as SVG that reads on light and on dark ground.

    python3 tools/bench/roofline.py sgemm.json roofline.svg

Across: floating-point operations per byte of weights, rows and results. Upwards: GFLOP/s. The roof is the lesser of the measured multiply-add
peak and the measured read bandwidth times the intensity. Standard library only.
"""

import json
import math
import sys
from pathlib import Path

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 520, 70, 30, 60, 60
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #57606a } .title { font-size: 16px; font-weight: 600 }
.axis { stroke: #8b949e; stroke-width: 1 } .grid { stroke: #8b949e; stroke-opacity: .25 } .roof { stroke: #8b949e; stroke-width: 2; fill: none }
.ours { fill: #0969da; fill-opacity: .75 } .openblas { fill: none; stroke: #bc4c00; stroke-width: 1.3; stroke-opacity: .8 }
@media (prefers-color-scheme: dark) { text { fill: #9da7b3 } .ours { fill: #58a6ff } .openblas { stroke: #f0883e } }
"""


def draw(report):
    points = [row for row in report["results"] if row["weights"] == "streamed"]
    peak = report["fma_peak_gflops"]
    bandwidths = report["read_gbytes_per_second"]
    x_low, x_high = 0.25, 512
    y_low = 2 ** math.floor(math.log2(min(min(r["ours_gflops"], r["openblas_gflops"]) for r in points)))
    y_high = 2 ** math.ceil(math.log2(1.1 * max(peak, max(r["ours_gflops"] for r in points))))

    def x(value):
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(value / x_low) / math.log(x_high / x_low)

    def y(value):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * math.log(value / y_low) / math.log(y_high / y_low)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Roofline of one core">',
           f"<style>{STYLE}</style>",
           f'<text class="title" x="{LEFT}" y="24">Matrix products of NIKI and MLP on one core, weights from memory</text>',
           f'<text x="{LEFT}" y="44">{report["processor"]}, {report["isa"]}, float32, 1 to 1024 rows, {report["date"]}</text>']
    value = x_low
    while value <= x_high:
        out.append(f'<line class="grid" x1="{x(value):.1f}" y1="{TOP}" x2="{x(value):.1f}" y2="{HEIGHT - BOTTOM}"/>')
        out.append(f'<text x="{x(value):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{value:g}</text>')
        value *= 2
    value = y_low
    while value <= y_high:
        out.append(f'<line class="grid" x1="{LEFT}" y1="{y(value):.1f}" x2="{WIDTH - RIGHT}" y2="{y(value):.1f}"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
        value *= 2
    out.append(f'<text x="{(WIDTH + LEFT) / 2}" y="{HEIGHT - 16}" text-anchor="middle">FLOP per byte</text>')
    out.append(f'<text transform="translate(20 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">GFLOP/s</text>')
    out.append(f'<path class="axis" fill="none" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>')
    for name, dashes in [("memory", ""), ("level3", "6 4")]:
        rate = bandwidths[name]
        start, ridge = max(x_low, y_low / rate), peak / rate
        out.append(f'<path class="roof" stroke-dasharray="{dashes}" d="M{x(start):.1f} {y(rate * start):.1f}'
                   f'L{x(ridge):.1f} {y(peak):.1f}H{WIDTH - RIGHT}"/>')
        label = {"memory": "memory", "level3": "third cache"}[name]
        from_x, from_y = x(start * 1.1), y(rate * start * 1.1)
        angle = math.degrees(math.atan2(y(peak) - from_y, x(ridge) - from_x))
        out.append(f'<text transform="translate({from_x:.1f} {from_y:.1f}) rotate({angle:.1f})" dy="-7">{label} {rate:.0f} GB/s</text>')
    out.append(f'<text x="{WIDTH - RIGHT}" y="{y(peak) - 8:.1f}" text-anchor="end">multiply-add peak {peak:.0f} GFLOP/s</text>')
    for row in points:
        at = min(row["flop_per_byte"], x_high)
        where = f'{row["shape"]}, {row["rows"]} rows'
        out.append(f'<circle class="openblas" cx="{x(at):.1f}" cy="{y(row["openblas_gflops"]):.1f}" r="4">'
                   f'<title>OpenBLAS, {where}: {row["openblas_gflops"]} GFLOP/s</title></circle>')
        out.append(f'<circle class="ours" cx="{x(at):.1f}" cy="{y(row["ours_gflops"]):.1f}" r="3.5">'
                   f'<title>Sinew, {where}: {row["ours_gflops"]} GFLOP/s</title></circle>')
    legend = WIDTH - RIGHT - 190
    base = HEIGHT - BOTTOM - 44
    out.append(f'<circle class="ours" cx="{legend}" cy="{base}" r="4"/><text x="{legend + 12}" y="{base + 4}">Sinew, bias and LeakyReLU</text>')
    out.append(f'<circle class="openblas" cx="{legend}" cy="{base + 22}" r="4"/><text x="{legend + 12}" y="{base + 26}">OpenBLAS, product alone</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"


def main():
    if len(sys.argv) != 3:
        raise SystemExit("usage: roofline.py SGEMM_JSON SVG")
    Path(sys.argv[2]).write_text(draw(json.loads(Path(sys.argv[1]).read_text())))


if __name__ == "__main__":
    main()
