"""What a person does, from the first click to the result that the scheduler's process wrote."""

from __future__ import annotations

import re

import pytest

from .rig import need

expect = need("playwright.sync_api").expect

pytestmark = pytest.mark.slow

JOBS = "/admin/scheduler/job/"
HEARTBEAT = f"{JOBS}demo_5Fapp.heartbeat/change/"
STATUS = ".sch-card .sch-badge"


def job_page(name: str) -> str:
    return f"{JOBS}{name}/change/"


def add(page, function: str, id: str, **values: str) -> None:
    page.goto(f"{JOBS}add/?func=tests.demo_app.jobs:{function}")
    page.fill("#id_id", id)
    page.fill("#id_interval_days", "1")
    for name, value in values.items():
        page.fill(f"#id_arg_{name}", value)
    page.click("text=Add this job")
    page.wait_for_url(f"**{job_page(id)}")


def run_now(page, id: str) -> None:
    page.goto(f"{JOBS}{id}/run/")
    page.click("input[value='Run now']")
    page.wait_for_url("**/admin/scheduler/execution/*/change/")


def test_a_newcomer_adds_previews_runs_pauses_and_removes_a_job(page, rig):
    page.goto("/admin/")
    page.click("text=Scheduler >> nth=0")
    page.click(".sch-nav >> text=Jobs")
    page.click("text=Add job")
    page.click("a:has-text('resize_images')")

    page.fill("#id_id", "small-images")
    page.check("text=Crontab line")
    page.fill("#id_crontab_expr", "30 2 * * *")
    page.select_option("#id_timezone", "Europe/Berlin")
    page.click("text=Preview the next runs")
    expect(page.locator("#id_arg_folder_error")).to_contain_text("required")
    page.fill("#id_arg_folder", "/srv/images")
    page.click("text=Preview the next runs")
    preview = page.locator("#preview")
    expect(preview).to_contain_text("At 02:30 (Europe/Berlin)")
    expect(preview.locator("tbody tr:not(.sch-change)")).to_have_count(10)
    assert not rig.rows("select 1 from scheduler_job where id = 'small-images'")

    page.click("text=Add this job")
    expect(page.locator(".messagelist")).to_contain_text("was added")
    page.click(".sch-tools >> text=Run now")
    expect(page.locator("#id_arg_folder")).to_have_value("/srv/images")
    page.click("input[value='Run now']")
    # The page follows the run by itself, to its result and its log.
    expect(page.locator(STATUS)).to_contain_text("succeeded", timeout=30_000)
    expect(page.locator("#sch-execution")).to_contain_text("/srv/images: 75 %")

    page.goto(job_page("small-images"))
    page.click(".sch-tools >> text=Pause")
    expect(page.locator(STATUS)).to_have_text("paused")
    page.click(".sch-tools >> text=Remove")
    page.click("text=Yes, remove it")
    page.wait_for_url(f"**{JOBS}")
    assert not rig.rows("select 1 from scheduler_job where id = 'small-images'")
    assert rig.rows("select 1 from scheduler_execution where job_id = 'small-images'")


def test_a_running_job_shows_its_log_while_it_runs_and_stops_being_live_at_its_end(page):
    add(page, "sleep_for", "long-nap", seconds="6")
    run_now(page, "long-nap")
    expect(page.locator(STATUS)).to_contain_text("running", timeout=15_000)
    expect(page.locator(".sch-live")).to_contain_text("Live")
    expect(page.locator("#sch-log")).to_contain_text("asleep for 6 s", timeout=15_000)
    expect(page.locator(STATUS)).to_contain_text("running")
    expect(page.locator(STATUS)).to_contain_text("succeeded", timeout=30_000)
    expect(page.locator(".sch-live")).to_contain_text("Finished")
    expect(page.locator("#sch-execution")).to_contain_text("6.0")


