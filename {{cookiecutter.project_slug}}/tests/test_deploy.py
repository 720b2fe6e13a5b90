"""Procfile, supervisord, systemd, compose and Kubernetes describe the same processes."""

from __future__ import annotations

import configparser
import json
import re
import runpy
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
WEB, SCHEDULER = "python -m gunicorn", "python manage.py runapscheduler"
MIGRATE = "python manage.py migrate --noinput"
# Of the answer to task_backend; empty: no such process.
WORKER = "{{ cookiecutter.__worker|replace('PYTHON', 'python') }}"
PROCESSES = {"web": WEB, "scheduler": SCHEDULER} | ({"worker": WORKER} if WORKER else {})
START = re.compile(r"^\s*(exec )?(setpriv --pdeathsig TERM -- )?|(?<!\S)\S*/(?=(env|python) )")
HOST, CONTAINER = (DEPLOY / "supervisord" / f"{name}.conf" for name in ("host", "container"))


def read(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(
        interpolation=None, strict=False, delimiters="=", comment_prefixes=("#", ";")
    )
    parser.read(path)
    return parser


def unit(process: str) -> configparser.ConfigParser:
    (path,) = (DEPLOY / "systemd").glob(f"*-{process}.service")
    return read(path)


def bare(command: str) -> str:
    """``command`` without what starts it and without the folders of its programs."""
    return START.sub("", command)


def procfile(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines)


def test_procfile_names_all_processes() -> None:
    commands = procfile("Procfile")
    assert list(commands) == ["release", *PROCESSES]
    assert bare(commands["web"]) == WEB
    # Under honcho, which ends all when one ends, release waits, and the others for release.
    release, _, local = commands["release"].partition(" && ")
    assert release == MIGRATE
    assert "HONCHO_PROCESS_NAME" in local
    for name in PROCESSES.keys() - {"web"}:
        local, _, command = commands[name].rpartition("; ")
        assert command == f"exec {PROCESSES[name]}"
        assert "HONCHO_PROCESS_NAME" in local
    development = procfile("Procfile.dev")
    assert list(development) == list(PROCESSES)
    assert not WORKER or development["worker"] == f"exec {WORKER}"


def test_platforms_start_each() -> None:
    app = json.loads((ROOT / "app.json").read_text())
    assert list(app["formation"]) == list(PROCESSES)


@pytest.mark.parametrize("path", [HOST, CONTAINER], ids=["host", "container"])
def test_supervisord_starts_the_same(path: Path) -> None:
    conf = read(path)
    programs = {name: conf[f"program:{name}"] for name in PROCESSES}
    assert {name: bare(program["command"]) for name, program in programs.items()} == PROCESSES
    assert len(PROCESSES) == sum(section.startswith("program:") for section in conf)
    assert programs["scheduler"]["numprocs"] == "1"
    assert "process_num" not in programs["scheduler"]["process_name"]
    if path == CONTAINER:
        assert conf["group:project"]["programs"].split(",") == list(PROCESSES)


def test_systemd_starts_the_same() -> None:
    started = {name: bare(unit(name)["Service"]["ExecStart"]) for name in PROCESSES}
    assert started == PROCESSES
    assert bare(unit("migrate")["Service"]["ExecStart"]) == MIGRATE
    (target,) = (DEPLOY / "systemd").glob("*.target")
    wanted = read(target)["Unit"]["Wants"].split()
    assert all(any(one.endswith(f"-{name}.service") for one in wanted) for name in PROCESSES)


def test_nothing_kills_what_still_drains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    workers = runpy.run_path("gunicorn.conf.py")["graceful_timeout"]
    for path in (HOST, CONTAINER):
        assert workers < int(read(path)["program:web"]["stopwaitsecs"])
        for name in PROCESSES.keys() - {"web"}:
            kill = int(read(path)[f"program:{name}"]["stopwaitsecs"])
            assert kill > settings.APSCHEDULER_DRAIN_TIMEOUT
    assert workers < int(unit("web")["Service"]["TimeoutStopSec"])
    for name in PROCESSES.keys() - {"web"}:
        kill = int(unit(name)["Service"]["TimeoutStopSec"])
        assert kill > settings.APSCHEDULER_DRAIN_TIMEOUT
    # Dynos are killed after 30 seconds, whatever anybody sets.
    assert max(workers, settings.APSCHEDULER_DRAIN_TIMEOUT) < 30
    compose = ROOT / "compose.yaml"
    if compose.exists():
        (grace,) = re.findall(r"stop_grace_period: (\d+)s", compose.read_text())
        assert int(grace) > max(workers, settings.APSCHEDULER_DRAIN_TIMEOUT)


def test_services_run_as_one_user_and_write_one_place() -> None:
    units = [unit(process)["Service"] for process in (*PROCESSES, "migrate")]
    for key in ("User", "Group", "WorkingDirectory", "StateDirectory", "ProtectSystem"):
        assert len({service[key] for service in units}) == 1
    assert all({"memorymax", "tasksmax"} <= set(service) for service in units)
    # One process of a job that the kernel kills must end neither the scheduler nor a worker.
    for name in PROCESSES.keys() - {"web"}:
        assert unit(name)["Service"]["OOMPolicy"] == "continue"


def test_no_manager_has_variables_of_its_own() -> None:
    """Each starts in the project's folder, where ``.env`` is read: one place for all."""
    for path in (HOST, CONTAINER):
        conf = read(path)
        for name in PROCESSES:
            assert not {"environment", "user", "directory"} & set(conf[f"program:{name}"])
            # supervisord would take a percent sign in the folder's name for a format.
            assert "%(here)s" not in path.read_text()
    for process in (*PROCESSES, "migrate"):
        service = unit(process)["Service"]
        assert not {"environment", "environmentfile"} & {key.lower() for key in service}
        assert service["WorkingDirectory"] in service["ExecStart"]
    # What a worker's command itself sets is the same everywhere.
    assert "=" not in (ROOT / "Procfile").read_text().replace(WORKER, "")
