"""How pauses are measured: a table for each way, given | when | then."""

import pytest

from incidents import CLAIMS, EDGE, MONEY, PAUSE, SALES, Incident
from journal import Errand, Journal, Try
from recovery import Timeline, percentile

DEAD, HEIR = "shows-1", "shows-2"


def timeline(**known):
    """With four partitions of shows in which nothing has happened but what is known."""
    found = Timeline([], Journal())
    found.claims = {("shows", partition): [(0, DEAD)] for partition in range(4)}
    found.words = {("shows", partition): [(10, 0)] for partition in range(4)}
    for name, value in known.items():
        getattr(found, name).update(value)
    return found


def measured(found, how, **incident):
    what = Incident("of a test", 0, **{"at_ms": 100, "healed_ms": 100, **incident})
    found.measure(what, how)
    return what.recovery_ms


def taken_over(at_ms, said_ms, partitions=range(4)):
    return {"claims": {("shows", partition): [(0, DEAD), (at_ms, HEIR)] for partition in partitions},
            "words": {("shows", partition): [(10, 0), (said_ms, 1)] for partition in partitions}}


@pytest.mark.parametrize("known,incident,then", [
    (taken_over(150, 170), {"instance": DEAD}, 70),
    (taken_over(150, 170), {"instance": ""}, 70),  # whoever it was
    (taken_over(150, 170), {"instance": DEAD, "healed_ms": 130}, 40),
    (taken_over(150, 170, [0, 1]), {"instance": DEAD}, None),  # two were never taken over
    (taken_over(150, 170), {"instance": "shows-3"}, 0),  # it had none
    ({"words": {("shows", 0): [(10, 0), (120, 0)]}}, {"instance": DEAD}, None),  # still the dead one
])
def test_recovery__claims(known, incident, then):
    assert measured(timeline(**known), CLAIMS, service="shows", **incident) == then


@pytest.mark.parametrize("sales,then", [
    ({0: [50, 150], 1: [180], 2: [110], 3: [100]}, 80),
    ({0: [50, 150], 1: [180], 2: [110], 3: [90]}, None),
])
def test_recovery__sales(sales, then):
    assert measured(timeline(sales=sales), SALES) == then


@pytest.mark.parametrize("bought,then", [
    ({0: [90, 120, 240], 1: [150, 250], 2: [101, 300], 3: [199, 201]}, 199),  # 101 to 300
    ({0: [90, 120], 1: [150, 250], 2: [101, 300], 3: [199, 201]}, None),  # and then never again
    ({partition: [110, 190, 210, 900] for partition in range(4)}, 80),  # later ones do not count
])
def test_recovery__pause(bought, then):
    assert measured(timeline(bought=bought), PAUSE, healed_ms=200) == then


def test_recovery__edge():
    def tried(edge, at_ms, end_ms, status=200):
        return Try(edge, at_ms, end_ms, status, {})
    journal = Journal()
    journal.begin(Errand("reserve", "key", "show", tries=[
        tried("a", 90, 110), tried("a", 120, 130, 503), tried("b", 110, 115), tried("a", 140, 160)]))
    found = Timeline([], journal)
    assert measured(found, EDGE, instance="a") == 60
    assert measured(found, EDGE, instance="c") is None


def test_recovery__money():
    found = timeline(asked={"old": 90, "new": 120}, reported={"old": 130, "new": 170})
    assert measured(found, MONEY) == 70


def test_recovery__percentile():
    assert percentile([], 0.5) is None
    assert percentile([3], 0.99) == 3
    assert percentile(range(1, 101), 0.5) == 51
    assert percentile(range(1, 101), 0.99) == 100
