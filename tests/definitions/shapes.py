"""Callables of every shape, as projects hand them to ``add_job``."""

from __future__ import annotations

import functools

from scheduler import job
from scheduler.definitions import declarations

calls: list[str] = []


class Nightly:
    """Callable, and does not know the name under which this module keeps it."""

    def __call__(self):
        calls.append("nightly")

    def run(self):
        calls.append("run")

    @classmethod
    def of_class(cls):
        calls.append("class")

    @staticmethod
    def static():
        calls.append("static")


nightly = Nightly()


class timed:  # noqa: N801  (a decorator)
    """A decorator that is a class, as found in the wild."""

    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.function = function

    def __call__(self):
        return self.function()


@timed
def decorated():
    calls.append("decorated")


@functools.cache
def cached():
    calls.append("cached")


@functools.singledispatch
def dispatched(value=None):
    calls.append("dispatched")


def plain():
    calls.append("plain")


def hidden_by_name():
    """Its module does not know it by its name, as a task of Celery before it is used."""


hidden_by_name.__qualname__ = "celery_task"
hidden = plain
half = functools.partial(plain)
nameless = lambda: calls.append("lambda")  # noqa: E731


@timed
@job("interval", hours=1, id="shapes.under")
def under():
    """``@job`` stands below another decorator: the module keeps another object."""


@job("interval", hours=1, id="shapes.above")
@timed
def above():
    calls.append("above")


def generates():
    calls.append("generated")
    yield


async def generates_later():
    calls.append("generated")
    yield


class GeneratesWhenCalled:
    def __call__(self):
        yield


generating = GeneratesWhenCalled()

declared = {each.id: each for each in declarations._declared if each.func.__module__ == __name__}
declarations._declared[:] = [
    each for each in declarations._declared if each not in declared.values()
]  # other tests bring in all that is declared
