"""A real edge, with all its libraries, that runs out of memory in the middle of a request.

Whatever happens is honest: the right answer, a 5xx, a connection that ends, or a process that ends
and says why. Whoever then comes back with the same key has one reservation, and only one."""

import http.client
import mmap
import struct

import pytest

from buses import ROOT
from theatre import SERVICES, Web, new_key, until

PRELOAD = ROOT / "build/release/preload/famine.so"
LAST_WORDS = "out of memory: "
AFTER = (*range(1, 40), *range(40, 120, 8))  # a request allocates some thirty times


class Famine:
    """The numbers that build/release/preload/famine.so looks at."""

    def __init__(self, path):
        path.write_bytes(bytes(24))
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 24)
        self.env = {"LD_PRELOAD": str(PRELOAD), "STAGEDOOR_FAMINE": str(path)}

    def begin(self, after, lasts):
        self.memory[:] = struct.pack("qqq", after, 0, lasts)

    def end(self):
        """How many allocations failed."""
        failed = struct.unpack("qqq", self.memory[:])[1]
        self.memory[:] = bytes(24)
        return failed


def start_edge(house, famine):
    edge = house.start("stagedoor-edge", *house.bus.arguments, "--data", house.data, "--listen",
                       "127.0.0.1:0", env=famine.env)
    url = edge.said(r"ready, (http://\S+)")[1]
    return edge, Web(url, (house.data / "signin").read_text().strip())


def reserve_in_famine(web, key):
    """The status; None: there was no answer."""
    try:
        return web.reserve("show", key=key, wait=5).status
    except (OSError, http.client.HTTPException):
        return None


def answers(web):
    try:
        return web.get("/livez").status == 200
    except (OSError, http.client.HTTPException):
        return False


def comes_back(web, key):
    try:
        again = web.reserve("show", key=key)
    except (OSError, http.client.HTTPException):
        return False
    assert again.status in (201, 503), again.text
    return again.status == 201


def has_ended(edge):
    return edge.process.poll() is not None


@pytest.mark.parametrize("lasts", [0, 1], ids=["once", "from then on"])
def test_famine__nothing_wrong_is_said_or_done(house_on, sqlite_bus, tmp_path, lasts):
    house = house_on(sqlite_bus)
    house.create_topics()
    for service in SERVICES:
        house.service(service)
    famine = Famine(tmp_path / "famine")
    edge, web = start_edge(house, famine)
    web.create_show("show", 1000)
    assert web.reserve("show").status == 201  # whatever is made once is there now
    held, ends = 1, {}
    for after in AFTER:
        key = new_key()
        famine.begin(after, lasts)
        status = reserve_in_famine(web, key)
        failed = famine.end()
        assert status in (201, 202, 503, None), status
        died = False

        def come_back():
            """It may also die a moment later, of what it was refused in the famine."""
            nonlocal edge, web, died
            if has_ended(edge):
                died = True
                edge.ended()
                assert edge.find(LAST_WORDS), edge.output
                edge, web = start_edge(house, famine)
            return answers(web) and comes_back(web, key)
        until(come_back, "the seat, when the log answers again")
        held += 1
        assert web.availability("show")["held"] == held
        end = "died" if died else status if failed else "none failed"
        ends[end] = ends.get(end, 0) + 1
    assert ends.get("died", 0) > 3, ends
    house.check_log()
