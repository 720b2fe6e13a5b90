"""The engine: one loop, one database connection, two short transactions a turn.

Read in this order: ``lease`` (who may claim, and why that is safe), ``planner`` (what a job owes),
``ledger`` (the statements that claim, start and finish), ``leader`` and ``standby`` (the two
roles), ``scheduler`` (APScheduler's face, the loop).
"""
