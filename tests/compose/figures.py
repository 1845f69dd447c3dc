"""A house in figures, as Prometheus would have read it: healthy, or with something wrong.

A series is `name{labels}`; its values are promtool's: `3+0x20` stays 3 for 20 minutes, `0+60x20` grows
by 60 a minute."""

import json
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
MINUTES = 20
SERVICES = ("shows", "reservations", "checkout")
PARTS = (*SERVICES, "edge", "paydesk")
PARTITIONS = 4


def promtool(*words):
    tool = shutil.which("promtool") or ROOT / "build/tools/promtool"
    assert pathlib.Path(tool).exists(), "run: compose/install.sh test"
    return subprocess.run([tool, *map(str, words)], capture_output=True, text=True, check=False)


def listed_metrics():
    """{metric: kind} of docs/metrics.md."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", (ROOT / "docs/metrics.md").read_text(), re.M)
    assert len(rows) > 40
    return dict(rows)


def metrics_in(expression):
    """The metrics that an expression names, the parts of a histogram by the histogram's name."""
    bare = re.sub(r'"[^"]*"', "", expression)
    return {re.sub(r"_(bucket|sum|count)$", "", name)
            for name in re.findall(r"\b((?:stagedoor|process)_\w+)", bare)}


def stays(value):
    return f"{value}+0x{MINUTES}"


def grows(by):
    return f"0+{by}x{MINUTES}"


def series(metric, part, number=1, **labels):
    labels = dict({"job": f"stagedoor-{part}", "instance": f"{part}-{number}"}, **labels)
    return metric + "{" + ",".join(f"{name}={json.dumps(value)}" for name, value in labels.items()) + "}"


def histogram(metric, part, number, seconds, **labels):
    """60 events a minute, all of them as long as this."""
    bounds = (0.001, 0.25, 1, 5)
    found = {series(f"{metric}_bucket", part, number, le=f"{bound:g}", **labels):
             grows(60 if seconds <= bound else 0) for bound in bounds}
    return {**found, series(f"{metric}_bucket", part, number, le="+Inf", **labels): grows(60)}


def process(part, number):
    fine = {"up": stays(1), "process_start_time_seconds": stays(-86400), "process_open_fds": stays(60),
            "process_max_fds": stays(1024), "process_cpu_seconds_total": grows(12),
            "stagedoor_bus_up": stays(1), "stagedoor_bus_outages_total": stays(1),
            "stagedoor_bus_answer_seconds": stays(0.002), "stagedoor_void_records_total": stays(7)}
    return {**{series(name, part, number): values for name, values in fine.items()},
            series("stagedoor_build_info", part, number, program=part, version="1"): stays(1)}


def service(part, number):
    """One of two instances that share the partitions."""
    fine = {"service_ready": stays(1), "timer_overdue_seconds": stays(0), "claims_total": stays(2),
            "claims_lost_total": stays(0), "step_downs_total": stays(0), "partitions_lost_total": stays(0)}
    half = PARTITIONS // 2
    found = {series(f"stagedoor_{name}", part, number): values for name, values in fine.items()}
    for state in ("standby", "folding", "recovering", "running", "retired", "lost"):
        count = half if state in ("running", "folding") else 0
        found[series("stagedoor_partitions", part, number, state=state)] = stays(count)
    for code in ("internal", "undecodable", "misrouted", "sold_out"):
        found[series("stagedoor_refusals_total", part, number, code=code)] = stays(0)
    found[series("stagedoor_outcomes_total", part, number, type="SeatsSold")] = grows(60)
    found[series("stagedoor_input_lag_records", part, number, topic="t", partition=str(number))] = stays(3)
    found[series("stagedoor_input_lag_seconds", part, number, topic="t", partition=str(number))] = stays(0.1)
    found.update(histogram("stagedoor_decide_duration_seconds", part, number, 0.0001))
    found.update(histogram("stagedoor_append_duration_seconds", part, number, 0.01))
    if part == "shows":
        found[series("stagedoor_outcomes_total", part, number, type="CapacityChanged")] = stays(0)
        found[series("stagedoor_seats", part, number, state="oversold")] = stays(0)
    return found


BUY = {"method": "POST", "route": "/v1/shows/{}/reservations"}


def edge(number):
    fine = {"edge_caught_up": stays(1), "edge_log_reachable": stays(1), "edge_log_intact": stays(1),
            "edge_register_written": stays(1), "view_lag_seconds": stays(0.1),
            "edge_commands_unacknowledged_total": stays(0),
            "edge_connections": stays(600), "edge_connections_max": stays(4096)}
    found = {series(f"stagedoor_{name}", "edge", number): values for name, values in fine.items()}
    found[series("stagedoor_http_requests_total", "edge", number, status="2xx", **BUY)] = grows(6000)
    found[series("stagedoor_http_requests_total", "edge", number, status="5xx", **BUY)] = grows(6)
    found[series("stagedoor_http_problems_total", "edge", number, code="overloaded")] = stays(2)
    found.update(histogram("stagedoor_http_request_duration_seconds", "edge", number, 0.01, **BUY))
    found.update(histogram("stagedoor_edge_command_duration_seconds", "edge", number, 0.01))
    return found


def paydesk():
    return {series("stagedoor_paydesk_owed_answers", "paydesk"): stays(20),
            series("stagedoor_paydesk_callbacks_total", "paydesk", result="told"): grows(60),
            series("stagedoor_paydesk_callbacks_total", "paydesk", result="refused"): stays(1)}


def healthy():
    """{series: values} of two of each and one paydesk, at work."""
    found = {}
    for number in (1, 2):
        for part in SERVICES:
            found.update(process(part, number))
            found.update(service(part, number))
        found.update(process("edge", number))
        found.update(edge(number))
    return {**found, **process("paydesk", 1), **paydesk()}
