"""APScheduler's own scheduler tests against ``DjangoScheduler``, with the exceptions by name."""

from __future__ import annotations

from .run import run_upstream

OURS = "TestBaseScheduler or TestProcessJobs or TestBlockingScheduler"
"""The other classes test stock schedulers of other event loops, none of them ours."""
CASES = 176

EXCEPTIONS = {
    "test_create_trigger_default_type": (
        "replaces the class behind 'date' by a dummy; here the built-in kinds are always this "
        "app's own triggers, which the database can hold"
    ),
    "test_create_trigger_nonexisting_plugin": (
        "an unknown kind raises TriggerError, which names the known ones, not LookupError"
    ),
    "test_export_import_jobs": (
        "a run date given with an offset is the same instant, shown in the scheduler's zone"
    ),
}


def test_every_case_of_apscheduler_passes_or_is_an_exception_with_a_reason(tmp_path):
    cases = run_upstream("test_schedulers.py", "upstream_schedulers", tmp_path, "-k", OURS)

    not_passed = {name.rpartition("::")[2] for name, how in cases.items() if how != "passed"}
    assert {name.partition("[")[0] for name in not_passed} == EXCEPTIONS.keys()
    assert len(not_passed) == 2 * len(EXCEPTIONS)  # with pytz and with zoneinfo
    assert len(cases) == CASES
