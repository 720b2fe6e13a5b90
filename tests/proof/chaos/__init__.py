"""Chaos: real scheduler processes, real databases, real faults, and a checker that was not there.

``python -m tests.proof.chaos --help``. The bodies write each start and end to one file by
themselves; ``checker`` reads that file, knows when each job was due by plain arithmetic, and
compares both with the ledger.
"""
