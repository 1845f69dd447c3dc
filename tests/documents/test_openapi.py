"""schemas/openapi.yaml says what the edge answers: each route, and no other."""

import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).parents[2]
sys.path.append(str(ROOT / "schemas"))
import openapi  # noqa: E402

METHODS = {"get", "post", "put", "patch", "delete"}


def document():
    return yaml.safe_load((ROOT / "schemas/openapi.yaml").read_text())


def test_openapi__is_served_as_it_is_written():
    assert (ROOT / "schemas/openapi.json").read_text() == openapi.as_json(), "run: make schemas"
    assert (ROOT / "schemas/openapi.html").read_text() == openapi.as_html(), "run: make schemas"


def test_openapi__has_every_route_and_no_other():
    rows = re.findall(r'\{VERB_(\w+), "([^"]+)", CALLER_(\w+), ([^,]+),',
                      (ROOT / "api/routes.c").read_text())
    routes = {(verb.lower(), path): role for verb, path, role, flags in rows
              if "ROUTE_OF_SHOWS" not in flags}
    assert len(routes) > 30
    said = {(method, re.sub(r"\{[^}]*\}", "{}", path)): operation
            for path, item in document()["paths"].items()
            for method, operation in item.items() if method in METHODS}
    assert set(said) == set(routes)
    for route, role in routes.items():
        if said[route]["tags"] != ["sample"]:
            needs_key = said[route].get("security") == [{"key": []}]
            assert needs_key == (role != "PUBLIC"), route


def test_openapi__every_reference_is_there():
    whole = document()

    def look(value):
        if isinstance(value, dict):
            if "$ref" in value:
                found = whole
                for part in value["$ref"].removeprefix("#/").split("/"):
                    found = found[part]
            for inner in value.values():
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)
    look(whole)
    ids = [operation["operationId"] for item in whole["paths"].values()
           for method, operation in item.items() if method in METHODS]
    assert len(ids) == len(set(ids))
