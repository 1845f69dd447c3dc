"""Each rule of check.py can fail: a small tree that holds, then one change that must be told."""

import pathlib
import shutil
import subprocess
import sys

import pytest

CHECK = pathlib.Path(__file__).with_name("check.py")
REPOSITORY = CHECK.parents[2]

GOOD = {
    ".clang-format": (REPOSITORY / ".clang-format").read_text(),
    "base/README.md": "base\n",
    "base/text.h": "#ifndef T\n#define T\nint text(int);\n#endif\n",
    "base/text.c": '#include "base/text.h"\n\nint text(int a)\n{\n    return a;\n}\n',
    "schemas/README.md": "schemas\n",
    "schemas/messages.def": "MESSAGE(SeatsHeld, shows, EVENT, NEEDS(show_id))\n",
    "schemas/examples/SeatsHeld.json": "{}\n",
    "schemas/json/shows.SeatsHeld.schema.json": "{}\n",
    "schemas/shape.h": "struct shape;\n",
    "contract/README.md": "contract\n",
    "contract/contract.h": "struct contract;\n",
    "bus/README.md": "bus\n",
    "bus/bus.h": "struct bus;\n",
    "services/shows/README.md": "shows\n",
    "services/shows/shows_core.c":
        '#include "base/text.h"\n\nint core(int);\n\nint core(int a)\n{\n    return text(a);\n}\n',
    "services/shows/main.c": '#include "bus/bus.h"\n',
}
CONTRACT = '#!/bin/sh\n[ "$1" = check ] && ! cat "$2/breaches" 2> /dev/null\n'
GENERATE = '#!/bin/sh\nprintf "{}\\n" > "$1/shows.SeatsHeld.schema.json"\n'


class Small:
    def __init__(self, root):
        self.root = root
        for path, content in GOOD.items():
            self.write(path, content)
        self.write("build/release/schemas/generate", GENERATE).chmod(0o755)
        self.write("build/release/contract/contract", CONTRACT).chmod(0o755)

    def write(self, path, content):
        whole = self.root / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_text(content)
        return whole

    def build(self):
        for path in sorted(self.root.glob("**/*.c")):
            made = self.root / "build/release" / path.relative_to(self.root).with_suffix(".o")
            made.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["gcc", "-I.", "-c", path, "-o", made], cwd=self.root, check=True)

    def check(self, *rules):
        return subprocess.run([sys.executable, CHECK, "--root", self.root, *rules],
                              capture_output=True, text=True)


@pytest.fixture
def small(tmp_path):
    return Small(tmp_path)


def test_check__holds_for_a_good_tree(small):
    small.build()
    done = small.check()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "breach" not in done.stdout


FUNCTION = "int long_one(void);\n\nint long_one(void)\n{\n%s    return 0;\n}\n"

