"""Procfile, supervisord, systemd and compose describe the same two processes."""

from __future__ import annotations

import configparser
import re
import runpy
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
WEB, SCHEDULER = "python -m gunicorn", "python manage.py runapscheduler"
START = re.compile(r"\s*(exec )?(setpriv --pdeathsig TERM -- )?(\S*/)?(?=python )")
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
    """``command`` without what starts it and without the folder of its interpreter."""
    return START.sub("", command, count=1)


def procfile(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()
    return {process: bare(command) for process, command in (line.split(":", 1) for line in lines)}


def test_procfile_names_all_processes() -> None:
    assert procfile("Procfile") == {
        "release": "python manage.py migrate --noinput",
        "web": WEB,
        "scheduler": SCHEDULER,
    }
    # honcho and foreman start every line, and end all when one ends, as a release does.
    assert list(procfile("Procfile.dev")) == ["web", "scheduler"]


@pytest.mark.parametrize("path", [HOST, CONTAINER], ids=["host", "container"])
def test_supervisord_starts_the_same(path: Path) -> None:
    conf = read(path)
    assert bare(conf["program:web"]["command"]) == WEB
    assert bare(conf["program:scheduler"]["command"]) == SCHEDULER
    assert conf["program:scheduler"]["numprocs"] == "1"
    assert "process_num" not in conf["program:scheduler"]["process_name"]


def test_systemd_starts_the_same() -> None:
    assert bare(unit("web")["Service"]["ExecStart"]) == WEB
    assert bare(unit("scheduler")["Service"]["ExecStart"]) == SCHEDULER
    assert bare(unit("migrate")["Service"]["ExecStart"]) == procfile("Procfile")["release"]


def test_nothing_kills_what_still_drains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    workers = runpy.run_path("gunicorn.conf.py")["graceful_timeout"]
    for path in (HOST, CONTAINER):
        assert workers < int(read(path)["program:web"]["stopwaitsecs"])
        kill = int(read(path)["program:scheduler"]["stopwaitsecs"])
        assert kill > settings.APSCHEDULER_DRAIN_TIMEOUT
    assert workers < int(unit("web")["Service"]["TimeoutStopSec"])
    kill = int(unit("scheduler")["Service"]["TimeoutStopSec"])
    assert kill > settings.APSCHEDULER_DRAIN_TIMEOUT
    # Dynos are killed after 30 seconds, whatever anybody sets.
    assert max(workers, settings.APSCHEDULER_DRAIN_TIMEOUT) < 30
    compose = ROOT / "compose.yaml"
    if compose.exists():
        (grace,) = re.findall(r"stop_grace_period: (\d+)s", compose.read_text())
        assert int(grace) > max(workers, settings.APSCHEDULER_DRAIN_TIMEOUT)


def test_services_run_as_one_user_and_write_one_place() -> None:
    units = [unit(process)["Service"] for process in ("web", "scheduler", "migrate")]
    for key in ("User", "Group", "WorkingDirectory", "StateDirectory", "ProtectSystem"):
        assert len({service[key] for service in units}) == 1


def test_no_manager_has_variables_of_its_own() -> None:
    """Each starts in the project's folder, where ``.env`` is read: one place for all."""
    for path in (HOST, CONTAINER):
        conf = read(path)
        for program in ("program:web", "program:scheduler"):
            assert conf[program]["directory"] == "%(here)s/../.."
            assert not {"environment", "user"} & set(conf[program])
    for process in ("web", "scheduler", "migrate"):
        service = unit(process)["Service"]
        assert not {"environment", "environmentfile"} & {key.lower() for key in service}
        assert service["WorkingDirectory"] in service["ExecStart"]
    assert "=" not in (ROOT / "Procfile").read_text()
