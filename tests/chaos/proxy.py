#!/usr/bin/python3
"""A man in the middle between Kafka and its clients, who can misbehave by kind of request.

    with Proxy("localhost:9092", seed=1) as proxy:
        bus = f"kafka://{proxy.address}"
        fault = proxy.swallow("Produce", "response", times=3)
        …
        assert fault.fired == 3
        proxy.heal()

A broker tells its clients where it lives. The proxy puts its own port there, so it works with any
broker of one node, next to clients that come directly and to other proxies.

On one connection everything keeps its order: what is behind a delayed frame waits with it. What a
client has sent goes on to the broker when its time has come, also if the client is gone by then;
when a fault is healed the time has come.

As a program, with a command a line on standard input (kinds, names and numbers as in the calls):

    proxy.py localhost:9092 --port 19092
    swallow Produce response times=3
    delay Fetch 200 response chance=0.1
    heal
    fired

Threads: one of its own does all the work; every call here may come from any other."""

import argparse
import asyncio
import collections
import contextlib
import random
import socket
import sys
import threading

import faults
import wire

WAITING_MAX = 16 << 20  # bytes held back in one direction before its source is no longer read


class Way:
    """One direction of a connection. Frames are judged when they begin and go on in order, each
    when its time has come."""

    def __init__(self, connection, direction):
        self.connection, self.direction = connection, direction
        self.proxy = connection.proxy
        self.source = self.target = None
        self.kept = b""  # the beginning of a frame that does not say yet what it is
        self.left = self.passing = 0  # bytes of the current frame: to come, and of these to go on
        self.fault, self.due = None, 0.0
        self.over = False  # nothing more is taken
        self.gone = False  # the target has closed
        self.waiting = collections.deque()  # (due, bytes, then, fault)
        self.waiting_size = 0
        self.timer = None
        self.free_at = 0.0  # when a throttled way may go on
        self.full = set()  # why the source is not read

    # ---- in ----

    def take(self, data):
        view = memoryview(self.kept + data if self.kept else data)
        self.kept, at = b"", 0
        while at < len(view) and not self.over:
            if self.left == 0:
                changed = self.begin(view[at:])
                if changed is None:
                    self.kept = bytes(view[at:])
                    return
                if changed:
                    view, at = memoryview(changed + bytes(view[at + len(changed):])), 0
            end = min(at + self.left, len(view))
            self.go_on(view[at:end])
            at = end

    def begin(self, view):
        """None: too little is here of the frame. Else what is to be in its place, or nothing."""
        frame, size, changed = self.connection.frame_of(self.direction, view)
        if frame is None:
            return None
        self.fault = self.proxy.fault_for(self.connection, frame, self.direction)
        self.left = self.passing = size
        self.due = 0.0
        if self.fault:
            self.passing = self.fault.passes(size)
            self.due = self.proxy.loop.time() + self.fault.delay_s()
        if self.passing == 0:
            self.end_frame()
        return changed

    def go_on(self, piece):
        self.left -= len(piece)
        if self.passing == 0:
            return
        piece = piece[:self.passing]
        self.passing -= len(piece)
        self.put(piece, self.due)
        if self.passing == 0:
            self.end_frame()

    def end_frame(self):
        if self.fault and self.fault.cuts():
            self.over = True
            self.put(b"", self.due, self.connection.cut)

    # ---- out ----

    def put(self, piece, due=0.0, then=None):
        self.waiting.append((due, piece, then, self.fault))
        self.waiting_size += len(piece)
        if self.waiting_size > WAITING_MAX:
            self.fill("waiting")
        if len(self.waiting) == 1:
            self.pump()

    def pump(self):
        """Everything whose time has come."""
        if self.timer:
            self.timer.cancel()
            self.timer = None
        while self.waiting and self.target and not self.proxy.freezes(self.connection):
            due, piece, then, fault = self.waiting[0]
            rate = self.proxy.rate_of(self.connection)
            now = self.proxy.loop.time()
            if fault and fault.healed:
                due = 0.0
            due = max(due, self.free_at) if rate else due
            if due > now:
                self.timer = self.proxy.loop.call_at(due, self.pump)
                return
            self.waiting.popleft()
            self.waiting_size -= len(piece)
            if rate:
                self.free_at = now + len(piece) / rate
            if piece and not self.target.is_closing():
                self.target.write(piece)
            if then:
                then()
        if self.waiting_size <= WAITING_MAX:
            self.drain("waiting")

    def discard(self):
        self.over = True
        self.waiting.clear()
        self.waiting_size = 0

    # ---- a source is read only as fast as its target takes it ----

    def fill(self, why):
        self.full.add(why)
        if self.source:
            self.source.pause_reading()

    def drain(self, why):
        if why in self.full:
            self.full.remove(why)
            if self.source and not self.full:
                self.source.resume_reading()


