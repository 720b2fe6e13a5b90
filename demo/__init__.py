"""The default project, baked and running: by hand (make demo), unattended (make smoke)."""
