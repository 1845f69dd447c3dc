"""What the proxy does to a client: each fault, once on requests and once on answers, against a real
broker. The client speaks Kafka's protocol by hand, so nothing is hidden by a library's patience."""

import socket
import struct
import subprocess
import time
import uuid

import pytest

from buses import text
from theatre import until
from wire import KINDS

NUMBERS = {name: key for key, name in KINDS.items()}
PATIENCE_S = 10
DELAY_MS = 300
BEHIND = "-behind"
DELETE_TOPICS_VERSION, CREATE_TOPICS_VERSION = 1, 2


class Client:
    """One connection, one request after the other."""

    def __init__(self, address, name="chaos"):
        host, port = address.rsplit(":", 1)
        self.name, self.number = name, 0
        self.socket = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, kind, version=0, body=b"", tags=b""):
        self.number += 1
        request = struct.pack(">hhi", NUMBERS[kind], version, self.number)
        request += text(self.name) + tags + body
        self.socket.sendall(struct.pack(">i", len(request)) + request)
        return self.number

    def read(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise EOFError(data)
            data += more
        return data

    def answer(self):
        """(the number of its request, what follows)"""
        data = self.read(struct.unpack(">i", self.read(4))[0])
        return struct.unpack_from(">i", data)[0], data[4:]

    def ask(self, kind, version=0, body=b"", tags=b""):
        number = self.send(kind, version, body, tags)
        answered, data = self.answer()
        assert answered == number
        return data

    def hears_nothing(self, seconds=0.2):
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1) == "anything"
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(PATIENCE_S)

    def ends_after(self):
        """What is still heard before the end."""
        try:
            return self.read(1 << 20)
        except EOFError as end:
            return end.args[0]
        except ConnectionResetError:
            return b""


# ---- something that can be seen to have happened -------------------------------------------------

ALL_TOPICS = struct.pack(">i", -1)  # of a Metadata request, from version 1 on


def creation(topic):
    return (struct.pack(">i", 1) + text(topic) + struct.pack(">ihi", 1, 1, 0)
            + struct.pack(">ii?", 0, 30000, False))


@pytest.fixture
def direct(broker):
    with Client(broker.address) as found:
        yield found


@pytest.fixture
def client(proxy):
    with Client(proxy.address) as found:
        yield found


@pytest.fixture
def topic(direct):
    name = f"chaos-{uuid.uuid4().hex[:12]}"
    yield name
    for made in (name, name + BEHIND):
        direct.ask("DeleteTopics", DELETE_TOPICS_VERSION,
                   struct.pack(">i", 1) + text(made) + struct.pack(">i", 30000))


def is_there(direct, topic):
    return text(topic) in direct.ask("Metadata", 1, ALL_TOPICS)


def never_comes(direct, topic):
    """The broker has made another since, and still it is not there."""
    direct.ask("CreateTopics", CREATE_TOPICS_VERSION, creation(topic + BEHIND))
    until(lambda: is_there(direct, topic + BEHIND), "the other topic")
    return not is_there(direct, topic)


# ---- an idle proxy -------------------------------------------------------------------------------

# Bodies of requests whose answers say where the broker is: (kind, versions, body, tags).
NO_TOPICS = struct.pack(">i", 0)  # others make topics meanwhile
WHERE = [
    ("Metadata", [1, 2, 3], NO_TOPICS, b""),
    ("Metadata", [4, 5, 6, 7], NO_TOPICS + b"\0", b""),
    ("Metadata", [8], NO_TOPICS + b"\0\0\0", b""),
    ("Metadata", [9, 10], b"\1" + b"\0\0\0" + b"\0", b"\0"),
    ("Metadata", [11, 12, 13], b"\1" + b"\0\0" + b"\0", b"\0"),
    ("FindCoordinator", [0], text("group"), b""),
    ("FindCoordinator", [1, 2], text("group") + b"\0", b""),
    ("FindCoordinator", [3], b"\6group" + b"\0" + b"\0", b"\0"),
    ("FindCoordinator", [4, 5, 6], b"\0" + b"\2\6group" + b"\0", b"\0"),
    ("DescribeCluster", [0], b"\0" + b"\0", b"\0"),
    ("DescribeCluster", [1], b"\0" + b"\1" + b"\0", b"\0"),
    ("DescribeCluster", [2], b"\0" + b"\1" + b"\0" + b"\0", b"\0"),
]


def port_of(address):
    return struct.pack(">i", int(address.rsplit(":", 1)[1]))


