"""What others wrote and the viewer ships: with its version and licence beside it."""

import pathlib
import re

VIEWER = pathlib.Path(__file__).parents[3] / "Sources/SinewPictures/Resources/viewer"


def test_three_says_its_version_and_licence():
    text = (VIEWER / "three.min.js").read_text()
    assert re.match(r"/\* three\.js r111, https://threejs\.org, MIT licence", text)
    licence = (VIEWER / "LICENSE.three.txt").read_text()
    assert "three.js authors" in licence and "The MIT License" in licence
    # The licence and the scripts lie in a page: nothing in them may end the comment or the block that they are in.
    assert "--" not in licence and "</script" not in text


def test_the_font_has_its_licence():
    assert "DejaVu Sans Mono" in (VIEWER / "LICENSE.dejavu.txt").read_text()
