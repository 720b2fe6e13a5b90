"""The programs behind make demo and make smoke: they must be able to say no."""

from __future__ import annotations

import io
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from demo.history import judge
from demo.processes import Processes, read_procfile
from demo.steps import StepError, run, step

FIRST = datetime(2026, 3, 29, 0, 59, 58, 123456, tzinfo=UTC)


def row(second: int, status: str = "succeeded", attempt: int = 1, slots: int = 1) -> dict[str, Any]:
    slot = FIRST + timedelta(seconds=second)
    return {
        "scheduled_run_time": slot.isoformat(),
        "attempt": attempt,
        "slots": slots,
        "status": status,
    }


def at(second: int) -> datetime:
    return FIRST + timedelta(seconds=second)


def test_smoke_takes_each_slot_once_for_exact():
    verdict = judge(map(row, range(10)), FIRST, at(9))
    assert verdict.exact
    assert (verdict.owed, verdict.outcomes) == (10, {"succeeded": 10})


def test_a_slot_recorded_twice():
    verdict = judge([row(0), row(1), row(1), row(2)], FIRST, at(2))
    assert not verdict.exact
    assert verdict.twice == [at(1)]


def test_a_slot_that_is_not_recorded():
    verdict = judge([row(0), row(2)], FIRST, at(3))
    assert not verdict.exact
    assert verdict.absent == [at(1), at(3)]


def test_a_run_that_was_not_owed():
    verdict = judge(
        [row(0), row(1), {**row(1), "scheduled_run_time": "2026-03-29T00:59:59Z"}], FIRST, at(1)
    )
    assert not verdict.exact
    assert len(verdict.strange) == 1


def test_a_stretch_counts_for_each_of_its_slots():
    verdict = judge([row(0), row(1, "missed", slots=3), row(4)], FIRST, at(4))
    assert verdict.exact
    assert verdict.outcomes == {"succeeded": 2, "missed": 3}


def test_retries_manual_runs_and_the_unsettled_count_for_nothing():
    manual = {**row(0), "scheduled_run_time": None}
    verdict = judge([row(0, "failed"), row(0, attempt=2), manual, row(1)], FIRST, at(0))
    assert verdict.exact
    assert verdict.outcomes == {"failed": 1}


def test_processes_end_together_and_name_their_lines(tmp_path: Path):
    output = io.StringIO()
    with Processes(tmp_path, os.environ, output) as processes:
        processes.start(
            "one", "echo begin; trap 'echo end; exit 0' TERM; while :; do sleep 0.05; done"
        )
        processes.start("two", "exec sleep 60")
        pids = [child.pid for child in processes.running.values()]
        wait_for(lambda: "begin" in output.getvalue())
        assert processes.ended() is None
    wait_for(lambda: "end" in output.getvalue())
    assert output.getvalue() == "one        | begin\none        | end\n"
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_process_that_ends_by_itself_is_told(tmp_path: Path):
    with Processes(tmp_path, os.environ, io.StringIO()) as processes:
        processes.start("short", "exit 3")
        wait_for(lambda: processes.ended() == "short")


def test_killing_a_demo_process_leaves_no_child(tmp_path: Path):
    with Processes(tmp_path, os.environ, io.StringIO()) as processes:
        processes.start("parent", "sleep 61 & echo $! > child; wait")
        wait_for(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text())
        processes.kill("parent")
    child = int((tmp_path / "child").read_text())
    wait_for(lambda: is_gone(child))


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_the_demo_reads_the_project_s_procfile(tmp_path: Path):
    file = tmp_path / "Procfile"
    file.write_text("# comment: not a process\nweb: exec python -m x: y\nscheduler: z\n")
    assert read_procfile(file) == {"web": "exec python -m x: y", "scheduler": "z"}


def test_a_step_tells_its_time_and_its_failure(capsys, tmp_path: Path):
    with step("Resting"):
        pass
    with pytest.raises(StepError, match=r"(?s)exit 4.*out.*err"), step("Failing"):
        run("sh", "-c", "echo out; echo err >&2; exit 4", cwd=tmp_path, env=os.environ)
    assert capsys.readouterr().out.splitlines() == ["  Resting  0.0 s", "  Failing  failed"]


def wait_for(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited 10 s in vain"
        time.sleep(0.01)