@pytest.mark.parametrize("kind, version, body, tags", [
    (kind, version, body, tags) for kind, versions, body, tags in WHERE for version in versions])
def test_proxy__tells_where_the_broker_is_by_its_own_port(broker, proxy, direct, client, kind,
                                                          version, body, tags):
    def asked_of(whom):
        def found():  # the first who asks for a coordinator waits until its topic is made
            answer = whom.ask(kind, version, body, tags)
            return answer if b"localhost" in answer else None
        return until(found, f"{kind} to name the broker")
    said, heard = asked_of(direct), asked_of(client)
    assert port_of(broker.address) in said
    assert heard.replace(port_of(proxy.address), port_of(broker.address)) == said
    assert port_of(broker.address) not in heard


def test_proxy__passes_everything_and_counts_it(broker, proxy, topic, direct, tmp_path):
    """Four megabytes, there and back."""
    direct.ask("CreateTopics", CREATE_TOPICS_VERSION, creation(topic))
    until(lambda: is_there(direct, topic), "the topic")
    lines = [f"{number} {'x' * 4000}" for number in range(1000)]
    said = tmp_path / "said"
    said.write_text("\n".join(lines) + "\n")
    kcat = ["kcat", "-b", proxy.address, "-t", topic]
    subprocess.run(kcat + ["-P", "-l", said], check=True, timeout=30, capture_output=True)
    heard = subprocess.run(kcat + ["-C", "-e", "-q"], check=True, timeout=30, capture_output=True)
    assert heard.stdout.decode().splitlines() == lines
    assert proxy.requests["Produce"] >= 1 and proxy.requests["Fetch"] >= 4
    assert not proxy.fired


def test_proxy__a_client_that_left_is_forgotten(proxy, client):
    client.ask("ApiVersions")
    assert len(proxy.connections) == 1
    client.socket.close()
    until(lambda: not proxy.connections, "the proxy to forget it")


# ---- frames --------------------------------------------------------------------------------------

def test_swallow__a_request_is_never_seen(proxy, client, direct, topic):
    fault = proxy.swallow("CreateTopics", "request", times=1)
    client.send("CreateTopics", CREATE_TOPICS_VERSION, creation(topic))
    client.ask("ApiVersions")  # others of the same connection go on
    assert never_comes(direct, topic)
    assert fault.fired == 1 and fault.by_kind == {"CreateTopics": 1}
    assert proxy.fired == {"swallow request": {"CreateTopics": 1}}
    client.ask("CreateTopics", CREATE_TOPICS_VERSION, creation(topic))
    assert fault.fired == 1


def test_swallow__an_answer_is_never_heard_of_what_was_done(proxy, client, direct, topic):
    fault = proxy.swallow("CreateTopics", "response")
    client.send("CreateTopics", CREATE_TOPICS_VERSION, creation(topic))
    until(lambda: is_there(direct, topic), "the topic")
    client.ask("ApiVersions")
    assert fault.fired == 1 and fault.by_kind == {"CreateTopics": 1}
    fault.heal()
    client.ask("CreateTopics", CREATE_TOPICS_VERSION, creation(topic))
    assert fault.fired == 1


@pytest.mark.parametrize("direction", ["request", "response"])
def test_delay__is_late_and_so_is_what_is_behind(proxy, client, direction):
    fault = proxy.delay("ApiVersions", DELAY_MS, direction, times=1)
    began = time.monotonic()
    numbers = [client.send("ApiVersions"), client.send("Metadata", 1, ALL_TOPICS)]
    assert [client.answer()[0], client.answer()[0]] == numbers
    assert time.monotonic() - began >= DELAY_MS / 1000
    assert fault.by_kind == {"ApiVersions": 1}


def test_delay__a_request_comes_late_when_its_client_is_gone(proxy, client, direct, topic):
    fault = proxy.delay("CreateTopics", DELAY_MS, "request")
    client.send("CreateTopics", CREATE_TOPICS_VERSION, creation(topic))
    until(lambda: fault.fired, "the fault")
    client.socket.close()
    assert not is_there(direct, topic)
    until(lambda: is_there(direct, topic), "the topic, late")
    until(lambda: not proxy.connections, "the proxy to forget it")


def test_delay__ends_when_it_is_healed(proxy, client):
    fault = proxy.delay("ApiVersions", 3600 * 1000, "response")
    number = client.send("ApiVersions")
    until(lambda: fault.fired, "the fault")
    assert client.hears_nothing()
    fault.heal()
    assert client.answer()[0] == number


