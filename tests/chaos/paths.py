"""Makes tests/e2e importable: chaos speaks to the theatre in the same words."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
