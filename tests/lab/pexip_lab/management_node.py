"""A Management Node: SSH first, then the installation wizard, and after a reboot the management API."""

import asyncio
import contextlib
import hashlib
import json
import ssl
import threading
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncssh

from . import login, tls
from .api.platform import Platform
from .bursting.engine import Engine
from .faults.certificate import Adapter
from .faults.fault import HANDSHAKE, KEY_EXCHANGE
from .faults.http import Dialect, faulty
from .listener import http_server
from .machine import Hardware, Machine, Site

CONTACT_TIMEOUT = 5.0  # real seconds
_MAKING = threading.Lock()


class ManagementNode(Machine):
    """Its disk (passwords, host key, database, certificate) survives a stop and is gone with the instance."""

    kind = "management"

    def __init__(self, site: Site, hardware: Hardware):
        super().__init__(site, hardware)
        self.unix_password: str | None = None
        self.authorized_key = asyncssh.import_public_key(hardware.public_key) if hardware.public_key else None
        self.connections: set[asyncssh.SSHServerConnection] = set()
        self.platform = Platform(hardware.directory, site.clock, self._served, site.capacities)
        self.platform.add_middleware(lambda api: faulty(api, site.faults, site.requests, Dialect("api")))
        self.bursting = Engine(self.platform, site.clock, site.network.endpoint)
        self._host_key, self._other_key = (asyncssh.generate_private_key("ssh-ed25519") for _key in range(2))

    async def run(self) -> None:
        async with contextlib.AsyncExitStack() as services:
            if self.reachable:
                await services.enter_async_context(self._api())
                await services.enter_async_context(self._backplane())
            await services.enter_async_context(self._ssh())
            self.booted()
            await (self.bursting.run() if self.reachable else asyncio.Event().wait())

    async def install(self, answers: dict[str, Any]) -> None:
        """Carry the wizard's answers out. The API is there after the next boot."""
        await asyncio.to_thread(self.platform.install, **answers, version=self.hardware.version)

    async def destroy(self) -> None:
        await super().destroy()
        self.platform.close()

    @property
    def reachable(self) -> bool:
        """Whether the API answers once the node has booted: it is installed, with the address that it really has."""
        return self.platform.installed and self.configuration["address"] == self.hardware.address

    @property
    def configuration(self) -> dict[str, Any]:
        """The installed node's own configuration object."""
        return self.platform.rows("management_vm", primary=True)[0]

    @property
    def certificate(self) -> tuple[Path, Path]:
        """Certificate and key of the API: self-signed, made once."""
        paths = (self.hardware.directory / "certificate.pem", self.hardware.directory / "key.pem")
        with _MAKING:  # the seed's tag and the API's listener ask at the same time
            if not paths[1].exists():
                own = self.configuration
                names = [f"{own['hostname']}.{own['domain']}"]
                tls.make_certificate(self.hardware.directory, names, [self.hardware.address])
        return paths

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the API's certificate in hexadecimal."""
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.certificate[0].read_text())).hexdigest()

    def describe(self) -> dict[str, Any]:
        name = self.configuration["hostname"] if self.platform.installed else ""
        phase = "installed" if name else "password changed" if self.unix_password else "new"
        return super().describe() | {"name": name, "installation": phase}

    def _served(self, method: str, resource: str, status: int) -> None:
        self.site.requests.count(f"{method} {resource}")

    @contextlib.asynccontextmanager
    async def _ssh(self) -> AsyncIterator[None]:
        own, port = self.hardware.address, self.site.network.ssh_port
        server: asyncssh.SSHAcceptor | None = None

        def admits(peer: str) -> bool:
            """Whom the security groups let in; which host key they see is decided with each connection."""
            if not self.site.firewall.allows(peer, own, "tcp", port):
                return False
            changed = self.site.faults.strikes("ssh", KEY_EXCHANGE)
            if server is not None:
                server.update(server_host_keys=[self._other_key if changed else self._host_key])
            return True

        server = await asyncssh.listen(
            sock=self.listen_if(port, admits),
            server_factory=lambda: login.Login(self),
            process_factory=lambda process: login.session(self, process),
            server_host_keys=[self._host_key],
            server_version="OpenSSH_6.7p1",
            password_auth=False,
            kbdint_auth=False,
            gss_host=None,
            agent_forwarding=False,
            allow_scp=False,
            line_history=0,
        )
        try:
            yield
        finally:
            server.close()
            for connection in list(self.connections):
                connection.abort()

    def _api(self) -> contextlib.AbstractAsyncContextManager[None]:
        listener = self.listen(self.site.network.api_port, "api")
        adapter = Adapter(*self.certificate, lambda: self.site.faults.strikes("api", HANDSHAKE))
        return http_server(self.platform.application, listener, adapter, threads=10)

    @contextlib.asynccontextmanager
    async def _backplane(self) -> AsyncIterator[None]:
        own = self.hardware.address
        listener = self.listen_if(
            self.site.network.contact_port, lambda peer: self.site.firewall.backplane_allowed(peer, own)
        )
        async with await asyncio.start_server(self._take_contact, sock=listener):
            yield

    async def _take_contact(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one node's report (see `Platform.contact`)."""
        with contextlib.closing(writer), contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(CONTACT_TIMEOUT):
                report = json.loads(await reader.readline())
                answer = await asyncio.to_thread(self._contact, report)
                writer.write(f"{answer}\n".encode())
                await writer.drain()

    def _contact(self, report: dict[str, Any]) -> str:
        return self.platform.contact(**report | {"boot_time": datetime.fromisoformat(report["boot_time"])})
