"""Is what lies in a log what schemas/asyncapi.yaml tells strangers? Its headers, its keys, its
payloads, the topics of its messages, and who answers what to what."""

import collections
import functools
import json
import pathlib

import jsonschema
import yaml

import check_log
from log import COMMAND, VOID

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas"
RECORDS_MAX = 20  # of one kind: the rest are like them, and schemas are slow


@functools.cache
def document():
    return yaml.load((SCHEMAS / "asyncapi.yaml").read_text(),
                     getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@functools.cache
def message_of(topic, name):
    """What the document says of a message on a topic; None: it is not there."""
    reference = document()["channels"][topic]["messages"].get(name)
    return reference and document()["components"]["messages"][reference["$ref"].rsplit("/", 1)[-1]]


@functools.cache
def validators(topic, name):
    """Of headers, key and payload."""
    message = message_of(topic, name)
    bindings = message["bindings"]["$ref"].rsplit("/", 1)[-1]
    payload = json.loads((SCHEMAS / message["payload"]["$ref"]).read_text())
    alone = {**message["headers"], "components": document()["components"]}
    key = document()["components"]["messageBindings"][bindings]["kafka"]["key"]
    return [jsonschema.Draft202012Validator(schema) for schema in (alone, key, payload)]


@functools.cache
def replies(service, cause):
    """What the service may answer; `cause` is a message, or "timer"."""
    operation = document()["operations"].get(f"{service}.{cause}", {})
    said = operation.get("reply", operation).get("messages", [])
    return {row["$ref"].rsplit("/", 1)[-1] for row in said}


def text(value):
    return None if value is None else value.decode()


def breaches_of(record):
    if message_of(record.topic, record.type) is None:
        yield f"{record.type} is not published on {record.topic}"
        return
    headers = {name: text(value) for name, value in record.headers}
    whole = (headers, text(record.key), record.body())
    for what, value, validator in zip(("headers", "key", "payload"), whole,
                                      validators(record.topic, record.type), strict=True):
        for error in validator.iter_errors(value):
            yield f"{what} of {record.type} not as published: {error.message}"


def asked(log):
    """The commands that were good: what was refused, or stands in another form, may be anything."""
    for record in log.records:
        answers = log.answers.get((check_log.service_of(record), record.place), [])
        binary = not (record.header("content-type") or "").startswith("application/cloudevents")
        if record.verdict == COMMAND and binary and any(row.type != "Refused" for row in answers):
            yield record


def told(log):
    """Everything that counts."""
    return [record for record in log.records if record.verdict not in (COMMAND, VOID)]


def answered(log):
    for (service, place), outcomes in log.answers.items():
        cause = log.at.get(place)
        for outcome in outcomes:
            if cause and outcome.type != "Refused" \
                    and outcome.type not in replies(service, cause.type):
                yield outcome, f"{outcome.type} is not published as an answer to {cause.type}"
    for record in log.accepted:
        if record.header("sd_source") == "timer" \
                and record.type not in replies(check_log.service_of(record), "timer"):
            yield record, f"{record.type} is not published as said by a timer"


def breaches(records):
    log = check_log.Log(records)
    seen = collections.Counter()
    found = [f"{record.place}: {what}" for record, what in answered(log)]
    for record in [*asked(log), *told(log)]:
        seen[record.topic, record.type] += 1
        if seen[record.topic, record.type] <= RECORDS_MAX:
            found += [f"{record.place}: {what}" for what in breaches_of(record)]
    return found
