#!/usr/bin/python3
"""The rules of this source tree as a program: one line per rule, and a line per breach.

    check.py [--root DIR] [--build DIR] [--generate PROGRAM] [--contract PROGRAM] [--cc CC] [RULE…]

Exit 0: every rule holds; 1: a breach, each told as file:line; 100: usage. Rules that look at what
was built (cores, schemas) say what to build when it is not there: a rule that cannot look has not
held."""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED_FOLDERS = {".git", "build", "var", "__pycache__", ".pytest_cache"}
SOURCE_SUFFIXES = {".c", ".h", ".def", ".py", ".sh", ".js", ".css", ".html"}
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 1000
COLUMNS_MAX = 100

# Who may include whose headers. A layer may always include its own. In services/X, main.c and
# X_service.[ch] are the shell that hands the core to the bus; all the rest is core. The auditor
# shares nothing with the services, but where it asks them to decide again.
ARROWS = {
    "base": set(),
    "schemas": {"base"},
    "process": {"base", "schemas"},
    "bus": {"base", "schemas", "process"},
    "core": {"base", "schemas"},
    "shell": {"base", "schemas", "process", "bus", "core"},
    "contract": {"base", "schemas", "bus", "shell"},
    "audit": {"base", "schemas", "bus"},
    "replay": {"base", "schemas", "bus", "audit", "shell"},
    "keys": {"base"},
    "manager": {"base", "schemas", "process"},
    "story": {"base", "schemas", "bus"},
    "api": {"base", "schemas", "process", "bus", "keys", "story"},
    "cli": {"base", "schemas", "bus", "audit", "keys", "story", "manager", "process"},
    "paydesk": {"base", "schemas", "process", "bus"},
    "tests": {"base", "schemas", "process", "bus", "core", "shell", "contract", "audit", "keys", "story",
              "api", "cli", "paydesk", "manager"},
}

# Which files alone may include a library's header.
LIBRARY_HEADERS = {
    "microhttpd.h": r"(process/admin|api/http)\.c",
    "cjson/": r"schemas/[^/]*\.[ch]",
    "librdkafka/": r"bus/kafka[^/]*\.[ch]",
    "sqlite3.h": r"(bus/sqlite[^/]*|api/register[^/]*|paydesk/ledger)\.[ch]",
}

# Headers that their folder keeps to itself; tests may look behind them.
PRIVATE_HEADERS = {"schemas/shape.h": "schemas", "bus/backend.h": "bus", "audit/book.h": "audit",
                   "base/options_reading.h": "base"}

# What a core's object may leave undefined beside its own service, base and schemas.
PURE_SYMBOLS = {"__assert_fail", "memcpy", "memmove", "memset", "memcmp"}
COMPILER_SYMBOLS = {"_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail"}
IMPURE_OBJECTS = {"base/clock.o", "base/log.o", "base/metrics.o"}
IMPURE_SYMBOLS = r"prng_seed_random|uuid_random|json_.*"

UNFINISHED = re.compile(r"\b(FIX" r"ME|TO" r"DO|X" r"XX)\b")


class Tree:
    def __init__(self, options):
        self.root = pathlib.Path(options.root).resolve()
        self.build = self.root / options.build
        self.generate = self.root / options.generate
        self.contract = self.root / options.contract
        self.compiler = options.cc
        self.files = sorted(self._walk())

    def _walk(self):
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
            for name in names:
                yield (pathlib.Path(folder) / name).relative_to(self.root).as_posix()

    def of(self, *suffixes):
        return [path for path in self.files if path.endswith(suffixes)]

    def lines(self, path):
        return (self.root / path).read_text(errors="replace").splitlines()


def layer_of(path):
    """The layer of a path, and for services the service."""
    parts = path.split("/")
    if path == "audit/replay.c":
        return "replay", None
    if parts[0] == "services" and len(parts) > 2:
        shell = parts[2] == "main.c" or re.fullmatch(r"\w+_service\.[ch]", parts[2])
        return ("shell" if shell else "core"), parts[1]
    return (parts[0] if len(parts) > 1 and parts[0] in ARROWS else None), None


# ---- rules: each yields "file:line: what is wrong" and returns how much it looked at -------------

