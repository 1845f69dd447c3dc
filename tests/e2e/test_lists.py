"""Lists of reservations: what the box office finds, page by page, and who may not look."""

import csv
import io

from theatre import new_key

PATH = "/v1/shows/hamlet/reservations"


def reserve(web, name, **more):
    answer = web.post(PATH, {"quantity": 1, "name": name, **more}, key=new_key(),
                      headers={"Prefer": "wait=20"})
    assert answer.status == 201
    return answer.json


def listed(web, query=""):
    answer = web.staff("GET", f"{PATH}{query}")
    assert answer.status == 200, answer.text
    return [found["holder"]["name"] for found in answer["reservations"]]


def test_lists__pages_in_the_order_they_were_made(house):
    _, web = house.up()
    web.create_show("hamlet", 50)
    web.create_show("lear", 5)
    web.reserve("lear", name="Else")
    names = [f"guest {number}" for number in range(7)]
    for name in names:
        reserve(web, name)
    assert listed(web) == names
    found, query = [], "?limit=3"
    while query:
        answer = web.staff("GET", f"{PATH}{query}")
        assert len(answer["reservations"]) <= 3
        found += [row["holder"]["name"] for row in answer["reservations"]]
        link = answer.headers["Link"]
        query = link[link.index("?"):link.index(">")] if link else None
        assert ("cursor" in answer.json) == bool(query)
    assert found == names


def test_lists__what_is_looked_for_is_found(house):
    _, web = house.up()
    web.create_show("hamlet", 50)
    ann = reserve(web, "Ann Smith", email="ann@example.org")
    bob = reserve(web, "Bob 100%_", email="bob@example.com")
    reserve(web, "Cid")
    assert web.check_out(ann).status == 201
    assert web.cancel(bob).status == 200
    reference = web.look(ann)["reference"]
    for query, names in (("?q=smith", ["Ann Smith"]), ("?q=EXAMPLE.ORG", ["Ann Smith"]),
                         (f"?q={reference.lower()}", ["Ann Smith"]), ("?q=%25_", ["Bob 100%_"]),
                         (f"?q={ann['reservation_id']}", ["Ann Smith"]), ("?q=nobody", []),
                         ("?status=confirmed", ["Ann Smith"]), ("?status=held", ["Cid"]),
                         ("?status=released", ["Bob 100%_"]), ("?status=held&q=ann", [])):
        assert listed(web, query) == names, query
    [row] = web.staff("GET", f"{PATH}?q=smith")["reservations"]
    seen = web.look(ann).json
    for ticket in seen["tickets"]:
        del ticket["code"]  # a list is for looking, not for the door
    assert row == seen
    for query in ("?limit=0", "?status=sold", "?cursor=x", "?cursor=1.x"):
        assert web.staff("GET", f"{PATH}{query}")["code"] == "invalid", query
    assert web.get(PATH).status == 401
    assert web.staff("GET", "/v1/shows/lear/reservations").status == 404
    for _ in range(2):
        reserve(web, "Dan & Eve")
    link = web.staff("GET", f"{PATH}?limit=1&status=held&q=%26%20e").headers["Link"]
    assert listed(web, link[link.index("?"):link.index(">")]) == ["Dan & Eve"]


def test_lists__as_a_table_of_any_length(house):
    _, web = house.up()
    web.create_show("hamlet", 1000)
    done = house.run("bench", "reserve", "--url", web.url, "--data", house.data, "--show", "hamlet",
                     "-c", "16", "-n", "450")
    assert done.returncode == 0, done.stdout
    odd = reserve(web, '=1+1; "Ann", jr', email="ann@example.org", phone="+491234567")
    table = web.staff("GET", PATH, headers={"Accept": "text/csv"})
    assert table.status == 200 and table.headers["Content-Type"].startswith("text/csv")
    assert "hamlet.csv" in table.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(table.text, newline="")))
    assert len(rows) == len({row["reservation_id"] for row in rows}) == 451
    [row] = [row for row in rows if row["reservation_id"] == odd["reservation_id"]]
    assert row == {
        "reservation_id": odd["reservation_id"], "reference": "", "status": "held",
        "name": "'=1+1; \"Ann\", jr", "email": "ann@example.org", "phone": "+491234567",
        "quantity": "1", "amount_minor": "0", "currency": "EUR", "created_at": odd["created_at"]}
    few = web.staff("GET", f"{PATH}?q=jr", headers={"Accept": "text/csv"})
    assert few.text.count("\r\n") == 2
    none = web.staff("GET", f"{PATH}?status=cancelled", headers={"Accept": "text/csv;q=0.9, */*"})
    assert none.text.count("\r\n") == 1
    assert web.staff("GET", PATH, headers={"Accept": "*/*, text/csv"})["reservations"]
