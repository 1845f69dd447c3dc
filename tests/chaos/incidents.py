"""What is done to the company, one function for each kind of incident. It gets the company and the
incident, notes when it began (at_ms) and when it was over or put right (healed_ms), and leaves
everybody as they were. How long it took until people could buy again is read from the log
(recovery.py).

    INCIDENTS[name]    .play(company, incident), .buses, .bound_ms, .measured"""

import dataclasses
import signal
import time

import paths  # noqa: F401
from company import SESSION_MS
from customers import now_ms
from dawdlers import dawdle
from strangers import scribble
from theatre import SERVICES, until

RESTARTED_MS = 2000  # a killed process, from its restart until it is back in work
TAKEN_OVER_MS = SESSION_MS + 1000
RESUMED_MS = 10000  # the sale, once the log is there again
SILENCE_MS = 20000  # a connection that says nothing: 13 s until it is noticed, and whoever asked then
CLOCK_MS = 5000  # libfaketime makes everybody slow
OVERLOADED_MS = 10000  # while thousands ask, everybody else may wait so long
OVERLOAD_REQUESTS, OVERLOAD_CONNECTIONS = 3000, 1000
BOTH, KAFKA, SQLITE = ("sqlite", "kafka"), ("kafka",), ("sqlite",)
# How it is measured, see recovery.py.
CLAIMS, SALES, EDGE, MONEY, PAUSE = "claims", "sales", "edge", "money", "pause"


@dataclasses.dataclass
class Incident:
    kind: str
    number: int  # of its kind, from 0
    at_ms: float = 0
    healed_ms: float = 0
    service: str = ""  # CLAIMS: whose partitions
    instance: str = ""  # CLAIMS: of this instance; empty: all
    note: str = ""
    resumed: bool = False  # people in every partition could buy again
    recovery_ms: float = None
    customer_ms: float = 0  # the longest that somebody waited for an answer meanwhile


@dataclasses.dataclass
class Kind:
    name: str
    play: callable
    buses: tuple
    measured: str
    bound_ms: int
    priced: bool = None  # whether sales with, or without, a price show that it is over
    night: str = "plain"  # the kind of night it belongs to, see company.py
    on_broker: bool = False  # done to the broker: it has to be our own


INCIDENTS = {}


def incident(name, buses, measured, bound_ms, **more):
    def enter(play):
        INCIDENTS[name] = Kind(name, play, buses, measured, bound_ms, **more)
        return play
    return enter


def wait(seconds):
    """Part of what is done: somebody stays away for so long."""
    time.sleep(seconds)


# ---- somebody dies, and is started again ---------------------------------------------------------

def kill_service(name):
    def play(company, incident):
        incident.service = name
        incident.at_ms, incident.healed_ms = company.kill_child(name)
    return play


for _service in SERVICES:
    incident(f"kill {_service}", BOTH, CLAIMS, RESTARTED_MS)(kill_service(_service))


@incident("kill edge", BOTH, EDGE, RESTARTED_MS)
def kill_edge(company, incident):
    incident.instance = company.web.url
    incident.at_ms, incident.healed_ms = company.kill_child("edge")


@incident("kill paydesk", BOTH, MONEY, RESTARTED_MS, priced=True)
def kill_paydesk(company, incident):
    incident.at_ms, incident.healed_ms = company.kill_child("paydesk")


# ---- somebody dies, or sleeps, and another takes over --------------------------------------------

@incident("takeover", BOTH, CLAIMS, TAKEN_OVER_MS)
def takeover(company, incident):
    incident.service = SERVICES[incident.number % len(SERVICES)]
    understudy = company.understudy(incident.service)
    incident.instance = understudy.instance
    incident.at_ms = incident.healed_ms = now_ms()
    understudy.kill()


@incident("sleeper", BOTH, CLAIMS, TAKEN_OVER_MS)
def sleeper(company, incident):
    """An owner is frozen; when another has its partitions, it wakes up and goes on, until it sees."""
    incident.service = SERVICES[incident.number % len(SERVICES)]
    understudy = company.understudy(incident.service)
    incident.instance = understudy.instance
    incident.at_ms = incident.healed_ms = now_ms()
    company.house.freeze(understudy)
    if not company.sales_resume(incident.at_ms, seconds=3 * SESSION_MS / 1000):
        incident.note = "nobody took over while it slept"
    understudy.signal(signal.SIGCONT)
    company.sales_resume(now_ms())
    assert understudy.stop() == 0, understudy.output


# ---- everybody comes and goes --------------------------------------------------------------------

@incident("rolling reload", BOTH, PAUSE, RESTARTED_MS)
def rolling_reload(company, incident):
    """The next one only when people buy again: each of them may take its time."""
    incident.at_ms = now_ms()
    for name in (*SERVICES, "edge", "paydesk"):
        company.reload_child(name)
        company.sales_resume(now_ms())
    company.restart_second_edge()
    incident.healed_ms = now_ms()


@incident("come and go", BOTH, PAUSE, RESTARTED_MS)
def come_and_go(company, incident):
    """One more instance of a service, and gone again 3 s later."""
    service = SERVICES[incident.number % len(SERVICES)]
    incident.at_ms = now_ms()
    understudy = company.understudy(service)
    until(lambda: now_ms() > incident.at_ms + 3000, "three seconds to be over")
    assert understudy.stop() == 0, understudy.output
    incident.healed_ms = now_ms()


