#!/usr/bin/env python3
"""Draws the letters of contact sheets' labels once: DejaVu Sans Mono, ASCII 32 to 126, how much of each pixel is covered.

usage: tools/viewer/label_font.py [FONT.ttf]     (Debian: fonts-dejavu-core; PyPI: pillow, numpy)
Writes Sources/SinewPictures/Resources/viewer/labels.npz.
"""

import os
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIZE = 12


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"
    font = ImageFont.truetype(path, SIZE)
    ascent, descent = font.getmetrics()
    width, height = round(font.getlength("M")), ascent + descent
    glyphs = np.zeros((95, height, width), np.uint8)
    for index in range(95):
        image = Image.new("L", (width, height))
        ImageDraw.Draw(image).text((0, 0), chr(32 + index), fill=255, font=font)
        glyphs[index] = np.asarray(image)
    target = os.path.join(os.path.dirname(__file__), "../../Sources/SinewPictures/Resources/viewer/labels.npz")
    np.savez_compressed(target, glyphs=glyphs)
    print(f"{os.path.normpath(target)}: 95 glyphs of {width} by {height}")


if __name__ == "__main__":
    main()
