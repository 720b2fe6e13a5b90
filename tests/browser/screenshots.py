"""Every page of the admin, of a demo shop with two live schedulers; ``make screenshots``.

python -m tests.browser.screenshots [folder]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from .rig import PASSWORD, ROOT, USER, Rig, chromium

FOLDER = ROOT / "docs" / "screenshots"
ADMIN = "/admin/scheduler/"
JOBS = f"{ADMIN}job/"
TALLEST = 1800
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 400, "height": 860}
PAGES = (
    ("overview", ADMIN, WIDE, "light"),
    ("overview-dark", ADMIN, WIDE, "dark"),
    ("overview-narrow", ADMIN, NARROW, "light"),
    ("jobs", JOBS, WIDE, "light"),
    ("jobs-dark", JOBS, WIDE, "dark"),
    ("jobs-narrow", JOBS, NARROW, "light"),
    ("job", f"{JOBS}demo_5Fapp.sync_5Fstock/change/", WIDE, "light"),
    ("job-history", f"{JOBS}stumbles/history/", WIDE, "light"),
    ("job-remove", f"{JOBS}stumbles/delete/", WIDE, "light"),
    ("add-choose", f"{JOBS}add/", WIDE, "light"),
    ("run-now", f"{JOBS}demo_5Fapp.sync_5Fstock/run/", WIDE, "light"),
    ("executions", f"{ADMIN}execution/", WIDE, "light"),
    ("executions-dark", f"{ADMIN}execution/?status=problems", WIDE, "dark"),
    ("executions-narrow", f"{ADMIN}execution/", NARROW, "light"),
    ("trends", f"{ADMIN}execution/trends/", WIDE, "light"),
    ("trends-dark", f"{ADMIN}execution/trends/", WIDE, "dark"),
    ("trends-narrow", f"{ADMIN}execution/trends/", NARROW, "light"),
    ("trends-job", f"{ADMIN}execution/trends/?job=demo_app.sync_stock", WIDE, "light"),
)


def main(folder: Path) -> None:
    from playwright.sync_api import sync_playwright

    path = chromium()
    if path is None:
        sys.exit("no Chromium here: apt-get install chromium")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as driver:
        rig = Rig(Path(scratch), pace=60)
        try:
            live(rig)
            browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
            Camera(rig, browser, folder).take_all()
            browser.close()
        finally:
            rig.stop()


def live(rig: Rig) -> None:
    """Two schedulers, a day of history, and some jobs that really run."""
    rig.start()
    rig.start_scheduler()
    rig.wait_until(
        lambda: rig.rows("select 1 from scheduler_job"), "a leader has brought the jobs in"
    )
    rig.start_scheduler()
    command = [sys.executable, "-m", "tests.browser.history"]
    subprocess.run(command, cwd=ROOT, env=rig.environment(), check=True)
    rig.count_for_trends()


class Camera:
    def __init__(self, rig: Rig, browser, folder: Path) -> None:
        self.rig, self.browser, self.folder = rig, browser, folder
        page = browser.new_page(base_url=rig.url)
        page.goto("/admin/")
        page.fill("#id_username", USER)
        page.fill("#id_password", PASSWORD)
        page.press("#id_password", "Enter")
        page.wait_for_url("**/admin/")
        self.session = page.context.storage_state()

    def take_all(self) -> None:
        self.form_with_preview()
        self.form_with_error()
        self.failure()
        for name, address, size, scheme in PAGES:
            page = self.page(size, scheme)
            page.goto(address)
            self.take(page, name)
        self.running()
        self.nobody_leads()

    def form_with_preview(self) -> None:
        page = self.page()
        page.goto(f"{JOBS}add/?func=tests.demo_app.jobs:resize_images")
        page.fill("#id_id", "small-images")
        page.fill("#id_arg_folder", "/srv/images")
        page.check("text=Crontab line")
        page.fill("#id_crontab_expr", "30 2 28 * *")
        page.select_option("#id_timezone", "Europe/Berlin")
        page.click("text=Preview the next runs")
        page.wait_for_selector("#preview")
        self.take(page, "add-preview")

    def form_with_error(self) -> None:
        page = self.page()
        page.goto(f"{JOBS}add/?func=tests.demo_app.jobs:sync_stock")
        page.fill("#id_arg_limit", "2.5")
        page.check("text=Crontab line")
        page.fill("#id_crontab_expr", "0 25 * * *")
        page.click("text=Add this job")
        page.wait_for_selector(".errornote")
        self.take(page, "add-errors")

    def failure(self) -> None:
        page = self.page()
        page.goto(f"{JOBS}add/?func=tests.demo_app.jobs:fail")
        page.fill("#id_id", "stumbles")
        page.fill("#id_interval_days", "1")
        page.fill("#id_arg_message", "the disk is full")
        page.click("text=Add this job")
        page.wait_for_url("**/stumbles/change/")
        self.run_now(page, "stumbles")
        page.wait_for_selector(".sch-card .sch-failed", timeout=30_000)
        self.take(page, "execution-failed")
        page = self.page()
        page.goto(f"{JOBS}stumbles/change/")
        page.fill("#id_max_retries", "3")
        page.fill("#id_interval_days", "7")
        page.click("input[value=Save]")
        page.wait_for_selector(".messagelist")
        page.click(".sch-tools >> text=Pause")
        page.wait_for_selector(".sch-card .sch-state-paused")
        page.context.close()

    def running(self) -> None:
        page = self.page()
        page.goto(f"{JOBS}add/?func=tests.demo_app.jobs:sleep_for")
        page.fill("#id_id", "long-nap")
        page.fill("#id_interval_days", "1")
        page.fill("#id_arg_seconds", "8")
        page.click("text=Add this job")
        page.wait_for_url("**/long-nap/change/")
        self.run_now(page, "long-nap")
        page.wait_for_selector(".sch-card .sch-running", timeout=30_000)
        self.take(page, "execution-running")

    def nobody_leads(self) -> None:
        self.rig.stop_schedulers()
        page = self.page()
        page.goto(ADMIN)
        page.wait_for_selector(".sch-health-bad", timeout=60_000)
        self.take(page, "overview-nobody-leads")

    def run_now(self, page, id: str) -> None:
        page.goto(f"{JOBS}{id}/run/")
        page.click("input[value='Run now']")
        page.wait_for_url("**/admin/scheduler/execution/*/change/")

    def page(self, size: dict = WIDE, scheme: str = "light"):
        context = self.browser.new_context(
            base_url=self.rig.url, storage_state=self.session, viewport=size, color_scheme=scheme
        )
        return context.new_page()

    def take(self, page, name: str) -> None:
        width = page.viewport_size["width"]
        height = page.evaluate("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, TALLEST)}
        page.screenshot(path=self.folder / f"{name}.png", full_page=True, clip=clip)
        print(f"{name}.png")
        page.context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
