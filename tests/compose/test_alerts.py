"""Each alert fires once on purpose, and no other with it; a healthy house is silent; each has its entry in
the runbook."""

import json
import re

import pytest
import yaml

from figures import (BUY, MINUTES, ROOT, SERVICES, grows, healthy, histogram, listed_metrics, metrics_in,
                   promtool, series, stays)

FILE = ROOT / "compose/prometheus/alerts.yml"
GROUPS = yaml.safe_load(FILE.read_text())["groups"]
ALERTS = {rule["alert"]: rule for group in GROUPS for rule in group["rules"]}
RUNBOOK = (ROOT / "docs/runbook.md").read_text()


def at(part, number=None):
    """The labels of an alert of a part, or of one instance of it."""
    return dict({"job": f"stagedoor-{part}"}, **({"instance": f"{part}-{number}"} if number else {}))


def late(minute, before, after):
    """One value until then, and from then on another."""
    return f"{before}+0x{minute - 1} {after}+0x{MINUTES - minute}"


def one(metric, part, values, number=1, **labels):
    return {series(f"stagedoor_{metric}", part, number, **labels): values}


def without(part):
    """No scrape of the part tells anything but that it failed."""
    return {name: None for name in healthy() if f'job="stagedoor-{part}"' in name}


def of_two(make):
    return {**make(1), **make(2)}


