"""What deploy/ holds is valid by the tools that read it, and starts the server with options that it has."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from pairedge.cli.serve import command
from pairedge.serve.openapi import document

DEPLOY = Path(__file__).parent.parent / "deploy"
UNIT = (DEPLOY / "pairedge.service").read_text()


def manifests(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def containers() -> list[dict[str, Any]]:
    """The containers of all manifests that run pairedge's image."""
    [deployment, _] = manifests("kubernetes.yaml")
    [own, _] = manifests("kserve.yaml")
    return [*deployment["spec"]["template"]["spec"]["containers"], *own["spec"]["predictor"]["containers"]]


def dockerfile(instruction: str) -> list[str]:
    """The arguments of an instruction that the Dockerfile has once."""
    [line] = re.findall(rf"^{instruction} .*?(\[.*\])$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    words = yaml.safe_load(line)
    assert isinstance(words, list)
    return words


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_manifests_are_valid_for_kubernetes() -> None:
    for manifest in manifests("kubernetes.yaml"):
        kubernetes_validate.validate(manifest, "1.37", strict=True)


def test_the_manifest_for_kserve_holds_containers_that_are_valid_for_kubernetes() -> None:
    own, triton = manifests("kserve.yaml")
    assert {each["apiVersion"] for each in (own, triton)} == {"serving.kserve.io/v1beta1"}
    assert {each["kind"] for each in (own, triton)} == {"InferenceService"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": own["metadata"]}
    spec = {"containers": own["spec"]["predictor"]["containers"]}
    kubernetes_validate.validate({**pod, "spec": spec}, "1.37", strict=True)
    assert triton["spec"]["predictor"]["model"]["modelFormat"] == {"name": "triton"}


def test_no_container_runs_as_root_or_writes() -> None:
    assert re.search(r"^USER 10001:10001$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    for container in containers():
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"]
        assert not security["allowPrivilegeEscalation"]
        assert security["capabilities"] == {"drop": ["ALL"]}


def test_the_probes_are_routes_of_the_server() -> None:
    for container in containers():
        probes = [probe for key, probe in container.items() if key.endswith("Probe")]
        assert probes
        for probe in probes:
            assert probe["httpGet"]["path"] in document()["paths"]
    assert any(path in dockerfile("HEALTHCHECK")[-1] for path in document()["paths"])


@pytest.mark.parametrize(
    "arguments",
    [
        *(container.get("args", []) for container in containers()),
        dockerfile("ENTRYPOINT")[2:],
        shlex.split(re.findall(r"^ExecStart=(.*)$", UNIT, re.MULTILINE)[0])[2:],
    ],
    ids=["kubernetes", "kserve", "container", "systemd"],
)
def test_the_server_takes_the_options_that_it_is_started_with(arguments: list[str], tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.touch()
    there = [str(token) if word.endswith("/token") else word for word in arguments]
    assert command.make_context("serve", there).params["port"] == 8000


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    # It looks for the program, which is not installed at that place here.
    unit = tmp_path / "pairedge.service"
    unit.write_text(UNIT.replace("/opt/pairedge/bin/pairedge", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
