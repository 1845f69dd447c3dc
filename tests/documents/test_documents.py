"""What contract/ writes, read by those it is written for: the AsyncAPI document by its official
parser and against the records' own schemas, the drawings by Mermaid's."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import jsonschema
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
NODE = pathlib.Path(os.environ.get("STAGEDOOR_NODE", ROOT / "build/node"))
CONTRACT = ROOT / "build/release/contract/contract"
HERE = pathlib.Path(__file__).parent

MESSAGES = re.findall(r"^MESSAGE\((\w+), (\w+), (\w+)", (ROOT / "schemas/messages.def").read_text(),
                      re.M)
SERVICES = ("shows", "reservations", "checkout")
# The document keeps to 3.0.0, which all tools read; the parser would like to see its newest.
EXPECTED = {"asyncapi-latest-version"}


def node(program, *paths):
    done = subprocess.run(["node", HERE / program, *paths], capture_output=True, text=True,
                          env=dict(os.environ, STAGEDOOR_NODE=str(NODE)), timeout=600)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def document():
    return yaml.safe_load((ROOT / "schemas/asyncapi.yaml").read_text())


@pytest.fixture
def copy(tmp_path):
    """A root with what `contract` reads and writes."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    shutil.copy(ROOT / "ARCHITECTURE.md", tmp_path)
    return tmp_path


def contract(verb, root):
    return subprocess.run([CONTRACT, verb, root], capture_output=True, text=True)


def reactions():
    """{service: {input: [outcomes]}} as its source says, "NONE" for the timer: read once more, so
    that a mistake there is not a mistake here."""
    found = {}
    for service in SERVICES:
        source = (ROOT / f"services/{service}/{service}_service.c").read_text()
        table = re.search(r"reactions\[\] = \{(.*?)\n\};", source, re.S)[1]
        rows = re.findall(r"\{MESSAGE_(\w+),\s*\d+,\s*\{(.*?)\}\}", table, re.S)
        found[service] = {name: re.findall(r"MESSAGE_(\w+)", outcomes) for name, outcomes in rows}
    return found


def last(reference):
    return reference["$ref"].rsplit("/", 1)[-1]


# ---- the AsyncAPI document -----------------------------------------------------------------------

def test_asyncapi__the_official_parser_accepts_it(document):
    [said] = node("asyncapi.mjs", ROOT / "schemas/asyncapi.yaml")
    assert [row for row in said["diagnostics"] if row["code"] not in EXPECTED] == []
    assert {row["severity"] for row in said["diagnostics"]} <= {"information"}
    assert said["read"] == len(document["operations"])


def test_asyncapi__the_parser_would_tell(copy):
    text = (copy / "schemas/asyncapi.yaml").read_text()
    paths = []
    for number, (find, put) in enumerate([
            ("asyncapi: '3.0.0'", "asyncapi: '9.0.0'"),
            ("action: receive", "action: perceive"),
            ("      - $ref: '#/channels/shows.events/messages/HoldExpired'",
             "      - $ref: '#/channels/checkout.events/messages/PaymentFailed'"),
            ("- $ref: '#/channels/shows.events/messages/SeatsHeld'",
             "- $ref: '#/channels/shows.events/messages/SeatsSeized'"),
            ("./json/shows.SeatsHeld.schema.json", "./json/shows.SeatsSeized.schema.json"),
            ("retention.ms: -1", "retention.ms: never")]):
        assert find in text
        paths.append(copy / f"schemas/{number}.yaml")
        paths[-1].write_text(text.replace(find, put))
    for path, said in zip(paths, node("asyncapi.mjs", *paths), strict=True):
        assert "error" in {row["severity"] for row in said["diagnostics"]}, path


def test_asyncapi__operations_are_the_reactions(document):
    said = {service: {} for service in SERVICES}
    for name, operation in document["operations"].items():
        service, about = name.split(".")
        channel = last(operation["channel"])
        if operation["action"] == "receive":
            assert last(operation["reply"]["channel"]) == f"{service}.events"
            outcomes = operation["reply"]["messages"]
            assert [last(message) for message in operation["messages"]] == [about]
        else:
            assert channel == f"{service}.events"
            outcomes = operation["messages"]
        for message in outcomes:  # the parser does not look whether a reply is on its channel
            assert message["$ref"].startswith(f"#/channels/{service}.events/messages/")
        said[service]["NONE" if about == "timer" else about] = [last(row) for row in outcomes]
    owner = ["Claimed", "Progress"]
    assert said == {service: {**rows, "owner": owner} for service, rows in reactions().items()}


def test_asyncapi__every_message_has_its_place(document):
    places = {topic: set(channel["messages"]) for topic, channel in document["channels"].items()}
    assert len(places) == 6
    shared = {name for name, service, _ in MESSAGES if service in ("any", "bus")}
    for topic, names in places.items():
        service, kind = topic.split(".")
        own = {name for name, speaker, role in MESSAGES
               if speaker == service and role == kind[:-1].upper()}
        assert names == (own | shared if kind == "events" else own), topic
    for name, message in document["components"]["messages"].items():
        assert (ROOT / "schemas" / message["payload"]["$ref"]).is_file(), name


def resolved(document, schema):
    """A headers schema that stands alone."""
    return {**schema, "components": document["components"]}


def header_example(document, name):
    """The examples of a kind of headers, put together."""
    rows = document["components"]["schemas"][name]["properties"]
    return {header: row["examples"][0] for header, row in rows.items() if "examples" in row}


