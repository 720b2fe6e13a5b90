"""``scheduler/README.md``: the map names what is there, and all that is there."""

from __future__ import annotations

import re

import pytest

from tests.combinations import ROOT

APP = ROOT / "{{cookiecutter.project_slug}}" / "scheduler"
MAP = (APP / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return re.split(r"^## ", MAP.partition(f"## {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def test_every_file_that_the_map_names_exists():
    named = set(re.findall(r"`((?:\w+/)*\w+\.py)`", MAP))
    assert len(named) > 30
    inside = [APP, APP / "engine"]  # the engine's own paragraphs leave its folder out
    assert [name for name in named if not any((root / name).exists() for root in inside)] == []


def test_every_room_is_on_the_map():
    rooms = {path.parent.name for path in APP.glob("*/__init__.py")}
    on_the_map = set(re.findall(r"^\| `(\w+)/`", section("Rooms"), re.MULTILINE))
    assert on_the_map == rooms - {"migrations", "templatetags"}


def test_every_loose_module_is_on_the_map():
    loose = {path.name for path in APP.glob("*.py")} - {"__init__.py", "apps.py"}
    assert set(re.findall(r"`(\w+\.py)`", section("Rooms").partition("Loose")[2])) >= loose


@pytest.mark.parametrize(
    ("title", "states"),
    [("The life of a job", "JobState"), ("The life of a run", "Status")],
)
def test_every_state_is_drawn(title: str, states: str):
    from scheduler.models import execution, job

    drawn = section(title)
    choices = getattr(job if states == "JobState" else execution, states)
    assert [state for state in choices.values if not re.search(rf"\b{state}\b", drawn)] == []


def test_the_glossary_is_in_order():
    words = re.findall(r"^\| ([a-z][^|]*?) \|", section("Words").partition("|---|")[2], re.M)
    assert len(words) > 10
    assert words == sorted(words)