class Connection:
    """A client, and the connection to the broker that was opened for it."""

    def __init__(self, proxy):
        self.proxy = proxy
        self.client = ""  # its name, once it has said it
        self.requests, self.answers = Way(self, "request"), Way(self, "response")
        self.unanswered = {}  # number: frame
        self.mute = False  # the client is not to hear of the broker's end
        self.task = None

    def frame_of(self, direction, view):
        """(frame, size, bytes to be there instead); (None, …) while it cannot be known."""
        if direction == "request":
            return self.request_of(view)
        head = wire.answer_head(view)
        if head is None:
            return None, 0, b""
        number, size = head
        frame = self.unanswered.get(number)
        if frame is None:
            raise ValueError(f"an answer to {number}, which nobody asked")
        if frame.kind not in wire.MOVERS:
            del self.unanswered[number]
            return frame, size, b""
        if len(view) < size:
            return None, 0, b""
        del self.unanswered[number]
        return frame, size, wire.moved(view[:size], frame, self.proxy.ports)

    def request_of(self, view):
        head = wire.request_head(view)
        if head is None:
            return None, 0, b""
        frame, size = head
        self.client = frame.client
        self.unanswered[frame.number] = frame
        self.proxy.requests[frame.kind] += 1
        return frame, size, b""

    # ---- beginning ----

    def client_came(self, transport):
        self.requests.source = self.answers.target = transport
        self.proxy.took(self)
        self.task = self.proxy.loop.create_task(self.reach())

    async def reach(self):
        try:
            await self.proxy.loop.create_connection(
                lambda: Side(self.answers, self.requests, self.broker_came, self.broker_left),
                *self.proxy.broker)
        except OSError:
            self.broker_left()

    def broker_came(self, transport):
        self.requests.target = self.answers.source = transport
        self.requests.pump()

    # ---- ending ----

    def client_left(self):
        """What it said goes on; what it would hear does not."""
        self.answers.discard()
        self.requests.over = True
        if self.requests.gone:
            self.proxy.connections.discard(self)
        else:
            self.requests.put(b"", 0.0, self.leave_broker)

    def leave_broker(self):
        """The broker reads all that was said before it hears of the end."""
        if not self.requests.target.is_closing():
            self.requests.target.write_eof()

    def broker_left(self):
        self.requests.gone = True
        self.requests.discard()
        if self.answers.target.is_closing():
            self.proxy.connections.discard(self)
        elif not self.mute:
            self.answers.put(b"", 0.0, self.cut)

    def cut(self):
        self.answers.target.close()

    def half_open(self):
        self.mute = True
        self.requests.discard()
        self.answers.discard()
        if self.requests.target:
            self.requests.target.abort()

    def abort(self):
        self.task.cancel()
        for way in (self.requests, self.answers):
            if way.target:
                way.target.abort()


class Side(asyncio.Protocol):
    """One socket: what it brings goes `inward`, what it is sent comes by `outward`."""

    def __init__(self, inward, outward, came, left):
        self.inward, self.outward = inward, outward
        self.came, self.left = came, left

    def connection_made(self, transport):
        self.came(transport)

    def data_received(self, data):
        self.inward.take(data)

    def pause_writing(self):
        self.outward.fill("target")

    def resume_writing(self):
        self.outward.drain("target")

    def connection_lost(self, _error):
        self.left()


