"""An expired certificate, presented instead of the right one."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cheroot.ssl.builtin import BuiltinSSLAdapter

from .. import tls


class Adapter(BuiltinSSLAdapter):
    """TLS of a server whose connections may be struck one by one.

    :param expired: asked at each handshake
    """

    def __init__(self, certificate: Path, key: Path, expired: Callable[[], bool]):
        super().__init__(str(certificate), str(key))
        self._expired = expired

    def wrap(self, sock: socket.socket) -> tuple[socket.socket, dict[str, Any]]:
        if not self._expired():
            return super().wrap(sock)
        twin = tls.expired_twin(Path(self.certificate), Path(self.private_key))
        return BuiltinSSLAdapter(str(twin), self.private_key).wrap(sock)
