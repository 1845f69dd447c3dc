"""An edge, asked by a stranger who knows its description and nothing else: thousands of requests that
should be good and that should not, on every route."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests/e2e"))
from theatre import BIN, Program  # noqa: E402

ST = ROOT / "build/venv/bin/st"


def test_schemathesis__finds_nothing(tmp_path):
    assert ST.exists(), "run: make build/.installed-venv"
    theatre = Program("stagedoor", "up", "--bus", f"sqlite:{tmp_path}/bus.db", "--data",
                      tmp_path / "data", "--listen", "127.0.0.1:0", "--edge-arg=--key-rate=0")
    try:
        url = theatre.said(r"^open: (http://\S+)")[1]
        key = (tmp_path / "data/signin").read_text().strip()
        done = subprocess.run(
            [ST, "--config-file", ROOT / "tests/documents/schemathesis.toml", "run",
             f"{url}/openapi.json", "--header", f"Authorization: Bearer {key}", "--seed", "1"],
            cwd=tmp_path, capture_output=True, text=True, check=False)
    finally:
        theatre.stop()
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    verified = subprocess.run([BIN / "stagedoor", "verify", "--bus", f"sqlite:{tmp_path}/bus.db"],
                              capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout
