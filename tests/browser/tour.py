"""The picture that moves in the README: a job that runs, a leader that is killed, another leads.

python -m tests.browser.tour [file]
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

from .rig import ROOT, Rig, chromium
from .screenshots import ADMIN, JOBS, Camera, live

FILE = ROOT / "docs" / "screenshots" / "tour.webp"
SIZE = {"width": 1200, "height": 720}
SECONDS_PER_FRAME = 3
CAPTION = """text => {
    const caption = document.body.appendChild(document.createElement("div"));
    caption.textContent = text;
    Object.assign(caption.style, {
        position: "fixed", bottom: 0, left: 0, right: 0, padding: "14px 24px", zIndex: 9999,
        font: "600 20px sans-serif", color: "#fff", background: "#0b4b33",
    });
}"""


class Tour:
    """Walk through the console, and keep a frame of each step."""

    def __init__(self, camera: Camera) -> None:
        self.camera, self.rig = camera, camera.rig
        self.page = camera.page(SIZE)
        self.frames: list[Image.Image] = []

    def walk(self) -> None:
        """Take all frames."""
        self.page.goto(ADMIN)
        self.take("Two schedulers on one database: one leads, the other stands by")
        self.page.goto(f"{JOBS}add/?func=tests.demo_app.jobs:resize_images")
        self.page.fill("#id_id", "small-images")
        self.page.fill("#id_arg_folder", "/srv/images")
        self.page.check("text=Crontab line")
        self.page.fill("#id_crontab_expr", "30 2 28 * *")
        self.page.select_option("#id_timezone", "Europe/Berlin")
        self.page.click("text=Preview the next runs")
        self.page.wait_for_selector("#preview")
        self.page.evaluate("document.querySelector('#preview').scrollIntoView({block: 'end'})")
        self.take("Any job, by a form that shows its next runs before it is saved")
        self.camera.run_now(self.page, "demo_5Fapp.heartbeat")
        self.page.wait_for_selector(".sch-card .sch-succeeded", timeout=30_000)
        self.take("Run it now: a row that the scheduler acts on, with its log and its result")
        self.page.goto(f"{ADMIN}execution/?status=problems")
        self.take("What failed, and why. The history outlives its jobs")
        leader = self.rig.schedulers.pop(0)
        leader.kill()
        leader.wait()
        term = "select 1 from scheduler_lease where term > 1"
        self.rig.wait_until(lambda: self.rig.rows(term), "the standby leads")
        self.page.goto(ADMIN)
        self.take("kill -9 the leader: the other leads, and no run was lost or doubled")

    def take(self, caption: str) -> None:
        """Keep a frame with this caption."""
        self.page.evaluate(CAPTION, caption)
        self.frames.append(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB"))

    def save(self, file: Path) -> None:
        """Write the frames as an animated WebP."""
        first, *others = self.frames
        duration = SECONDS_PER_FRAME * 1000
        first.save(file, save_all=True, append_images=others, duration=duration, loop=0, quality=80)
        print(file.name)


def main(file: Path) -> None:
    """Start a demo shop, walk through its console, and write the picture."""
    from playwright.sync_api import sync_playwright

    path = chromium()
    if path is None:
        sys.exit("no Chromium here: apt-get install chromium")
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as driver:
        rig = Rig(Path(scratch), pace=60)
        try:
            live(rig)
            browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
            tour = Tour(Camera(rig, browser, file.parent))
            tour.walk()
            tour.save(file)
            browser.close()
        finally:
            rig.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FILE)
