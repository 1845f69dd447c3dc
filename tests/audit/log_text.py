#!/usr/bin/python3
"""A log as a person can read and write it: one record a line, in the order of time.

    shows.events/0@3 +1218 SeatsHeld stamp=1.2 source=reservations.events/0@2 read=1;3@1.1;2@1.0 {…}

The place; when it was appended, in ms since the evening began; the type; marks; the value. What can
be told from the rest is left out and made again: nonces (a stamp names its claim by its offset),
checksums of sources, ids, causes, times, keys, and the headers that are always the same. A mark
that says something else is written out and taken as it is. The marks:

    stamp=CLAIM.N  claim=NONCE  source=PLACE|timer  read=POSITIONS      the fence's (bus/fence.h)
    id=  cause=  at=+MS  key=                                           instead of what they would be

    log_text.py < RECORDS      makes text of what build/release/test/audit/play prints"""

import dataclasses
import datetime
import json
import pathlib
import re
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from log import crc32c  # noqa: E402: the reader of tests/e2e

BEGAN_MS = 1790000000000
HEAD = """# An evening of four seats. Ann holds two and pays through a provider, Bob holds two, Cas gets none.
# Ann's money comes a second time and goes back. Bob does not pay and loses his seats. The owner of
# shows is restarted, and a fenced one's word comes late. Dee holds a seat and gives it up. Ann goes
# in with one ticket and gives the other back. Somebody talks nonsense. Eve pays cash.
# How it is written: log_text.py.

"""
BUS_TYPES = ("Installed", "Claimed", "Progress")
LINE = re.compile(r"([a-z]+\.[a-z]+)/(\d+)@(\d+) \+(\d+) (\w+)((?: [a-z]+=[^ {]*)*) (.*)")
# Of the machine the evening was played on.
INSTALLATION = "50000000-0000-4000-8000-000000000000"
CLAIMED = {"host": "theatre", "pid": 1, "version": "0"}


@dataclasses.dataclass
class Line:
    topic: str
    partition: int
    offset: int
    append_ms: int
    type: str
    marks: dict
    value: str

    @property
    def place(self):
        return f"{self.topic}/{self.partition}@{self.offset}"

    @property
    def service(self):
        return self.topic.split(".")[0]

    @property
    def is_event(self):
        return self.topic.endswith(".events")

    def body(self):
        body = json.loads(self.value) if self.value.startswith("{") else {}
        return body if isinstance(body, dict) else {}

    def __str__(self):
        marks = "".join(f" {name}={value}" for name, value in self.marks.items())
        return f"{self.place} +{self.append_ms - BEGAN_MS} {self.type}{marks} {self.value}"


def parse(text):
    """The lines by place; comments and empty lines are left out."""
    lines = {}
    for number, row in enumerate(text.splitlines(), 1):
        if not row.strip() or row.startswith("#"):
            continue
        found = LINE.fullmatch(row)
        if not found:
            raise ValueError(f"line {number} is no record: {row}")
        marks = dict(mark.split("=", 1) for mark in found[6].split())
        line = Line(found[1], int(found[2]), int(found[3]), BEGAN_MS + int(found[4]), found[5],
                    marks, found[7])
        if line.place in lines:
            raise ValueError(f"line {number}: {line.place} is there twice")
        lines[line.place] = line
    return lines


# ---- from text to records ------------------------------------------------------------------------

@dataclasses.dataclass
class Record:
    topic: str
    partition: int
    offset: int
    append_ms: int
    key: str  # None: none
    headers: list  # of (name, value)
    value: str


