"""A log that is kept and made again: backup and restore, while the sale goes on."""

import json
import shutil
import sqlite3
import stat

import pytest

from buses import SqliteBus
from theatre import House, until

SHOW = "hamlet"


def some_evening(web, show=SHOW):
    """Shows, sales, a cancellation, a hold, and a payment that nobody has answered yet."""
    web.create_show(show, 40)
    sold = [web.reserve(show, 2).json for _ in range(3)]
    for held in sold:
        assert web.check_out(held).status == 201
    assert web.cancel(sold[0]).status in (200, 204)
    return sold, web.reserve(show, 3).json


def stand(house, show=SHOW):
    done = house.run("at", show, "--json", *house.bus.arguments)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return {name: found[name] for name in found if name not in ("at", "installation")}


@pytest.fixture
def make_house(tmp_path):
    """Houses on sqlite, each in a folder of its own."""
    opened = []

    def make(name):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "data").mkdir()
        opened.append(House(SqliteBus(folder / "data"), folder))
        return opened[-1]
    yield make
    for house in opened:
        house.close()


def restore(house, archive, end=0):
    done = house.run("restore", archive, "--data", house.data, "--json")
    assert done.returncode == end, done.stderr
    return json.loads(done.stdout) if end == 0 else done.stderr


# ---- backup --------------------------------------------------------------------------------------

def test_backup__of_a_running_sale_is_a_whole_log(make_house, tmp_path):
    old, new = make_house("old"), make_house("new")
    program, web = old.up()
    sold, held = some_evening(web)
    archive = tmp_path / "evening.backup"
    done = old.run("backup", archive, "--data", old.data, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["files"] == ["keys", "signin"] and told["records"] > 40
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    before = stand(old)
    assert web.reserve(SHOW, 4).status == 201  # is not in it
    assert program.stop() == 0
    later_register = old.data / "register.db"

    made = restore(new, archive)
    assert made["records"] == told["records"] and made["installation"] != told["installation"]
    for name in ("keys", "signin"):
        path = new.data / name
        assert path.read_text() == (old.data / name).read_text()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for line in path.read_bytes().split():
            assert len(line) < 32 or line not in new.bus.path.read_bytes()
    assert sorted(path.name for path in new.data.iterdir()) == ["bus.db", "keys", "signin"]
    assert stand(new) == before

    # An edge that knows of more is not believed by itself: it reads the log anew.
    shutil.copy(later_register, new.data)
    program, web = new.up()
    assert web.availability(SHOW)["held"] == 3
    assert web.look(held)["status"] == "held"
    assert web.look(sold[0])["status"] == "cancelled"
    assert web.check_out(held).status == 201
    assert web.reserve(SHOW, 5).status == 201
    until(lambda: web.availability(SHOW)["held"] == 5, "the sale to go on")
    assert program.stop() == 0
    new.check_log()


def test_backup__overwrites_nothing(make_house, tmp_path):
    house = make_house("one")
    program, web = house.up()
    web.create_show(SHOW, 4)
    archive = tmp_path / "a.backup"
    backup = ("backup", archive, "--data", house.data)
    assert house.run(*backup).returncode == 0
    again = house.run(*backup)
    assert again.returncode == 1 and "is there already" in again.stderr
    assert program.stop() == 0
    assert "is there already" in restore(house, archive, end=1)
    for name in ("bus.db", "keys", "signin"):
        (house.data / name).rename(tmp_path / name)
    assert "register.db" in restore(house, archive, end=1)
    assert sorted(path.name for path in tmp_path.glob("a.*")) == ["a.backup"]


def test_backup__what_does_not_hold_is_not_restored(make_house, tmp_path):
    house, new = make_house("one"), make_house("new")
    program, web = house.up()
    web.create_show(SHOW, 4)
    web.reserve(SHOW, 1)
    assert program.stop() == 0
    archive = tmp_path / "a.backup"
    assert house.run("backup", archive, "--data", house.data).returncode == 0
    database = sqlite3.connect(archive)
    database.execute("UPDATE records SET value = replace(value, '\"held\":1', '\"held\":2')")
    database.commit()
    database.close()
    assert "does not hold" in restore(new, archive, end=1)
    assert not list(new.data.iterdir())
    # Nor what is none of ours.
    archive.write_bytes(b"SQLite, but not quite" * 100)
    assert "another program's file" in restore(new, archive, end=111)
    assert "no such file" in restore(new, tmp_path / "nowhere", end=111).lower()
    done = new.run("backup", tmp_path / "b", "--bus", "kafka://localhost:1")
    assert done.returncode == 100 and "stagedoor export" in done.stderr
    assert not list(new.data.iterdir())
