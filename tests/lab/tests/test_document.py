"""The configuration document of a Conferencing Node, and self-signed certificates."""

from __future__ import annotations

import dataclasses
import ssl
import stat

import pytest
from cryptography import x509
from pexip_lab import document, tls

DOCUMENT = document.Document(
    name="conf01",
    hostname="conf01",
    domain="example.com",
    address="127.16.0.20",
    netmask="255.255.240.0",
    gateway="127.16.0.1",
    management_address="127.16.0.10",
    token="s3cret",
    system_location="London & Ørsta <1>",
    dns_servers=("127.16.0.2", "127.16.0.3"),
)


def test_what_is_built_can_be_parsed():
    assert document.parse(document.build(DOCUMENT).encode()) == DOCUMENT


def test_no_secret_in_repr():
    assert "s3cret" not in repr(DOCUMENT)


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"text",
        b"<open>",
        b"<other version='1'/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><conferencing_node_config version="1"/>',
        document.build(DOCUMENT).replace('version="1"', 'version="2"').encode(),
        document.build(DOCUMENT).replace("<token>s3cret</token>", "").encode(),
        document.build(DOCUMENT).replace("s3cret", "").encode(),
        document.build(dataclasses.replace(DOCUMENT, address="somewhere")).encode(),
        document.build(DOCUMENT).encode()[:-40],
    ],
)
def test_anything_else_is_refused(xml):
    with pytest.raises(document.DocumentError) as error:
        document.parse(xml)
    assert "s3cret" not in str(error.value)


def test_certificate(tmp_path):
    certificate, key = tls.make_certificate(tmp_path / "new", ["conf01.example.com"], ["127.16.0.20", "fd00::1"])
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    made = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["conf01.example.com"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["127.16.0.20", "fd00::1"]
    assert made.issuer == made.subject
    again, _key = tls.make_certificate(tmp_path / "new", ["conf01.example.com"], ["127.16.0.20"])
    assert x509.load_pem_x509_certificate(again.read_bytes()).serial_number != made.serial_number
    with pytest.raises(ValueError, match="name or an address"):
        tls.make_certificate(tmp_path, [], [])


def test_certificate_stands_for_itself_even_strictly(tmp_path):
    certificate, key = tls.make_certificate(tmp_path, ["conf01.example.com"], [])
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate, key)
    client = ssl.create_default_context(cafile=str(certificate))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname="conf01.example.com"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _attempt in range(4):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert sides[0].version() == sides[1].version() == "TLSv1.3"
    assert sides[0].getpeercert()["subjectAltName"] == (("DNS", "conf01.example.com"),)
