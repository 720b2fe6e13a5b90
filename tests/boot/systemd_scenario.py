"""Runs inside the container, as root, beside a real systemd. Standard library only.

Each step is a function; what it raises is its failure, and the next step goes on.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).parent))
from guide import commands
from waiting import until

NAME = "boot_site"
SCHEDULER, WEB = f"{NAME}-scheduler.service", f"{NAME}-web.service"
ALERT = f"{NAME}-alert@{SCHEDULER}.service"
GUIDE = Path(f"/srv/{NAME}/docs/deploy.md")
DROP_IN = "[Service]\nRestartSec=1\nWatchdogSec=3\n"
WITHOUT_CODE = """[Unit]
StartLimitBurst=3
[Service]
ExecStart=
ExecStart=/bin/false
RestartSec=100ms
"""


def run(*words: str, check: bool = True) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert not check or done.returncode == 0, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def show(unit: str, *names: str) -> dict[str, str]:
    wanted = ",".join(names)
    lines = run("systemctl", "show", unit, f"--property={wanted}").splitlines()
    return dict(line.split("=", 1) for line in lines)


def journal(*words: str) -> str:
    """What was said until now: the journal is written a moment later than things happen."""
    run("journalctl", "--sync")
    return run("journalctl", "--output", "cat", *words)


def health() -> dict:
    try:
        with urlopen("http://127.0.0.1:8000/healthz/scheduler", timeout=10) as response:
            return json.load(response)
    except URLError as error:
        if hasattr(error, "read"):
            return json.loads(error.read())
        raise


def status() -> str:
    return show(SCHEDULER, "StatusText")["StatusText"]


def leads() -> str:
    return status() if status().startswith("leader term") else ""


def pid() -> int:
    return int(show(SCHEDULER, "MainPID")["MainPID"])


def drop_in(text: str, name: str = "itest.conf") -> None:
    folder = Path(f"/etc/systemd/system/{SCHEDULER}.d")
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    run("systemctl", "daemon-reload")


def step_start_as_the_guide_says() -> None:
    for line in commands(GUIDE.read_text(), "systemd")[:4]:
        if not line.startswith("systemctl status"):  # below, when all is up
            subprocess.run(line, shell=True, check=True, cwd=GUIDE.parent.parent, timeout=60)
    until(leads, 30, "leading")
    assert show(WEB, "ActiveState", "StatusText")["ActiveState"] == "active"
    assert until(lambda: health()["ok"], 15, "healthy")
    assert "next 20" in until(lambda: "next 20" in leads() and leads(), 10, "a next time")
    assert show(f"{NAME}-migrate.service", "Result")["Result"] == "success"
    assert leads() in run("systemctl", "status", "--no-pager", f"{NAME}-*", check=False)


def step_starting_it_again_starts_nothing() -> None:
    before = pid()
    run("systemctl", "start", SCHEDULER)
    run("systemctl", "start", SCHEDULER)
    assert pid() == before


def step_kill_9_restarts_it() -> None:
    before = pid()
    os.kill(before, signal.SIGKILL)
    until(lambda: pid() not in (0, before) and leads(), 20, "leading again")
    assert int(show(SCHEDULER, "NRestarts")["NRestarts"]) == 1


def step_a_frozen_loop_is_found_by_the_watchdog() -> None:
    before = pid()
    os.kill(before, signal.SIGSTOP)
    until(lambda: pid() not in (0, before) and leads(), 30, "leading again")
    assert "Watchdog timeout" in journal("--unit", SCHEDULER)


def step_what_is_started_again_is_not_mailed() -> None:
    # As systemd 254 and newer does at each automatic restart.
    before = pid()
    os.kill(before, signal.SIGKILL)
    run("systemctl", "start", ALERT)
    assert show(ALERT, "Result", "ActiveState") == {
        "Result": "exec-condition",
        "ActiveState": "inactive",
    }
    until(lambda: pid() not in (0, before) and leads(), 20, "leading again")


def step_requests_wait_while_web_restarts() -> None:
    codes: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            with urlopen("http://127.0.0.1:8000/healthz", timeout=30) as response:
                codes.append(response.status)

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    run("systemctl", "restart", WEB)
    before = len(codes)
    run("systemctl", "reload", WEB)
    until(lambda: len(codes) > before + 100, 20, "answered after the reload")
    stop.set()
    for thread in asking:
        thread.join()
    assert set(codes) == {200}, codes
    print(f"{len(codes)} requests answered during a restart and a reload")


def step_a_new_version_as_the_guide_says() -> None:
    said = commands(GUIDE.read_text(), "systemd")
    migrate, restart = said[-2:]
    assert migrate == f"systemctl start {NAME}-migrate"
    subprocess.run(migrate, shell=True, check=True, timeout=60)
    began = time.monotonic()
    subprocess.run(restart, shell=True, check=True, timeout=60)
    until(leads, 10, "leading")
    print(f"restart to leader: {time.monotonic() - began:.1f} s")


def step_a_rogue_scheduler_stands_by_and_takes_over() -> None:
    # A careless copy of the unit, under another name.
    unit = Path("/etc/systemd/system", SCHEDULER).read_text()
    Path("/etc/systemd/system/rogue.service").write_text(unit)
    run("systemctl", "daemon-reload")
    run("systemctl", "start", "rogue")
    until(lambda: health()["schedulers"] == 2, 15, "joined by the rogue")
    term = health()["term"]
    killed, began = pid(), time.monotonic()
    os.kill(killed, signal.SIGKILL)
    until(lambda: (now := health())["led"] and now["term"] == term + 1, 10, "led by the rogue")
    print(f"kill to leader: {time.monotonic() - began:.1f} s")
    until(lambda: pid() not in (0, killed) and status() == "standby", 20, "back as standby")
    run("systemctl", "stop", "rogue")
    until(leads, 10, "leading again")


def step_a_service_that_cannot_start_is_given_up_and_mailed() -> None:
    drop_in(WITHOUT_CODE, "zz-false.conf")
    run("systemctl", "restart", SCHEDULER, check=False)
    until(lambda: show(SCHEDULER, "ActiveState")["ActiveState"] == "failed", 20, "given up")
    until(lambda: show(ALERT, "ActiveState")["ActiveState"] == "inactive", 20, "mailed")
    told = until(_mails, 15, "the mail in the journal")
    assert told.count(f"{SCHEDULER} failed on") == 1, told
    assert "status=1/FAILURE" in told, told


def step_it_starts_again_only_after_reset_failed() -> None:
    before = _refusals()
    refused = subprocess.run(["systemctl", "start", SCHEDULER], capture_output=True, text=True)
    assert refused.returncode != 0
    assert _refusals() == before + 1
    Path(f"/etc/systemd/system/{SCHEDULER}.d/zz-false.conf").unlink()
    run("systemctl", "daemon-reload")
    run("systemctl", "reset-failed", SCHEDULER)
    run("systemctl", "start", SCHEDULER)
    until(leads, 15, "leading")


def step_hardening_holds() -> None:
    status = Path(f"/proc/{pid()}/status").read_text()
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status
    assert f"/srv/{NAME}" == os.readlink(f"/proc/{pid()}/cwd")


def step_stopping_the_target_stops_all() -> None:
    run("systemctl", "stop", f"{NAME}.target", f"{NAME}-web.socket")
    for unit in (SCHEDULER, WEB):
        until(lambda unit=unit: show(unit, "ActiveState")["ActiveState"] == "inactive", 40, unit)
        assert show(unit, "Result")["Result"] == "success", unit


def step_the_journal_has_one_line_a_record() -> None:
    lines = journal(f"--identifier={NAME}-scheduler").splitlines()
    assert any("Leader: term 1" in line for line in lines)
    assert not any(line.startswith("Traceback") for line in lines), "\n".join(lines[-60:])


STEPS = [name for name in globals() if name.startswith("step_")]


def _refusals() -> int:
    said = journal("--unit", SCHEDULER)
    return said.count("Start request repeated too quickly")


def _mails() -> str:
    text = journal("--unit", ALERT)
    return text if "Mailed" in text else ""


def main() -> None:
    run("ip", "link", "set", "lo", "up")
    drop_in(DROP_IN)
    results = {}
    for name in STEPS:
        began = time.monotonic()
        try:
            globals()[name]()
            results[name] = ""
        except BaseException:
            results[name] = traceback.format_exc()
            print(run("journalctl", "--no-pager", "-n", "60", check=False))
        print(f"{name}: {'failed' if results[name] else 'ok'} {time.monotonic() - began:.1f} s")
    run("sh", "-c", f"cp -a /var/lib/{NAME} /out/state")
    run("sh", "-c", "journalctl --no-pager > /out/journal.log")
    Path("/out/results.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main()
