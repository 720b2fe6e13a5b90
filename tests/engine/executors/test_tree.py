"""Whoever adopts orphans finds the daemons that it has started, and can wait for them."""

from __future__ import annotations

import subprocess
import sys

from tests.processes import environment
from tests.settings import ROOT

DAEMONS = """
import os, subprocess
from scheduler.engine.executors import tree

def daemon(command):
    said = subprocess.run(
        ["sh", "-c", f"({command}) >/dev/null & echo $!"], stdout=subprocess.PIPE, check=True
    )
    return int(said.stdout)

tree.adopt_orphans()
living = daemon("exec sleep 600")
print(living in tree.descendants(os.getpid()))
tree.end_descendants()
daemon("exit 0")
os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
print(tree.ended_children() > 0)
os.waitpid(living, 0)
while tree.descendants(os.getpid()):
    tree.reap_children()
print(tree.ended_children())
"""


def test_daemons_are_found_ended_and_waited_for():
    done = subprocess.run(
        [sys.executable, "-c", DAEMONS], env=environment(), cwd=ROOT, capture_output=True,
        text=True, timeout=60,
    )  # fmt: skip
    assert (done.stdout.split(), done.stderr) == (["True", "True", "0"], "")
