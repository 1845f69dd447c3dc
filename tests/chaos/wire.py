"""As much of Kafka's protocol as one must know to stand in between: where a frame begins, what it
asks for, and where a broker says where it lives.

A frame is four bytes of size and then as many bytes. A request begins with its kind (api key), the
version of it, a number that its answer repeats, and the client's name; an answer with that number
only."""

import struct

KINDS = {
    0: "Produce", 1: "Fetch", 2: "ListOffsets", 3: "Metadata", 8: "OffsetCommit", 9: "OffsetFetch",
    10: "FindCoordinator", 11: "JoinGroup", 12: "Heartbeat", 13: "LeaveGroup", 14: "SyncGroup",
    15: "DescribeGroups", 16: "ListGroups", 17: "SaslHandshake", 18: "ApiVersions",
    19: "CreateTopics", 20: "DeleteTopics", 21: "DeleteRecords", 22: "InitProducerId",
    23: "OffsetForLeaderEpoch", 24: "AddPartitionsToTxn", 25: "AddOffsetsToTxn", 26: "EndTxn",
    28: "TxnOffsetCommit", 29: "DescribeAcls", 32: "DescribeConfigs", 33: "AlterConfigs",
    36: "SaslAuthenticate", 37: "CreatePartitions", 42: "DeleteGroups",
    44: "IncrementalAlterConfigs", 47: "OffsetDelete", 60: "DescribeCluster",
    61: "DescribeProducers", 68: "ConsumerGroupHeartbeat", 75: "DescribeTopicPartitions"}

REQUEST_HEAD, ANSWER_HEAD = struct.Struct(">ihhih"), struct.Struct(">ii")


class Frame:
    """The head of a request; its answer is known by the same."""
    __slots__ = ("kind", "version", "number", "client")

    def __init__(self, kind, version, number, client):
        self.kind, self.version, self.number, self.client = kind, version, number, client


def request_head(view):
    """(frame, its size with the size), or None while there is too little of it."""
    if len(view) < REQUEST_HEAD.size:
        return None
    size, key, version, number, name_size = REQUEST_HEAD.unpack_from(view)
    name_end = REQUEST_HEAD.size + max(name_size, 0)
    if len(view) < name_end:
        return None
    client = bytes(view[REQUEST_HEAD.size:name_end]).decode(errors="replace")
    return Frame(KINDS.get(key, f"api {key}"), version, number, client), 4 + size


def answer_head(view):
    """(the number of the request it answers, its size with the size), or None."""
    if len(view) < ANSWER_HEAD.size:
        return None
    size, number = ANSWER_HEAD.unpack_from(view)
    return number, 4 + size


# ---- where a broker says that it lives -----------------------------------------------------------

class Reader:
    """Walks through an answer. Flexible versions write sizes as varints, one larger."""

    def __init__(self, data, flexible):
        self.data, self.flexible, self.at = data, flexible, 4 + 4
        if flexible:
            self.tags()

    def skip(self, count):
        self.at += count

    def varint(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    def number(self, layout):
        value = struct.unpack_from(layout, self.data, self.at)[0]
        self.at += struct.calcsize(layout)
        return value

    def string(self):
        self.skip(max(self.varint() - 1 if self.flexible else self.number(">h"), 0))

    def array(self):
        return range(self.varint() - 1 if self.flexible else self.number(">i"))

    def tags(self):
        if self.flexible:
            for _ in range(self.varint()):
                self.varint()
                self.skip(self.varint())

    def endpoint(self, ports):
        """Node, host and port; exchanges the port."""
        self.skip(4)
        self.string()
        port = struct.unpack_from(">i", self.data, self.at)[0]
        struct.pack_into(">i", self.data, self.at, ports.get(port, port))
        self.skip(4)


def move_metadata(data, version, ports):
    reader = Reader(data, version >= 9)
    reader.skip(4 if version >= 3 else 0)
    for _ in reader.array():
        reader.endpoint(ports)
        if version >= 1:
            reader.string()
        reader.tags()


def move_coordinator(data, version, ports):
    reader = Reader(data, version >= 3)
    reader.skip(4 if version >= 1 else 0)
    if version < 4:
        reader.skip(2)
        if version >= 1:
            reader.string()
        reader.endpoint(ports)
        return
    for _ in reader.array():
        reader.string()
        reader.endpoint(ports)
        reader.skip(2)
        reader.string()
        reader.tags()


def move_cluster(data, version, ports):
    reader = Reader(data, True)
    reader.skip(4 + 2)
    reader.string()
    reader.skip(1 if version >= 1 else 0)
    reader.string()
    reader.skip(4)
    for _ in reader.array():
        reader.endpoint(ports)
        reader.string()
        reader.skip(1 if version >= 2 else 0)
        reader.tags()


# Kind: (what moves it, the newest version it knows).
MOVERS = {"Metadata": (move_metadata, 13), "FindCoordinator": (move_coordinator, 6),
          "DescribeCluster": (move_cluster, 2)}


def moved(data, request, ports):
    """The answer with other ports: {what the broker says: what the client shall hear}."""
    move, version_max = MOVERS[request.kind]
    if request.version > version_max:
        raise ValueError(f"{request.kind} version {request.version} is newer than this proxy")
    data = bytearray(data)
    move(data, request.version, ports)
    return data