# What is wrong | the figures that are other than in health | the alert | whose it is.
SICK = [
    ("no checkout is left", without("checkout"), "StagedoorPartMissing", {}),
    ("the bus of one does not answer", one("bus_up", "shows", stays(0)), "StagedoorBusDown",
     at("shows", 1)),
    ("an edge does not reach the log", one("edge_log_reachable", "edge", stays(0)), "StagedoorBusDown",
     at("edge", 1)),
    ("a service never gets ready", one("service_ready", "checkout", stays(0)), "StagedoorNotReady",
     at("checkout", 1)),
    ("an edge never catches up", one("edge_caught_up", "edge", stays(0), 2), "StagedoorNotReady",
     at("edge", 2)),
    ("a partition is nobody's", one("partitions", "shows", stays(1), state="running")
     | one("partitions", "shows", stays(1), state="standby"), "StagedoorPartitionsWithoutOwner",
     at("shows")),
    ("a partition is lost", one("partitions_lost_total", "shows", stays(1)), "StagedoorPartitionsLost",
     at("shows", 1)),
    ("another log", one("edge_log_intact", "edge", stays(0)), "StagedoorLogReplaced", at("edge", 1)),
    ("nothing is decided", of_two(lambda n: one("outcomes_total", "checkout", stays(9), n, type="SeatsSold"))
     | one("input_lag_records", "checkout", grows(60), topic="t", partition="1"),
     "StagedoorNothingDecided", at("checkout")),
    ("a service is behind", one("input_lag_seconds", "shows", stays(20), topic="t", partition="1"),
     "StagedoorLag", at("shows")),
    ("holds take two seconds", of_two(lambda n: histogram("stagedoor_http_request_duration_seconds", "edge",
                                                          n, 2, **BUY)), "StagedoorPurchaseSlow", {}),
    ("any command takes two", of_two(lambda n: histogram("stagedoor_edge_command_duration_seconds", "edge",
                                                         n, 2)), "StagedoorPurchaseSlow", {}),
    ("one in forty fails", one("http_requests_total", "edge", grows(300), status="5xx", **BUY),
     "StagedoorErrors", at("edge")),
    ("holds do not expire", one("timer_overdue_seconds", "shows", stays(60)), "StagedoorTimersOverdue",
     at("shows")),
    ("two seats too many", one("seats", "shows", stays(2), state="oversold"), "StagedoorOversold", {}),
    ("one does not answer", {series("up", "reservations"): stays(0)}, "StagedoorInstanceDown",
     at("reservations", 1)),
    ("one starts again every minute", {series("process_start_time_seconds", "shows"): grows(60)},
     "StagedoorRestarts", at("shows", 1)),
    ("owners step down", one("step_downs_total", "shows", grows(1)), "StagedoorOwnersFlap", at("shows")),
    ("owners take each other's claims", one("claims_lost_total", "checkout", grows(1)),
     "StagedoorOwnersFlap", at("checkout")),
    ("the bus goes and comes", one("bus_outages_total", "edge", grows(1)), "StagedoorBusFlaps", at("edge")),
    ("appends take a second", of_two(lambda n: histogram("stagedoor_append_duration_seconds", "shows", n, 1)),
     "StagedoorLogSlow", at("shows")),
    ("a broker is far away", one("bus_answer_seconds", "edge", stays(0.4)), "StagedoorLogSlow", at("edge")),
    ("decisions take long", of_two(lambda n: histogram("stagedoor_decide_duration_seconds", "shows", n, 0.01)),
     "StagedoorDecideSlow", at("shows")),
    ("a loop is full", {series("process_cpu_seconds_total", "shows"): grows(59)}, "StagedoorServiceFull",
     at("shows", 1)),
    ("a view is behind", one("view_lag_seconds", "edge", stays(20)), "StagedoorViewLag", at("edge", 1)),
    ("an input ended its owners", one("refusals_total", "shows", stays(1), code="internal"),
     "StagedoorInputEndedOwners", at("shows", 1)),
    ("nonsense is published", one("refusals_total", "shows", grows(1), code="undecodable"),
     "StagedoorPublisherWrong", at("shows")),
    ("at the wrong place", one("refusals_total", "shows", grows(1), code="misrouted"),
     "StagedoorPublisherWrong", at("shows")),
    ("somebody else writes events", one("void_records_total", "edge", grows(5)), "StagedoorForeignRecords",
     at("edge", 1)),
    ("commands are not taken", one("edge_commands_unacknowledged_total", "edge", grows(1)),
     "StagedoorUnacknowledged", at("edge")),
    ("too many wait", one("http_problems_total", "edge", grows(30), code="overloaded"),
     "StagedoorOverloaded", at("edge")),
    ("the register's disk is full", one("edge_register_written", "edge", stays(0)),
     "StagedoorRegisterNotWritten", at("edge", 1)),
    ("connections run out", one("edge_connections", "edge", stays(3500)), "StagedoorConnections",
     at("edge", 1)),
    ("descriptors run out", {series("process_open_fds", "edge"): stays(1000)}, "StagedoorDescriptors",
     at("edge", 1)),
    ("a rollout was left half done", {series("stagedoor_build_info", "edge", program="edge", version="1"): None}
     | one("build_info", "edge", stays(1), program="edge", version="2"), "StagedoorVersions", at("edge")),
    ("answers pile up", one("paydesk_owed_answers", "paydesk", grows(2)), "StagedoorPaydeskOwes",
     at("paydesk", 1)),
    ("an edge refuses a payment", one("paydesk_callbacks_total", "paydesk", grows(1), result="refused"),
     "StagedoorCallbacksRefused", at("paydesk", 1)),
]

# What looks like it and is no reason to wake anybody.
WELL = [
    ("all is well", {}),
    ("capacity was lowered by force", one("seats", "shows", stays(2), state="oversold")
     | one("outcomes_total", "shows", late(10, 0, 1), type="CapacityChanged")),
    ("owners changed and left void records", one("void_records_total", "edge", late(14, 7, 9))
     | one("claims_total", "shows", late(14, 2, 3))),
    ("a new reader meets the old void records", one("void_records_total", "edge", late(14, 0, 7))
     | {series("process_start_time_seconds", "edge"): stays(0)}),
    ("one was started again", {series("process_start_time_seconds", "shows"): late(14, 0, 840)}),
    ("one recovers for a minute", one("service_ready", "shows", "1+0x16 0+0x9")),
    ("a lull with work left over", of_two(lambda n: one("outcomes_total", "shows", stays(9), n, type="SeatsSold"))),
    ("nobody buys", {name: stays(5) for name in healthy()
                     if "_bucket" in name or "http_requests" in name or "outcomes" in name}),
]
# When it is looked at; what waits longer before it fires is looked at later.
MINUTE = 18
LATER = {"StagedoorVersions": 75}