BREACHES = [
    # rule, file, its content, what must be told
    ("arrows", "base/up.c", '#include "bus/bus.h"\n', "base/up.c:1: base may not include bus"),
    ("arrows", "schemas/up.c", '\n#include "bus/bus.h"\n',
     "schemas/up.c:2: schemas may not include bus"),
    ("arrows", "bus/up.c", '#include "services/shows/shows_core.h"\n',
     "bus/up.c:1: bus may not include core"),
    ("arrows", "services/shows/shows_core.c", '#include "bus/bus.h"\n', "core may not include bus"),
    ("arrows", "services/checkout/main.c", '#include "services/shows/shows_core.h"\n',
     "services only meet in the log"),
    ("arrows", "cli/x.c", '#include "services/shows/shows_core.h"\n', "cli may not include core"),
    ("arrows", "api/x.c", '#include "contract/contract.h"\n', "api may not include contract"),
    ("arrows", "bus/x.c", '#include "contract/contract.h"\n', "bus may not include contract"),
    ("arrows", "contract/x.c", '#include "services/shows/shows_core.h"\n',
     "contract may not include core"),
    ("arrows", "api/x.c", '#include "cli/x.h"\n', '"cli/x.h" is not there'),
    ("arrows", "bus/x.c", '#include "schemas/shape.h"\n', "schemas/shape.h is for schemas/ only"),
    ("libraries", "bus/x.c", "#include <cjson/cJSON.h>\n", "bus/x.c:1: cjson/cJSON.h"),
    ("libraries", "api/x.c", "#include <librdkafka/rdkafka.h>\n", "api/x.c:1: librdkafka/"),
    ("libraries", "bus/kafka_x.c", "# include <sqlite3.h>\n", "bus/kafka_x.c:1: sqlite3.h"),
    ("functions", "base/x.c", FUNCTION % ("    ;\n" * 70), "base/x.c:4: 'long_one' has 73 lines"),
    ("files", "base/x.c", "\n" * 1001, "base/x.c:1001: 1001 lines"),
    ("columns", "base/x.h", "/* " + "x" * 98 + "\n", "base/x.h:1: 101 columns"),
    ("columns", "base/x.h", "int a; \n", "base/x.h:1: a tab, or space at the end"),
    ("readmes", "api/x.c", "", "api/README.md:1: is missing"),
    ("readmes", "tests/unit/x.c", "", "tests/README.md:1: is missing"),
    ("messages", "schemas/examples/Sold.json", "{}",
     "schemas/examples/Sold.json:1: belongs to no message"),
    ("messages", "schemas/messages.def", "MESSAGE(Sold, shows, EVENT)\n",
     "schemas/examples/Sold.json:1: is missing"),
    ("messages", "schemas/messages.def", "", "no message found"),
    ("schemas", "schemas/json/shows.SeatsHeld.schema.json", "{ }\n",
     "shows.SeatsHeld.schema.json:1: is stale"),
    ("contract", "breaches", "services/shows/shows_service.c:1: says SeatsHeld and no",
     "services/shows/shows_service.c:1: says SeatsHeld and no"),
    ("contract", "build/release/contract/contract", "#!/bin/sh\nexit 3\n", "ended with 3"),
    ("unfinished", "base/x.c", "/* FIX" "ME later */\n", "base/x.c:1: finish it"),
    ("headers", "base/x.h", "struct text x(size_t y);\n", "base/x.h:1: base/x.h:1:"),
    ("format", "base/x.c", "int  a;\n", "base/x.c:1: is not formatted"),
]


@pytest.mark.parametrize("rule, path, content, told", BREACHES)
def test_check__tells_a_breach(small, rule, path, content, told):
    assert small.check(rule).returncode == 0
    small.write("services/shows/shows_core.h", "struct shows;\n")
    small.write(path, content)
    done = small.check(rule)
    assert done.returncode == 1, done.stdout + done.stderr
    assert told in done.stdout


@pytest.mark.parametrize("rule, path", [
    ("messages", "schemas/examples/SeatsHeld.json"),
    ("messages", "schemas/json/shows.SeatsHeld.schema.json"),
    ("schemas", "schemas/json/shows.SeatsHeld.schema.json"),
    ("schemas", "build/release/schemas/generate"),
    ("contract", "build/release/contract/contract"),
    ("readmes", "bus/README.md"),
])
def test_check__tells_what_is_missing(small, rule, path):
    assert small.check(rule).returncode == 0
    (small.root / path).unlink()
    assert small.check(rule).returncode == 1


IMPURE = ["time", "malloc", "printf", "clock_wall_ms", "uuid_random", "prng_seed_random",
          "json_parse", "log_line", "other_service", "shell_call"]


@pytest.mark.parametrize("name", IMPURE)
def test_check__cores_stay_pure(small, name):
    for path in ("base/clock.c", "base/log.c", "base/uuid.c", "schemas/json.c",
                 "services/checkout/checkout_core.c", "services/shows/shows_service.c"):
        small.write(path, "")
    define = "void %s(void);\nvoid %s(void)\n{\n}\n"
    homes = {"clock_wall_ms": "base/clock.c", "log_line": "base/log.c",
             "uuid_random": "base/uuid.c", "prng_seed_random": "base/uuid.c",
             "json_parse": "schemas/json.c", "other_service": "services/checkout/checkout_core.c",
             "shell_call": "services/shows/shows_service.c"}
    if name in homes:
        small.write(homes[name], define % (name, name))
    small.build()
    assert small.check("cores").returncode == 0, small.check("cores").stdout
    small.write("services/shows/shows_core_more.c",
                "void %s(void);\nvoid more(void);\nvoid more(void)\n{\n    %s();\n}\n"
                % (name, name))
    assert "build it first" in small.check("cores").stdout
    small.build()
    done = small.check("cores")
    assert done.returncode == 1
    assert f"shows_core_more.c:1: a core may not need '{name}'" in done.stdout


def test_check__knows_its_rules(small):
    assert small.check("arows").returncode == 100
    assert shutil.which("clang-format")
