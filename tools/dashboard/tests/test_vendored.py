"""What others wrote and the dashboard ships: unchanged, with its version and licence beside it."""

import hashlib
import pathlib
import re

PAGE = pathlib.Path(__file__).parents[3] / "Sources/SinewStatus/Resources/dashboard"
# sha256sum /usr/share/javascript/chart.js/chart.min.js of Debian's libjs-chart.js 3.9.1+~0.2.1-2.
CHART_SHA256 = "fbc45926e6b46845a0f905552a0e0b1331049bff1115ecf94dbe0904d895e710"


def test_chart_js_is_what_debian_ships():
    assert hashlib.sha256((PAGE / "chart.min.js").read_bytes()).hexdigest() == CHART_SHA256


def test_the_licence_names_the_version_that_is_there():
    version = re.search(r"Chart\.js v([\d.]+)", (PAGE / "chart.min.js").read_text()).group(1)
    licence = (PAGE / "LICENSE-chart.js.txt").read_text()
    assert f"Chart.js {version}" in licence
    assert "Permission is hereby granted, free of charge" in licence
    assert "The above copyright notice and this permission notice shall be included" in " ".join(licence.split())