def rule_test(name, changes, firing):
    """A unit test of promtool: these and no others fire."""
    minute = max([LATER.get(labels["alertname"], MINUTE) for labels in firing], default=MINUTE)
    last = re.compile(rf"x{MINUTES}$")
    figures = {name: last.sub(f"x{minute}", values)
               for name, values in {**healthy(), **changes}.items() if values}
    return {"name": name, "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in figures.items()],
            "promql_expr_test": [{
                "expr": 'group by (alertname, job, instance) (ALERTS{alertstate="firing"})',
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": "{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "}",
                                 "value": 1} for labels in firing]}]}


def houses():
    """[(what, changes, firing)]: ills that share no figure and no alert are looked at in one house, for a
    house takes its time."""
    found = []
    for what, changes, alert, whose in SICK:
        for names, others, firing in found:
            if not changes.keys() & others.keys() and alert not in {one["alertname"] for one in firing}:
                break
        else:
            names, others, firing = [], {}, []
            found.append((names, others, firing))
        names.append(what)
        others.update(changes)
        firing.append({"alertname": alert, **whose})
    return found + [([what], changes, []) for what, changes in WELL]


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    """What promtool says of all cases at once: it starts once."""
    tests = [rule_test(", ".join(names), changes, firing) for names, changes, firing in houses()]
    file = tmp_path_factory.mktemp("rules") / "tests.yml"
    file.write_text(json.dumps({"rule_files": [str(FILE)], "evaluation_interval": "1m", "tests": tests}))
    return promtool("test", "rules", file)


def test_alerts__promtool_takes_the_rules():
    done = promtool("check", "rules", FILE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts__each_fires_for_its_reason_alone_and_none_in_health(tested):
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_alerts__none_is_untried():
    assert {alert for _, _, alert, _ in SICK} == set(ALERTS)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group["name"])
def test_alerts__stand_by_severity(group):
    assert group["name"] in ("page", "ticket")
    assert {rule["labels"]["severity"] for rule in group["rules"]} == {group["name"]}


@pytest.mark.parametrize("alert", ALERTS)
def test_alerts__say_what_to_do(alert):
    rule = ALERTS[alert]
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert re.fullmatch(r"[A-Z`].*\.", rule["annotations"]["description"])
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{alert.lower()}"
    assert metrics_in(rule["expr"]) <= set(listed_metrics())


def test_alerts__each_has_its_entry_in_the_runbook():
    entries = re.findall(r"^#+ (Stagedoor\w+)$", RUNBOOK, re.M)
    assert sorted(entries) == sorted(ALERTS)


@pytest.mark.parametrize("alert", ALERTS)
def test_alerts__entries_say_what_it_is_who_notices_and_what_mends_it(alert):
    entry = re.search(rf"^#+ {alert}\n(.*?)(?=^#|\Z)", RUNBOOK, re.M | re.S)[1]
    for word in ("Means", "Customers", "Look", "Mend"):
        assert f"- **{word}:** " in entry


def test_alerts__commands_that_are_named_exist():
    known = set(re.findall(r'^    \{"(\w+)", "', (ROOT / "cli/main.c").read_text(), re.M))
    known |= set(re.findall(r'\{"(\w+)", "\w+"\}', (ROOT / "cli/main.c").read_text()))
    told = RUNBOOK + FILE.read_text()
    named = set(re.findall(r"(?:`|^ {4}|\| )stagedoor (\w+)", told, re.M))
    assert {"owners", "verify", "pause", "logs"} <= named <= known


def test_alerts__jobs_are_those_that_prometheus_scrapes():
    config = yaml.safe_load((ROOT / "compose/prometheus/prometheus.yml").read_text())
    jobs = {job["job_name"] for job in config["scrape_configs"]}
    assert {f"stagedoor-{part}" for part in (*SERVICES, "edge")} <= jobs
