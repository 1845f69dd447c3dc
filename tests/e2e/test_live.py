"""Watching a show live: what viewers are told, when they come back, and when they go."""

import concurrent.futures
import http.client
import json
import threading

from theatre import until


class Viewer:
    """GET …/stream, read line by line; `lines` returns one event as {field: value}."""

    def __init__(self, web, show="hamlet", **headers):
        self.connection = http.client.HTTPConnection(web.address, timeout=40)
        self.connection.request("GET", f"/v1/shows/{show}/stream", headers=headers)
        self.answer = self.connection.getresponse()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def event(self):
        """The next one; comments in between say nothing."""
        fields = {}
        while "data" not in fields:
            line = self.answer.readline().decode()
            assert line, "the stream has ended"
            name, _, value = line.rstrip("\n").partition(": ")
            fields[name] = value
        self.answer.readline()
        return fields

    def show(self):
        return json.loads(self.event()["data"])

    def until_held(self, held):
        while (show := self.show())["availability"]["held"] != held:
            assert show["availability"]["held"] < held
        return show


def test_live__every_change_reaches_every_viewer(house):
    _, web = house.up()
    web.create_show("hamlet", 50)
    with Viewer(web) as one, Viewer(web) as two:
        assert one.answer.status == 200
        assert one.answer.headers["Content-Type"] == "text/event-stream"
        first = one.event()
        assert first["event"] == "show" and f'"{first["id"]}"' == web.get(
            "/v1/shows/hamlet").headers["ETag"]
        assert json.loads(first["data"]) == web.get("/v1/shows/hamlet").json
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: web.reserve("hamlet"), range(40)))
        assert one.until_held(40) == two.until_held(40) == web.get("/v1/shows/hamlet").json
        web.staff("POST", "/v1/shows/hamlet/pause")
        assert one.show()["status"] == "paused"


def test_live__who_comes_back_is_told_what_is_new(house):
    _, web = house.up()
    web.create_show("hamlet", 50)
    with Viewer(web) as viewer:
        seen = viewer.event()["id"]
    with Viewer(web, **{"Last-Event-ID": seen}) as viewer:
        threading.Thread(target=web.reserve, args=("hamlet",)).start()
        assert viewer.show()["availability"]["held"] == 1  # and nothing before it
    with Viewer(web, **{"Last-Event-ID": seen}) as viewer:
        assert viewer.show()["availability"]["held"] == 1


def test_live__shows_that_are_not_and_edges_that_stop(house):
    program, web = house.up()
    web.create_show("hamlet", 50)
    with Viewer(web, "lear") as viewer:
        assert viewer.answer.status == 404
    assert web.call("HEAD", "/v1/shows/hamlet/stream").status == 200
    with Viewer(web) as viewer:
        viewer.event()
        program.stop()
        said = viewer.answer.read()  # to an end, not a broken line
        assert said.replace(b":\n\n", b"") == b""


def test_live__watching_leaves_room_for_buying(house):
    _, web = house.up(env={"STAGEDOOR_CONNECTIONS_MAX": "8"})
    web.create_show("hamlet", 50)
    viewers = [Viewer(web) for _ in range(4)]
    with Viewer(web) as late:
        assert late.answer.status == 503 and late.answer.headers["Retry-After"]
    assert web.reserve("hamlet").status == 201
    for viewer in viewers:
        viewer.until_held(1)
    witness, *others = viewers
    for viewer in others:
        viewer.connection.close()
    for held in (2, 3):  # what is sent to them the first time only asks whether they are there
        web.reserve("hamlet")
        witness.until_held(held)

    def comes_in():
        with Viewer(web) as viewer:
            return viewer.answer.status == 200
    until(comes_in, "a place to be free again")
    witness.connection.close()
