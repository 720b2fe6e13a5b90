"""The machine finds nothing as it is, and finds each hole that is made on purpose."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from .machine import Schedulers
from .workers import Workers

EXPLORE = settings(
    max_examples=250,
    stateful_step_count=40,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
HUNT = settings(EXPLORE, max_examples=3_000, derandomize=True, phases=[Phase.generate])


class NoFence(Schedulers):
    database_is = {"fence": False}


class NoUniqueKey(Schedulers):
    database_is = {"unique_key": False}


class NoTrustWindow(Schedulers):
    members_are = {"trust_window": False}


class NoReconcile(Schedulers):
    members_are = {"reconcile": False}


def test_no_order_of_steps_runs_a_slot_twice_or_leaves_one_unexplained():
    run_state_machine_as_test(Schedulers, settings=EXPLORE)


@pytest.mark.parametrize(
    ("hole", "complaint"),
    [
        (NoFence, "terms of claims"),
        (NoUniqueKey, "a slot was run twice"),
        (NoTrustWindow, "a body started whose run is"),
        (NoReconcile, "never ended"),
    ],
)
def test_without_one_of_the_defences_the_simulation_finds_the_hole(hole, complaint):
    with pytest.raises(AssertionError, match=complaint):
        run_state_machine_as_test(hole, settings=HUNT)


class NoPublicationNumber(Workers):
    publication_number = False


class ClaimsWhatRuns(Workers):
    claims_queued_only = False


class ForgetsWhatIsPublished(Workers):
    counts_published = False


class NeverLooksAtItsAge(Workers):
    looks_at_its_age = False


def test_no_order_of_messages_runs_a_row_twice_or_leaves_one_without_an_outcome():
    run_state_machine_as_test(Workers, settings=EXPLORE)


@pytest.mark.parametrize(
    ("hole", "complaint"),
    [
        (NoPublicationNumber, "instances run"),
        (ClaimsWhatRuns, "run twice|a body nobody owns"),
        (ForgetsWhatIsPublished, "instances run"),
        (NeverLooksAtItsAge, "a body nobody owns"),
    ],
)
def test_without_one_of_the_workers_defences_the_simulation_finds_the_hole(hole, complaint):
    with pytest.raises(AssertionError, match=complaint):
        run_state_machine_as_test(hole, settings=HUNT)
