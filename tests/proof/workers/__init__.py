"""Chaos for workers: a leader, its standby, workers, their broker and database, and real faults.

``python -m tests.proof.workers --help``. Processes, servers, load and checker are those of
``tests.proof.chaos``; here are the engines that carry the messages, the faults that they add, and
how soon each must be over.
"""