class Proxy:
    def __init__(self, broker, port=0, seed=None):
        """`broker`: HOST:PORT of a node. `port` 0: any that is free."""
        host, broker_port = broker.rsplit(":", 1)
        self.broker = (host, int(broker_port))
        self.host, self.port = host, port
        self.random = random.Random(seed)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="proxy", daemon=True)
        self.server = None
        self.ports = {}
        self.faults = []
        self.connections = set()
        self.requests = collections.Counter()  # by kind, since the start
        self.fired = collections.defaultdict(collections.Counter)  # by fault and kind, likewise

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def start(self):
        self.thread.start()
        self.server = asyncio.run_coroutine_threadsafe(self.listen(), self.loop).result()
        self.port = self.server.sockets[0].getsockname()[1]
        self.ports = {self.broker[1]: self.port}
        return self

    async def listen(self):
        return await self.loop.create_server(self.accept, self.host, self.port,
                                              family=socket.AF_INET, backlog=1000)

    def accept(self):
        connection = Connection(self)
        return Side(connection.requests, connection.answers, connection.client_came,
                    connection.client_left)

    def stop(self):
        self.call(self.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def close(self):
        self.server.close()
        for connection in list(self.connections):
            connection.abort()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def call(self, function, *arguments):
        """Its result, from the proxy's own thread."""
        async def here():
            return function(*arguments)
        return asyncio.run_coroutine_threadsafe(here(), self.loop).result()

    # ---- faults of frames ----

    def add(self, fault):
        self.call(self.faults.append, fault)
        return fault

    def swallow(self, kind, direction, **when):
        """Requests the broker never sees, or responses the client never sees."""
        return self.add(faults.Swallow(self, f"swallow {direction}", kind=kind,
                                       direction=direction, **when))

    def delay(self, kind, milliseconds, direction, **when):
        return self.add(faults.Delay(self, f"delay {direction}", milliseconds, kind=kind,
                                     direction=direction, **when))

    def cut(self, kind, direction, where, **when):
        """The connection ends "before" the frame goes on, "within" or "after" it."""
        return self.add(faults.Cut(self, f"cut {where} {direction}", where, kind=kind,
                                   direction=direction, **when))

    # ---- faults of connections ----

    def freeze(self, client=""):
        """Everything is taken and nothing goes on; when healed all of it does, late."""
        return self.add(faults.Freeze(self, "freeze", client=client))

    def throttle(self, rate, client=""):
        """`rate` bytes a second on each connection, either way."""
        return self.add(faults.Throttle(self, "throttle", rate, client=client))

    def refuse(self):
        """New connections end as soon as they are made."""
        return self.add(faults.Refuse(self, "refuse"))

    def cut_all(self, client=""):
        return self.hit("cut all", Connection.cut, client)

    def half_open(self, client=""):
        """For the broker the connections are closed; clients keep theirs and hear nothing."""
        return self.hit("half open", Connection.half_open, client)

    def hit(self, name, action, client):
        fault = faults.Fault(self, name, client=client)

        def hit_each():
            for connection in list(self.connections):
                if fault.concerns(connection.client):
                    fault.count("connection")
                    action(connection)
        self.call(hit_each)
        return fault

    def heal(self, fault=None):
        """Ends one fault, or all. What they held back goes on at once."""
        def forget():
            for ended in [fault] if fault else self.faults:
                ended.healed = True
            self.faults = [fault for fault in self.faults if not fault.healed]
            for connection in list(self.connections):
                connection.requests.pump()
                connection.answers.pump()
        self.call(forget)

    # ---- what connections ask, on the proxy's thread ----

    def of(self, kind, connection):
        return [fault for fault in self.faults
                if isinstance(fault, kind) and fault.concerns(connection.client)]

    def took(self, connection):
        self.connections.add(connection)
        for fault in self.of(faults.Refuse, connection):
            fault.count("connection")
            connection.cut()

    def freezes(self, connection):
        return bool(self.faults and self.of(faults.Freeze, connection))

    def rate_of(self, connection):
        slow = self.faults and self.of(faults.Throttle, connection)
        return min(fault.rate for fault in slow) if slow else 0

    def fault_for(self, connection, frame, direction):
        for fault in self.faults and self.of((faults.Freeze, faults.Throttle), connection):
            fault.count(frame.kind)
        for fault in self.faults:
            if fault.takes(frame, direction):
                return fault
        return None


# ---- as a program --------------------------------------------------------------------------------

def value_of(word):
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(word)
    return None if word == "any" else word


def obey(proxy, line):
    """One command, and what there is to say to it."""
    verb, *words = line.split()
    if verb == "fired":
        return {name: dict(kinds) for name, kinds in proxy.fired.items()}
    if verb == "requests":
        return dict(proxy.requests)
    if verb not in ("swallow", "delay", "cut", "freeze", "throttle", "refuse", "cut_all",
                    "half_open", "heal"):
        raise ValueError(f"'{verb}' is no command")
    plain = [value_of(word) for word in words if "=" not in word]
    named = dict(word.split("=", 1) for word in words if "=" in word)
    return getattr(proxy, verb)(*plain, **{name: value_of(word) for name, word in named.items()})


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("broker", metavar="HOST:PORT")
    parser.add_argument("--port", type=int, default=0, help="where to listen (any)")
    parser.add_argument("--seed", type=int, help="of what happens by chance")
    options = parser.parse_args(arguments)
    with Proxy(options.broker, options.port, options.seed) as proxy:
        print(proxy.address, flush=True)
        for line in filter(str.strip, sys.stdin):
            try:
                print(obey(proxy, line), flush=True)
            except (TypeError, ValueError, KeyError) as error:
                print(f"proxy: {error}", file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
