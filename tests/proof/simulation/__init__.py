"""A deterministic simulation of N schedulers over a model of the statements.

``model`` is the database: the rows, the row lock of the lease, and each statement of the engine as
one step. ``member`` is a scheduler, in steps that hypothesis orders as it likes: in between, the
others act, clocks are set, replies are lost, processes die. The planner and the judge of silence
are the engine's own.
"""
