"""A pytest plugin for the tests of the API: a Management Node behind a real TLS socket."""

from __future__ import annotations

import pathlib
import threading

import pytest
from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server

from pexip_lab import tls
from pexip_lab.api.platform import Platform
from pexip_lab.api.testkit import INSTALLATION, Api, Clock


@pytest.fixture(scope="session")
def listener(tmp_path_factory):
    """One TLS listener for all tests; what it serves is set by each."""
    served = {}

    def application(environ, start_response):
        return served["application"](environ, start_response)

    certificate, key = tls.make_certificate(tmp_path_factory.mktemp("tls"), ["manager.example.com"], ["127.0.0.1"])
    server = Server(("127.0.0.1", 0), application, numthreads=4)
    server.ssl_adapter = BuiltinSSLAdapter(str(certificate), str(key))
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield served, f"https://127.0.0.1:{server.bind_addr[1]}", certificate
    server.stop()
    thread.join(10)


def _api(listener, directory: pathlib.Path):
    served, base, certificate = listener
    counted: list[tuple[str, str, int]] = []
    platform = Platform(directory, Clock(), lambda *request: counted.append(request))
    platform.install(**INSTALLATION)
    api = Api(platform, base, certificate)
    api.counted = counted
    served["application"] = platform.application
    return api


@pytest.fixture
def api(listener, tmp_path):
    """A freshly installed Management Node."""
    made = _api(listener, tmp_path)
    yield made
    made.session.close()
    made.platform.close()
