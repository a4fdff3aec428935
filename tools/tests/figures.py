"""Figures as the page writes them, read back into numbers with the precision they have: written apart from format.js."""

import re

UNITS = {"": 1, "%": 0.01, "µs": 1, "ms": 1e3, "s": 1e6, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
NARROW = "\u202f"


def read(text):
    """(value, half a unit of the last digit); a clock like 1:02:03 in seconds; None for the dash that stands for unknown."""
    text = text.strip()
    if text == "–":
        return None
    if re.fullmatch(r"(\d+:)?\d?\d:\d\d", text):
        seconds = 0
        for part in text.split(":"):
            seconds = 60 * seconds + int(part)
        return seconds, 1.0
    matched = re.fullmatch(r"(\d{1,3}(?:" + NARROW + r"\d{3})*|\d+)(?:\.(\d+))?(?:" + NARROW + r"(\D+))?", text)
    assert matched, f"{text!r} is no figure"
    digits, decimals, unit = matched.groups()
    scale = UNITS[unit or ""]
    value = float(digits.replace(NARROW, "") + ("." + decimals if decimals else ""))
    return value * scale, 0.5001 * 10 ** -len(decimals or "") * scale


def agrees(text, value):
    """Whether a figure on the page is a value, to the digits that are shown."""
    figure = read(text)
    if figure is None or value is None:
        return figure is None and value is None
    return abs(figure[0] - value) <= figure[1]
