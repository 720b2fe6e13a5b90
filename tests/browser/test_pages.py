"""Each page, wide and narrow, light and dark: nothing sticks out, and axe finds no fault."""

from __future__ import annotations

import pytest

from .rig import need

axe = need("axe_playwright_python.sync_playwright")

pytestmark = pytest.mark.slow

PAGES = {
    "overview": "/admin/scheduler/",
    "jobs": "/admin/scheduler/job/",
    "job": "/admin/scheduler/job/demo_5Fapp.sync_5Fstock/change/",
    "history": "/admin/scheduler/job/demo_5Fapp.sync_5Fstock/history/",
    "run now": "/admin/scheduler/job/demo_5Fapp.sync_5Fstock/run/",
    "remove": "/admin/scheduler/job/demo_5Fapp.sync_5Fstock/delete/",
    "choose": "/admin/scheduler/job/add/",
    "add": "/admin/scheduler/job/add/?func=tests.demo_app.jobs:resize_images",
    "executions": "/admin/scheduler/execution/",
    "execution": "/admin/scheduler/execution/1/change/",
}
SIZES = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 360, "height": 740}}
# Faults of Django's own frame around our pages, the same on every page of the admin.
OF_DJANGO = ("#user-tools", "#header", "#site-name", "#branding", ".breadcrumbs", "#nav-sidebar",
             "#toggle-nav-sidebar", "#nav-filter", "footer", ".skip-to-content-link",
             "#toolbar")  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_a_page_fits_and_the_browser_has_no_complaint(open_page, name, scheme, size):
    page = open_page(viewport=SIZES[size], color_scheme=scheme)
    assert page.goto(PAGES[name]).status == 200
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
    for details in page.locator("details").all():
        details.evaluate("element => element.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_a_page_is_accessible(open_page, name, scheme, size):
    # axe styles what it measures, which the policy would stop.
    page = open_page(viewport=SIZES[size], color_scheme=scheme, bypass_csp=True)
    page.goto(PAGES[name])
    for details in page.locator(".sch-page details").all():
        details.evaluate("element => element.open = true")
    found = axe.Axe().run(page, context={"exclude": [[each] for each in OF_DJANGO]})
    faults = [
        (fault["id"], [node["html"][:200] for node in fault["nodes"]][:3])
        for fault in found.response["violations"]
    ]
    assert not faults


BROKEN_WORDS = """() => {
  const broken = [], range = document.createRange(), page = document.querySelector("#content");
  const walker = document.createTreeWalker(page, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.parentElement.closest("pre, .sch-why, .sch-raw code, select")) continue;
    for (const word of node.data.matchAll(/[^\\s-]+/g)) {
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
      if (lines.size > 1) broken.push(word[0]);
    }
  }
  return broken;
}"""


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("size", SIZES)
def test_no_word_is_broken(open_page, name, size):
    page = open_page(viewport=SIZES[size])
    page.goto(PAGES[name])
    assert page.evaluate(BROKEN_WORDS) == []


@pytest.mark.parametrize("size", SIZES)
def test_the_timeline_shows_now(open_page, size):
    page = open_page(viewport=SIZES[size])
    page.goto(PAGES["overview"])
    frame = page.locator(".sch-timeline .sch-scroll").bounding_box()
    # Now, and the name of each job beside its runs.
    for each in page.locator(".sch-now, .sch-lane").all():
        shown = each.bounding_box()
        assert frame["x"] - 5 <= shown["x"] < frame["x"] + frame["width"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_readable_without_javascript(open_page, name):
    page = open_page(java_script_enabled=False)
    assert page.goto(PAGES[name]).status == 200
    assert page.locator("h1").first.inner_text()
    assert len(page.locator("#content").inner_text()) > 40
