"""The error that encoding and decoding raise."""

from __future__ import annotations


class SerializationError(TypeError):
    """A value that cannot be stored, or a stored text that cannot be read."""