def test_a_failure_shows_its_traceback_and_is_tried_again(page):
    add(page, "fail", "stumbles", message="the disk is full")
    run_now(page, "stumbles")
    expect(page.locator(STATUS)).to_contain_text("failed", timeout=30_000)
    expect(page.locator("#sch-execution")).to_contain_text("RuntimeError: the disk is full")
    expect(page.locator("#sch-execution")).to_contain_text("in fail")
    frames = page.locator(".sch-frames pre")
    expect(frames).not_to_be_visible()
    page.click(".sch-frames summary")
    expect(frames).to_contain_text("runner.py")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("[data-copies=sch-traceback]")
    expect(page.locator("[role=status]").first).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("Traceback (most recent call last):")
    assert "runner.py" in copied
    assert copied.rstrip().endswith("RuntimeError: the disk is full")
    first = page.url
    page.click(".sch-tools >> text=Try again")
    page.wait_for_url(lambda url: "/execution/" in url and url != first)
    expect(page.locator(STATUS)).to_contain_text("failed", timeout=30_000)
    page.goto("/admin/scheduler/")
    expect(page.locator("#sch-overview")).to_contain_text("the disk is full")


def test_a_running_execution_is_asked_to_stop(page):
    add(page, "sleep_for", "cancelled-nap", seconds="6")
    run_now(page, "cancelled-nap")
    expect(page.locator(STATUS)).to_contain_text("running", timeout=15_000)
    page.click(".sch-tools >> text=Cancel")
    expect(page.locator(".messagelist")).to_contain_text("asked to stop")


def test_the_scheduler_sees_a_pause_and_a_resume(page, rig):
    def runs() -> int:
        sql = "select count(*) from scheduler_execution where job_id = 'demo_app.heartbeat'"
        return rig.rows(sql)[0][0]

    page.goto(HEARTBEAT)
    page.click(".sch-tools >> text=Pause")
    expect(page.locator(STATUS)).to_have_text("paused")
    paused_at = runs()
    # Another job proves that the scheduler's time goes on meanwhile.
    other = "select count(*) from scheduler_execution where job_id = 'demo_app.sync_stock'"
    before = rig.rows(other)[0][0]
    rig.wait_until(lambda: rig.rows(other)[0][0] > before, "another job runs")
    assert runs() == paused_at
    page.reload()
    page.click(".sch-tools >> text=Resume")
    expect(page.locator(STATUS)).to_have_text("active")
    rig.wait_until(lambda: runs() > paused_at, "the resumed job runs")


def test_pause_and_resume_from_the_list(page):
    page.goto(f"{JOBS}?q=morning_mail")
    page.click("#result_list >> text=Pause")
    page.goto(f"{JOBS}?q=morning_mail")
    expect(page.locator("#result_list .sch-badge >> nth=0")).to_have_text("paused")
    page.click("#result_list >> text=Resume")
    page.goto(f"{JOBS}?q=morning_mail")
    expect(page.locator("#result_list .sch-badge >> nth=0")).to_have_text("active")


def test_ticked_jobs_run(page, rig):
    page.goto(f"{JOBS}?q=morning_mail")
    page.check("input[name=_selected_action]")
    page.select_option("select[name=action]", "run_selected")
    page.click(".actions button")
    page.click("input[value='Run now']")
    sql = (
        "select 1 from scheduler_execution where job_id = 'demo_app.morning_mail' "
        "and kind = 'manual' and status = 'succeeded'"
    )
    rig.wait_until(lambda: rig.rows(sql), "the ticked job ran")


def test_the_overview_goes_red_by_itself_and_green_again(page, rig):
    page.goto("/admin/scheduler/")
    expect(page.locator(".sch-health-ok")).to_be_visible(timeout=20_000)
    rig.stop_schedulers()
    expect(page.locator(".sch-health-bad")).to_be_visible(timeout=30_000)
    expect(page.locator(".sch-health-bad")).to_contain_text("manage.py runapscheduler")
    rig.start_scheduler()
    expect(page.locator(".sch-health-ok")).to_be_visible(timeout=30_000)


