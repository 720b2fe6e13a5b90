"""What is wrong is said in one clear line of the log, and on a health page where one can answer."""

from __future__ import annotations

import os
import socket
import subprocess

import pytest

from tests.boot.site import Site
from tests.boot.waiting import until

RUN = ("manage.py", "runapscheduler")
WEB = ("-m", "gunicorn")


def web(site: Site) -> subprocess.Popen[str]:
    process = site.start(*WEB, log="web.log")
    until(lambda: site.get("/healthz")[0] == 200, 20, "answered by web")
    return process


@pytest.mark.parametrize("words", [RUN, WEB], ids=["scheduler", "web"])
def test_a_missing_environment_variable_is_named(site: Site, words: tuple[str, ...]):
    site.write_settings(SECRET_KEY=None)
    done = site.run(*words)
    assert done.returncode != 0
    assert "SECRET_KEY is not set, and this is production" in done.stdout + done.stderr


@pytest.mark.parametrize("words", [RUN, WEB], ids=["scheduler", "web"])
def test_settings_that_the_service_may_not_read(site: Site, words: tuple[str, ...]):
    (site.path / ".env").chmod(0)
    # Without what root may do in spite of a file's mode.
    powers = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    done = subprocess.run(
        [*(powers if os.geteuid() == 0 else []), site.python, *words],
        cwd=site.path,
        env=site.environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert f"user {os.geteuid()} may not read it" in done.stdout + done.stderr


def test_a_web_server_whose_port_is_taken_ends_and_names_it(site: Site):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", site.port))
        taken.listen()
        done = site.run(*WEB)
    assert done.returncode != 0
    assert f"Connection in use: ('127.0.0.1', {site.port})" in done.stdout + done.stderr


def test_a_database_file_that_cannot_be_made(site: Site):
    """The scheduler waits, since most databases that are away come back; it says so each time."""
    site.write_settings(DATABASE_URL="sqlite:////nowhere/db.sqlite3")
    site.scheduler()
    until(
        lambda: (
            "The database cannot be reached yet, waiting for it: unable to open database file"
            in site.log("scheduler.log")
        ),
        20,
        "said in the log",
    )
    web(site)
    assert site.get("/readyz")[0] == 503
    status, reason = site.health()["status"], site.health()["reason"]
    assert status == 503
    assert "cannot be read (OperationalError)" in reason


def test_a_scheduler_on_an_unmigrated_database_ends_with_what_to_do(site: Site):
    site.database.unlink()
    done = site.run(*RUN)
    assert done.returncode == 1
    assert "Run: python manage.py migrate" in done.stderr
    web(site)
    status, body = site.get("/readyz")
    assert status == 503
    assert "manage.py migrate" in body
    assert "manage.py migrate" in site.health()["reason"]


def test_a_jobs_py_that_cannot_be_imported_is_reported_and_the_scheduler_runs(site: Site):
    """The jobs that are there go on; the mistake is in the log and on the page."""
    jobs = site.path / "home" / "jobs.py"
    jobs.write_text(jobs.read_text() + "\n\nthis is no Python\n")
    site.scheduler()
    web(site)
    health = until(
        lambda: "reports an error" in site.health()["reason"] and site.health(), 15, "told"
    )
    assert health["status"] == 503
    assert health["led"]
    assert "leader reports an error: home: SyntaxError: invalid syntax" in health["reason"]
    log = site.log("scheduler.log")
    assert "The jobs of app 'home' are left as they are" in log
    assert "this is no Python" in log


def test_two_versions_of_the_code(site: Site):
    """The old one leads and is asked to run what only the new one has: set aside, not lost."""
    web(site)
    old = site.scheduler()
    site.wait_for_leader()
    code = (
        "from scheduler.models import Job; job = Job.objects.get(id='tick');"
        "job.pk, job.uid, job.func = 'new', '0' * 31 + '1', 'home.jobs:brand_new';"
        "job.declared = False; job.save(force_insert=True)"
    )
    site.manage("shell", "--verbosity", "0", "-c", code)
    health = until(lambda: site.health()["warnings"] and site.health(), 15, "told")
    assert health["status"] == 200
    assert "job new is quarantined" in health["warnings"][0]
    assert "brand_new" in health["warnings"][0]
    jobs = site.path / "home" / "jobs.py"
    jobs.write_text(jobs.read_text() + "\n\ndef brand_new() -> None: ...\n")
    # The new version stands by, and takes over when the old one is stopped.
    new = site.scheduler("new.log")
    until(lambda: site.health()["schedulers"] == 2, 15, "joined by the new version")
    site.stop(old)
    # What remains is that the web process has not been restarted.
    until(lambda: "quarantined" not in str(site.health()["warnings"]), 15, "released")
    assert site.stop(new) == 0


def test_an_ephemeral_sqlite_on_a_dyno(site: Site):
    process = site.start(*RUN, DYNO="scheduler.1")
    assert process.wait(20) == 1
    until(lambda: "dynos share no disk" in site.log(), 5, "said")
    assert "Add PostgreSQL and set DATABASE_URL" in site.log()