def includes(tree, path):
    for number, line in enumerate(tree.lines(path), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if found:
            yield number, found[1], found[2]


def arrow_breach(tree, path, header):
    layer, service = layer_of(path)
    if not (tree.root / header).is_file():
        return f'"{header}" is not there; name it from the root'
    target, target_service = layer_of(header)
    if target is None:
        return f"{header} is in no layer"
    if layer is None or layer == "tests":
        return None
    folder = path.split("/")[0]
    if PRIVATE_HEADERS.get(header, folder) != folder:
        return f"{header} is for {PRIVATE_HEADERS[header]}/ only"
    if target_service and service and target_service != service:
        return f"{service} may not include {target_service}: services only meet in the log"
    if target != layer and target not in ARROWS[layer]:
        return f"{layer} may not include {target}"
    return None


def rule_arrows(tree):
    """includes point down the layers only"""
    sources = tree.of(".c", ".h", ".def")
    for path in sources:
        for number, kind, header in includes(tree, path):
            breach = arrow_breach(tree, path, header) if kind == '"' else None
            if breach:
                yield f"{path}:{number}: {breach}"
    return f"{len(sources)} files"


def rule_libraries(tree):
    """each library is included by its own layer only"""
    sources = tree.of(".c", ".h")
    for path in sources:
        for number, _, header in includes(tree, path):
            for library, allowed in LIBRARY_HEADERS.items():
                if header.startswith(library) and not path.startswith("tests/") \
                        and not re.fullmatch(allowed, path):
                    yield f"{path}:{number}: {header} is for {allowed} only"
    return f"{len(sources)} files"


def nm(option, path):
    done = subprocess.run(["nm", option, path], capture_output=True, text=True, check=True)
    return {line.split()[-1].split("@")[0] for line in done.stdout.splitlines() if line.strip()}


def defined_in(tree, folder):
    found = set()
    for path in sorted((tree.build / folder).rglob("*.o")):
        name = path.relative_to(tree.build).as_posix()
        if name not in IMPURE_OBJECTS and layer_of(name[:-2] + ".c")[0] != "shell":
            found |= nm("--defined-only", path)
    return found


def rule_cores(tree):
    """the objects of cores need nothing but base, schemas, assert and mem*"""
    sources = [path for path in tree.of(".c") if layer_of(path)[0] == "core"]
    if not sources:
        return "no cores yet"
    shared = defined_in(tree, "base") | defined_in(tree, "schemas")
    shared = {name for name in shared if not re.fullmatch(IMPURE_SYMBOLS, name)}
    for path in sources:
        made = tree.build / (path[:-2] + ".o")
        if not made.is_file():
            yield f"{path}:1: '{made}' is not there; build it first"
            continue
        own = defined_in(tree, os.path.dirname(path))
        for name in sorted(nm("--undefined-only", made) - shared - own - PURE_SYMBOLS
                           - COMPILER_SYMBOLS):
            yield f"{path}:1: a core may not need '{name}'"
    return f"{len(sources)} objects"


def rule_functions(tree):
    """a function has at most 70 lines"""
    count = 0
    for path in tree.of(".c", ".h"):
        start = None
        lines = tree.lines(path)
        for number, line in enumerate(lines, 1):
            if line.startswith("{"):
                start = number
            elif line.startswith("}") and start:
                count += 1
                size = number - start + 1
                if size > FUNCTION_LINES_MAX:
                    yield f"{path}:{start}: '{name_above(lines, start)}' has {size} lines"
                start = None
    return f"{count} functions"


def name_above(lines, start):
    signature = ""
    for line in reversed(lines[:start - 1]):
        signature = line + " " + signature
        if not line[:1].isspace():
            break
    found = re.search(r"(\w+)\(", re.sub(r"__attribute__\(\(.*?\)\)\)?", "", signature))
    return found[1] if found else "a function"


def rule_files(tree):
    """a file has at most 1000 lines"""
    sources = tree.of(".c", ".h", ".def", ".py", ".js")
    for path in sources:
        count = len(tree.lines(path))
        if count > FILE_LINES_MAX:
            yield f"{path}:{FILE_LINES_MAX + 1}: {count} lines"
    return f"{len(sources)} files"


def rule_columns(tree):
    """a line has at most 100 columns, no tab, no space at its end"""
    sources = tree.of(".c", ".h", ".def")
    for path in sources:
        for number, line in enumerate(tree.lines(path), 1):
            if len(line) > COLUMNS_MAX:
                yield f"{path}:{number}: {len(line)} columns"
            if "\t" in line or line != line.rstrip():
                yield f"{path}:{number}: a tab, or space at the end"
    return f"{len(sources)} files"


def rule_readmes(tree):
    """each folder with sources has a README.md (tests and compose have one for all below)"""
    folders = {os.path.dirname(path) for path in tree.files
               if os.path.splitext(path)[1] in SOURCE_SUFFIXES}
    folders = {re.sub(r"^(tests|compose)/.*", r"\1", folder) for folder in folders} - {""}
    for folder in sorted(folders):
        if f"{folder}/README.md" not in tree.files:
            yield f"{folder}/README.md:1: is missing"
    return f"{len(folders)} folders"


def rule_messages(tree):
    """each message has an example and a schema, and no other has"""
    table = (tree.root / "schemas/messages.def").read_text()
    messages = re.findall(r"^MESSAGE\((\w+), (\w+),", table, re.M)
    if not messages:
        yield "schemas/messages.def:1: no message found"
    expected = {f"schemas/examples/{name}.json" for name, _ in messages}
    expected |= {f"schemas/json/{service}.{name}.schema.json" for name, service in messages}
    present = {path for path in tree.files
               if path.startswith(("schemas/examples/", "schemas/json/"))}
    for path in sorted(expected - present):
        yield f"{path}:1: is missing"
    for path in sorted(present - expected):
        yield f"{path}:1: belongs to no message"
    return f"{len(messages)} messages"


def rule_schemas(tree):
    """schemas/json is what the tables say today"""
    if not os.access(tree.generate, os.X_OK):
        yield f"schemas/generate.c:1: '{tree.generate}' is not there; build it first"
        return ""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([tree.generate, folder], check=True)
        names = sorted(os.listdir(folder))
        for name in names:
            kept = tree.root / "schemas/json" / name
            made = pathlib.Path(folder) / name
            if not kept.is_file() or kept.read_bytes() != made.read_bytes():
                yield f"schemas/json/{name}:1: is stale; write it again: make schemas"
    if not names:
        yield "schemas/generate.c:1: wrote nothing"
    return f"{len(names)} schemas"


def rule_contract(tree):
    """the services' reactions together make sense, and are what is drawn and published"""
    if not os.access(tree.contract, os.X_OK):
        yield f"contract/main.c:1: '{tree.contract}' is not there; build it first"
        return ""
    done = subprocess.run([tree.contract, "check", tree.root], capture_output=True, text=True)
    yield from done.stdout.splitlines()
    if done.returncode and not done.stdout:
        yield f"contract/main.c:1: 'contract check' ended with {done.returncode}: {done.stderr}"
    return "every reaction of every service"


def rule_unfinished(tree):
    """nothing is marked as unfinished"""
    sources = [path for path in tree.files
               if os.path.splitext(path)[1] in SOURCE_SUFFIXES | {".md", ".yml", ".sql"}
               or os.path.basename(path) == "Makefile"]
    for path in sources:
        for number, line in enumerate(tree.lines(path), 1):
            if UNFINISHED.search(line):
                yield f"{path}:{number}: finish it, or write down elsewhere what is left"
    return f"{len(sources)} files"


def rule_headers(tree):
    """each header compiles alone"""
    headers = tree.of(".h")
    libraries = ["rdkafka", "libmicrohttpd", "libcjson", "sqlite3", "libcrypto", "libcurl"]
    flags = []
    for library in libraries:
        done = subprocess.run(["pkg-config", "--cflags", library], capture_output=True, text=True)
        flags += done.stdout.split()

    def compile_alone(path):
        return path, subprocess.run(
            [tree.compiler, "-fsyntax-only", "-x", "c", "-std=c11", "-D_GNU_SOURCE", "-Wall",
             "-Wextra", "-Werror", "-I.", *flags, path],
            cwd=tree.root, capture_output=True, text=True)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, done in pool.map(compile_alone, headers):
            if done.returncode:
                said = re.search(r"^\S+:\d+(:\d+)?: (fatal )?error: .*$", done.stderr, re.M)
                yield f"{path}:1: {said[0] if said else done.stderr.strip()}"
    return f"{len(headers)} headers"


def rule_format(tree):
    """clang-format would change nothing"""
    sources = tree.of(".c", ".h")
    if not sources:
        return "0 files"
    if not shutil.which("clang-format"):
        yield ".clang-format:1: clang-format is not installed"
        return ""
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *sources],
                          cwd=tree.root, capture_output=True, text=True)
    told = set()
    for path, line in re.findall(r"^(\S+?):(\d+):\d+: error: code should be clang-formatted",
                                 done.stderr, re.M):
        if path not in told:
            told.add(path)
            yield f"{path}:{line}: is not formatted; try: make fmt"
    if done.returncode and not told:
        yield f".clang-format:1: {done.stderr.strip()}"
    return f"{len(sources)} files"


