"""The list is up to date: `make mutants` takes long, and would say so only then."""

from __future__ import annotations

import ast

import pytest

from tests.proof.mutants.mutants import MUTANTS, Mutant
from tests.settings import ROOT, TEMPLATE


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_what_it_breaks_and_the_test_that_must_notice_are_there(mutant: Mutant):
    assert (TEMPLATE / "scheduler" / mutant.file).read_text().count(mutant.old) == 1
    file, _, name = mutant.test.partition("::")
    tree = ast.parse((ROOT / file).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
