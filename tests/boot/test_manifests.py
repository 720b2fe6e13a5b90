"""Files for platforms that cannot be booted here: checked by schema and by value.

What they say of processes is carried out by test_image.py, without the platform.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Bake

DRAIN = 25
DATABASES = ["sqlite", "postgresql", "mysql"]
BIN = Path(sys.executable).parent
PODS = {"Deployment/web", "Deployment/scheduler", "Deployment/worker", "Job/migrate"}


@pytest.fixture(
    scope="module",
    params=[
        *itertools.product(DATABASES, ["inline"]),
        ("sqlite", "celery"),
        ("postgresql", "celery"),
        ("mysql", "django-tasks"),
    ],
    ids="-".join,
)
def project(bake: Bake, request: pytest.FixtureRequest) -> Path:
    database, workers = request.param
    answers = {"use_docker": "yes", "database": database, "task_backend": workers}
    return bake(project_slug="boot_site", **answers)


@pytest.fixture
def worker(project: Path) -> list[str]:
    """The worker's command, as the Procfile of developers has it; empty: there is none."""
    found = re.search(r"^worker: exec (.*)$", (project / "Procfile.dev").read_text(), re.M)
    return found[1].split() if found else []


@pytest.fixture(scope="module")
def compose(project: Path) -> dict[str, Any]:
    return yaml.safe_load((project / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def manifests(project: Path) -> dict[str, dict[str, Any]]:
    """By kind and name, as ``Deployment/web``."""
    folder = project / "deploy" / "k8s"
    names = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    assert sorted([*names, "kustomization.yaml"]) == sorted(p.name for p in folder.glob("*.yaml"))
    documents = [d for name in names for d in yaml.safe_load_all((folder / name).read_text())]
    return {f"{d['kind']}/{d['metadata']['name']}": d for d in documents}


def tool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=60)


def pod(manifest: dict[str, Any]) -> dict[str, Any]:
    return manifest["spec"]["template"]["spec"]


def test_compose_by_its_schema(project: Path):
    words = ("-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec")
    done = tool(sys.executable, *words, project / "compose.yaml")
    assert done.returncode == 0, done.stdout


def test_dockerfile_by_hadolint(project: Path):
    # DL3008: pins of Debian packages break when the archive moves on.
    done = tool(BIN / "hadolint", "--ignore", "DL3008", project / "Dockerfile")
    assert done.returncode == 0, done.stdout


def test_manifests_by_their_schema(project: Path):
    files = [p for p in (project / "deploy/k8s").glob("*.yaml") if p.stem != "kustomization"]
    done = tool(BIN / "kubernetes-validate", "--strict", *files)
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_runs_each_process_alone(compose: dict[str, Any], worker: list[str]):
    services = compose["services"]
    always = ("web", "scheduler", *(["worker"] if worker else []))
    assert services.get("worker", {"command": []})["command"] == worker
    assert services["scheduler"]["command"] == ["python", "manage.py", "runapscheduler"]
    assert services["migrate"]["command"] == ["python", "manage.py", "migrate", "--noinput"]
    assert "command" not in services["web"]  # the image's own
    for name in (*always, "migrate"):
        service = services[name]
        assert service["read_only"] is True
        assert service["init"] is True
        assert service["cap_drop"] == ["ALL"]
        assert DRAIN < int(service["stop_grace_period"].removesuffix("s")) < 60
    for name in always:
        assert services[name]["restart"] == "unless-stopped"
        waits_for = services[name]["depends_on"]["migrate"]
        assert waits_for == {"condition": "service_completed_successfully"}
    # compose refuses to scale a service that has a name.
    assert services["scheduler"]["container_name"]
    assert services["scheduler"]["environment"]["DATABASE_URL"]


def test_the_image_runs_as_nobody_s_root_and_gets_the_signal(project: Path):
    lines = (project / "Dockerfile").read_text().splitlines()
    assert "USER 990" in lines
    assert {"ENV PORT=8000", "EXPOSE 8000"} <= set(lines)
    assert 'CMD ["python", "-m", "gunicorn"]' in lines
    assert not [line for line in lines if re.match(r"(CMD|ENTRYPOINT) [^\[]", line)]


def test_compose_brings_the_broker_that_celery_needs(compose: dict[str, Any], worker: list[str]):
    services = compose["services"]
    assert ("broker" in services) == ("celery" in worker)
    for name in {"web", "scheduler", "worker"} & services.keys():
        url = services[name]["environment"].get("CELERY_BROKER_URL")
        assert url == ("redis://broker:6379/0" if "broker" in services else None)


def test_pods_of_workers_run_the_same_command(manifests: dict[str, Any], worker: list[str]):
    assert ("Deployment/worker" in manifests) == bool(worker)
    if worker:
        (container,) = pod(manifests["Deployment/worker"])["containers"]
        assert container["command"] == worker


def test_one_scheduler_by_default(manifests: dict[str, Any]):
    spec = manifests["Deployment/scheduler"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_the_pods_of_the_manifests_are_restricted(manifests: dict[str, Any]):
    for name in PODS & manifests.keys():
        spec = pod(manifests[name])
        (container,) = spec["containers"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
    for name in PODS & manifests.keys() - {"Job/migrate"}:
        assert DRAIN < pod(manifests[name])["terminationGracePeriodSeconds"] < 60


def test_every_pod_is_limited_and_only_web_lets_in(manifests: dict[str, Any]):
    policies = [what["spec"] for name, what in manifests.items() if "NetworkPolicy" in name]
    for name in PODS & manifests.keys():
        (container,) = pod(manifests[name])["containers"]
        assert container["resources"]["limits"]["memory"]
        labels = manifests[name]["spec"]["template"]["metadata"]["labels"]
        (policy,) = [spec for spec in policies if selects(spec["podSelector"], labels)]
        ports = [port["port"] for rule in policy.get("ingress", []) for port in rule["ports"]]
        assert ports == (["http"] if name == "Deployment/web" else [])


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """As Kubernetes does, as far as the manifests go."""
    exact = selector.get("matchLabels", {})
    among = selector.get("matchExpressions", [])
    assert {rule["operator"] for rule in among} <= {"In"}
    return exact.items() <= labels.items() and all(
        labels.get(rule["key"]) in rule["values"] for rule in among
    )


def test_the_manifests_probe_what_they_run(manifests: dict[str, Any]):
    (web,) = pod(manifests["Deployment/web"])["containers"]
    (scheduler,) = pod(manifests["Deployment/scheduler"])["containers"]
    assert web["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert web["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert "readinessProbe" not in scheduler
    assert scheduler["startupProbe"]["exec"] == scheduler["livenessProbe"]["exec"]
    variables = {variable["name"]: variable["value"] for variable in scheduler["env"]}
    assert variables["APSCHEDULER_HEARTBEAT_FILE"] == "/tmp/heartbeat"


@pytest.mark.parametrize(
    ("age", "code"), [(None, 1), (0, 0), (20, 0), (40, 1)], ids=["none", "now", "20 s", "40 s"]
)
def test_the_manifests_liveness_command_works(
    manifests, compose, tmp_path: Path, age: int | None, code: int
):
    """Run as it stands, but for the path; in compose.yaml a dollar is written twice."""
    (container,) = pod(manifests["Deployment/scheduler"])["containers"]
    *_, of_pod = container["livenessProbe"]["exec"]["command"]
    _, of_compose = compose["services"]["scheduler"]["healthcheck"]["test"]
    assert of_compose.replace("$$", "$") == of_pod
    file = tmp_path / "heartbeat"
    if age is not None:
        assert tool("touch", "-d", f"{age} seconds ago", file).returncode == 0
    assert tool("sh", "-c", of_pod.replace("/tmp/heartbeat", str(file))).returncode == code


def test_the_overlay_for_two_runs_a_standby(
    project: Path, manifests: dict[str, Any], tmp_path: Path
):
    """kustomize's JSON patch, applied here by hand and checked by the schema."""
    overlay = yaml.safe_load((project / "deploy/k8s/ha/kustomization.yaml").read_text())
    assert overlay["resources"] == [".."]
    (patch,) = overlay["patches"]
    assert patch["target"] == {"kind": "Deployment", "name": "scheduler"}
    patched = copy.deepcopy(manifests["Deployment/scheduler"])
    for operation in yaml.safe_load(patch["patch"]):
        *way, last = operation["path"].strip("/").split("/")
        at = patched
        for part in way:
            at = at[part]
        assert (last in at) == (operation["op"] == "replace")
        at[last] = operation["value"]
    assert patched["spec"]["replicas"] == 2
    assert patched["spec"]["strategy"]["type"] == "RollingUpdate"
    (tmp_path / "scheduler.yaml").write_text(yaml.safe_dump(patched))
    done = tool(BIN / "kubernetes-validate", "--strict", tmp_path / "scheduler.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_app_json_names_what_the_platforms_need(project: Path):
    app = json.loads((project / "app.json").read_text())
    procfile = (project / "Procfile").read_text()
    assert set(app["formation"]) == set(re.findall(r"^(web|scheduler|worker):", procfile, re.M))
    assert app["formation"]["scheduler"] == {"quantity": 1, "max_parallel": 1}
    assert app["env"]["SECRET_KEY"]["generator"] == "secret"
