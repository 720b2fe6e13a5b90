"""The measurement of tasks: what it counts, what it says, and that it still starts."""

from __future__ import annotations

import json
import os
import socket
import threading

import pytest

from bench.sections import write_figures
from bench.tasks import table
from bench.tasks.counting import counting
from bench.tasks.killed import counted
from bench.tasks.systems import OURS, SYSTEMS


def test_what_tasks_noted_is_counted():
    lines = [("start", 1), ("end", 1), ("start", 2), ("start", 2), ("end", 2), ("start", 3)]
    assert counted(lines, 5) == {
        "enqueued": 5, "interrupted": 2, "ran_twice": 1, "never_started": 2
    }  # fmt: skip


def test_the_ratio_is_of_rounds_to_their_best_rival():
    runs = {OURS: [80.0, 30.0, 90.0], "django_ox": [10.0, 2.0, 1.0], "django_tasks_db": [8, 3, 9]}
    assert table.ratio(runs) == 10.0  # 8, 10, 10: a slow round is slow for all
    assert table.ratio({name: [1.0] for name in runs} | {OURS: [0.5]}, min) == 0.5


def test_the_section_has_a_column_for_each_system():
    each = {name: [2.0, 1.0] for name in SYSTEMS}
    keys = ["enqueues_a_second", "bulk_enqueues_a_second", "tasks_a_second_2000",
            "tasks_a_second_20000", "atomic_p50", "atomic_p99"]  # fmt: skip
    counts = ["interrupted", "ran_twice", "explained", "stuck", "never_started"]
    statements = dict.fromkeys(["enqueue", "enqueue_in_atomic", "bulk_enqueue", "run"], 1.0)
    killed = {**dict.fromkeys(counts, 0), "kills": 5, "enqueued": 9}
    text = table.text({
        "machine": "here", "rounds": 2, **dict.fromkeys(keys, each),
        "ways": {OURS: {"alone": [3.0]}},
        "statements": dict.fromkeys(SYSTEMS, statements), "killed": dict.fromkeys(SYSTEMS, killed),
    })  # fmt: skip
    assert "|  | this template | django-ox | django-tasks-db | ours to the best of them |" in text
    assert "| end to end, 2,000: tasks a second | 2 (1 to 2) | 2 (1 to 2) | 2 (1 to 2) |" in text
    assert "| **tasks that ran twice** | 0 | 0 | 0 |" in text


def test_figures_of_other_programs_stay(tmp_path):
    path = tmp_path / "results.json"
    write_figures({"tasks": 1, "start_lag": 2}, path)
    write_figures({"tasks": 3}, path)
    assert json.loads(path.read_text()) == {"tasks": 3, "start_lag": 2}


def test_statements_are_counted_as_the_server_gets_them():
    """Messages may arrive in parts, and several at once."""
    got = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(100):
                    got.extend(data)
                    connection.sendall(b"x" * len(data))

        threading.Thread(target=answer, daemon=True).start()
        sent = b"\0\0\0\x08\0\3\0\0" + message(b"Q", b"BEGIN\0") + message(b"P", b"QQQEEE\0")
        sent += message(b"B", b"E" * 300) + message(b"E", b"\0" * 5) + message(b"S", b"")
        with (
            counting(*server.getsockname()) as counter,
            socket.create_connection(("127.0.0.1", counter.port)) as client,
        ):
            for start in range(0, len(sent), 7):
                client.sendall(sent[start : start + 7])
            read = 0
            while read < len(sent):
                read += len(client.recv(1000))
        assert (counter.statements, bytes(got)) == (2, sent)


def message(letter: bytes, body: bytes) -> bytes:
    return letter + (len(body) + 4).to_bytes(4, "big") + body


@pytest.mark.slow
@pytest.mark.skipif("POSTGRESQL_URL" not in os.environ, reason="POSTGRESQL_URL names no server")
def test_every_measurement_of_ours_starts(monkeypatch):
    from bench.tasks import __main__ as program
    from bench.tasks import killed
    from bench.tasks.project import Project

    for name, size in {
        "ONE_BY_ONE": 4,
        "IN_ATOMIC": 4,
        "AT_ONCE": 4,
        "SHORT": 4,
        "COUNTED": 4,
    }.items():
        monkeypatch.setattr(program, name, size)
    monkeypatch.setattr(killed, "TASKS", 60)
    monkeypatch.setattr(killed, "KILLS", 1)
    project = Project(OURS)
    [way] = project.system.workers
    project.prepare()
    try:
        assert set(program._enqueued(project)) == {
            "enqueues_a_second", "atomic_p50", "atomic_p99", "bulk_enqueues_a_second"
        }  # fmt: skip
        assert project.drained(way, 4) > 0
        statements = program._statements(project, way)
        assert (statements["enqueue_in_atomic"], statements["enqueue"]) == (1, 1)
        found = killed.killed(project, way)
        assert (found["ran_twice"], found["stuck"], found["enqueued"]) == (0, 0, 60)
    finally:
        project.drop()
