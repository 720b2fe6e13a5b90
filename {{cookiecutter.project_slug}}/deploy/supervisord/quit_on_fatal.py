"""A listener of supervisord: when a program is given up for good, end supervisord itself."""

import os
import signal
import sys


def main() -> None:
    while True:
        print("READY", flush=True)
        header = dict(word.split(":") for word in sys.stdin.readline().split())
        if not header:  # supervisord is gone
            return
        event = sys.stdin.read(int(header["len"]))
        print(f"Given up: {event}", file=sys.stderr, flush=True)
        os.kill(os.getppid(), signal.SIGTERM)
        print("RESULT 2\nOK", end="", flush=True)


if __name__ == "__main__":
    main()
