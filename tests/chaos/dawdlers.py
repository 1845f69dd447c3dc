"""HTTP clients that waste an edge's time: some send a byte now and then, some ask for much and never
read, some say nothing at all, some vanish in the middle. They come from an address of their own."""

import socket
import time

ADDRESS = "127.0.0.2"
COUNT_OF_EACH = 40
STEP_S = 0.1
ASKED = b"GET /v1/shows?limit=200 HTTP/1.1\r\nHost: edge\r\n\r\n"
BODY = b'{"quantity":1,"name":"slow"}'
BEGUN = (b"POST /v1/shows/none/reservations HTTP/1.1\r\nHost: edge\r\nContent-Type: application/json"
         b"\r\nContent-Length: %d\r\n\r\n" % len(BODY))


def connect(address):
    host, port = address.split(":")
    connection = socket.create_connection((host, int(port)), timeout=5,
                                          source_address=(ADDRESS, 0))
    connection.setblocking(False)
    return connection


def send(connection, data):
    """As much as it takes; the edge may have had enough of us."""
    try:
        connection.send(data)
    except OSError:
        pass


def dawdle(address, seconds):
    """All of them at once, for so long; how many there were."""
    slow, deaf, silent, vanishing = ([connect(address) for _ in range(COUNT_OF_EACH)]
                                     for _ in range(4))
    for connection in deaf:
        send(connection, ASKED * 50)
    for connection in vanishing:
        send(connection, BEGUN + BODY[:5])
    for connection in vanishing:
        connection.close()
    words = BEGUN + BODY
    for step in range(int(seconds / STEP_S)):
        for connection in slow:
            send(connection, words[step % len(words):][:1])
        time.sleep(STEP_S)
    for connection in slow + deaf + silent:
        connection.close()
    return 4 * COUNT_OF_EACH
