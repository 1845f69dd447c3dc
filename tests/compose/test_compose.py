"""compose.yaml: by the schema of the oldest program that is promised to read it, and by what its header says."""

import json
import re
import subprocess

import jsonschema
import pytest
import yaml

from figures import ROOT, SERVICES

FOLDER = ROOT / "compose"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
CONTAINERS = COMPOSE["services"]
OURS = (*SERVICES, "edge")


def test_compose__the_oldest_reader_knows_every_word():
    found = list((ROOT / "build/venv").glob("lib/python3*/site-packages/compose/config/compose_spec.json"))
    assert found, "run: make build/.installed-venv"
    schema = json.loads(found[0].read_text())
    jsonschema.Draft201909Validator(schema).validate(COMPOSE)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft201909Validator(schema).validate({"services": {"shows": {"imagine": "stagedoor"}}})


def test_compose__up_is_kafka_the_services_and_two_edges_behind_a_door():
    without = {name for name, one in CONTAINERS.items() if "profiles" not in one}
    assert without == {"kafka", "init", *OURS, "door"}
    assert CONTAINERS["edge"]["scale"] == 2
    profiles = {name: one["profiles"] for name, one in CONTAINERS.items() if "profiles" in one}
    assert profiles == {"prometheus": ["obs"], "grafana": ["obs"], "kafka-ui": ["ui"]}


@pytest.mark.parametrize("name", CONTAINERS)
def test_compose__nobody_is_root_or_may_do_anything(name):
    one = CONTAINERS[name]
    assert one["user"] not in ("root", "0", 0)
    assert one["read_only"] is True and one["cap_drop"] == ["ALL"] and "privileged" not in one
    assert one["security_opt"] == ["no-new-privileges:true"] and "cap_add" not in one
    assert any(place.split(":")[0] == "/tmp" for place in one["tmpfs"])


@pytest.mark.parametrize("name", CONTAINERS)
def test_compose__what_they_say_is_kept_but_not_for_ever(name):
    assert CONTAINERS[name]["logging"]["options"] == {"max-size": "10m", "max-file": "5"}


@pytest.mark.parametrize("name", CONTAINERS)
def test_compose__memory_over_a_folder_of_the_image_is_told_whose_it_is(name):
    """Else it is root's, and nobody here is root; /tmp alone is everybody's in every image."""
    for place in CONTAINERS[name]["tmpfs"]:
        folder, _, words = place.partition(":")
        assert folder == "/tmp" or re.search(r"\buid=[1-9]\d*\b", words), place


def test_compose__the_image_is_made_of_the_sources_and_never_of_what_was_built_of_them():
    """Said where builders look that know no file of that name beside the Dockerfile."""
    words = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    sources = {path.relative_to(ROOT).parts[0] for path in ROOT.glob("*/**/*.c")} - {"build", "contract", "tests"}
    assert words[0] == "*" and {f"!{name}" for name in sources} <= set(words[1:])
    assert not {"!build", "!tests", "!.git"} & set(words)


def test_compose__our_image_makes_no_volume_that_has_no_name():
    assert not re.search(r"^VOLUME", (FOLDER / "Dockerfile").read_text(), re.M)


@pytest.mark.parametrize("name", CONTAINERS)
def test_compose__what_lasts_is_asked_how_it_is_and_comes_back(name):
    one = CONTAINERS[name]
    if name == "init":
        assert one["restart"] == "on-failure" and one["healthcheck"] == {"disable": True}
    else:
        assert one["restart"] == "unless-stopped" and one["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", ("kafka", *OURS))
def test_compose__nobody_is_unwell_while_a_long_log_is_read(name):
    """Else `up` gives up on those who wait for it, and they are never started."""
    assert CONTAINERS[name]["healthcheck"]["start_period"] == "180s"


@pytest.mark.parametrize("name", CONTAINERS)
def test_compose__ports_are_for_this_machine_only(name):
    for port in CONTAINERS[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)


def test_compose__ports_are_each_of_one():
    ports = [port.split(":")[1] for one in CONTAINERS.values() for port in one.get("ports", [])]
    assert len(set(ports)) == len(ports)


@pytest.mark.parametrize("name", CONTAINERS)
def test_compose__images_have_a_version_and_what_is_mounted_is_there(name):
    one = CONTAINERS[name]
    assert one["image"] == "stagedoor" or re.search(r":v?\d+\.\d+(\.\d+)?$", one["image"])
    for mount in one.get("volumes", []):
        source = mount.split(":")[0]
        if source.startswith("."):
            assert (FOLDER / source).exists() and mount.endswith(":ro")
        elif not source.startswith("/"):
            assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", CONTAINERS)
def test_compose__nobody_waits_for_a_container_that_a_profile_leaves_out(name):
    one = CONTAINERS[name]
    for other in one.get("depends_on", []):
        assert set(CONTAINERS[other].get("profiles", [])) <= set(one.get("profiles", []))


@pytest.mark.parametrize("name", OURS)
def test_compose__programs_know_what_they_are_told(name):
    told = subprocess.run([ROOT / "build/bin" / f"stagedoor-{name}", "--help"], capture_output=True,
                          text=True, check=True).stdout
    assert set(CONTAINERS[name]["environment"]) <= set(re.findall(r"\b(?:STAGEDOOR|OTEL)_\w+", told))


@pytest.mark.parametrize("name", OURS)
def test_compose__each_is_asked_and_scraped_at_its_admin_listener(name):
    port = CONTAINERS[name]["environment"]["STAGEDOOR_ADMIN"].split(":")[1]
    assert f"http://127.0.0.1:{port}" in CONTAINERS[name]["healthcheck"]["test"]
    config = yaml.safe_load((FOLDER / "prometheus/prometheus.yml").read_text())
    jobs = {job["job_name"]: job["dns_sd_configs"][0] for job in config["scrape_configs"]}
    assert jobs[f"stagedoor-{name}"]["names"] == [name]
    assert jobs[f"stagedoor-{name}"]["port"] == int(port)


def test_compose__the_door_opens_to_edges_that_are_ready():
    config = (FOLDER / "haproxy/haproxy.cfg").read_text()
    listens = CONTAINERS["edge"]["environment"]["STAGEDOOR_LISTEN"].split(":")[1]
    assert re.search(rf"^    server-template edge \d+ edge:{listens}$", config, re.M)
    assert re.search(r"^    option httpchk GET /readyz$", config, re.M)
    assert re.search(r"disable-l7-retry unless METH_GET or { req.hdr\(Idempotency-Key\) -m found }$", config,
                     re.M)
    (port,) = CONTAINERS["door"]["ports"]
    assert re.search(rf"^    bind :{port.split(':')[2]}$", config, re.M)
