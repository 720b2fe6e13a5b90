"""What a row names leads back to the very object that was given, or it is refused at the call."""

from __future__ import annotations

import functools
import importlib
import sys
import types

import pytest
from scheduler import scheduler, testing
from scheduler.admin.jobs.functions import functions
from scheduler.definitions import declarations, declared
from scheduler.definitions.references import FunctionError, resolve
from scheduler.models import Job

from tests.definitions import shapes

pytestmark = pytest.mark.django_db
M = "tests.definitions.shapes"


@pytest.fixture(autouse=True)
def no_calls():
    shapes.calls.clear()


@pytest.mark.parametrize(
    ("func", "reference", "called"),
    [
        (shapes.plain, "plain", "plain"),
        (shapes.hidden, "plain", "plain"),
        (shapes.decorated, "decorated", "decorated"),
        (shapes.cached, "cached", "cached"),
        (shapes.dispatched, "dispatched", "dispatched"),
        (shapes.Nightly.of_class, "Nightly.of_class", "class"),
        (shapes.Nightly.static, "Nightly.static", "static"),
        (f"{M}:nightly", "nightly", "nightly"),
        (f"{M}:nightly.run", "nightly.run", "run"),
    ],
    ids=[
        "function",
        "other name",
        "class that decorates",
        "cached",
        "singledispatch",
        "class method",
        "static method",
        "object by text",
        "its method by text",
    ],
)
def test_what_is_given_is_what_runs(func, reference, called):
    shapes.cached.cache_clear()
    args = [1] if called == "dispatched" else []
    scheduler.add_job(func, "interval", hours=1, id="shape", args=args)
    assert Job.objects.get(pk="shape").func == f"{M}:{reference}"
    scheduler.run_now("shape")
    [run] = testing.run_due()
    assert (run.status, shapes.calls) == ("succeeded", [called])


REFUSED = {
    "object": (shapes.nightly, f"pass the text '{M}:nightly'"),
    "partial": (shapes.half, "pass its function, and args or kwargs"),
    "lambda": (shapes.nameless, "define a function in a module"),
    "wrapped": (shapes.under.function, "move it to the top"),
    "method": (shapes.nightly.run, r"args\[0\]: .*Nightly cannot be stored"),
    "nested cache": (functools.cache(shapes.plain), "'module:name'"),
    "generator": (shapes.generates, "a generator function"),
    "async generator": (shapes.generates_later, "a generator function"),
    "generator by text": (f"{M}:generates", "a generator function"),
    "object that generates": (f"{M}:generating", "a generator function"),
    "of a type": (str.upper, "is of no module"),
    "of a value": ("x".upper, "is defined in no module"),
    "of a plain object": (types.MethodType(shapes.plain, "x"), "is of no module"),
    "another object's name": (shapes.hidden_by_name, "says that it is .*'module:name'"),
    "misspelt": (f"{M}:nightlly", "did you mean nightly"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_reference_leads_to_is_refused_with_the_remedy(case):
    func, remedy = REFUSED[case]
    with pytest.raises((ValueError, TypeError, LookupError), match=remedy):
        scheduler.add_job(func, "interval", hours=1, id="refused")
    assert not Job.objects.filter(pk="refused").exists()
    scheduler.add_job(shapes.plain, "interval", hours=1, id="kept")
    with pytest.raises((ValueError, TypeError, LookupError), match=remedy):
        scheduler.modify_job("kept", func=func)
    assert Job.objects.get(pk="kept").func == f"{M}:plain"


def test_a_decorator_that_is_a_class_is_called_where_job_stands_above_it():
    declaration = shapes.declared["shapes.above"]
    declared.write(declaration, "default")
    assert Job.objects.get(pk="shapes.above").func == f"{M}:above"
    assert resolve(f"{M}:above") is declaration.func


def test_job_below_a_decorator_is_refused_since_the_decorator_would_be_left_out():
    with pytest.raises(FunctionError, match="decorators stand above @job, move it to the top"):
        declared.write(shapes.declared["shapes.under"], "default")


def test_job_refuses_a_generator_function_where_it_is_declared():
    with pytest.raises(FunctionError, match="a generator function"):
        declarations.job("interval", hours=1)(shapes.generates)


def test_a_stored_job_with_a_function_that_is_refused_today_can_still_be_changed():
    scheduler.add_job(shapes.plain, "interval", hours=1, id="old")
    Job.objects.filter(pk="old").update(func=f"{M}:generates")
    scheduler.modify_job("old", name="renamed")
    assert Job.objects.get(pk="old").name == "renamed"


def test_the_admin_offers_no_lambda_and_no_generator_function(monkeypatch, declared):
    monkeypatch.delitem(sys.modules, "tests.demo_app.jobs", raising=False)
    jobs = importlib.import_module("tests.demo_app.jobs")  # declares, whoever did so before

    for name in ("nameless", "generates"):
        function = getattr(shapes, name)
        monkeypatch.setattr(function, "__module__", jobs.__name__)
        monkeypatch.setattr(jobs, name, function, raising=False)
    offered = functions()
    assert any(ref.startswith(jobs.__name__) for ref in offered)
    assert not [ref for ref in offered if "lambda" in ref or "generates" in ref]
