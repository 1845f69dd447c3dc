"""The log as a stranger reads it: Kafka by kcat, SQLite by the sqlite3 module, and the acceptance
rule of bus/fence.h written once more, so that a mistake there is not a mistake here.

    read_kafka(address, prefix), read_sqlite(path)    every record of the six topics, in log order
    judge(records)                                    gives each its verdict
"""

import concurrent.futures
import dataclasses
import functools
import json
import re
import sqlite3
import subprocess
import zlib

SERVICES = ("shows", "reservations", "checkout")
TOPICS = tuple(f"{service}.{kind}" for service in SERVICES for kind in ("commands", "events"))
HEADERS_MAX = 32

INSTALLED, CLAIM, ACCEPTED, PROGRESS, VOID = "installed", "claim", "accepted", "progress", "void"
COMMAND = "command"


@dataclasses.dataclass
class Record:
    topic: str  # without the installation's prefix
    partition: int
    offset: int
    time_ms: int
    key: bytes  # None: no key
    value: bytes  # None: no value
    headers: list  # of (name, bytes or None), in order
    verdict: str = ""
    why: str = ""  # of VOID

    def header(self, name):
        """The only header of that name, as text; else None."""
        found = [value for key, value in self.headers if key == name]
        if len(found) != 1 or found[0] is None:
            return None
        return found[0].decode(errors="replace")

    @property
    def type(self):
        """The last part of the type: SeatsHeld."""
        structured = (self.header("content-type") or "").startswith("application/cloudevents+json")
        name = self.body().get("type") if structured else self.header("ce_type")
        return str(name or "").rsplit(".", 1)[-1]

    @property
    def place(self):
        return f"{self.topic}/{self.partition}@{self.offset}"

    @property
    def is_event(self):
        return self.topic.endswith(".events")

    def body(self):
        """The value as a JSON object; {} when it is none. Shared: whoever changes it, copies it."""
        return parsed(self.value or b"")

    def crc(self):
        """As sd_source carries it: CRC-32C of the value, then of the stamp."""
        stamps = [value or b"" for name, value in self.headers if name == "sd_stamp"]
        return crc32c((self.value or b"") + (stamps[0] if len(stamps) == 1 else b""))


@functools.lru_cache(1 << 16)  # every rule asks for it again
def parsed(value):
    try:
        body = json.loads(value)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


# ---- checksums -----------------------------------------------------------------------------------

