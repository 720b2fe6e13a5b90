"""Lets several processes of one machine believe that they are on different hosts."""

from __future__ import annotations

import os

from django.apps import AppConfig


class ChaosConfig(AppConfig):
    name = "tests.proof.chaos"

    def ready(self) -> None:
        from scheduler.engine.leadership import node

        if boot := os.environ.get("CHAOS_BOOT_ID_FILE"):
            node.BOOT_ID = boot
