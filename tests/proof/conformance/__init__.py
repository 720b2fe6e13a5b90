"""One suite for SQLite, PostgreSQL and MariaDB: each clause of ``engine/lease.py``'s argument, and
each interleaving that its design names, with two real connections.

``TEST_DATABASE_URL`` chooses the database. Nothing sleeps: time is moved by ``clocks``.
"""
