"""Celery workers with brokers of their own: what they run, how they end, what they lose."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from amqp.exceptions import ChannelError
from celery import Celery as App
from scheduler import scheduler
from scheduler.models import Execution, Node
from scheduler.models.execution import Status

from tests.proof.chaos.proxy import Loop, Proxy

from .brokers import KINDS, RabbitMQ, Redis, broker
from .cluster import Cluster, cluster, eventually
from .remote_bodies import end_process, note, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
GIVEN_UP_WITHIN = 240
"""Seconds in which a worker gives a silent connection up: it takes 20 to 60, and 900 by TCP."""


@pytest.fixture(scope="module", params=list(KINDS))
def running_broker(request: pytest.FixtureRequest) -> Iterator[Redis | RabbitMQ]:
    with broker(request.param) as made:
        yield made


@pytest.fixture
def celery(running_broker: Redis | RabbitMQ, tmp_path: Path) -> Iterator[Cluster]:
    """A leader and a worker of one process."""
    variables = {"TEST_WORKERS": "celery", "TEST_BROKER_URL": running_broker.url()}
    with cluster(tmp_path, **variables) as made:
        made.scheduler()
        made.celery()
        eventually(lambda: Node.objects.filter(role="worker").exists())
        yield made


def now(func: Callable, id: str = "job", **options) -> None:
    """A job on the workers that is due now."""
    scheduler.add_job(func, id=id, executor="workers", trigger="date", **options)


def ended(count: int = 1) -> list[Execution]:
    """All runs, once so many have ended."""
    eventually(lambda: Execution.objects.finished().count() >= count)
    return list(Execution.objects.order_by("id"))


def test_a_run_has_its_output_its_value_and_its_worker_and_no_argument_travels(celery):
    now(note)
    (row,) = ended()
    assert row.status == "succeeded"
    assert "printed\n" in row.log
    assert "INFO tests: logged" in row.log
    assert int(row.return_value) != os.getpid()
    assert Node.objects.get(id=row.node_id).role == "worker"
    assert '{"level": "INFO", "message": "logged"}' in celery.output(), "the project's LOGGING"
    assert "Task scheduler.run[" in celery.output() or f"{row.pk}.1" in celery.output()


def test_a_timeout_ends_the_process_and_the_pool_goes_on(celery, tmp_path):
    now(wait_for, args=[str(tmp_path / "go")], timeout=1)
    (row,) = ended()
    assert (row.status, row.reason) == (
        "timed_out", "its process was ended after its timeout of 1 s"
    )  # fmt: skip
    assert row.log == "waiting\n"
    now(note, id="next")
    assert ended(2)[1].status == "succeeded"


def test_a_request_to_cancel_ends_a_running_body(celery, tmp_path):
    now(wait_for, args=[str(tmp_path / "go")])
    eventually((tmp_path / "go.1").exists)
    scheduler.cancel(Execution.objects.get().pk)
    (row,) = ended()
    assert (row.status, row.reason) == ("cancelled", "its process was ended")


def test_a_worker_process_that_dies_in_a_body_loses_that_run_and_the_retry_runs(celery, tmp_path):
    now(wait_for, args=[str(tmp_path / "go")], on_lost="retry", max_retries=1)
    eventually((tmp_path / "go.1").exists)
    node = Node.objects.get(id=Execution.objects.get().node_id)
    os.kill(node.pid, signal.SIGKILL)
    eventually((tmp_path / "go.2").exists)
    (tmp_path / "go").touch()
    first, second = ended(2)
    assert (first.status, second.status) == ("lost", "succeeded")
    assert first.reason.startswith("its worker ")


def test_a_body_that_ends_its_process_is_lost_and_the_next_run_succeeds(celery):
    now(end_process)
    assert ended()[0].status == "lost"
    now(note, id="next")
    assert ended(2)[1].status == "succeeded"


def test_a_worker_that_is_asked_to_stop_finishes_its_body(celery, tmp_path):
    now(wait_for, args=[str(tmp_path / "go")])
    eventually((tmp_path / "go.1").exists)
    worker = celery.processes[1]
    worker.send_signal(signal.SIGTERM)
    eventually(lambda: "Initiating Soft Shutdown" in celery.output())
    (tmp_path / "go").touch()
    assert ended()[0].status == "succeeded"
    worker.wait(60)
    eventually(lambda: not Node.objects.filter(role="worker").exists())


def test_messages_that_a_broker_lost_are_sent_again_by_the_next_leader(celery, running_broker):
    """Killed, a Redis without persistence has lost everything; RabbitMQ may have kept it."""
    worker = celery.processes[1]
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    for number in range(20):
        now(note, id=f"job-{number}")
    eventually(lambda: Execution.objects.unclaimed().count() == 20)
    running_broker.crash()
    running_broker.start()
    celery.celery()
    scheduler_process = celery.processes[0]
    scheduler_process.kill()
    scheduler_process.wait()
    celery.scheduler()
    assert {row.status for row in ended(20)} == {Status.SUCCEEDED}
    assert Execution.objects.count() == 20


def test_while_the_broker_is_away_local_jobs_run_and_afterwards_the_others(celery, running_broker):
    running_broker.crash()
    now(note)
    scheduler.add_job(note, id="local", trigger="date")
    eventually(lambda: Execution.objects.filter(job_id="local", status="succeeded").exists())
    eventually(lambda: Node.objects.filter(role="leader").exclude(publish_error="").exists())
    running_broker.start()
    assert {row.status for row in ended(2)} == {Status.SUCCEEDED}


@pytest.fixture
def proxy(celery: Cluster, running_broker: Redis | RabbitMQ) -> Proxy:
    """Stands between the broker and the only worker."""
    worker = celery.processes[1]
    worker.send_signal(signal.SIGTERM)
    worker.wait(60)
    made = Proxy(Loop(), running_broker.port)
    celery.environment["TEST_BROKER_URL"] = running_broker.url(made.port)
    celery.celery()
    now(note, id="before")
    assert ended()[0].status == Status.SUCCEEDED
    return made


def test_a_worker_whose_connections_fell_silent_opens_others(celery, proxy):
    proxy.forget()
    # What is on its way to the worker is lost, and repeated after a minute: each run is another.
    scheduler.add_job(
        note, "interval", seconds=1, id="after", executor="workers", max_instances=GIVEN_UP_WITHIN
    )
    runs = Execution.objects.filter(job_id="after", status=Status.SUCCEEDED)
    eventually(runs.exists, GIVEN_UP_WITHIN)


def test_every_message_twice_runs_no_row_twice(celery, running_broker):
    celery.celery(processes=2)
    for number in range(50):
        now(note, id=f"job-{number}")
    app = App(broker=running_broker.url())
    eventually(lambda: Execution.objects.filter(publication=1).count() == 50)
    for row in Execution.objects.all():
        app.send_task("scheduler.run", args=[row.pk, 1], queue="scheduler", ignore_result=True)
    rows = ended(50)
    assert [row.status for row in rows] == [Status.SUCCEEDED] * 50


def test_a_worker_of_threads_runs_no_timeout_and_says_why(celery, tmp_path):
    worker = celery.processes[1]
    worker.send_signal(signal.SIGTERM)
    worker.wait(60)
    celery.celery("--pool", "threads")
    now(note, timeout=5)
    now(note, id="other")
    by_job = {row.job_id: row for row in ended(2)}
    assert by_job["other"].status == "succeeded"
    assert "--pool prefork" in by_job["job"].reason


def test_two_workers_of_one_name_run_side_by_side(celery):
    """As a Procfile's ``worker``, scaled to two on one host; RabbitMQ would refuse the second."""
    eventually(lambda: celery.output().count("worker1@") and " ready." in celery.output())
    second = celery.celery("--hostname", "worker1@%h")  # the name of the one that runs
    eventually(lambda: celery.output().count(" ready.") == 2 or second.poll() is not None)
    assert second.poll() is None
    celery.processes[1].send_signal(signal.SIGTERM)
    celery.processes[1].wait(60)
    now(note)
    assert ended()[0].status == "succeeded"