RULES = {name[5:]: rule for name, rule in globals().items() if name.startswith("rule_")}


def run(rule, tree):
    """What a rule found, and what it looked at."""
    breaches, generator = [], rule(tree)
    while True:
        try:
            breaches.append(next(generator))
        except StopIteration as end:
            return breaches, end.value


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--root", default=".")
    parser.add_argument("--build", default="build/release", help="objects, below the root")
    parser.add_argument("--generate", default="build/release/schemas/generate")
    parser.add_argument("--contract", default="build/release/contract/contract")
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("rules", nargs="*", metavar="RULE", help=", ".join(RULES))
    try:
        options = parser.parse_args()
    except SystemExit as end:
        return 100 if end.code else 0
    unknown = set(options.rules) - set(RULES)
    if unknown:
        print(f"unknown rule '{sorted(unknown)[0]}'; there are: {', '.join(RULES)}",
              file=sys.stderr)
        return 100
    tree = Tree(options)
    bad = 0
    for name in options.rules or RULES:
        breaches, looked_at = run(RULES[name], tree)
        for breach in breaches:
            print(breach)
        verdict = f"{len(breaches)} breaches" if breaches else f"ok ({looked_at})"
        print(f"{name}: {RULES[name].__doc__}: {verdict}")
        bad += len(breaches)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
