"""The engine: one loop, one database connection, two short transactions a turn.

Read in this order: ``lease`` (who may claim, and why that is safe), ``planner`` (what a job owes),
``claims`` and ``ledger`` (the statements that claim, start and finish), ``leader`` (the turn of
the one that leads), ``loop`` (any role, any failure), ``scheduler`` (APScheduler's face).
"""
