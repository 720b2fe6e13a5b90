"""Each page, wide and narrow, light and dark: nothing sticks out, and axe finds no fault."""

from __future__ import annotations

import pytest

from .rig import need

axe = need("axe_playwright_python.sync_playwright")

pytestmark = pytest.mark.slow

PAGES = {
    "index": "/admin/",
    "overview": "/admin/scheduler/",
    "jobs": "/admin/scheduler/job/",
    "job": "/admin/scheduler/job/demo_5Fapp.sync_5Fstock/change/",
    "history": "/admin/scheduler/job/demo_5Fapp.sync_5Fstock/history/",
    "run now": "/admin/scheduler/job/demo_5Fapp.sync_5Fstock/run/",
    "remove": "/admin/scheduler/job/demo_5Fapp.sync_5Fstock/delete/",
    "choose": "/admin/scheduler/job/add/",
    "add": "/admin/scheduler/job/add/?func=tests.demo_app.jobs:resize_images",
    "pause all": "/admin/scheduler/job/pause-all/",
    "clone": "/admin/scheduler/job/add/?from=demo_app.sync_stock",
    "executions": "/admin/scheduler/execution/",
    "tasks": "/admin/scheduler/execution/tasks/",
    "trends": "/admin/scheduler/execution/trends/",
    "trends of a job": "/admin/scheduler/execution/trends/?job=demo_app.sync_stock",
    "executions that do not exist": "/admin/scheduler/execution/?node=nowhere&from=soon&status=odd",
    "execution": "/admin/scheduler/execution/1/change/",
    "failed execution": "/admin/scheduler/execution/{failed}/change/",
}
SIZES = {
    "wide": {"width": 1280, "height": 900},
    "middle": {"width": 768, "height": 1000},
    "narrow": {"width": 390, "height": 740},
}
# Faults of Django's own frame around our pages, the same on every page of the admin.
OF_DJANGO = ("#user-tools", "#header", "#site-name", "#branding", ".breadcrumbs", "#nav-sidebar",
             "#toggle-nav-sidebar", "#nav-filter", "footer", ".skip-to-content-link",
             "#toolbar")  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_a_page_fits_and_the_browser_has_no_complaint(open_page, rig, name, scheme, size):
    page = open_page(viewport=SIZES[size], color_scheme=scheme)
    assert page.goto(rig.address(PAGES[name])).status == 200
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
    for details in page.locator("details").all():
        details.evaluate("element => element.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]


# What cannot be seen without scrolling sideways, and what something else lies on. A chart and a
# text by lines may be scrolled.
UNREACHABLE = """() => {
  const faults = [];
  const where = (element) => `${element.tagName} ${element.className} ${element.innerText}`;
  for (const element of document.querySelectorAll("#content *, .breadcrumbs *")) {
    if (!element.checkVisibility() || element.closest("svg, pre, .visually-hidden")) continue;
    const box = element.getBoundingClientRect();
    if (!box.width || getComputedStyle(element).clipPath !== "none") continue;
    const frames = [document.documentElement];
    for (let up = element.parentElement; up; up = up.parentElement) {
      if (getComputedStyle(up).overflowX !== "visible") frames.push(up);
    }
    for (const frame of frames) {
      const right = frame.getBoundingClientRect().right;
      if (box.right <= right + 1) continue;
      faults.push(`cut off by ${where(frame).slice(0, 60)}: ${where(element)}`);
    }
    if (!element.matches("a, button, input:not([type=hidden]), select, summary")) continue;
    element.scrollIntoView({ block: "center" });
    const seen = element.getClientRects()[0];
    const top = document.elementFromPoint(seen.x + seen.width / 2, seen.y + seen.height / 2);
    if (!top || !(element.contains(top) || top.contains(element))) {
      faults.push(`covered by ${top && where(top)}: ${where(element)}`);
    }
  }
  return faults;
}"""


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_off_or_covered(open_page, rig, name, scheme, size):
    page = open_page(viewport=SIZES[size], color_scheme=scheme)
    page.goto(rig.address(PAGES[name]))
    assert page.evaluate(UNREACHABLE) == []


@pytest.mark.parametrize("size", SIZES)
def test_a_filter_closes_by_escape_by_a_click_elsewhere_and_when_another_opens(open_page, size):
    page = open_page(viewport=SIZES[size])
    page.goto(PAGES["executions"])
    opened = page.locator(".sch-filter[open]")
    for close in (lambda: page.keyboard.press("Escape"), lambda: page.click("h1")):
        page.click("summary:has-text('Outcome')")
        assert opened.count() == 1
        close()
        assert opened.count() == 0
    page.click("summary:has-text('Outcome')")
    page.click("summary:has-text('Kind')")
    assert opened.count() == 1
    page.reload()
    assert opened.count() == 0


@pytest.mark.parametrize("size", SIZES)
def test_no_name_lies_on_a_mark_of_the_timeline(open_page, size):
    page = open_page(viewport=SIZES[size])
    page.goto(PAGES["overview"])
    for lane in page.locator(".sch-chart a:has(.sch-lane)").all():
        name = lane.locator("text").bounding_box()
        for mark in lane.locator("path").all():
            assert mark.bounding_box()["y"] >= name["y"] + name["height"] - 4  # its descent


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_a_page_is_accessible(open_page, rig, name, scheme, size):
    # axe styles what it measures, which the policy would stop.
    page = open_page(viewport=SIZES[size], color_scheme=scheme, bypass_csp=True)
    page.goto(rig.address(PAGES[name]))
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
    if (node.parentElement.closest("pre, .sch-why, .sch-reason, .sch-raw code, select")) continue;
    // No id of a job is a word; a date is one, with its hyphens.
    for (const word of node.data.matchAll(/\\d{4}-\\d\\d-\\d\\d|[^\\s-]+/g)) {
      if (word[0].length > 40) continue;
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
def test_no_word_is_broken(open_page, rig, name, size):
    page = open_page(viewport=SIZES[size])
    page.goto(rig.address(PAGES[name]))
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


def test_a_table_of_five_columns_has_the_room_that_it_needs(open_page, rig):
    page = open_page(viewport=SIZES["wide"])
    page.goto(PAGES["trends"])
    assert page.locator("[aria-labelledby=sch-slowest] th[scope=row]").count()
    assert page.locator("[aria-labelledby=sch-slowest] thead").is_visible()


def test_a_button_of_two_words_is_one_line(open_page, rig):
    page = open_page(viewport=SIZES["wide"])
    page.goto(PAGES["jobs"])
    run, pause = (page.locator(f".field-buttons >> text={verb}").first.bounding_box()["height"]
                  for verb in ("Run now", "Pause"))  # fmt: skip
    assert run == pytest.approx(pause, abs=2)


def test_a_mean_is_not_broken_from_its_number(open_page, rig):
    page = open_page(viewport=SIZES["wide"])
    page.goto(PAGES["jobs"])
    means = page.locator(".field-last_runs .sch-quiet")
    assert means.count()
    for mean in means.all():
        assert mean.evaluate("element => element.getClientRects().length") == 1


TINY = """() => [...document.querySelectorAll("svg text")].filter((element) => {
  const size = parseFloat(getComputedStyle(element).fontSize) * element.getScreenCTM().a;
  return element.checkVisibility() && size < 10;
}).map((element) => element.textContent)"""


@pytest.mark.parametrize("name", ["overview", "trends", "trends of a job"])
@pytest.mark.parametrize("size", SIZES)
def test_the_words_of_a_chart_can_be_read(open_page, rig, name, size):
    page = open_page(viewport=SIZES[size])
    page.goto(rig.address(PAGES[name]))
    assert page.locator("svg text").count()
    assert page.evaluate(TINY) == []


# The colours of groups, beside those of the outcomes that they hold.
COLOURS = """(names) => names.map((name) => {
  const mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  mark.setAttribute("class", `sch-fill-${name}`);
  const key = document.createElement("i");
  key.className = `sch-key sch-key-${name}`;
  document.querySelector("svg.sch-chart").append(mark);
  document.querySelector("#content").append(key);
  return [getComputedStyle(mark).fill, getComputedStyle(key, "::before").backgroundColor];
})"""
GROUPS = {
    "problems": ("failed", "timed_out", "lost", "missed"),
    "not_run": ("skipped", "cancelled"),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_group_has_the_colour_of_what_it_holds_and_the_legend_that_of_the_mark(open_page, scheme):
    page = open_page(viewport=SIZES["wide"], color_scheme=scheme)
    page.goto(PAGES["overview"])
    names = [*GROUPS, *(name for held in GROUPS.values() for name in held), "succeeded", "running"]
    colours = dict(zip(names, page.evaluate(COLOURS, names), strict=True))
    for name, (mark, key) in colours.items():
        assert mark == key, name
    outcomes = {name: colours[name] for name in names if name not in GROUPS}
    assert len({str(colour) for colour in outcomes.values()}) == len(outcomes)
    for group, held in GROUPS.items():
        same = {name for name, colour in outcomes.items() if colour == colours[group]}
        assert same
        assert same <= set(held)


OUTSIDE = """() => [...document.querySelectorAll("svg text")].filter((element) => {
  const box = element.getBoundingClientRect();
  const frame = element.ownerSVGElement.getBoundingClientRect();
  return box.width && (box.left < frame.left - 2 || box.right > frame.right + 2);
}).map((element) => element.textContent)"""


@pytest.mark.parametrize("name", ["overview", "trends of a job", "jobs", "failed execution"])
@pytest.mark.parametrize("size", SIZES)
def test_charts_keep_their_labels_in_a_right_to_left_page(open_page, rig, name, size):
    page = open_page(viewport=SIZES[size])
    page.goto(rig.address(PAGES[name]))
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
    ticks = [tick.bounding_box()["x"] for tick in page.locator(".sch-chart .sch-grid").all()]
    assert ticks == sorted(ticks)


@pytest.mark.parametrize("name", ["overview", "trends"])
@pytest.mark.parametrize("size", SIZES)
def test_in_arabic_time_still_runs_from_left_to_right(open_page, rig, name, size):
    page = open_page(viewport=SIZES[size], locale="ar")
    page.goto(rig.address(PAGES[name]))
    assert page.evaluate("document.documentElement.dir") == "rtl"
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
    for chart in page.locator(".sch-chart, .sch-plot").all():
        ticks = chart.locator("text[text-anchor=middle]").all()
        places = [tick.bounding_box()["x"] for tick in ticks]
        assert places == sorted(places)


@pytest.mark.parametrize("name", ["overview", "jobs", "job", "executions", "trends"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("locale", ["de", "es"])
def test_longer_words_fit_too(open_page, rig, name, size, locale):
    page = open_page(viewport=SIZES[size], locale=locale)
    page.goto(rig.address(PAGES[name]))
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
    assert page.evaluate(UNREACHABLE) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_readable_without_javascript(open_page, rig, name):
    page = open_page(java_script_enabled=False)
    assert page.goto(rig.address(PAGES[name])).status == 200
    assert page.locator("h1").first.inner_text()
    assert len(page.locator("#content").inner_text()) > 40