@pytest.mark.parametrize("where, done", [("before", False), ("within", False), ("after", True)])
def test_cut__at_a_request(proxy, client, direct, topic, where, done):
    fault = proxy.cut("CreateTopics", "request", where=where, times=1)
    client.ask("ApiVersions")
    client.send("CreateTopics", CREATE_TOPICS_VERSION, creation(topic))
    assert client.ends_after() == b""
    assert fault.by_kind == {"CreateTopics": 1}
    if done:
        until(lambda: is_there(direct, topic), "the topic")
    else:
        assert never_comes(direct, topic)


@pytest.mark.parametrize("where, part", [("before", 0), ("within", 0.5), ("after", 1)])
def test_cut__at_an_answer(proxy, client, where, part):
    whole = len(client.ask("ApiVersions")) + 8
    fault = proxy.cut("ApiVersions", "response", where=where, times=1)
    client.send("ApiVersions")
    assert len(client.ends_after()) == int(whole * part)
    assert fault.by_kind == {"ApiVersions": 1}
    with Client(proxy.address) as again:
        again.ask("ApiVersions")


def test_fault__hits_only_clients_of_its_name(proxy, client):
    fault = proxy.swallow(None, "response", client="other")
    client.ask("ApiVersions")
    assert fault.fired == 0
    with Client(proxy.address, "other-1") as other:
        other.send("ApiVersions")
        other.send("Metadata", 1, ALL_TOPICS)
        until(lambda: fault.fired == 2, "both to be swallowed")
        assert fault.by_kind == {"ApiVersions": 1, "Metadata": 1} and other.hears_nothing()


def swallowed_of(client, count):
    """Which of `count` questions got no answer; another one behind each shows when to go on."""
    missing = []
    for number in range(count):
        client.send("ApiVersions")
        behind = client.send("Metadata", 1, ALL_TOPICS)
        if client.answer()[0] == behind:
            missing.append(number)
        else:
            client.answer()
    return missing


def test_fault__by_chance_is_the_same_with_the_same_seed(proxies):
    missing = []
    for seed in (7, 7, 8):
        proxy = proxies(seed=seed)
        fault = proxy.swallow("ApiVersions", "request", chance=0.5)
        with Client(proxy.address) as client:
            missing.append(swallowed_of(client, 40))
        assert fault.fired == len(missing[-1]) and 5 < fault.fired < 35
    assert missing[0] == missing[1] != missing[2]


# ---- connections ---------------------------------------------------------------------------------

def test_freeze__holds_everything_until_healed(proxy, client, direct, topic):
    with Client(proxy.address, "free") as free:
        client.ask("ApiVersions")
        fault = proxy.freeze(client="chaos")
        number = client.send("CreateTopics", CREATE_TOPICS_VERSION, creation(topic))
        until(lambda: fault.by_kind == {"CreateTopics": 1}, "the request to be held")
        free.ask("ApiVersions")
        assert never_comes(direct, topic) and client.hears_nothing()
        proxy.heal()
        assert client.answer()[0] == number
        until(lambda: is_there(direct, topic), "the topic")


def test_throttle__is_slow_both_ways(proxy, client):
    size = len(client.ask("ApiVersions")) + 8
    fault = proxy.throttle(size * 10)
    began = time.monotonic()
    for _ in range(6):
        client.ask("ApiVersions")
    assert time.monotonic() - began >= 0.5
    assert fault.by_kind == {"ApiVersions": 12}
    proxy.heal()


def test_refuse__is_for_who_comes_now(proxy, client):
    client.ask("ApiVersions")
    fault = proxy.refuse()
    with Client(proxy.address) as late:
        assert late.ends_after() == b""
    client.ask("ApiVersions")
    assert fault.by_kind == {"connection": 1}
    proxy.heal()
    with Client(proxy.address) as later:
        later.ask("ApiVersions")


def test_cut_all__cuts_what_is_open(proxy, client):
    with Client(proxy.address, "other") as other:
        other.ask("ApiVersions")
        client.ask("ApiVersions")
        fault = proxy.cut_all(client="chaos")
        assert client.ends_after() == b"" and fault.by_kind == {"connection": 1}
        other.ask("ApiVersions")


def test_half_open__is_silence_for_the_client_and_the_end_for_the_broker(proxy, client):
    client.ask("ApiVersions")
    fault = proxy.half_open()
    client.send("ApiVersions")
    assert client.hears_nothing()
    assert fault.by_kind == {"connection": 1}
    upstream = [connection.requests.gone for connection in proxy.connections]
    assert upstream == [True]
    with Client(proxy.address) as next_one:
        next_one.ask("ApiVersions")
