"""The internet gateway: what is sent to a public address reaches the instance that has it now (guide: IP addressing)."""

import asyncio
import itertools
from collections.abc import Callable

from .aws.instance import LabInstance
from .listener import GuardedSocket, reset_on_close
from .network import Network

_CHUNK = 65536


class Internet:
    """Gives out public addresses, which are loopback addresses like all others here, and listens on them as long as the
    lab lives. As AWS's gateway does, it puts the instance's private address in the place of the public one and leaves
    the source alone, so that the security groups judge who is really calling.

    :param instances: the account's instances that are alive
    """

    def __init__(
        self,
        network: Network,
        loop: asyncio.AbstractEventLoop,
        instances: Callable[[], list[LabInstance]],
    ):
        self._network = network
        self._loop = loop
        self._instances = instances
        self._addresses = itertools.cycle(map(str, network.public.hosts()))
        self._known: set[str] = set()
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()

    def next_address(self) -> str:
        """Another address than the last one. May be called on any thread."""
        address = next(self._addresses)
        if address not in self._known:
            self._known.add(address)
            asyncio.run_coroutine_threadsafe(self._listen(address), self._loop)
        return address

    async def close(self) -> None:
        """Drop every connection and stop listening."""
        for server in self._servers:
            server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _listen(self, address: str) -> None:
        network = self._network
        for port in (network.ssh_port, network.api_port, network.bootstrap_port):
            listener = GuardedSocket(address, port, lambda peer: self._way(peer, address) is not None)
            self._servers.append(await asyncio.start_server(self._accept, sock=listener))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        assert connection is not None
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)
        await self._carry(reader, writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what either side sends until both have ended; where nobody listens, reset the connection."""
        address, port = writer.get_extra_info("sockname")
        peer = writer.get_extra_info("peername")[0]
        try:
            source, target = self._way(peer, address) or ("", "")
            inner_reader, inner_writer = await asyncio.open_connection(target, port, local_addr=(source, 0))
        except OSError:
            reset_on_close(writer.get_extra_info("socket"))
            writer.transport.abort()
            return
        try:
            await asyncio.gather(_pipe(reader, inner_writer), _pipe(inner_reader, writer))
        finally:
            inner_writer.close()
            writer.close()

    def _way(self, peer: str, address: str) -> tuple[str, str] | None:
        """Source and target of a connection from ``peer`` behind the gateway; None where none can come about."""
        instances = self._instances()
        target = next((item.private_ip for item in instances if item.public_ip == address), None)
        inside = next((item for item in instances if item.private_ip == peer), None)
        # an instance leaves the VPC with its public address, or not at all
        source = inside.public_ip if inside else peer
        return (source, target) if source and target else None


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:  # one end was reset, so is the other
        writer.transport.abort()
