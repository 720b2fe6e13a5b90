"""Web workers. ``python -m gunicorn`` reads this file from the project's folder."""

import os
import socket
import struct
from pathlib import Path

from config.environment import read_environment
from config.logs import logging_config

env = read_environment(Path(__file__).with_name(".env"))

# The application, so that every process manager says just `python -m gunicorn`.
wsgi_app = "config.wsgi:application"

# Platforms set PORT and route to every address of the container; elsewhere a proxy sits in front.
# Under systemd the socket unit holds the port, and this is not used.
bind = env.str(
    "BIND", default=f"0.0.0.0:{env.count('PORT', 0)}" if env.raw("PORT") else "127.0.0.1:8000"
)

# Processes use the cores, threads wait for the database. Platforms set WEB_CONCURRENCY by memory.
workers = env.count("WEB_CONCURRENCY", default=2)
threads = env.count("WEB_THREADS", default=4)

# A worker that is silent this long is killed and replaced. With threads this concerns the worker
# as a whole, not a single slow request.
timeout = 30


def post_worker_init(worker):
    """Cut off clients from which nothing comes for so long: each holds a thread.

    Connections take this over from the socket that accepts them. One that sends a byte now and then
    is for the proxy in front: docs/deploy.md.
    """
    for listener in worker.sockets:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 10, 0))


# A stopping worker finishes its requests within this time; platforms kill after 30 seconds.
graceful_timeout = 25

# Replace workers now and then, so that a slow leak in some library never matters; the jitter keeps
# them from leaving together.
max_requests = 2000
max_requests_jitter = 200

# Workers show that they live by touching a file; on a disk that can block and kill a healthy one.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108

# The control socket would be made in the home folder, which service users cannot write.
control_socket_disable = True

# The record carries the time already.
access_log_format = '%(h)s "%(r)s" %(s)s %(b)s bytes %(M)s ms'

# One format for all lines. Gunicorn's own handlers would repeat each.
errorlog = None
logconfig_dict = logging_config(
    level=env.str("LOG_LEVEL", default="INFO"),
    form=env.str("LOG_FORMAT", default="text"),
    fold=not env.bool("DEBUG", default=False),
)
