"""The manifests: by Kubernetes' own schemas, and by what each workload owes to its cluster."""

import re
import subprocess

import pytest
import yaml

from conftest import ROOT

FOLDER = ROOT / "packaging/kubernetes"
FILES = sorted(path for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml")
SERVICES = ("shows", "reservations", "checkout")
VALIDATE = ROOT / "build/venv/bin/kubernetes-validate"
VERSIONS = ("1.30", "1.37")


def documents(kind):
    found = [one for path in FILES for one in yaml.safe_load_all(path.read_text())]
    return {one["metadata"]["name"]: one for one in found if one["kind"] == kind}


DEPLOYMENTS = documents("Deployment")
WORKLOADS = {**DEPLOYMENTS, **documents("Job")}


def pod(workload):
    return WORKLOADS[workload]["spec"]["template"]["spec"]


def container(workload):
    (only,) = pod(workload)["containers"]
    return only


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes__knows_every_word(version):
    assert VALIDATE.exists(), "run: make build/.installed-venv"
    done = subprocess.run([VALIDATE, "--strict", "-k", version, *FILES], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_kubernetes__all_files_are_applied():
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    assert sorted(listed["resources"]) == [path.name for path in FILES]
    version = (ROOT / "base/version.h").read_text().split('"')[1]
    assert listed["images"] == [{"name": "stagedoor", "newTag": version}]


def test_kubernetes__one_deployment_for_each_service_and_the_edges():
    assert set(DEPLOYMENTS) == {*SERVICES, "edge"}


def test_kubernetes__services_differ_by_their_names_only():
    texts = {(FOLDER / f"{name}.yaml").read_text().split("\n", 1)[1].replace(name, "NAME")
             for name in SERVICES}
    assert len(texts) == 1


@pytest.mark.parametrize("name", WORKLOADS)
def test_kubernetes__nobody_is_root_or_may_write(name):
    spec, inner = pod(name), container(name)["securityContext"]
    assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert inner == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                     "capabilities": {"drop": ["ALL"]}}


@pytest.mark.parametrize("name", WORKLOADS)
def test_kubernetes__what_is_used_is_asked_for(name):
    resources = container(name)["resources"]
    assert set(resources["requests"]) == {"cpu", "memory"} and set(resources["limits"]) == {"memory"}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_kubernetes__is_asked_whether_it_lives_and_is_ready(name):
    inner = container(name)
    ports = {port["name"] for port in inner["ports"]}
    for probe, path in (("startupProbe", "/livez"), ("livenessProbe", "/livez"),
                        ("readinessProbe", "/readyz")):
        assert inner[probe]["httpGet"]["path"] == path
        assert inner[probe]["httpGet"]["port"] in ports


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_kubernetes__labels_lead_to_the_pods(name):
    labels = DEPLOYMENTS[name]["spec"]["template"]["metadata"]["labels"]
    assert DEPLOYMENTS[name]["spec"]["selector"]["matchLabels"] == labels
    assert documents("PodDisruptionBudget")[name]["spec"]["selector"]["matchLabels"] == labels
    spread = pod(name)["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"]
    assert spread.items() <= labels.items()
    if name == "edge":
        assert documents("Service")[name]["spec"]["selector"] == labels


@pytest.mark.parametrize("name", SERVICES)
def test_kubernetes__a_service_is_called_as_its_pod(name):
    told = {one["name"]: one for one in container(name)["env"]}
    source = told["STAGEDOOR_GROUP_INSTANCE"]["valueFrom"]["fieldRef"]["fieldPath"]
    assert source == "metadata.name"


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_kubernetes__programs_know_what_they_are_told(name):
    (program,) = container(name)["command"]
    told = subprocess.run([ROOT / "build/bin" / program, "--help"], capture_output=True, text=True,
                          check=True).stdout
    known = set(re.findall(r"\bSTAGEDOOR_\w+", told))
    names = {one["name"] for one in container(name)["env"]}
    assert names | set(documents("ConfigMap")["stagedoor"]["data"]) <= known
