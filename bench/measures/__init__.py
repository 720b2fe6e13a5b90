"""One file for each measure: ``measure(system, **size)`` runs in the system's process."""
