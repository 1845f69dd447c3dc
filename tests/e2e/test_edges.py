"""Several edges before one log: whoever is asked again, with the same key, tells the same."""

import concurrent.futures
import json
import socket

from theatre import new_key, until

WAITING = 500
KEYS = [new_key() for _ in range(WAITING)]
BODY = json.dumps({"quantity": 1, "name": "Ann"})


def ask(web, key):
    """Sends a reservation and does not wait for what is said to it."""
    host, port = web.address.rsplit(":", 1)
    line = socket.create_connection((host, int(port)), timeout=60)
    line.sendall((f"POST /v1/shows/hamlet/reservations HTTP/1.1\r\nHost: {web.address}\r\n"
                  f"Content-Type: application/json\r\nIdempotency-Key: {key}\r\nPrefer: wait=30\r\n"
                  f"Content-Length: {len(BODY)}\r\n\r\n{BODY}").encode())
    return line


def test_edges__who_waited_at_one_that_died_is_answered_by_another(house):
    house.create_topics()
    services = [house.service(name) for name in ("shows", "reservations", "checkout")]
    edge, web = house.edge()
    web.create_show("hamlet", WAITING)
    _, other = house.second_edge()
    services[0].kill()  # requests are taken, and nobody says yet what becomes of them
    lines = [ask(web, key) for key in KEYS]
    until(lambda: len(house.bus.read(("reservations.commands",))) >= WAITING, "all to be in the log")
    edge.kill()
    house.service("shows", "2")

    def ask_again(key):
        return other.reserve("hamlet", key=key, wait=30)
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        told = list(pool.map(ask_again, KEYS))
    assert {answer.status for answer in told} == {201}
    assert len({answer["reservation_id"] for answer in told}) == WAITING
    assert other.availability("hamlet")["held"] == WAITING
    for line in lines:
        line.close()
    house.check_log()


def test_edges__two_are_asked_the_same_at_once(house):
    _, web = house.up()
    web.create_show("hamlet", 200)
    _, other = house.second_edge()

    def ask_both(key):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            return [told.result() for told in [pool.submit(edge.reserve, "hamlet", key=key)
                                               for edge in (web, other)]]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        pairs = list(pool.map(ask_both, KEYS[:100]))
    for one, two in pairs:
        assert one.status == two.status == 201
        assert one["reservation_id"] == two["reservation_id"] and one["secret"] == two["secret"]
    assert web.availability("hamlet")["held"] == 100
    house.check_log()
