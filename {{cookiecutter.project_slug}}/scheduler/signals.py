"""Django signals of what happened, sent by the process that commits it, afterwards.

``sender`` is ``Execution`` for runs, ``Lease`` for leadership. Of a run on a worker they are sent
there. A receiver's exception is logged and stops nothing.
"""

from __future__ import annotations

from django.dispatch import Signal

run_started = Signal()
"""``execution``: the row as it was started."""
run_overdue = Signal()
"""``execution``: still running after its job's ``warn_after``; sent once for a run."""
run_succeeded = Signal()
"""``execution``: the row as it was finished."""
run_failed = Signal()
"""``execution``: failed or timed out; ``exception`` where it was raised in a thread, or None."""
run_missed = Signal()
"""``execution``: a slot, or a stretch of slots, whose grace was over."""
run_skipped = Signal()
"""``execution``: a slot, or a stretch, coalesced away or over ``max_instances``."""
run_lost = Signal()
"""``execution``: its process is gone, and nobody knows how far it came."""
run_cancelled = Signal()
"""``execution``: cancelled by request."""

worker_stopping = Signal()
"""``node_id``: a worker process ends, and what it has to send it sends now; sender is ``Node``."""

became_leader = Signal()
"""``node_id``, ``term``."""
housekeeping = Signal()
"""``term``: the leader has just looked after lost runs and quarantined jobs; about every second."""
lost_leadership = Signal()
"""``node_id``, ``term``, ``reason``."""
