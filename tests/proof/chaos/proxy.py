"""A TCP proxy that can cut, stall, and deliver late: one for each node, in front of the server."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

UNANSWERED, LATE = 0.3, 1.0
"""Seconds that a late cut holds statements back before it cuts, and before it delivers them."""


class Loop:
    """One event loop in one thread, for all proxies."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def each(self, things: set[Pair], do: Callable[[Pair], None]) -> None:
        async def all_of_them() -> None:
            for thing in list(things):
                do(thing)

        self.run(all_of_them())


class Pair:
    """One connection through the proxy."""

    def __init__(self, client: Any, server: Any) -> None:
        self.client, self.server = client, server
        self.gate = asyncio.Event()

    async def serve(self) -> None:
        up = self._pump(self.client[0], self.server[1])
        down = self._pump(self.server[0], self.client[1])
        await asyncio.gather(up, down)

    def cut(self) -> None:
        self.gate.set()
        _reset(self.client[1])
        _reset(self.server[1])

    def cut_client(self) -> None:
        _reset(self.client[1])

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self.gate.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """RST, not FIN: as a router that forgot the connection, or a host that lost its power."""
    at_once = struct.pack("ii", 1, 0)
    with suppress(OSError):  # it has closed by itself
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    writer.transport.abort()


class Proxy:
    def __init__(self, loop: Loop, target: int) -> None:
        self._loop, self._target = loop, target
        self._stalled = False
        self.pairs: set[Pair] = set()
        self.port: int = loop.run(self._listen())

    def cut(self) -> None:
        """Reset every connection; new ones are served."""
        self._stalled = False
        self._loop.each(self.pairs, Pair.cut)

    def stall(self) -> None:
        """Nothing passes, in either direction, and nobody is told."""
        self._stalled = True
        self._loop.each(self.pairs, lambda pair: pair.gate.clear())

    def forget(self) -> None:
        """Nothing passes on old connections, and nobody is told; new ones are served.

        As a router does that lost its table.
        """
        self._loop.each(self.pairs, lambda pair: pair.gate.clear())

    def resume(self) -> None:
        """What was held back passes now."""
        self._stalled = False
        self._loop.each(self.pairs, lambda pair: pair.gate.set())

    def cut_late(self) -> None:
        """Cut the client off; a second later the server still gets what the client had sent.

        The commit whose reply is lost in its nastiest form: it happens after the client is back.
        New connections are served, also after ``stall``.
        """
        self._loop.run(self._cut_late())

    async def _cut_late(self) -> None:
        pairs = list(self.pairs)
        for pair in pairs:
            pair.gate.clear()
        await asyncio.sleep(UNANSWERED)
        self._stalled = False
        for pair in pairs:
            pair.cut_client()
        loop = asyncio.get_running_loop()
        for pair in pairs:
            loop.call_later(LATE, pair.gate.set)

    async def _listen(self) -> int:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    async def _accept(self, reader: Any, writer: Any) -> None:
        try:
            server = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = Pair((reader, writer), server)
        if not self._stalled:
            pair.gate.set()
        self.pairs.add(pair)
        try:
            await pair.serve()
        finally:
            self.pairs.discard(pair)
