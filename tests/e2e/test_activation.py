"""An edge behind systemd's sockets: they say where it listens, and outlive it."""

import concurrent.futures
import socket

import pytest

from theatre import BIN, Web, new_key

# Only the shell that becomes the edge knows the number of its process, which LISTEN_PID must be.
ACTIVATE = """#!/bin/bash
doors=$1 process=$2; shift 2
number=3
for door in ${doors//,/ }; do
    eval "exec $((number++))<&$door"
done
export LISTEN_FDS=$((number - 3)) LISTEN_PID=${process/self/$$}
exec "$@"
"""


@pytest.fixture
def doors():
    """Two sockets, as a .socket unit with two ListenStream= would open them."""
    opened = [socket.create_server(("127.0.0.1", 0), backlog=128) for _ in range(2)]
    yield opened
    for door in opened:
        door.close()


@pytest.fixture
def theatre(house_on, sqlite_bus):
    house = house_on(sqlite_bus)
    house.create_topics()
    for name in ("shows", "reservations", "checkout"):
        house.service(name)
    return house


def edge(house, doors, *more, process="self"):
    """An edge that finds the doors as its descriptors 3 and on; --listen says something else."""
    script = house.folder / "activate"
    script.write_text(ACTIVATE)
    script.chmod(0o755)
    numbers = [door.fileno() for door in doors]
    return house.start(script, ",".join(map(str, numbers)), process, BIN / "stagedoor-edge",
                       *house.bus.arguments, "--data", house.data, "--listen", "127.0.0.1:0", *more,
                       pass_fds=numbers)


def web_of(house, door):
    return Web(f"http://127.0.0.1:{door.getsockname()[1]}",
               (house.data / "signin").read_text().strip())


def test_activation__the_sockets_say_where(theatre, doors):
    program = edge(theatre, doors)
    for door in doors:
        program.said(rf"ready, http://127.0.0.1:{door.getsockname()[1]}$")
    web_of(theatre, doors[0]).create_show("hamlet", 2)
    assert web_of(theatre, doors[1]).reserve("hamlet").status == 201


def test_activation__who_comes_between_two_edges_is_served_by_the_second(theatre, doors):
    program = edge(theatre, doors[:1])
    program.said("ready, ")
    web = web_of(theatre, doors[0])
    web.create_show("hamlet", 1)
    assert program.stop() == 0
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(web.reserve, "hamlet", key=new_key())
        edge(theatre, doors[:1]).said("ready, ")
        assert waiting.result().status == 201


def test_activation__sockets_of_another_process_are_left_alone(theatre, doors):
    program = edge(theatre, doors, process="1")
    port = int(program.said(r"ready, http://127.0.0.1:(\d+)")[1])
    assert port not in [door.getsockname()[1] for door in doors]


def test_activation__a_socket_that_is_none_is_refused_with_advice(theatre):
    with socket.socket() as closed:
        program = edge(theatre, [closed])
        assert program.ended() == 100
    assert "ListenStream=HOST:PORT" in program.output
