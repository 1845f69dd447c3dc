#!/usr/bin/python3
"""Writes schemas/openapi.yaml, which people read and write, as JSON, which programs read, and as a page
for a browser. Edges serve both."""

import base64
import hashlib
import html
import json
import pathlib

import yaml

HERE = pathlib.Path(__file__).parent
METHODS = ("get", "post", "put", "patch", "delete")

STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:3rem;border-bottom:1px solid;text-transform:capitalize}
h3{margin-top:2rem;font:600 1rem/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
code,pre{font:.9rem/1.5 ui-monospace,monospace}
pre{overflow-x:auto;padding:.5rem 1rem;border:1px solid;border-radius:4px}
ul{padding-left:1.2rem}
"""


def document():
    return yaml.safe_load((HERE / "openapi.yaml").read_text())


def as_json():
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


class Page:
    def __init__(self, whole):
        self.whole, self.lines = whole, []

    def add(self, text):
        self.lines.append(text)

    def found(self, value):
        """What a $ref stands for."""
        while isinstance(value, dict) and "$ref" in value:
            target = self.whole
            for part in value["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            value = target
        return value

    def text(self, words):
        """Escaped, with `code` as code."""
        parts = html.escape(words.strip(), quote=False).split("`")
        return "".join(f"<code>{part}</code>" if number % 2 else part
                       for number, part in enumerate(parts))

    def kind(self, schema):
        """A schema in a word or two."""
        if "$ref" in schema:
            return schema["$ref"].rsplit("/", 1)[1]
        if "const" in schema or "enum" in schema:
            return " or ".join(map(str, schema.get("enum", [schema.get("const")])))
        if schema.get("type") == "array":
            return f"list of {self.kind(schema.get('items', {}))}"
        return schema.get("format") or str(schema.get("type", "any"))

    def fields(self, schema):
        schema = self.found(schema)
        for part in schema.get("allOf", []):
            self.fields(part)
        if not schema.get("properties"):
            return
        self.add("<ul>")
        for name, value in schema["properties"].items():
            needed = "" if name in schema.get("required", []) else ", may be left out"
            more = self.found(value).get("description", "") if isinstance(value, dict) else ""
            self.add(f"<li><code>{html.escape(name)}</code>: {html.escape(self.kind(value))}{needed}"
                     f"{'. ' + self.text(more) if more else ''}</li>")
        self.add("</ul>")

    def operation(self, method, path, item, operation):
        self.add(f'<h3 id="{operation["operationId"]}">{method.upper()} {html.escape(path)}</h3>')
        self.add(f"<p>{self.text(operation['summary'])}.</p>")
        if "description" in operation:
            self.add(f"<p>{self.text(operation['description'])}</p>")
        parameters = [self.found(one) for one in item.get("parameters", []) +
                      operation.get("parameters", [])]
        if parameters:
            self.add("<ul>")
            for one in parameters:
                needed = "" if one.get("required") else ", may be left out"
                self.add(f"<li><code>{html.escape(one['name'])}</code> in the {one['in']}{needed}. "
                         f"{self.text(one.get('description', ''))}</li>")
            self.add("</ul>")
        body = self.found(operation.get("requestBody", {}))
        for content in body.get("content", {}).values():
            self.add("<p>Body:</p>")
            self.fields(content.get("schema", {}))
            for example in content.get("examples", {}).values():
                example = json.dumps(self.found(example)["value"], ensure_ascii=False)
                self.add(f"<pre>{html.escape(example, quote=False)}</pre>")
        told = ", ".join(f"<code>{status}</code> {self.text(self.found(answer)['description'])}"
                         for status, answer in operation["responses"].items())
        self.add(f"<p>Answers: {told}</p>")

    def write(self):
        info = self.whole["info"]
        digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
        self.add('<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">')
        self.add(f'<meta http-equiv="Content-Security-Policy" '
                 f"content=\"default-src 'none'; style-src 'sha256-{digest}'\">")
        self.add('<meta name="viewport" content="width=device-width">')
        self.add(f"<title>{info['title']}: the HTTP API</title><style>{STYLE}</style></head><body>")
        self.add(f"<h1>{info['title']}</h1><p>{self.text(info['summary'])}</p>")
        self.add(f"<p>{self.text(info['description'])}</p>")
        self.add('<p>For programs: <a href="/openapi.json">openapi.json</a>.</p>')
        for tag in self.whole["tags"]:
            self.add(f"<h2>{tag['name']}</h2><p>{self.text(tag['description'])}</p>")
            for path, item in self.whole["paths"].items():
                for method in METHODS:
                    if method in item and item[method]["tags"] == [tag["name"]]:
                        self.operation(method, path, item, item[method])
        self.add("</body></html>")
        return "\n".join(self.lines) + "\n"


def as_html():
    return Page(document()).write()


if __name__ == "__main__":
    (HERE / "openapi.json").write_text(as_json())
    (HERE / "openapi.html").write_text(as_html())
