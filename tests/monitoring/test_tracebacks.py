"""A traceback begins at the job's own code; nothing of it is lost."""

from __future__ import annotations

import traceback
from types import SimpleNamespace

import pytest
from scheduler.engine.executors import runner
from scheduler.monitoring import tracebacks

HEAD = "Traceback (most recent call last):\n"
ENGINE = (
    '  File "/srv/7/scheduler/engine/executors/runner.py", line 1, in _execute\n    _call(run)\n'
    "    ~~~~~^^^^^\n"
)
POOL = '  File "/usr/lib/python3.13/concurrent/futures/_base.py", line 4, in result\n    go()\n'
OWN = '  File "/srv/7/shop/jobs.py", line 9, in sync\n    ask()\n'
CLIENT = '  File "/srv/7/scheduler/engine/ledger/retries.py", line 3, in retry\n    raise\n'
END = "ValueError: no\n  such\n\n    order\n"


def told(text: str) -> list[tuple[str, int]]:
    return [(part.text, part.frames) for part in tracebacks.parts(text)]


@pytest.mark.parametrize(
    ("frames", "callers", "own"),
    [
        (ENGINE + OWN, ENGINE, OWN),
        (ENGINE + POOL + ENGINE + OWN, ENGINE + POOL + ENGINE, OWN),
        (ENGINE + OWN + ENGINE, ENGINE, OWN + ENGINE),
        (ENGINE + OWN + CLIENT, ENGINE, OWN + CLIENT),
        (ENGINE + POOL, ENGINE, POOL),
        (ENGINE, ENGINE, ""),
        (OWN + "  [Previous line repeated 995 more times]\n" + OWN, "", None),
    ],
)
def test_only_the_engine_s_frames_before_the_job_s_own_code_are_apart(frames, callers, own):
    text = HEAD + frames + END
    assert "".join(part.text for part in tracebacks.parts(text)) == text
    if own is None:
        assert told(text) == [(text, 0)]
        return
    assert told(text) == [(HEAD, 0), (callers, callers.count("  File ")), (own + END, 0)]
    assert tracebacks.own(text) == HEAD + own + END


def test_each_exception_of_a_chain_begins_at_the_job_s_own_code():
    chained = "\nDuring handling of the above exception, another exception occurred:\n\n"
    text = HEAD + OWN + END + chained + HEAD + ENGINE + OWN + END
    assert told(text) == [(HEAD + OWN + END + chained + HEAD, 0), (ENGINE, 1), (OWN + END, 0)]


@pytest.mark.parametrize("text", ["", "no traceback", "  | ExceptionGroup\n  +-- 1 ---\n"])
def test_another_text_stays_as_it_is(text):
    assert tracebacks.own(text) == text


@pytest.mark.parametrize("body", ["refuse", "refuse_later"])
def test_the_frames_that_really_call_a_function_are_apart(body):
    run = SimpleNamespace(func=f"tests.bodies:{body}", args="[]", kwargs='{"key": "x"}')
    with pytest.raises(ValueError, match="x") as raised:
        runner._call(run)
    of_engine = raised.value.__traceback__.tb_next  # its caller here is this test
    text = "".join(traceback.format_exception(raised.type, raised.value, of_engine))
    callers = [part for part in tracebacks.parts(text) if part.frames]
    assert "runner.py" in callers[0].text
    own = tracebacks.own(text).splitlines()
    assert "bodies.py" in next(line for line in own if line.startswith("  File "))