def test_a_standby_is_shown(page, rig):
    rig.start_scheduler()
    page.goto("/admin/scheduler/")
    expect(page.locator("#sch-processes-title + table")).to_contain_text("standby", timeout=30_000)


def test_filters_of_executions_lead_to_one_another(page):
    page.goto("/admin/scheduler/execution/")
    page.click("summary:has-text('Outcome')")
    page.click(".sch-filter[open] >> text=succeeded")
    page.wait_for_url("**status=succeeded**")
    badges = page.locator("#result_list .field-outcome .sch-badge")
    assert set(badges.all_inner_texts()) == {"✓\N{NO-BREAK SPACE}succeeded"}
    page.click("summary:has-text('Ended')")
    page.click(".sch-filter[open] >> text=last hour")
    page.wait_for_url(re.compile("status=succeeded.*when=hour|when=hour.*status=succeeded"))


def test_refreshing_can_be_stopped(page):
    page.goto("/admin/scheduler/")
    page.click("text=Stop refreshing")
    expect(page.locator(".sch-live")).to_contain_text("Not refreshed")
    page.reload()
    expect(page.locator(".sch-live")).to_contain_text("Not refreshed")
    page.click("text=Refresh live")
    expect(page.locator(".sch-live")).to_contain_text("Live")


def press_until(page, key: str, selector: str) -> None:
    """Press a key until the focus is on what is looked for."""
    for _ in range(150):
        page.keyboard.press(key)
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"{selector} is not reached with {key}")


def test_a_job_is_run_with_the_keyboard_only(page):
    page.goto(job_page("demo_5Fapp.morning_5Fmail"))
    press_until(page, "Tab", ".sch-main")
    outline = "getComputedStyle(document.activeElement)"
    assert page.evaluate(f"{outline}.outlineStyle !== 'none' || {outline}.textDecorationLine")
    page.keyboard.press("Enter")
    page.wait_for_url("**/run/")
    press_until(page, "Tab", "input[value='Run now']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/scheduler/execution/*/change/")
    expect(page.locator(STATUS)).to_contain_text("succeeded", timeout=30_000)


def test_a_job_is_added_without_javascript(open_page, rig):
    page = open_page(java_script_enabled=False)
    add(page, "heartbeat", "without-script")
    assert rig.rows("select 1 from scheduler_job where id = 'without-script'")
    page.click(".sch-tools >> text=Run now")
    page.click("input[value='Run now']")
    page.wait_for_url("**/admin/scheduler/execution/*/change/")
    sql = (
        "select 1 from scheduler_execution where job_id = 'without-script' and status = 'succeeded'"
    )
    rig.wait_until(lambda: rig.rows(sql), "it ran")
    page.reload()
    assert "succeeded" in page.locator(STATUS).inner_text()


BAD = {
    "interval": ({"#id_interval_minutes": "-3"}, "#id_interval_minutes_error"),
    "crontab": ({"#id_crontab_expr": "every day"}, "#id_crontab_expr_error"),
    "cron": ({"#id_cron_hour": "27"}, "#id_cron_hour_error"),
    "calendarinterval": (
        {"#id_calendarinterval_hour": "9"},
        "[id^=id_calendarinterval_][id$=_error]",
    ),
    "date": ({"#id_date_run_date": "1999-12-31"}, "#id_date_run_date_error"),
    "json": ({"#id_json_text": "{"}, "#id_json_text_error"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_schedule_is_told_where_it_was_entered(page, kind):
    entered, error = BAD[kind]
    page.goto(f"{JOBS}add/?func=tests.demo_app.jobs:heartbeat")
    page.check(f"input[value={kind}]")
    for field, value in entered.items():
        page.fill(field, value)
    page.click("text=Add this job")
    expect(page.locator(".errornote")).to_be_visible()
    expect(page.locator(error).first).to_be_visible()
    assert page.title().startswith("Error:")
