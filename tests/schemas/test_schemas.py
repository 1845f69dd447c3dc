"""The JSON Schemas and the codec say the same: about the examples, and about what is nearly them.

Each example is changed in one place, every way that tends to find the edge of a rule, and the
verdict of jsonschema on schemas/json is compared with the codec's (codec_check). ASCII only: a
schema counts characters where the codec counts bytes."""

import copy
import json
import os
import pathlib
import re
import subprocess

import jsonschema
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODEC_CHECK = os.environ.get(
    "STAGEDOOR_CODEC_CHECK", ROOT / "build/release/test/schemas/codec_check")
EXAMPLES = sorted((ROOT / "schemas/examples").glob("*.json"))

WRONG_TYPES = [None, True, False, 0, -1, 1.5, "", "x", [], [None], {}]
EXTRAS = [("stranger", None), ("SHOW_ID", 7), ("", {"deep": [0.5, {"a": []}]})]
SPOILERS = [" ", "\t", "\n", "\x00", "\x1f", "\x7f", "@", ".", "/", "`", "{", "[", ":",
            "A", "g", "0"]


def pattern(validator, pattern, instance, schema):
    """ECMA-262's `$` is the end; Python's is also before a line feed that ends the text."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator, {"pattern": pattern})


def schema_of(name):
    found = list((ROOT / "schemas/json").glob(f"*.{name}.schema.json"))
    assert len(found) == 1, f"{name} has {len(found)} schemas"
    return json.loads(found[0].read_text())


def texts(schema, value):
    low, high = schema["minLength"], schema["maxLength"]
    fill = value[-1]
    yield from (value[:low], value[:low - 1], "", fill * low, fill * (low - 1))
    yield (value + fill * high)[:high]
    yield (value + fill * high)[:high + 1]
    for spoiler in SPOILERS:
        yield value + spoiler
        yield spoiler + value
        yield value[:-1] + spoiler
        yield spoiler + value[1:]
        yield value[:1] + spoiler + value[2:]
    yield from (value.upper(), value.lower(), value.replace("-", ""), value + value)
    yield from ("a@b", "@ab", "ab@", "a@@", "@@@", "a b@c", "a@b c", "aab")
    yield from ("+12", "+1", "+012", "012")


def integers(schema):
    low, high = schema["minimum"], schema["maximum"]
    yield from (low, low - 1, low + 1, high, high - 1, high + 1, -low, float(low), high + 0.0)
    yield from (low + 0.5, 1e300, 2**53, 2**53 + 1, 2**63, -2**63, -0.0, str(low))


def lists(schema, value):
    low, high = schema["minItems"], schema["maxItems"]
    for count in (0, low - 1, low, low + 1, high - 1, high, high + 1):
        if schema.get("uniqueItems"):
            yield list(range(1, count + 1))
        yield (value * (count + 1))[:max(count, 0)]


def near(schema, value):
    """Other values that a reader of this schema may find where `value` is."""
    yield from WRONG_TYPES
    if "enum" in schema:
        for word in schema["enum"]:
            yield from (word, word.upper(), word + "s", word[:-1], " " + word)
    elif schema["type"] == "string":
        yield from texts(schema, value)
    elif schema["type"] == "integer":
        yield from integers(schema)
    elif schema["type"] == "array":
        yield from lists(schema, value)
        for place, item in enumerate(value):
            for other in near({"type": "object"} | schema["items"], item):
                yield value[:place] + [other] + value[place + 1:]
    elif schema["type"] == "object":
        yield from objects(schema, value)


def objects(schema, value):
    for name in value:
        yield {key: value[key] for key in value if key != name}
        for other in near(schema["properties"][name], value[name]):
            yield value | {name: other}
    for name, extra in EXTRAS:
        yield value | {name: extra}
    yield dict(reversed(value.items()))


def codec_verdicts(name, documents):
    lines = "".join(f"{name}\t{json.dumps(document)}\n" for document in documents)
    done = subprocess.run([CODEC_CHECK], input=lines, capture_output=True, text=True, check=True)
    verdicts = done.stdout.splitlines()
    assert len(verdicts) == len(documents)
    return verdicts


def has_nul(document):
    return "\\u0000" in json.dumps(document)


@pytest.fixture(scope="module", autouse=True)
def helper():
    if not os.access(CODEC_CHECK, os.X_OK):
        pytest.exit(f"no '{CODEC_CHECK}'; build it: make build/release/test/schemas/codec_check", 1)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_schemas__agree_with_the_codec(path):
    example = json.loads(path.read_text())
    schema = schema_of(path.stem)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = Validator(schema)
    documents = [example, *objects(schema, copy.deepcopy(example)), *WRONG_TYPES]
    verdicts = codec_verdicts(path.stem, documents)
    assert verdicts[0] == "ok"
    seen = {True: 0, False: 0}
    for document, verdict in zip(documents, verdicts):
        good = validator.is_valid(document) and not has_nul(document)
        assert good == (verdict == "ok"), f"schema: {good}, codec: {verdict}: {document}"
        # Only what is no object at all, or has a U+0000, is undecodable rather than invalid.
        undecodable = not isinstance(document, dict) or has_nul(document)
        assert undecodable == verdict.startswith("undecodable"), f"{verdict}: {document}"
        seen[good] += 1
    assert seen[True] > 3 and seen[False] > 10, f"mutants say too little: {seen}"


def test_schemas__name_the_field_that_is_missing():
    for path in EXAMPLES:
        example = json.loads(path.read_text())
        required = schema_of(path.stem)["required"]
        without = [{k: v for k, v in example.items() if k != name} for name in required]
        for name, verdict in zip(required, codec_verdicts(path.stem, without)):
            assert verdict == f"invalid {name} is missing"


def test_schemas__every_message_has_schema_and_example():
    table = (ROOT / "schemas/messages.def").read_text()
    names = dict(re.findall(r"^MESSAGE\((\w+), (\w+),", table, re.M))
    assert names
    assert {path.stem for path in EXAMPLES} == set(names)
    schemas = {path.name for path in (ROOT / "schemas/json").iterdir()}
    assert schemas == {f"{service}.{name}.schema.json" for name, service in names.items()}


def test_schemas__examples_are_in_the_order_of_their_schemas():
    for path in EXAMPLES:
        example = json.loads(path.read_text())
        order = [name for name in schema_of(path.stem)["properties"] if name in example]
        assert list(example) == order, path.name
        assert path.read_text() == json.dumps(example, indent=2) + "\n", path.name
