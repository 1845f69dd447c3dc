"""The two logs that tests run on, with what one may do to them behind Stagedoor's back."""

import json
import os
import pathlib
import socket
import sqlite3
import struct
import subprocess
import tempfile
import time
import uuid

import log
from theatre import until

ROOT = pathlib.Path(__file__).resolve().parents[2]
KAFKA = ROOT / "compose/local-kafka/kafka.sh"
KCAT = {"timeout": 30, "check": True, "capture_output": True}


class SqliteBus:
    kind = "sqlite"
    prefix = ""

    def __init__(self, folder):
        self.path = folder / "bus.db"
        self.url = f"sqlite:{self.path}"
        self.arguments = ["--bus", self.url]

    def read(self, topics=log.TOPICS):
        return log.read_sqlite(self.path, topics)

    def change(self, *statements):
        """Straight into the database; each is (sql, parameters)."""
        database = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        try:
            database.execute("BEGIN IMMEDIATE")
            for sql, parameters in statements:
                database.execute(sql, parameters)
            database.execute("COMMIT")
        finally:
            database.close()

    def empty_wal(self):
        """What it had set aside on the disk is given back."""
        database = sqlite3.connect(self.path, timeout=10)
        try:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            database.close()

    def is_writable(self):
        """Not while a process that is frozen holds the lock of writers."""
        database = sqlite3.connect(self.path, timeout=1, isolation_level=None)
        try:
            database.execute("BEGIN IMMEDIATE")
            database.execute("ROLLBACK")
            return True
        except sqlite3.OperationalError:
            return False
        finally:
            database.close()

    def append(self, topic, value, key=None, headers=(), partition=None):
        """As a stranger with the sqlite3 shell would do it."""
        if partition is None:
            partition = log.partition_of(key.encode(), 4)
        lines = "".join(f"{name}: {text}\n" for name, text in headers)
        self.change((
            'INSERT INTO records SELECT topics.id, ?2, coalesce((SELECT max("offset") + 1 FROM'
            " records WHERE topic = topics.id AND partition = ?2), 0), ?3, ?4, ?5, ?6"
            " FROM topics WHERE name = ?1",
            (topic, partition, int(time.time() * 1000), key, lines,
             value if isinstance(value, (bytes, type(None))) else str(value))))

    def make_again(self, topic):
        """The topic as if it had been deleted and created by hand."""
        self.delete(topic)
        self.create(topic, 4)

    def delete(self, topic):
        self.change(("DELETE FROM records WHERE topic = (SELECT id FROM topics WHERE name = ?)",
                     (topic,)), ("DELETE FROM topics WHERE name = ?", (topic,)))

    def create(self, topic, partition_count):
        self.change(("INSERT INTO topics(name, partition_count, incarnation) VALUES(?, ?, ?)",
                     (topic, partition_count, uuid.uuid4().hex)))


class KafkaBus:
    kind = "kafka"

    def __init__(self, broker):
        self.broker = broker
        self.address = broker.address
        self.prefix = f"e2e-{uuid.uuid4().hex[:12]}."
        self.url = f"kafka://{self.address}"
        self.arguments = ["--bus", self.url, "--topic-prefix", self.prefix]

    def read(self, topics=log.TOPICS):
        return log.read_kafka(self.address, self.prefix, topics)

    def is_writable(self):
        return True

    def append(self, topic, value, key=None, headers=(), partition=None):
        """As a stranger with kcat would do it. Without `partition` kcat chooses by the key."""
        command = ["kcat", "-P", "-b", self.address, "-t", self.prefix + topic]
        command += ["-p", str(partition)] if partition is not None else []
        for name, text in headers:
            command += ["-H", f"{name}={text}"]
        if not value:  # of an empty file kcat makes nothing
            command += ["-K", ":"] + ["-Z"] * (value is None)
            subprocess.run(command, input=f"{key}:\n".encode(), **KCAT)
            return
        # Of a file kcat makes one record; of standard input one for each line.
        with tempfile.NamedTemporaryFile() as file:
            file.write(value if isinstance(value, bytes) else value.encode())
            file.flush()
            subprocess.run(command + ["-k", key] * (key is not None) + [file.name], **KCAT)

    def make_again(self, topic):
        self.delete(topic)
        self.create(topic, 4)

    # What the controller has done, the broker learns later: a crowded machine shows how much.

    def delete(self, topic):
        kafka_delete_topic(self.address, self.prefix + topic)
        until(lambda: self.partition_count(topic) == 0, f"{topic} to be gone")

    def create(self, topic, partition_count):
        kafka_create_topic(self.address, self.prefix + topic, partition_count)
        until(lambda: self.partition_count(topic) == partition_count, f"{topic} to be there")

    def configure(self, topic, name, value):
        kafka_configure_topic(self.address, self.prefix + topic, name, value)
        until(lambda: kafka_topic_has(self.address, self.prefix + topic, name, value),
              f"{topic} to have {name}={value}")

    def partition_count(self, topic):
        """As clients see it; 0: there is no such topic."""
        done = subprocess.run(["kcat", "-L", "-J", "-b", self.address, "-t", self.prefix + topic],
                              **KCAT)
        return len(json.loads(done.stdout)["topics"][0]["partitions"])