def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC32C = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC32C[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def partition_of(key, partition_count):
    return zlib.crc32(key) % partition_count


# ---- Kafka ---------------------------------------------------------------------------------------

def in_bytes(text):
    """kcat writes keys and values into its JSON as they are, also what is not UTF-8."""
    return None if text is None else text.encode("utf-8", "surrogateescape")


def read_topic(address, prefix, topic):
    command = ["kcat", "-C", "-b", address, "-t", prefix + topic, "-o", "beginning", "-e", "-q",
               "-J", "-X", "isolation.level=read_uncommitted", "-X", "fetch.wait.max.ms=10"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    records = []
    for line in done.stdout.decode("utf-8", "surrogateescape").split("\n"):
        if line:
            row = json.loads(line)
            names = row.get("headers", [])
            headers = [(name, in_bytes(value)) for name, value in zip(names[::2], names[1::2])]
            records.append(Record(topic, row["partition"], row["offset"], row["ts"],
                                  in_bytes(row["key"]), in_bytes(row["payload"]), headers))
    return records


def read_kafka(address, prefix="", topics=TOPICS):
    with concurrent.futures.ThreadPoolExecutor(len(TOPICS)) as pool:
        lists = list(pool.map(lambda topic: read_topic(address, prefix, topic), topics))
    return sort(record for records in lists for record in records)


# ---- SQLite --------------------------------------------------------------------------------------

def unescape(text):
    """Back from the escapes of bus/sqlite_record.c."""
    if "\\" not in text:
        return text.encode()

    def byte(match):
        return {"\\\\": b"\\", "\\n": b"\n"}.get(match[0]) or bytes([int(match[1], 16)])
    parts, at = [], 0
    for match in re.finditer(r"\\\\|\\n|\\x([0-9a-f]{2})", text):
        parts += [text[at:match.start()].encode(), byte(match)]
        at = match.end()
    return b"".join(parts) + text[at:].encode()


def headers_of(lines):
    headers = []
    for line in lines.split("\n")[:-1]:
        name, colon, value = line.partition(":")
        headers.append((unescape(name).decode(errors="replace"),
                        unescape(value[1:]) if colon else None))
    return headers


def as_bytes(value):
    return value.encode() if isinstance(value, str) else value


def read_sqlite(path, topics=TOPICS):
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        rows = database.execute(
            'SELECT name, partition, "offset", append_ms, key, headers, value'
            ' FROM records JOIN topics ON topics.id = records.topic').fetchall()
    finally:
        database.close()
    return sort(Record(topic, partition, offset, time_ms, as_bytes(key), as_bytes(value),
                       headers_of(headers))
                for topic, partition, offset, time_ms, key, headers, value in rows
                if topic in topics)


def sort(records):
    return sorted(records, key=lambda record: (record.topic, record.partition, record.offset))


# ---- the acceptance rule -------------------------------------------------------------------------

NUMBER = r"(0|[1-9][0-9]{0,18})"
STAMP = re.compile(NUMBER + r"-([0-9a-f]{16})\." + NUMBER)
CLAIMED = re.compile(r"([0-9a-f]{16})/(.+)", re.DOTALL)


class Fence:
    """Whose word counts in one partition of an event topic."""

    def __init__(self):
        self.claim, self.nonce, self.n = -1, None, 0

    def read(self, record):
        """The verdict, and why of VOID."""
        names = [name for name, _ in record.headers[:HEADERS_MAX]]
        kind = record.header("ce_type") or ""
        if len(record.headers) > HEADERS_MAX:
            return VOID, "too many headers"
        if names.count("ce_type") != 1:
            return VOID, "not exactly one ce_type"
        content = [value for name, value in record.headers if name == "content-type"]
        if content and (content[-1] or b"").startswith(b"application/cloudevents"):
            return VOID, "structured mode"
        if record.offset == 0 and kind == "stagedoor.bus.Installed":
            return INSTALLED, ""
        if kind == "stagedoor.bus.Claimed":
            return self.read_claim(record, names)
        return self.read_stamped(record, names, kind)

    def read_claim(self, record, names):
        claimed = CLAIMED.fullmatch(record.header("sd_claim") or "")
        if "sd_stamp" in names or names.count("sd_claim") != 1 or not claimed:
            return VOID, "a claim that is not canonical"
        self.claim, self.nonce, self.n = record.offset, claimed[1], 0
        return CLAIM, ""

    def read_stamped(self, record, names, kind):
        stamp = STAMP.fullmatch(record.header("sd_stamp") or "")
        if names.count("sd_stamp") != 1 or not stamp:
            return VOID, "no canonical sd_stamp"
        claim, nonce, n = int(stamp[1]), stamp[2], int(stamp[3])
        if (claim, nonce) != (self.claim, self.nonce):
            return VOID, "of another epoch"
        if n != self.n + 1:
            return VOID, "a stamp that was there before" if n <= self.n else "behind a gap"
        self.n = n
        return (PROGRESS if kind == "stagedoor.bus.Progress" else ACCEPTED), ""


def judge(records):
    """Gives every record its verdict; `records` are in log order within each partition."""
    fences = {}
    for record in records:
        if record.is_event:
            fence = fences.setdefault((record.topic, record.partition), Fence())
            record.verdict, record.why = fence.read(record)
        else:
            record.verdict = COMMAND
    return records
