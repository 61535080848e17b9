"""A Conferencing Node's configuration document: what the Management Node gives out and the node reads.

The real document's format is not public. This one carries what a node needs: who it is, where it is, where its
Management Node is, and the secret by which that one knows it again.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, fields
from xml.etree import ElementTree

_ROOT = "conferencing_node_config"
_VERSION = "1"
_ADDRESSES = ("address", "netmask", "gateway", "management_address")


class DocumentError(ValueError):
    """A text that is no configuration document; the message says why and holds no secret."""


@dataclass(frozen=True, repr=False)
class Document:
    """The content of a configuration document. Its token is a secret, so it has no telling ``repr``."""

    name: str
    hostname: str
    domain: str
    address: str
    netmask: str
    gateway: str
    management_address: str
    token: str
    system_location: str
    password_hash: str = ""
    dns_servers: tuple[str, ...] = ()
    ntp_servers: tuple[str, ...] = ()


def build(document: Document) -> str:
    """Write a document.

    Returns:
        XML with a declaration.
    """
    root = ElementTree.Element(_ROOT, version=_VERSION)
    for field in fields(Document):
        value = getattr(document, field.name)
        element = ElementTree.SubElement(root, field.name)
        if isinstance(value, tuple):
            for item in value:
                ElementTree.SubElement(element, "server").text = item
        else:
            element.text = value
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def parse(xml: bytes) -> Document:
    """Read a document.

    Args:
        xml: what was uploaded, UTF-8.

    Raises:
        DocumentError: if it is not well-formed, is something else, lacks a part, or holds a wrong address.
    """
    if b"<!" in xml:
        raise DocumentError("declarations of types or entities are not allowed")
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise DocumentError(f"not well-formed XML: {error}") from None
    if root.tag != _ROOT or root.get("version") != _VERSION:
        raise DocumentError(f"not a {_ROOT} document of version {_VERSION}")
    values: dict = {}
    for field in fields(Document):
        element = root.find(field.name)
        if element is None:
            raise DocumentError(f"no {field.name}")
        if field.name.endswith("_servers"):
            values[field.name] = tuple(item.text or "" for item in element)
        else:
            values[field.name] = element.text or ""
            if not values[field.name] and field.name != "password_hash":
                raise DocumentError(f"empty {field.name}")
    for name in _ADDRESSES:
        try:
            ipaddress.ip_address(values[name])
        except ValueError:
            raise DocumentError(f"{name} is no IP address: {values[name]!r}") from None
    return Document(**values)
