"""The image: built from the Dockerfile as it is, run as compose.yaml and as the manifests say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import yaml

from tests.boot import ledger
from tests.boot.podman import Podman, missing
from tests.boot.waiting import until
from tests.servers import refuse

IMAGE = "boot_site"
BASE = ("python:3.14-slim", "trixie")  # stands in with its own Python, which is 3.13
HOME = "/var/lib/boot_site"
SETTINGS = {
    "SECRET_KEY": "only-for-tests-" + "x" * 40,
    "ALLOWED_HOSTS": "site.example",
    "ADMINS": "ops@example.com",
    "EMAIL_URL": "consolemail://",
}
LISTENING = "Listening at: http://0.0.0.0:8000"
# A probe of Kubernetes asks by the pod's address, which is not among ALLOWED_HOSTS.
GET = """
import sys
from urllib.request import Request, urlopen
request = Request("http://127.0.0.1:8000" + sys.argv[1], headers={"Host": "10.0.0.7:8000"})
print(urlopen(request).status)
"""
Command = list[str]


@dataclass
class Process:
    """What a file says of one process, in podman's words."""

    options: list[str]
    command: Command
    probes: list[Command]


def flags(name: str, values: list[Any]) -> list[str]:
    return [f"--{name}={value}" for value in values]


def of_compose(project: Path, name: str) -> Process:
    service = yaml.safe_load((project / "compose.yaml").read_text())["services"][name]
    assert (service["env_file"], service["read_only"], service["init"]) == (".env", True, True)
    options = [
        *("--read-only", "--init"),
        *flags("env", [f"{key}={value}" for key, value in service["environment"].items()]),
        *flags("tmpfs", service["tmpfs"]),
        *flags("volume", service["volumes"]),
        *flags("cap-drop", service["cap_drop"]),
        *flags("security-opt", service["security_opt"]),
        *flags("stop-timeout", [service["stop_grace_period"].removesuffix("s")]),
    ]
    probes = []
    if "healthcheck" in service:
        kind, *words = service["healthcheck"]["test"]
        shell = ["sh", "-c"] if kind == "CMD-SHELL" else []
        probes = [shell + [word.replace("$$", "$") for word in words]]
    return Process(options, service.get("command", []), probes)


def of_manifests(project: Path, name: str) -> Process:
    """With SQLite in a volume, where a cluster has a database server."""
    manifest = next(yaml.safe_load_all((project / f"deploy/k8s/{name}.yaml").read_text()))
    pod = manifest["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"] is not security["allowPrivilegeEscalation"]
    options = [
        *("--read-only", "--security-opt=no-new-privileges", f"--volume=data:{HOME}"),
        *flags("user", [pod["securityContext"]["runAsUser"]]),
        *flags("env", [f"{each['name']}={each['value']}" for each in container.get("env", [])]),
        *flags("env", [f"DATABASE_URL=sqlite:///{HOME}/db.sqlite3"]),
        *flags("tmpfs", [mount["mountPath"] for mount in container["volumeMounts"]]),
        *flags("cap-drop", security["capabilities"]["drop"]),
        *flags("stop-timeout", [pod.get("terminationGracePeriodSeconds", 30)]),
    ]
    probes = [container[key] for key in container if key.endswith("Probe")]
    return Process(options, container.get("command", []), [_command(probe) for probe in probes])


def _command(probe: dict[str, Any]) -> Command:
    if "exec" in probe:
        return probe["exec"]["command"]
    return ["python", "-c", GET, probe["httpGet"]["path"]]


@dataclass
class Deployment:
    podman: Podman
    project: Path
    settings: Path
    read: Callable[[Path, str], Process]

    def start(self, name: str, *command: str, attached: bool = False) -> list[Command]:
        """Returns the commands that tell whether it is well."""
        process = self.read(self.project, name)
        # Docker keeps /run and /var/tmp read-only, too; podman has to be asked.
        self.podman(
            *("run", f"--name={name}", "--network=none", "--read-only-tmpfs=false"),
            *(f"--detach={not attached}".lower(), f"--env-file={self.settings}"),
            *(*process.options, IMAGE, *(command or process.command)),
        )
        return process.probes

    def inside(self, name: str, *words: str) -> tuple[int, str]:
        return self.podman.try_to("exec", name, *words)

    def well(self, name: str, probes: list[Command]) -> bool:
        assert probes
        return all(self.inside(name, *probe)[0] == 0 for probe in probes)

    def exit_status(self, name: str) -> int:
        return int(self.podman("inspect", name, "--format={{.State.ExitCode}}"))

    @property
    def data(self) -> Path:
        """The volume, as this machine sees it."""
        return Path(self.podman("volume", "inspect", "data", "--format={{.Mountpoint}}"))