def test_a_busy_worker_keeps_no_message_from_an_idle_one(celery, running_broker, tmp_path):
    """With RabbitMQ it keeps one, which is repeated after a minute: Celery cannot do better."""
    if isinstance(running_broker, RabbitMQ):
        pytest.skip("docs/scale.md says so")
    now(wait_for, args=[str(tmp_path / "go")])
    eventually((tmp_path / "go.1").exists)
    now(note, id="next")
    app = App(broker=running_broker.url())
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("scheduler")

        def waiting() -> int:
            with suppress(ChannelError):  # Redis knows no queue that is empty
                return int(queue.qsize())
            return 0

        eventually(lambda: Execution.objects.unclaimed().count() == 1 and waiting())
        eventually(lambda: app.control.ping())  # it has turned since, and would have taken it
        assert waiting() == 1
    celery.celery()
    eventually(lambda: Execution.objects.filter(job_id="next", status="succeeded"))
    (tmp_path / "go").touch()
    assert ended(2)[0].status == "succeeded"


def test_a_worker_of_an_unknown_queue_ends_and_says_which_one_is_meant(celery):
    second = celery.celery("--queues", "schedular")
    assert second.wait(60) != 0
    assert "consumes 'schedular', to which nothing is ever published" in celery.output()
    assert "start it with --queues scheduler" in celery.output()


def test_a_worker_of_another_queue_of_the_project_is_no_worker_of_the_scheduler(celery):
    celery.environment["PYTHONPATH"] += os.pathsep + str(celery.folder)
    (celery.folder / "mail_tasks.py").write_text(
        "from celery import shared_task\n@shared_task\ndef send_mail(): pass\n"
    )
    celery.celery("--queues", "mail", "--include", "mail_tasks")
    eventually(lambda: celery.output().count(" ready.") == 2)
    now(note)
    ended()
    assert Node.objects.filter(role="worker").count() == 1