# ---- the log goes away ---------------------------------------------------------------------------

@incident("kill kafka", KAFKA, SALES, RESUMED_MS, on_broker=True)
def kill_kafka(company, incident):
    incident.at_ms = now_ms()
    company.broker.kill()
    company.broker.up()
    incident.healed_ms = now_ms()


@incident("stop kafka", KAFKA, SALES, RESUMED_MS, on_broker=True)
def stop_kafka(company, incident):
    incident.at_ms = now_ms()
    company.broker.signal(signal.SIGSTOP)
    wait(3)
    company.broker.signal(signal.SIGCONT)
    incident.healed_ms = now_ms()


@incident("disk full", BOTH, SALES, RESUMED_MS, on_broker=True)
def disk_full(company, incident):
    """Until nothing is sold any more, and a little longer. A broker that finds its disk full ends
    itself, and is started again when there is room."""
    if company.kind == "sqlite":
        company.bus.empty_wal()  # else the sale goes on in it for minutes
    incident.at_ms = now_ms()
    company.disk.fill()
    try:
        until(lambda: not company.crowd.sold_lately(1000), "the sale to stop", 20)
        wait(1)
    finally:
        company.disk.free()
    if company.kind == "kafka":
        company.broker.up()
    incident.healed_ms = now_ms()


# ---- people who disturb --------------------------------------------------------------------------

@incident("garbage", BOTH, PAUSE, RESTARTED_MS)
def garbage(company, incident):
    incident.at_ms = now_ms()
    scribble(company, f"{company.seed}/{incident.number}")
    incident.healed_ms = now_ms()


@incident("slow clients", BOTH, PAUSE, RESTARTED_MS)
def slow_clients(company, incident):
    incident.at_ms = now_ms()
    dawdle(company.web.address, 3)
    incident.healed_ms = now_ms()


@incident("overload", BOTH, PAUSE, OVERLOADED_MS)
def overload(company, incident):
    """Thousands at once want the hundred seats of a show, on top of the crowd."""
    incident.at_ms = now_ms()
    company.storm(OVERLOAD_REQUESTS, OVERLOAD_CONNECTIONS)
    incident.healed_ms = now_ms()


# ---- clocks --------------------------------------------------------------------------------------

@incident("clock", BOTH, PAUSE, CLOCK_MS, priced=False, night="clock")
def clock(company, incident):
    """An hour ahead, then an hour behind, then right: on Kafka one owner's, whose broker knows
    better; with sqlite the whole machine's. A provider who was about to answer when the clock went
    back thinks that there is an hour left, so only those who need not pay show that it goes on."""
    incident.at_ms = now_ms()
    for seconds in (3600, -3600, 0):
        company.set_clock(seconds)
        company.sales_resume(now_ms(), priced=False, seconds=10)
    incident.healed_ms = now_ms()


# ---- the wire ------------------------------------------------------------------------------------

HITS = 3  # of the requests of a kind, or of their answers: of several clients
LATE_MS = 2000
# What happens only when somebody comes, so that somebody has to.
JOINING = ("JoinGroup", "FindCoordinator", "InitProducerId", "SyncGroup", "Metadata", "ListOffsets")


def harm(proxy, kind, number, times):
    """Now this, now that; now the answer, now the request."""
    direction = ("response", "request")[number // 3 % 2]
    ways = (lambda: proxy.cut(kind, direction, where="after", times=times),
            lambda: proxy.delay(kind, LATE_MS, direction, times=times),
            lambda: proxy.swallow(kind, direction, times=times))
    return ways[number % 3]()


def harm_wire(kind):
    def play(company, incident):
        incident.at_ms = now_ms()
        fault = harm(company.proxy, kind, incident.number, HITS)
        until(lambda: fault.fired, f"{fault} to happen")
        incident.healed_ms = now_ms()
    return play


for _kind in ("Produce", "Fetch", "Heartbeat"):
    incident(f"wire {_kind}", KAFKA, PAUSE, SILENCE_MS, night="wire")(harm_wire(_kind))


@incident("wire joining", KAFKA, PAUSE, SILENCE_MS, night="wire")
def wire_joining(company, incident):
    """A killed service comes back, and something of its return does not get through."""
    incident.at_ms = now_ms()
    fault = harm(company.proxy, JOINING[incident.number % len(JOINING)], incident.number, 1)
    company.kill_child(SERVICES[incident.number % len(SERVICES)])
    until(lambda: fault.fired, f"{fault} to happen")
    incident.healed_ms = now_ms()


@incident("wire connections", KAFKA, PAUSE, SILENCE_MS, night="wire")
def wire_connections(company, incident):
    """All are cut; or half of each is gone and nobody says so; or everything stands still."""
    incident.at_ms = now_ms()
    way = incident.number % 3
    if way == 0:
        company.proxy.cut_all()
    elif way == 1:
        company.proxy.half_open()
    else:
        company.proxy.freeze()
        wait(3)
        company.proxy.heal()
    incident.healed_ms = now_ms()