def test_asyncapi__examples_fit_their_schemas(document):
    messages = document["components"]["messages"]
    assert messages
    for name, message in messages.items():
        [example] = message["examples"]
        payload = json.loads((ROOT / "schemas" / message["payload"]["$ref"]).read_text())
        jsonschema.Draft202012Validator(payload).validate(example["payload"])
        kind = last(message["headers"]["allOf"][0])
        headers = jsonschema.Draft202012Validator(resolved(document, message["headers"]))
        whole = {**header_example(document, kind), "ce_type": message["name"]}
        headers.validate(whole)
        headers.validate({**whole, **example.get("headers", {})})
        assert ("headers" in example) == (kind == "CommandHeaders")
        for change in ({"ce_type": "stagedoor.shows.Unheard"}, {"sd_stamp": "7"} if "sd_stamp"
                       in whole else {"ce_type": 1}):
            assert not headers.is_valid({**whole, **change}), name


def test_asyncapi__topics_are_made_as_it_says(document):
    source = (ROOT / "bus/kafka_topics.c").read_text()
    made = dict(re.findall(r'\{"([a-z.]+)", "?([\w-]+)"?\}', source))
    made["message.timestamp.type"] = re.search(r'KAFKA_TIME_SETTING, .*: "(\w+)"\}', source)[1]
    made["max.message.bytes"] = re.search(r'batch_max\[\] = "(\d+)"', source)[1]
    for topic, channel in document["channels"].items():
        kafka = channel["bindings"]["kafka"]
        for name, value in kafka["topicConfiguration"].items():
            value = ",".join(value) if isinstance(value, list) else str(value)
            assert made[name] == value, f"{topic}: {name}"


# ---- the drawings --------------------------------------------------------------------------------

def test_drawings__mermaid_reads_them():
    drawings = node("mermaid.mjs", ROOT / "ARCHITECTURE.md")
    assert drawings
    assert [drawing["error"] for drawing in drawings if "error" in drawing] == []
    names = {name for name, _, _ in MESSAGES}
    timers = {f"{service}_timer" for service in SERVICES}
    arrows = [tuple(arrow) for drawing in drawings for arrow in drawing["arrows"]]
    for drawing in drawings:
        assert set(drawing["boxes"]) <= names | timers
    expected = {(f"{service}_timer" if name == "NONE" else name, outcome)
                for service, rows in reactions().items()
                for name, outcomes in rows.items()
                for outcome in outcomes if outcome != "Refused"}
    assert set(arrows) == expected
    assert len(arrows) == len(set(arrows))


def test_drawings__mermaid_would_tell(copy):
    page = copy / "ARCHITECTURE.md"
    page.write_text(page.read_text().replace("CreateShow --> ShowCreated", "CreateShow --> -->"))
    first, *others = node("mermaid.mjs", page)
    assert "Parse error" in first["error"]
    assert others and all("error" not in drawing for drawing in others)


# ---- the program ---------------------------------------------------------------------------------

def test_contract__what_is_committed_is_fresh(copy):
    done = contract("check", copy)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("path, find, put, told", [
    ("schemas/asyncapi.yaml", "SeatsHeld", "SeatsSeized",
     "schemas/asyncapi.yaml:1: is stale; write it again: make schemas"),
    ("schemas/asyncapi.yaml", None, None, "schemas/asyncapi.yaml:1: is stale"),
    ("schemas/examples/SeatsHeld.json", '"quantity": 2', '"quantity": 1',
     "schemas/asyncapi.yaml:1: is stale"),
    ("ARCHITECTURE.md", "--> SeatsHeld", "--> SeatsSold",
     "ARCHITECTURE.md:1: is stale; write it again: make schemas"),
    ("ARCHITECTURE.md", "<!-- until here -->", "", "ARCHITECTURE.md:1: has no place for the"),
    ("ARCHITECTURE.md", None, None, "ARCHITECTURE.md:1: has no place for the drawings"),
])
def test_contract__tells_what_is_stale(copy, path, find, put, told):
    file = copy / path
    if find is None:
        file.unlink()
    else:
        assert find in file.read_text()
        file.write_text(file.read_text().replace(find, put, 1))
    done = contract("check", copy)
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line.startswith(told)] \
        == done.stdout.splitlines() != []


def test_contract__writes_it_again(copy):
    fresh = {name: (copy / name).read_text() for name in ("schemas/asyncapi.yaml", "ARCHITECTURE.md")}
    (copy / "schemas/asyncapi.yaml").unlink()
    page = copy / "ARCHITECTURE.md"
    page.write_text(re.sub(r"(<!-- written by make schemas: -->\n).*(<!-- until here -->)",
                           r"\1\2", page.read_text(), flags=re.S))
    assert contract("check", copy).returncode == 1
    assert contract("write", copy).returncode == 0
    assert {name: (copy / name).read_text() for name in fresh} == fresh
    assert contract("check", copy).returncode == 0


def test_contract__says_how_it_is_called(copy):
    for arguments in ([], ["check"], ["draw", copy], ["check", copy, copy]):
        done = subprocess.run([CONTRACT, *arguments], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (100, "usage: contract check|write ROOT\n")
    (copy / "schemas/asyncapi.yaml").unlink()
    (copy / "schemas/asyncapi.yaml").mkdir()
    done = contract("write", copy)
    assert done.returncode == 111
    assert "contract: cannot read '" in done.stderr
