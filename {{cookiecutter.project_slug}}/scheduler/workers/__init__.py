"""Runs on any host: what carries their messages, and the processes that claim and run them."""
