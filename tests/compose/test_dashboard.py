"""The dashboard: Grafana finds it, Prometheus understands every question, and there are such metrics."""

import json

import pytest
import yaml

from figures import ROOT, listed_metrics, metrics_in, promtool

FOLDER = ROOT / "compose/grafana"
DASHBOARD = json.loads((FOLDER / "dashboards/stagedoor.json").read_text())
PANELS = DASHBOARD["panels"]
QUESTIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
QUESTIONS += [one["expr"] for one in DASHBOARD["annotations"]["list"]]


def provisioned(path):
    return yaml.safe_load((FOLDER / "provisioning" / path).read_text())


def test_dashboard__prometheus_understands_every_question(tmp_path):
    rules = [{"record": f"question:{number}", "expr": question.replace("$__rate_interval", "1m")}
             for number, question in enumerate(QUESTIONS)]
    file = tmp_path / "questions.yml"
    file.write_text(json.dumps({"groups": [{"name": "questions", "rules": rules}]}))
    done = promtool("check", "rules", "--lint=none", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(QUESTIONS)} rules found" in done.stdout


@pytest.mark.parametrize("question", QUESTIONS)
def test_dashboard__asks_for_metrics_that_are_told(question):
    named = metrics_in(question)
    assert named <= set(listed_metrics())
    assert named or question.startswith(("ALERTS", "count(ALERTS"))


def test_dashboard__shows_what_an_on_sale_is_watched_by():
    asked = set().union(*map(metrics_in, QUESTIONS))
    assert asked >= {f"stagedoor_{name}" for name in (
        "seats", "outcomes_total", "http_requests_total", "http_request_duration_seconds",
        "input_lag_records", "input_lag_seconds", "partitions", "refusals_total")}
    assert asked >= {"process_cpu_seconds_total", "process_resident_memory_bytes",
                     "process_start_time_seconds"}


def test_dashboard__panels_have_a_place_of_their_own():
    assert len({panel["id"] for panel in PANELS}) == len({panel["title"] for panel in PANELS}) == len(PANELS)
    taken = set()
    for panel in PANELS:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells


def test_dashboard__asks_the_source_that_is_provisioned():
    (source,) = provisioned("datasources/prometheus.yaml")["datasources"]
    assert {panel["datasource"]["uid"] for panel in PANELS} == {source["uid"]}
    (provider,) = provisioned("dashboards/stagedoor.yaml")["providers"]
    compose = yaml.safe_load((ROOT / "compose/compose.yaml").read_text())["services"]
    mounts = [mount.split(":")[1] for mount in compose["grafana"]["volumes"]]
    assert provider["options"]["path"] in mounts and "/etc/grafana/provisioning" in mounts
    assert source["url"] == "http://prometheus:9090" and "prometheus" in compose