class Writer:
    """Makes again what the text leaves out."""

    def __init__(self, lines):
        self.lines, self.records = lines, {}

    def nonce(self, topic, partition, claim):
        line = self.lines.get(f"{topic}/{partition}@{claim}")
        return line.marks.get("claim", "0" * 16) if line else "0" * 16

    def stamp(self, topic, partition, text):
        claim, n = text.split(".")
        return f"{claim}-{self.nonce(topic, partition, claim)}.{n}"

    def positions(self, line):
        inputs = {"shows": ("shows.commands", "reservations.events", "checkout.events"),
                  "reservations": ("reservations.commands", "shows.events"),
                  "checkout": ("checkout.commands", "shows.events")}[line.service]
        said = []
        for topic, text in zip(inputs, line.marks["read"].split(";")):
            offset, at, stamp = text.partition("@")
            said.append(offset + at + (self.stamp(topic, line.partition, stamp) if at else ""))
        return ";".join(said)

    def id_of(self, line):
        if "id" in line.marks:
            return line.marks["id"]
        if "stamp" not in line.marks:
            return ""
        stamp = self.stamp(line.topic, line.partition, line.marks["stamp"])
        return f"{line.service}/{line.partition}/{stamp}"

    def crc(self, place):
        record = self.record(place)
        stamp = dict(record.headers).get("sd_stamp", "")
        return f"{crc32c((record.value + stamp).encode()):08x}"

    def source(self, text):
        return f"{text}#{self.crc(text)}" if text in self.lines else text

    def at_ms(self, line):
        cause = self.lines.get(line.marks.get("source"))
        return cause.append_ms if cause else line.append_ms

    def cause_of(self, line):
        cause = self.lines.get(line.marks.get("source"))
        return self.id_of(cause) if cause else ""

    def event_headers(self, line, type_name):
        body, marks = line.body(), line.marks
        at_ms = BEGAN_MS + int(marks["at"][1:]) if "at" in marks else self.at_ms(line)
        fenced = "stamp" in marks
        headers = [
            ("ce_specversion", "1.0"), ("ce_id", self.id_of(line)), ("ce_type", type_name),
            ("ce_source", "stagedoor/" + (line.service if fenced else "bus")),
            ("ce_time", time_of(at_ms) if fenced else ""),
            ("ce_subject", body.get("show_id", "")), ("content-type", "application/json"),
            ("ce_correlationid", body.get("reservation_id") or body.get("show_id", "")),
            ("ce_causationid", marks.get("cause", self.cause_of(line)))]
        if "claim" in marks:
            headers.append(("sd_claim", f"{marks['claim']}/{body['installation']}"))
        if fenced:
            headers.append(("sd_stamp", self.stamp(line.topic, line.partition, marks["stamp"])))
        if "source" in marks:
            headers.append(("sd_source", self.source(marks["source"])))
        if "read" in marks:
            headers.append(("sd_positions", self.positions(line)))
        return [(name, value) for name, value in headers if value]

    def record(self, place):
        if place not in self.records:
            line = self.lines[place]
            speaker = "bus" if line.type in BUS_TYPES else line.service
            type_name = f"stagedoor.{speaker}.{line.type}"
            headers = (self.event_headers(line, type_name) if line.is_event
                       else [("ce_id", self.id_of(line)), ("ce_type", type_name)])
            key = None if line.type in BUS_TYPES + ("Refused",) else line.body().get("show_id")
            self.records[place] = Record(line.topic, line.partition, line.offset, line.append_ms,
                                         line.marks.get("key", key), headers, line.value)
        return self.records[place]


def time_of(ms):
    time = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def records_of(lines):
    writer = Writer(lines)
    return [writer.record(place) for place in lines]


# ---- from records to text ------------------------------------------------------------------------

def ms_of(time):
    whole = datetime.datetime.fromisoformat(time[:19] + "+00:00")
    return int(whole.timestamp()) * 1000 + int(time[20:23])


def short(text):
    """Stamps without their nonce."""
    return re.sub(r"(\d+)-[0-9a-f]{16}\.(\d+)", r"\1.\2", text)


def line_of(row):
    headers = dict(row["headers"])
    kind = headers["ce_type"].rsplit(".", 1)[1]
    value = row["value"]
    if kind == "Claimed":
        value = json.dumps({**json.loads(value), **CLAIMED}, separators=(",", ":"))
    marks = {}
    if "sd_claim" in headers:
        marks["claim"] = headers["sd_claim"].split("/")[0]
    if "sd_stamp" in headers:
        marks["stamp"] = short(headers["sd_stamp"])
    if "sd_source" in headers:
        marks["source"] = headers["sd_source"].split("#")[0]
    if "sd_positions" in headers:
        marks["read"] = short(headers["sd_positions"])
    return Line(row["topic"], row["partition"], row["offset"], row["append_ms"], kind, marks, value)


def text_of(rows):
    rows = sorted(rows, key=lambda row: row["append_ms"])
    lines = {line.place: line for line in map(line_of, rows)}
    writer = Writer(lines)
    for row in rows:
        line, headers = lines[f"{row['topic']}/{row['partition']}@{row['offset']}"], \
            dict(row["headers"])
        if headers.get("ce_id", "") != writer.id_of(line):
            line.marks["id"] = headers["ce_id"]
        at_ms = ms_of(headers["ce_time"]) if "ce_time" in headers else writer.at_ms(line)
        if at_ms != writer.at_ms(line):
            line.marks["at"] = f"+{at_ms - BEGAN_MS}"
        key = None if line.type in BUS_TYPES + ("Refused",) else line.body().get("show_id")
        if row.get("key") != key:
            line.marks["key"] = row.get("key")
    return "\n".join(str(line) for line in lines.values()) + "\n"


def rows_of(text):
    """What play prints, with the machine it ran on and the installation's random id taken out."""
    installation = re.search(r'installation\\":\\"([0-9a-f-]{36})', text)
    text = text.replace(installation[1], INSTALLATION)
    rows = [json.loads(row) for row in text.splitlines()]
    for row in rows:
        if dict(row["headers"]).get("ce_type") == "stagedoor.bus.Claimed":
            row["value"] = json.dumps({**json.loads(row["value"]), **CLAIMED},
                                      separators=(",", ":"))
    return rows


# ---- into a database -----------------------------------------------------------------------------

def write_sqlite(path, records):
    """Instead of what `stagedoor topics create` wrote there."""
    database = sqlite3.connect(path)
    with database:
        topics = dict(database.execute("SELECT name, id FROM topics"))
        database.execute("DELETE FROM records")
        database.executemany(
            "INSERT INTO records VALUES(?, ?, ?, ?, ?, ?, ?)",
            [(topics[record.topic], record.partition, record.offset, record.append_ms, record.key,
              "".join(f"{name}:{value}\n" for name, value in record.headers), record.value)
             for record in records])
    database.close()


if __name__ == "__main__":
    sys.stdout.write(HEAD + text_of(rows_of(sys.stdin.read())))
