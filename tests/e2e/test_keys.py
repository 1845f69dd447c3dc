"""Keys are changed while the edges run: nobody restarts, and what was given out is honoured."""

import base64
import re

from theatre import new_key, until


def keys(house, *words, code=0):
    done = house.run("keys", *words, "--data", house.data)
    assert done.returncode == code, done.stderr
    return done


def role_of(web, text):
    """What a key may do, as the edge sees it."""
    listed = web.get("/v1/shows/hamlet/blocks", bearer=text).status  # for admins
    return {200: "admin", 403: "less", 401: "unknown"}[listed]


def signer(secret):
    """The id of the key that signed it."""
    return base64.urlsafe_b64decode(secret[:4])[0]


def test_keys__come_and_go(house):
    _, web = house.up()
    web.create_show("hamlet", 9)
    text = keys(house, "add", "chief-2", "admin").stdout.strip()
    assert re.fullmatch(r"[0-9a-f]{48}", text)
    assert text not in (house.data / "keys").read_text()
    until(lambda: role_of(web, text) == "admin", "the key to be believed")
    till = keys(house, "add", "till-1", "boxoffice").stdout.strip()
    until(lambda: role_of(web, till) == "less", "the second key to be believed")
    listed = keys(house, "list").stdout
    assert re.search(r"^key +chief-2 +admin$", listed, re.M)
    assert re.search(r"^key +till-1 +boxoffice$", listed, re.M) and till not in listed
    for words in (("add", "till-1", "admin"), ("revoke", "nobody"), ("forget", "77"),
                  ("add", "two words", "admin"), ("add", "a\nlocal", "admin")):
        assert keys(house, *words, code=111).stderr
    for words in ((), ("add",), ("add", "x", "king"), ("list", "all"), ("forget", "xyz")):
        assert keys(house, *words, code=100).stderr
    keys(house, "revoke", "chief-2")
    until(lambda: role_of(web, text) == "unknown", "the key to be refused")
    assert role_of(web, till) == "less" and role_of(web, web.key) == "admin"


def test_keys__what_was_signed_before_is_believed_until_it_is_forgotten(house):
    _, web = house.up()
    web.create_show("hamlet", 9)
    old = web.reserve("hamlet").json
    key = new_key()
    assert web.reserve("hamlet", key=key)["secret"]
    first = re.search(r"^sign +(\w+) +signs$", keys(house, "list").stdout, re.M)[1]
    second = keys(house, "rotate").stdout.strip()
    until(lambda: signer(web.reserve("hamlet", key=key)["secret"]) == int(second, 16),
          "the new key to sign")
    assert web.look(old).status == 200
    again = web.reserve("hamlet", key=key)  # a retry: the same reservation, signed anew
    assert again.headers["Idempotent-Replayed"] == "true" and web.look(again.json).status == 200
    listed = keys(house, "list").stdout
    assert re.search(rf"^sign +{second} +signs$", listed, re.M)
    assert re.search(rf"^sign +{first} +believed$", listed, re.M)
    assert keys(house, "forget", second, code=111).stderr  # it signs
    keys(house, "forget", first)
    until(lambda: web.look(old).status == 404, "the old signature to be forgotten")
    assert web.look(again.json).status == 200


def test_keys__a_file_that_cannot_be_read_changes_nothing(house):
    program, web = house.up()
    web.create_show("hamlet", 9)
    good = (house.data / "keys").read_text()
    (house.data / "keys").write_text(good + "key broken\n")
    program.said("the keys stay what they were")
    assert role_of(web, web.key) == "admin"
    assert keys(house, "add", "till-1", "boxoffice", code=111).stderr
    (house.data / "keys").write_text(good)
    program.said("the keys have changed")
    assert role_of(web, web.key) == "admin"
