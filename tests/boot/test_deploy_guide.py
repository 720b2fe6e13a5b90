"""Each command of docs/deploy.md is run by a test, or stands here with the reason why not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.boot import guide
from tests.boot.site import Site
from tests.boot.waiting import until
from tests.combinations import CHOICES
from tests.conftest import Bake
from tests.template.locks import lock

# By test_the_guide_s_commands_for_a_server_work: as they stand, but for folder and user.
CODE = [
    "/usr/bin/python3 -m venv .venv",
    ".venv/bin/python -m pip install --requirement requirements.lock",
    "install --mode 640 --group boot_site .env.example .env",
    ".venv/bin/python manage.py check --deploy --fail-level WARNING",
    ".venv/bin/python manage.py collectstatic --noinput",
]
# By test_the_guide_s_commands_for_supervisord_work.
SUPERVISORD = [
    ".venv/bin/python manage.py migrate",
    ".venv/bin/python -m supervisor.supervisord -c deploy/supervisord/host.conf",
    ".venv/bin/python -m supervisor.supervisorctl -c deploy/supervisord/host.conf status",
    ".venv/bin/python -m supervisor.supervisorctl -c deploy/supervisord/host.conf"
    " restart web scheduler",
]
# By test_honcho.py.
HONCHO = ['PATH="$PWD/.venv/bin:$PATH" .venv/bin/python -m honcho --env /dev/null start']
# By systemd_scenario.py, inside the container.
SYSTEMD = [
    "cp deploy/systemd/* /etc/systemd/system/",
    "systemctl daemon-reload",
    "systemctl enable --now boot_site.target boot_site-web.socket",
    "systemctl status 'boot_site-*'",
    "systemctl start boot_site-migrate",
    "systemctl restart boot_site-web boot_site-scheduler",
]
RUN = [*CODE, *SUPERVISORD, *SYSTEMD, *HONCHO]
NOT_RUN = {
    "apt-get install --yes": "would change this machine",
    "useradd --system": "would change this machine; the container has such a user",
    "install --directory": "the container's StateDirectory= makes it",
    "git clone YOUR-REPOSITORY": "there is none",
    "cd /srv/boot_site": "another folder here",
    "git pull": "there is no repository",
    "journalctl --unit boot_site-scheduler --follow": "does not end; the journal is read",
    "chown boot_site var && chmod 700 var": "would need a user on this machine",
    "su --shell /bin/sh boot_site": "would need a user on this machine",
    "runuser -u postgres": "would make a role on the server that the tests use",
    "mariadb -e": "would make an account on the server that the tests use",
    "runuser -u boot_site": "would need a user on this machine",
    "[ -e .env ] || cp .env.example .env": "the part of the engine that is not here",
    "docker compose": "no engine here: the file is checked by its schema",
    "kubectl": "no cluster here: the manifests are checked by their schemas",
    "heroku": "a platform",
    "git push heroku main": "a platform",
}


@pytest.fixture(scope="module")
def text(baked: Path) -> str:
    return (baked / "docs" / "deploy.md").read_text()


@pytest.mark.parametrize("database", CHOICES["database"])
def test_no_command_is_left_out(bake: Bake, database: str):
    project = bake(project_slug="boot_site", use_docker="yes", database=database)
    text = (project / "docs" / "deploy.md").read_text()
    said = [line for heading in guide.headings(text) for line in guide.commands(text, heading)]
    left = [
        line
        for line in said
        if line not in RUN and not any(line.startswith(start) for start in NOT_RUN)
    ]
    assert left == []
    gone = [line for line in RUN if line not in said]
    assert gone == []


def test_the_guide_s_commands_for_a_server_work(bake: Bake, text: str, tmp_path: Path):
    """On a project as it was cloned: without .env, without an environment."""
    if not Path("/usr/bin/python3").exists():
        pytest.skip("no Python of the system's own")
    project = tmp_path / "boot_site"
    shutil.copytree(bake(project_slug="boot_site"), project)
    (project / ".env").unlink()
    lock(project)
    lines = [line for line in guide.commands(text, "The code and its settings") if line in CODE]
    group = subprocess.run(["id", "-gn"], capture_output=True, text=True).stdout.strip()
    for line in lines:
        if "collectstatic" in line:
            production = (project / ".env").read_text().replace("DEBUG=true", "")
            key = "SECRET_KEY=" + "Xk3-9_" * 10
            # As the guide says: the part named Production.
            (project / ".env").write_text(production.replace("#SECRET_KEY=", key))
        _run(line.replace("--group boot_site", f"--group {group}"), project)
    assert (project / "staticfiles" / "staticfiles.json").exists()
    assert (project / ".env").stat().st_mode & 0o777 == 0o640


def test_the_guide_s_commands_for_supervisord_work(site: Site, text: str):
    for path in (site.path / "var").glob("db.sqlite3*"):
        path.unlink()
    lines = [line for line in guide.commands(text, "supervisord") if line in SUPERVISORD]
    migrate, start, status, _, restart = lines
    _run(migrate, site.path, site)
    _run(start, site.path, site)
    term = site.wait_for_leader()["term"]
    until(lambda: _status(status, site).count("RUNNING") == 2, 15, "both running")
    _run(restart, site.path, site)
    until(lambda: site.health()["term"] == term + 1, 20, "led by the new scheduler")
    until(lambda: _status(status, site).count("RUNNING") == 2, 15, "both running again")
    for name in ("web.log", "scheduler.log"):
        assert (site.path / "var" / name).stat().st_mode & 0o077 == 0
    assert _status(status.replace("status", "shutdown"), site).strip() == "Shut down"


def _status(line: str, site: Site) -> str:
    return subprocess.run(
        ["sh", "-c", line], cwd=site.path, env=site.environment(), capture_output=True, text=True
    ).stdout


def _run(line: str, folder: Path, site: Site | None = None) -> None:
    environment = site.environment() if site else {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    pip = {name: value for name, value in os.environ.items() if "PIP" in name}
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env={**environment, **pip},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    assert not re.search(r"^WARNINGS:", done.stderr, re.M), done.stderr


@pytest.mark.skipif(not shutil.which("caddy"), reason="caddy is not installed")
def test_the_guide_s_caddyfile_is_valid(text: str, tmp_path: Path):
    block = re.search(r"^```\n(example\.com \{.*?)^```", text, re.M | re.S)
    assert block
    (tmp_path / "Caddyfile").write_text(block[1])
    done = subprocess.run(
        ["caddy", "adapt", "--config", "Caddyfile", "--pretty"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert '"dial": "127.0.0.1:8000"' in done.stdout
    assert "WARN" not in done.stderr


@pytest.mark.skipif(
    not (shutil.which("nginx") and shutil.which("openssl")),
    reason="nginx or openssl is not installed",
)
def test_the_guide_s_nginx_server_is_valid(text: str, tmp_path: Path):
    whole, below_a_path = re.findall(r"^```nginx\n(.*?)^```", text, re.M | re.S)
    server = whole.replace("/etc/letsencrypt/live/example.com", str(tmp_path))
    server += f"server {{ listen 127.0.0.1:8443; {below_a_path} }}"
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
    http = f"http {{ access_log off; {folders} {server} }}"
    config = f"error_log stderr; pid {tmp_path}/pid; events {{}} {http}"
    (tmp_path / "nginx.conf").write_text(config)
    key, certificate = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=example.com"]
    subprocess.run(
        ["openssl", *made, "-keyout", key, "-out", certificate], check=True, capture_output=True
    )
    done = subprocess.run(
        ["nginx", "-t", "-c", tmp_path / "nginx.conf"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
