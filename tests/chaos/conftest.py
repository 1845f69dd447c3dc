"""Fixtures: a real broker, a proxy in front of it, and houses whose programs go through proxies."""

import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from buses import Broker, KafkaBus, SharedBroker, folder_of  # noqa: E402
from proxy import Proxy  # noqa: E402
from theatre import House  # noqa: E402


@pytest.fixture(scope="session")
def broker():
    """STAGEDOOR_TEST_KAFKA=HOST:PORT, or one of our own for as long as the tests run."""
    address = os.environ.get("STAGEDOOR_TEST_KAFKA")
    found = SharedBroker(address) if address else Broker(folder_of("chaos"))
    yield found
    found.wipe()


@pytest.fixture
def proxies(broker):
    """proxies(): one more in front of the broker."""
    opened = []

    def open_one(**options):
        opened.append(Proxy(broker.address, **options).start())
        return opened[-1]
    yield open_one
    for proxy in opened:
        proxy.stop()


@pytest.fixture
def proxy(proxies):
    return proxies(seed=1)


@pytest.fixture
def house(broker, proxies, tmp_path):
    """A fresh log, read directly. It ends before the proxies do."""
    found = House(KafkaBus(broker), tmp_path)
    yield found
    found.close()
