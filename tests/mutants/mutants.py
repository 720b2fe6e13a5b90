"""Which line of the engine, what it becomes, and the test that must notice."""

from __future__ import annotations

from dataclasses import dataclass

CONFORMANCE = "tests/conformance"


@dataclass(frozen=True)
class Mutant:
    name: str
    file: str
    """Below ``scheduler/``."""
    old: str
    new: str
    test: str
    server: bool = False
    """Only seen where rows have locks of their own: on PostgreSQL and MariaDB."""


MUTANTS = [
    Mutant(
        "fence: whoever holds the lease",
        "engine/lease.py",
        "rows = self._lock.rows(holder=self.node.id, term=self.term)",
        "rows = [(False,)]",
        f"{CONFORMANCE}/test_lease.py::test_after_the_theft_the_old_leader_claims_nothing_and_stands_by",
    ),
    Mutant(
        "fence: without its lock",
        "engine/lease.py",
        ".select_for_update()",
        ".all()",
        f"{CONFORMANCE}/test_lease.py::test_a_thief_waits_for_an_open_claim_and_then_sees_it",
        server=True,
    ),
    Mutant(
        "fence: holder without term",
        "engine/lease.py",
        "holder=holder, term=term",
        "holder=holder",
        f"{CONFORMANCE}/test_lease.py::test_equality_is_by_term_too_so_a_lease_lost_and_won_again_fences_the_older_claim",
    ),
    Mutant(
        "take: without naming what was read",
        "engine/lease.py",
        ".filter(pk=1, holder=row.holder, term=row.term, beat=row.beat)",
        ".filter(pk=1)",
        f"{CONFORMANCE}/test_lease.py::test_of_two_that_read_the_same_row_one_wins_whatever_the_order",
    ),
    Mutant(
        "unique key: none",
        "migrations/0001_initial.py",
        'fields=("job_uid", "scheduled_run_time", "attempt"),',
        'fields=("id",),',
        f"{CONFORMANCE}/test_rows.py::test_a_slot_that_the_ledger_holds_already_is_passed_over",
    ),
    Mutant(
        "trust window: for ever",
        "engine/lease.py",
        "return self.held and self.term == term and monotonic() < self._trusted_until",
        "return self.held and self.term == term",
        f"{CONFORMANCE}/test_fences.py::test_a_leader_that_freezes_between_the_commit_and_the_body_starts_nothing",
    ),
    Mutant(
        "trust window: of any term",
        "engine/lease.py",
        "self.held and self.term == term and",
        "self.held and",
        f"{CONFORMANCE}/test_fences.py::test_a_body_of_a_lost_term_is_not_called_when_its_process_leads_again",
    ),
    Mutant(
        "trust window: from the reply on",
        "engine/lease.py",
        "self._trusted_until = before +",
        "self._trusted_until = monotonic() +",
        f"{CONFORMANCE}/test_lease.py::test_trust_begins_before_the_renewal_is_sent_not_when_it_returns",
    ),
    Mutant(
        "trust window: no margin",
        "engine/lease.py",
        "conf().LEASE_TTL - conf().LEASE_MARGIN",
        "conf().LEASE_TTL",
        f"{CONFORMANCE}/test_lease.py::test_trust_ends_a_margin_before_the_lease_does",
    ),
    Mutant(
        "trust window: nobody asks",
        "engine/executors.py",
        "if not self._trusted(taken.term):",
        "if False:",
        f"{CONFORMANCE}/test_fences.py::test_a_leader_that_freezes_between_the_commit_and_the_body_starts_nothing",
    ),
    Mutant(
        "reconcile: silence is life",
        "engine/reconcile.py",
        "if self._observer.silent_for(node_id, node.beat) > node.ttl:",
        "if False:",
        f"{CONFORMANCE}/test_fences.py::test_runs_of_a_process_that_is_silent_for_its_ttl_are_lost",
    ),
    Mutant(
        "reconcile: the judge's own pause counts",
        "engine/node.py",
        "min(now - looked, conf().LEASE_TTL / 3)",
        "(now - looked)",
        f"{CONFORMANCE}/test_fences.py::test_a_pause_of_the_judge_is_no_silence_of_the_others",
    ),
    Mutant(
        "retries: without end",
        "engine/retries.py",
        "return ended_badly and run.attempt <= run.max_retries",
        "return ended_badly",
        f"{CONFORMANCE}/test_fences.py::test_losing_again_and_again_ends_with_max_retries",
    ),
    Mutant(
        "same host: a pid is proof in any namespace",
        "engine/node.py",
        "or node.pid_ns != _pid_namespace()",
        "",
        f"{CONFORMANCE}/test_lease.py::test_another_boot_another_namespace_or_an_unknown_start_prove_nothing",
    ),
    Mutant(
        "finish: also what was given up",
        "engine/ledger.py",
        "t.node_id = %s AND t.status = %s",
        "t.node_id = %s OR t.status <> %s",
        f"{CONFORMANCE}/test_fences.py::test_a_late_finish_of_a_frozen_process_changes_nothing",
    ),
    Mutant(
        "lost reply: what the commit started stays running",
        "engine/recorder.py",
        "return self.ledger.give_back(unknown) if unknown else 0",
        "return 0",
        f"{CONFORMANCE}/test_replies.py::test_a_claim_whose_reply_was_lost_runs_once",
    ),
    Mutant(
        "lost reply: only looked for after an outage",
        "engine/loop.py",
        "self.recorder.recover_lost_replies()",
        "pass",
        f"{CONFORMANCE}/test_fences.py::test_a_commit_that_happens_after_its_connection_broke_leaves_no_run_behind",
    ),
    Mutant(
        "claim: a stretch is passed over whole",
        "engine/claims.py",
        "self._pass_over(job, executors)",
        "pass",
        f"{CONFORMANCE}/test_rows.py::test_of_a_stretch_that_begins_with_a_recorded_slot_only_that_slot_is_passed_over",
    ),
    Mutant(
        "claim: a user's lock is waited for",
        "engine/claims.py",
        "skip_locked=skips_locked(self.using)",
        "skip_locked=False",
        f"{CONFORMANCE}/test_rows.py::test_a_users_transaction_that_holds_a_jobs_row_delays_that_job_only",
        server=True,
    ),
    Mutant(
        "audit: the ledger is always right",
        "engine/audit.py",
        "if (entry := begins.get(slot)) is not None:",
        "if entry := begins.get(slot, entries[0]):",
        f"{CONFORMANCE}/test_audit.py::test_a_row_that_vanished_is_found",
    ),
]
