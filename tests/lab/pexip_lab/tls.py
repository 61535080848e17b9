"""Self-signed certificates, as a new Management Node and an unconfigured Conferencing Node present them."""

from __future__ import annotations

import ipaddress
import os
import pathlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFETIME = timedelta(days=730)


def make_certificate(
    directory: pathlib.Path, names: Sequence[str], addresses: Sequence[str]
) -> tuple[pathlib.Path, pathlib.Path]:
    """Make a new key and a certificate signed with it.

    The certificate is its own authority, so a client may trust it as a CA file or by its fingerprint. Its dates are
    real time, whatever the lab's clock says, for clients compare them with their own.

    Args:
        directory: where the files go; made if it is missing.
        names: the machine's DNS names, the first one is its common name.
        addresses: its IP addresses; the first is the common name where there are no names.

    Returns:
        The paths of the certificate and of the key (mode 0600), both PEM. Files of an earlier call are replaced.

    Raises:
        ValueError: without any name or address, or if an address is none.
    """
    if not names and not addresses:
        raise ValueError("a certificate needs a name or an address")
    alternatives = [x509.DNSName(name) for name in names]
    alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, [*names, *addresses][0][:64])])
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )
    directory.mkdir(parents=True, exist_ok=True)
    certificate_path, key_path = directory / "certificate.pem", directory / "key.pem"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.unlink(missing_ok=True)
    descriptor = os.open(key_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    return certificate_path, key_path


def expired_twin(certificate_path: pathlib.Path, key_path: pathlib.Path) -> pathlib.Path:
    """Make a certificate for the same key and names whose time is over.

    The other one has issued it: whoever trusts that one finds nothing wrong with this but its dates.

    Returns:
        Its path, beside the other's; it is made once.
    """
    path = certificate_path.with_name("expired.pem")
    if path.exists():
        return path
    issuer = x509.load_pem_x509_certificate(certificate_path.read_bytes())
    key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
    own_name = x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "expired")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([*issuer.subject, own_name]))
        .issuer_name(issuer.subject)
        .public_key(issuer.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(issuer.not_valid_before_utc - _LIFETIME)
        .not_valid_after(issuer.not_valid_before_utc)
        .add_extension(issuer.extensions.get_extension_for_class(x509.SubjectAlternativeName).value, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        # Python 3.13 looks for it before it looks at the dates.
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path
