"""No-op executions on workers, beside their engines alone: `make bench-workers`."""