@pytest.fixture(scope="module")
def podman(baked: Path) -> Iterator[Podman]:
    """Holds the image, built in a folder that has been worked in: settings, a database, logs."""
    if reason := missing():
        refuse(reason)
    podman = Podman(Path(mkdtemp(prefix="podman-")))  # its paths may have 50 letters at most
    try:
        podman.base(*BASE)
        code, printed = podman.try_to("run", "--rm", "--network=none", BASE[0], "true")
        if code:
            pytest.skip(f"this machine starts no containers: {printed}")
        podman.build(baked, IMAGE)
        yield podman
    finally:
        podman.remove()


@pytest.fixture(params=[of_compose, of_manifests])
def site(
    podman: Podman, baked: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Deployment]:
    """Migrated, nothing runs yet."""
    settings = tmp_path / ".env"
    settings.write_text("".join(f"{name}={value}\n" for name, value in SETTINGS.items()))
    site = Deployment(podman, baked, settings, request.param)
    site.start("migrate", attached=True)
    yield site
    podman.clear()


def test_only_the_project_is_in_the_image(podman: Podman, baked: Path):
    assert (baked / ".env").exists()
    assert set(re.findall(r"FROM (\S+)", (baked / "Dockerfile").read_text())) == {BASE[0]}
    find = ("find", ".", "-path", "./.venv", "-prune", "-o", "-type", "f", "-print")
    files = podman("run", "--rm", "--network=none", IMAGE, *find).splitlines()
    assert {"./manage.py", "./home/jobs.py", "./staticfiles/staticfiles.json"} <= set(files)
    private = re.compile(r"/\.env$|\.secret_key|\.git/|sqlite3|__pycache__|\./var/[^.]")
    assert [file for file in files if private.search(file)] == []
    assert "SECRET_KEY" not in podman("image", "inspect", IMAGE, "--format={{.Config.Env}}")


def test_a_scheduler_from_start_to_stop(site: Deployment):
    probes = site.start("scheduler")
    database = site.data / "db.sqlite3"
    until(lambda: ledger.ticks(database) >= 1, 20, "a tick")
    until(lambda: site.well("scheduler", probes), 20, "well, as its probes say")
    assert site.inside("scheduler", "python", "manage.py", "scheduler", "status")[0] == 0

    assert site.inside("scheduler", "id", "-u") == (0, "990")
    for folder in ("/", "/srv/boot_site/var", "/run", "/var/tmp"):
        code, said = site.inside("scheduler", "touch", f"{folder}/file")
        assert (code, "Read-only file system" in said) == (1, True), said
    assert "CapBnd:\t0000000000000000\n" in site.inside("scheduler", "cat", "/proc/1/status")[1]

    code = "from scheduler import scheduler; scheduler.run_now('held')"
    assert site.inside("scheduler", "python", "manage.py", "shell", "-c", code)[0] == 0
    until((site.data / "held").exists, 10, "begun")
    stopping = site.podman.start("stop", "scheduler")
    lease = "SELECT holder FROM scheduler_lease"
    until(lambda: ledger.read(database, lease) == [(None,)], 5, "handed over while the job goes on")
    assert stopping.poll() is None
    (site.data / "let-go").touch()
    assert stopping.wait(10) == 0, stopping.communicate()
    assert site.exit_status("scheduler") == 0
    held = "SELECT status, reason FROM scheduler_execution WHERE job_id = 'held'"
    assert ledger.read(database, held) == [("succeeded", "")]
    ledger.check(database)


def test_web_from_start_to_stop(site: Deployment):
    probes = site.start("web")
    until(lambda: site.well("web", probes), 20, "well, as its probes say")
    assert LISTENING in site.podman("logs", "web")
    for path in ("/healthz", "/readyz"):
        assert site.inside("web", "python", "-c", GET, path) == (0, "200")
    site.podman("stop", "web")
    assert site.exit_status("web") == 0


@pytest.mark.parametrize("site", [of_compose], indirect=True)
def test_web_and_scheduler_run_in_one_container(site: Deployment):
    """supervisord, whose programs log to what the engine gave its first process."""
    supervisor = ("python", "-m", "supervisor.{}", "-c", "deploy/supervisord/container.conf")
    words = [word.format("supervisord") for word in supervisor]
    site.start("web", *words)
    status = [*(word.format("supervisorctl") for word in supervisor), "status"]
    until(lambda: site.inside("web", *status)[0] == 0, 60, "all up")
    until(lambda: ledger.ticks(site.data / "db.sqlite3") >= 1, 60, "a tick")
    until(lambda: LISTENING in site.podman("logs", "web"), 60, "served")
    assert "Leader: term 1" in site.podman("logs", "web")
    site.podman("stop", "web")
    assert site.exit_status("web") == 0
    ledger.check(site.data / "db.sqlite3")