# ---- a broker ------------------------------------------------------------------------------------

def folder_of(name):
    """For a broker that a whole run of pytest shares."""
    return pathlib.Path(tempfile.gettempdir()) / f"stagedoor-{name}-kafka-{os.getpid()}"


class Broker:
    """A real Kafka in a folder of its own."""

    def __init__(self, folder, **environment):
        self.folder, self.environment = folder, environment
        self.call("up")
        self.address = f"localhost:{(folder / 'port').read_text().strip()}"

    def call(self, verb):
        done = subprocess.run([KAFKA, verb], capture_output=True, text=True, check=False,
                              env=dict(os.environ, KAFKA_DIR=str(self.folder), KAFKA_PORT="0",
                                       **self.environment))
        assert done.returncode == 0, done.stdout + done.stderr

    def kill(self):
        self.call("kill")

    def up(self):
        self.call("up")

    def signal(self, number):
        os.kill(int((self.folder / "pid").read_text()), number)

    def wipe(self):
        self.call("wipe")


class SharedBroker:
    """One that somebody else started, and will stop."""

    def __init__(self, address):
        self.address = address

    def wipe(self):
        pass


# ---- a little of Kafka's protocol, for what kcat cannot do ---------------------------------------

# (key, version)
CREATE_TOPICS, DELETE_TOPICS, DESCRIBE_CONFIGS, ALTER_CONFIGS = (19, 2), (20, 1), (32, 1), (44, 0)
TOPIC_RESOURCE, SET = 2, 0


def text(value):
    data = value.encode()
    return struct.pack(">h", len(data)) + data


def kafka_call(address, api, body):
    """One request; the answer's bytes after its correlation id."""
    key, version = api
    request = struct.pack(">hhi", key, version, 1) + text("e2e") + body
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        with connection.makefile("rb") as answers:
            size = struct.unpack(">i", answers.read(4))[0]
            return answers.read(size)[4:]


def kafka_create_topic(address, name, partition_count):
    settings = {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1",
                "retention.bytes": "-1", "cleanup.policy": "delete"}
    body = struct.pack(">i", 1) + text(name) + struct.pack(">ihi", partition_count, 1, 0)
    body += struct.pack(">i", len(settings))
    body += b"".join(text(key) + text(value) for key, value in settings.items())
    answer = kafka_call(address, CREATE_TOPICS, body + struct.pack(">i?", 30000, False))
    assert error_behind(answer, 8, name) == 0, answer


def kafka_delete_topic(address, name):
    body = struct.pack(">i", 1) + text(name) + struct.pack(">i", 30000)
    answer = kafka_call(address, DELETE_TOPICS, body)
    assert error_behind(answer, 8, name) == 0, answer


def kafka_configure_topic(address, name, setting, value):
    body = struct.pack(">ib", 1, TOPIC_RESOURCE) + text(name)
    body += struct.pack(">i", 1) + text(setting) + struct.pack(">b", SET) + text(value)
    answer = kafka_call(address, ALTER_CONFIGS, body + struct.pack(">?", False))
    assert struct.unpack_from(">h", answer, 8)[0] == 0, answer


def kafka_topic_has(address, name, setting, value):
    """Of one resource one setting: its name and its value stand side by side in the answer."""
    body = struct.pack(">ib", 1, TOPIC_RESOURCE) + text(name)
    body += struct.pack(">i", 1) + text(setting) + struct.pack(">?", False)
    answer = kafka_call(address, DESCRIBE_CONFIGS, body)
    assert struct.unpack_from(">h", answer, 8)[0] == 0, answer
    return text(setting) + text(value) in answer


def error_behind(answer, at, name):
    """Throttle time and count, the name, then the error code."""
    return struct.unpack_from(">h", answer, at + 2 + len(name.encode()))[0]
