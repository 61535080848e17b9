"""What a Management Node reads from an uploaded certificate."""

from __future__ import annotations

from collections.abc import Container

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from django.db.models import Model
from tastypie.exceptions import BadRequest


def describe(obj: Model, pem: object, known: Container[str]) -> None:
    """Fill the read-only fields of a certificate.

    Args:
        obj: the certificate's row, which is changed.
        pem: the text given by the client.
        known: the names of the fields that this kind of certificate has.

    Raises:
        BadRequest: if it is no PEM certificate.
    """
    try:
        certificate = x509.load_pem_x509_certificate(str(pem).encode())
    except ValueError:
        raise BadRequest("The 'certificate' field takes a certificate in PEM format.") from None
    values = {
        "start_date": certificate.not_valid_before_utc,
        "end_date": certificate.not_valid_after_utc,
        "serial_no": format(certificate.serial_number, "X"),
        "subject_name": certificate.subject.rfc4514_string()[:250],
        "issuer_name": certificate.issuer.rfc4514_string()[:250],
        "raw_subject": certificate.subject.rfc4514_string()[:250],
        "raw_issuer": certificate.issuer.rfc4514_string()[:250],
        "subject_hash": _hash(certificate.subject),
        "issuer_hash": _hash(certificate.issuer),
        "subject_alt_names": ", ".join(_names(certificate)),
        "key_id": x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest.hex(),
        "text": certificate.public_bytes(serialization.Encoding.PEM).decode(),
    }
    for name, value in values.items():
        if name in known:
            setattr(obj, name, value)


def _hash(name: x509.Name) -> str:
    digest = hashes.Hash(hashes.SHA1())  # only a short name for files, as OpenSSL makes it
    digest.update(name.public_bytes())
    return digest.finalize()[:4].hex()


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in names]
