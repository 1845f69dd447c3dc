"""A log that is kept and made again, while the sale goes on: backup and restore, export and import."""

import json
import shutil
import signal
import sqlite3
import stat

import pytest

from buses import SqliteBus
import test_money
from theatre import House, new_key, until

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


# ---- export and import ---------------------------------------------------------------------------

def moved(house, file, *arguments, end=0):
    done = house.run("import", file, *house.bus.arguments, *arguments)
    assert done.returncode == end, done.stdout + done.stderr
    return done.stdout if end == 0 else done.stderr


def export(house, file):
    done = house.run("export", file, *house.bus.arguments)
    assert done.returncode == 0, done.stderr
    return sorted(file.read_text().splitlines())


def write_garbage(bus):
    """What a stranger may have left in any topic."""
    bus.append("shows.commands", b"\xff\x00not json", key=SHOW)
    bus.append("shows.events", "{}", key=SHOW, headers=[("ce_type", "stagedoor.shows.SeatsHeld")])
    bus.append("checkout.commands", '{"Zoë": "\\u0000"}', key=SHOW,
               headers=[(f"h{number}", "x") for number in range(40)])


def test_export__a_sale_goes_on_elsewhere(make_house, kafka_bus, tmp_path):
    box, other, cluster = make_house("box"), make_house("other"), make_house("cluster")
    cluster.bus = kafka_bus
    pay = f"--edge-arg=--pay-url={test_money.PAY_URL}"
    program, web = box.up(pay)
    web.create_show(SHOW, 40, tiers=test_money.TIERS)
    write_garbage(box.bus)
    sold = [web.reserve(SHOW, 2).json for _ in range(3)]
    for reservation in sold:
        answer = web.staff("POST", f"/v1/reservations/{reservation['reservation_id']}/checkout",
                           {"method": "cash"}, key=new_key(), headers={"Prefer": "wait=20"})
        assert answer.status == 201, answer.text
    assert web.cancel(sold[0]).status == 200
    paying, held = web.reserve(SHOW, 2).json, web.reserve(SHOW, 2).json
    started = test_money.start(web, paying)
    assert started.status == 201
    program.kill()  # with whatever was under way
    for other_program in box.programs:
        other_program.ended()

    file = tmp_path / "evening.jsonl"
    lines = export(box, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert '"hex"' in file.read_text() and '"more_headers":true' in file.read_text()
    piped = box.run("export", "-", *box.bus.arguments)
    assert sorted(piped.stdout.splitlines()) == lines
    for house in (other, cluster):
        moved(house, file)
        assert export(house, tmp_path / f"{house.folder.name}.jsonl") == lines
        assert stand(house) == stand(box)
        assert house.verify("--replay", "--running")
        assert "is there already" in moved(house, file, end=1)

    paid = test_money.payment(paying, started)
    for house in (other, cluster):
        shutil.copytree(box.data, house.data, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("bus.db*", "*.lock", "control"))
        program, web = house.up(pay)
        assert "is emptied" not in program.output  # the register is of this log
        assert test_money.Paydesk(house).call(web, paid).status == 200
        test_money.becomes(web, paying, "confirmed")
        assert web.cancel(sold[1]).status == 200
        assert web.cancel(held).status == 200
        assert web.reserve(SHOW, 1).status == 201
        assert program.stop() == 0
        house.verify("--replay")


def test_import__a_file_that_is_not_whole_makes_nothing(make_house, kafka_bus, tmp_path):
    box, other, cluster = make_house("box"), make_house("other"), make_house("cluster")
    cluster.bus = kafka_bus
    box.create_topics()
    shows = box.service("shows")
    box.bus.append("shows.commands", "{}", key=SHOW)
    until(lambda: '"waiting":0' in box.run("owners", "--json", *box.bus.arguments).stdout, "it")
    assert shows.stop() == 0
    file, bad = tmp_path / "whole.jsonl", tmp_path / "bad.jsonl"
    export(box, file)
    lines = file.read_text().splitlines(keepends=True)
    changed = [line.replace('"offset":1,', '"offset":2,') for line in lines]
    for found, said in ((lines[:-1], "it was cut"), (lines[1:], "does not begin so"),
                        (changed, "not the next of its partition"),
                        (lines[:2] + ["nonsense\n"] + lines[2:], "line 3"),
                        (lines[:3] + lines[4:], "not"), ([], "it was cut")):
        bad.write_text("".join(found))
        assert said in moved(other, bad, end=1)
        assert not other.bus.path.exists() and not list(other.data.iterdir())
    bad.write_text("".join(lines[:-1]))
    assert "delete the topics" in moved(cluster, bad, end=1)
    unfit = cluster.run("topics", "check", *cluster.bus.arguments)
    assert unfit.returncode == 1 and "CreateTime" in unfit.stderr


INPUTS = {"shows.events": ("shows.commands", "reservations.events", "checkout.events"),
          "reservations.events": ("reservations.commands", "shows.events"),
          "checkout.events": ("checkout.commands", "shows.events")}


def beyond_the_end(records):
    """Who had read more than there is."""
    ends, found = {}, []
    for record in records:
        ends[record.topic, record.partition] = record.offset + 1
    for record in records:
        positions = (record.header("sd_positions") or "").split(";")
        for topic, position in zip(INPUTS.get(record.topic, ()), positions):
            if position and int(position.split("@")[0]) > ends.get((topic, record.partition), 0):
                found.append(record.place)
    return found


def test_export__of_a_running_sale_holds_all_causes(house, make_house, tmp_path):
    _, web = house.up()
    web.create_show(SHOW, 100000)
    crowd = house.start("stagedoor", "bench", "reserve", "--url", web.url, "--data", house.data,
                        "--show", SHOW, "-R", "100", "--seconds", "600")
    until(lambda: web.availability(SHOW)["held"] > 20, "the crowd")
    for number in range(3):
        file = tmp_path / f"{number}.jsonl"
        export(house, file)
        copy = make_house(f"copy{number}")
        moved(copy, file)
        assert not beyond_the_end(copy.bus.read())
        copy.verify("--replay", "--running")
    assert crowd.process.poll() is None, "the crowd was gone too early"
    crowd.signal(signal.SIGTERM)
