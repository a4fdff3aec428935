"""deploy/prometheus and deploy/grafana: what promtool says, and that every expression is about metrics and labels that there are."""

import json
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[3]
PROMETHEUS = ROOT / "deploy/prometheus"
# Labels that Prometheus and its recording of a target add.
OWN_LABELS = {"job", "instance", "le"}
FAMILY = re.compile(r'MetricFamily\(\s*"(\w+)",\s*\.(counter|gauge|histogram),\s*"(?:[^"\\]|\\.)*",?\s*(?:labels:\s*([^)]*))?\)')


def catalogue():
    """{series name: labels} of MetricCatalogue.swift; a histogram is its three series."""
    text = (ROOT / "Sources/SinewMetrics/MetricCatalogue.swift").read_text()
    lists = dict(re.findall(r"static let (\w+) = (\[(?:\"\w+\"(?:, )?)+\])", text))
    series = {}
    for name, kind, labels in FAMILY.findall(text):
        words = set(re.findall(r'"(\w+)"', labels))
        for known, values in lists.items():
            if re.search(rf"\b{known}\b", labels):
                words |= set(re.findall(r'"(\w+)"', values))
        for suffix in ("_bucket", "_sum", "_count") if kind == "histogram" else ("",):
            series[name + suffix] = words
    assert len(FAMILY.findall(text)) == text.count("MetricFamily("), "a family that this test does not read"
    return series


SERIES = catalogue()


def panels(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def grafana():
    dashboard = json.loads((ROOT / "deploy/grafana/sinew.json").read_text())
    return [(f"{panel['title']}: {target['expr']}", target["expr"]) for panel in panels(dashboard) for target in panel.get("targets", [])]


def alerts():
    text = (PROMETHEUS / "alerts.yml").read_text()
    blocks = re.findall(r"- alert: (\w+)\n\s+expr: (>-\n(?:\s{10,}.*\n)+|.*\n)", text)
    assert len(blocks) == text.count("- alert:")
    return [(name, " ".join(expression.replace(">-", "").split())) for name, expression in blocks]


EXPRESSIONS = grafana() + alerts()
NOT_NAMES = {"sum", "rate", "by", "max", "increase", "histogram_quantile", "and", "on", "without", "up"}


@pytest.mark.parametrize("title, expression", EXPRESSIONS, ids=[title for title, _ in EXPRESSIONS])
def test_every_metric_and_label_is_in_the_catalogue(title, expression):
    found = re.findall(r"\b((?:sinew|process)_\w+)\s*(?:\{([^}]*)\})?", expression)
    assert found or expression == 'up{job="sinew"} == 0', "no metric of ours"
    allowed = set(OWN_LABELS)
    for name, matchers in found:
        assert name in SERIES, f"{name} is not in MetricCatalogue.swift"
        allowed |= SERIES[name]
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers):
            assert label in SERIES[name] | OWN_LABELS, f"{name} has no label {label}"
    for labels in re.findall(r"\bby\s*\(([^)]*)\)", expression):
        assert {label.strip() for label in labels.split(",")} <= allowed
    without = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\bby\s*\([^)]*\)', " ", expression)
    words = {word for word in re.findall(r"[a-zA-Z_]\w*", without)}
    assert words - NOT_NAMES - set(SERIES) == set(), "a name that nobody knows"


def test_a_name_that_is_not_in_the_catalogue_is_found():
    with pytest.raises(AssertionError, match="not in MetricCatalogue"):
        test_every_metric_and_label_is_in_the_catalogue("x", "rate(sinew_unheard_of_total[5m])")
    with pytest.raises(AssertionError, match="has no label"):
        test_every_metric_and_label_is_in_the_catalogue("x", 'sinew_workers{colour="blue"}')


def test_counters_are_looked_at_as_rates_and_gauges_are_not():
    text = (ROOT / "Sources/SinewMetrics/MetricCatalogue.swift").read_text()
    counters = {name for name, kind, _ in FAMILY.findall(text) if kind == "counter"}
    for title, expression in EXPRESSIONS:
        for name in re.findall(r"\b(?:sinew|process)_\w+", expression):
            rated = re.search(rf"(?:rate|increase)\(\s*{name}\b", expression) is not None
            assert rated == (name in counters or name.endswith("_bucket")), f"{title}: {name}"


def promtool(*arguments):
    done = subprocess.run(["promtool", *map(str, arguments)], cwd=PROMETHEUS, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_accepts_the_configuration():
    assert "1 rule files found" in promtool("check", "config", "prometheus.yml")


def test_promtool_accepts_the_alert_rules():
    assert f"{len(alerts())} rules found" in promtool("check", "rules", "alerts.yml")


def test_alerts_fire_when_they_should_and_not_before():
    promtool("test", "rules", "alerts_test.yml")


def test_every_alert_has_a_case_in_which_it_fires_and_says_what_to_do():
    cases = (PROMETHEUS / "alerts_test.yml").read_text()
    text = (PROMETHEUS / "alerts.yml").read_text()
    for name, _ in alerts():
        assert re.search(rf"alertname: {name}\n\s+eval_time: \S+\n\s+exp_alerts:\n", cases), f"{name} fires in no case"
    assert text.count("summary:") == text.count("description:") == len(alerts())


def test_grafanas_expressions_are_promql(tmp_path):
    rules = [{"record": f"check:{index}", "expr": expression.replace("$__rate_interval", "5m")}
             for index, (_, expression) in enumerate(grafana())]
    # YAML is a superset of JSON.
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "grafana", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", tmp_path / "rules.yml")


def test_every_panel_says_what_it_shows_in_which_unit():
    dashboard = json.loads((ROOT / "deploy/grafana/sinew.json").read_text())
    for panel in panels(dashboard):
        if panel["type"] != "row":
            assert panel["description"] and panel["fieldConfig"]["defaults"]["unit"] and panel["targets"], panel["title"]
    assert len({panel["id"] for panel in panels(dashboard)}) == len(list(panels(dashboard)))
    assert dashboard["uid"] == "sinew-fleet"
