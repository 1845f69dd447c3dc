"""Fixtures: every test gets a fresh log and a house on it, once for each bus."""

import os

import pytest

from buses import Broker, KafkaBus, SharedBroker, SqliteBus, folder_of
from theatre import BIN, House


def pytest_sessionstart():
    missing = [name for name in ("", "-shows", "-reservations", "-checkout", "-edge",
                                "-paydesk")
               if not (BIN / f"stagedoor{name}").exists()]
    if missing:
        pytest.exit(f"not built: stagedoor{missing[0]}; try: make all", returncode=3)


@pytest.fixture(scope="session")
def broker():
    """STAGEDOOR_TEST_KAFKA=HOST:PORT, or one of our own for as long as the tests run."""
    address = os.environ.get("STAGEDOOR_TEST_KAFKA")
    found = SharedBroker(address) if address else Broker(folder_of("e2e"))
    yield found
    found.wipe()


@pytest.fixture(scope="session")
def frail_broker():
    """One that tests may kill; they leave it running."""
    found = Broker(folder_of("frail"))
    yield found
    found.wipe()


@pytest.fixture(params=["sqlite", "kafka"])
def bus(request, tmp_path):
    if request.param == "sqlite":
        return SqliteBus(tmp_path)
    return KafkaBus(request.getfixturevalue("broker"))


@pytest.fixture
def sqlite_bus(tmp_path):
    return SqliteBus(tmp_path)


@pytest.fixture
def kafka_bus(broker):
    return KafkaBus(broker)


@pytest.fixture
def house(bus, tmp_path):
    found = House(bus, tmp_path)
    yield found
    found.close()


@pytest.fixture
def house_on(tmp_path):
    """For tests of one bus only: house_on(bus)."""
    opened = []

    def open_house(bus):
        opened.append(House(bus, tmp_path))
        return opened[-1]
    yield open_house
    for found in opened:
        found.close()
