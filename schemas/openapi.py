#!/usr/bin/python3
"""Writes schemas/openapi.yaml, which people read and write, as JSON, which the edge serves."""

import json
import pathlib

import yaml

HERE = pathlib.Path(__file__).parent


def as_json():
    document = yaml.safe_load((HERE / "openapi.yaml").read_text())
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (HERE / "openapi.json").write_text(as_json())
