"""The contact sheet of `sinew view` as Pillow reads it."""

import numpy as np
import pytest
from PIL import Image

FIRST, SECOND = (92, 146, 212), (98, 172, 128)


@pytest.fixture(scope="module")
def sheet(clip):
    return clip.draw("sheet.png", *clip.poses, "--input", clip.observed, "--order", "even", "--frames", "6", "--columns", "3")


def test_pillow_reads_it(sheet):
    with Image.open(sheet) as image:
        image.verify()
    with Image.open(sheet) as image:
        assert image.mode == "RGB" and image.width == 3 * 261 + 1 and (image.height - 49) % 2 == 0


def near(pixels, colour, reach):
    """Pixels of a hue: those whose colour is the given one, lighter or darker."""
    unit = np.array(colour) / np.linalg.norm(colour)
    length = np.linalg.norm(pixels, axis=-1)
    return (pixels @ unit > np.cos(reach) * length) & (length > 60) & (pixels.max(-1) - pixels.min(-1) > 25)


def test_every_cell_shows_both_people_and_their_joints(sheet):
    pixels = np.asarray(Image.open(sheet)).astype(float)
    tall = (len(pixels) - 49) // 2
    for row in range(2):
        for column in range(3):
            cell = pixels[49 + row * tall + 26 : 48 + (row + 1) * tall, 1 + column * 261 : 1 + column * 261 + 260]
            for colour in (FIRST, SECOND):
                assert near(cell, colour, 0.12).sum() > 300
            assert near(cell, (240, 110, 28), 0.15).sum() > 100
            assert (np.abs(cell - (250, 250, 251)).max(-1) < 2).mean() > 0.4


def test_the_same_clip_gives_the_same_file(clip, sheet):
    again = clip.draw("again.png", *clip.poses, "--input", clip.observed, "--order", "even", "--frames", "6", "--columns", "3")
    assert again.read_bytes() == sheet.read_bytes()


def test_skeletons_instead_of_bodies(clip, sheet):
    bones = clip.draw("bones.png", *clip.poses, "--input", clip.observed, "--order", "even", "--frames", "6", "--columns", "3", "--skeletons")
    drawn = [(np.asarray(Image.open(path)).astype(int).min(-1) < 200).sum() for path in (sheet, bones)]
    assert drawn[1] < drawn[0] / 2
