"""The engine: one loop, one database connection, short transactions.

Read in this order: ``leadership.lease`` (who may claim, and why that is safe), ``ledger.planner``
(which slots a job owes), ``ledger.claims``, ``ledger.queue`` and ``ledger.outcomes`` (the
statements that claim, start and finish), ``leader`` (the turn of the one that leads), ``loop``
(any role, any failure).
"""
