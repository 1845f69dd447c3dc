"""Looking again costs little: what has not changed is not sent again, over a connection that stays."""

import http.client


def looks(web, path, *headers):
    """The answers to one GET after the other on one connection, which the edge leaves open."""
    connection = http.client.HTTPConnection(web.address, timeout=40)
    try:
        connection.connect()
        first = connection.sock
        for more in headers:
            connection.request("GET", path, headers=more)
            answer = connection.getresponse()
            yield answer.status, answer.headers, answer.read().decode()
            assert connection.sock is first, "the connection was closed"
    finally:
        connection.close()


def test_reads__a_show_that_has_not_changed_is_not_sent_again(house):
    _, web = house.up()
    web.create_show("hamlet", 5)
    tag = web.get("/v1/shows/hamlet").headers["ETag"]
    full, known, weak, other, traced = looks(
        web, "/v1/shows/hamlet", {}, {"If-None-Match": tag}, {"If-None-Match": f'"x", W/{tag}'},
        {"If-None-Match": '"x"'}, {"If-None-Match": tag, "X-Request-Id": "mine"})
    assert (full[0], other[0]) == (200, 200) and full[2] == other[2]
    assert [answer[0] for answer in (known, weak, traced)] == [304] * 3
    for _, headers, body in (known, weak, traced):
        assert body == ""
        for name in ("ETag", "X-Log-Position", "Cache-Control"):
            assert headers[name] == full[1][name]
        assert headers["Content-Length"] == full[1]["Content-Length"]
    assert traced[1]["X-Request-Id"] == "mine" and known[1]["X-Request-Id"] is None


def test_reads__who_was_told_finds_it_so(house):
    _, web = house.up()
    web.create_show("hamlet", 100)
    tag = web.get("/v1/shows/hamlet").headers["ETag"]
    for held in range(1, 40):
        assert web.reserve("hamlet").status == 201
        [(status, headers, _)] = looks(web, "/v1/shows/hamlet", {"If-None-Match": tag})
        assert status == 200 and headers["ETag"] != tag
        tag = headers["ETag"]
        assert web.availability("hamlet")["held"] == held


def test_reads__strangers_and_head_are_answered_as_ever(house):
    _, web = house.up()
    web.create_show("hamlet", 5)
    full = web.get("/v1/shows/hamlet")
    head = web.call("HEAD", "/v1/shows/hamlet")
    assert (head.status, head.text) == (200, "")
    assert head.headers["Content-Length"] == full.headers["Content-Length"]
    assert web.get("/v1/shows/hamlet", bearer="nobody").status == 401
    assert web.get("/v1/shows/lear").status == 404
