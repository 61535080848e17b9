"""What a few resources do beyond the facts of their fields."""

from __future__ import annotations

import ipaddress
import pathlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db.models import Model
from tastypie import http
from tastypie.exceptions import BadRequest

from pexip_lab.api import certificates, models, nodes
from pexip_lab.api.base import PexipResource
from pexip_lab.api.nested import Statistics, Stream, Streams
from pexip_lab.api.validation import Errors
from pexip_lab.facts import ResourceFacts


class WorkerVm(PexipResource):
    """A Conferencing Node: its creation answers with its configuration document, this once only."""

    def obj_create(self, bundle, **kwargs):
        bundle = super().obj_create(bundle, **kwargs)
        bundle.request.document = nodes.register(bundle.obj)
        return bundle

    def post_list(self, request, **kwargs):
        response = super().post_list(request, **kwargs)
        response.content = request.document
        response["Content-Type"] = "text/xml"
        return response


class ManagementVm(PexipResource):
    """The Management Node itself cannot be deleted."""

    def _refuse_primary(self, keys) -> None:
        if models.model("configuration", "management_vm").objects.filter(pk__in=keys, primary=True).exists():
            raise BadRequest("The primary Management Node cannot be deleted.")

    def obj_delete(self, bundle, **kwargs):
        self._refuse_primary([bundle.obj.pk if hasattr(bundle.obj, "pk") else kwargs["pk"]])
        super().obj_delete(bundle, **kwargs)

    def obj_delete_list(self, bundle, **kwargs):
        self._refuse_primary(self.obj_get_list(bundle, **kwargs).values("pk"))
        super().obj_delete_list(bundle, **kwargs)


class OAuth2Client(PexipResource):
    """A client for OAuth2: its private key is in the answer to its creation, and nowhere else."""

    def obj_create(self, bundle, **kwargs):
        bundle = super().obj_create(bundle, **kwargs)
        key = ec.generate_private_key(ec.SECP256R1())
        bundle.obj.public_key = (
            key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )
        bundle.obj.save()
        bundle.request.created = self.full_dehydrate(self.build_bundle(obj=bundle.obj, request=bundle.request))
        bundle.request.created.data["private_key_jwt"] = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        return bundle

    def post_list(self, request, **kwargs):
        location = super().post_list(request, **kwargs)["Location"]
        return self.create_response(request, request.created, response_class=http.HttpCreated, location=location)


class SshAuthorizedKey(PexipResource):
    """An SSH key can be given to nodes from its own side too."""

    def save(self, bundle, skip_errors: bool = False):
        wanted = bundle.data.get("nodes")
        bundle = super().save(bundle, skip_errors=skip_errors)
        if wanted is None:
            return bundle
        for name in ("worker_vm", "management_vm"):
            node = models.model("configuration", name)
            for obj in node.objects.all():
                named = models.uri("configuration", name, obj.pk) in wanted
                (obj.ssh_authorized_keys.add if named else obj.ssh_authorized_keys.remove)(bundle.obj)
        return bundle


class Certificate(PexipResource):
    """A certificate, of which the server reads the rest from the PEM text."""

    def hydrate(self, bundle):
        if "certificate" in bundle.data:
            certificates.describe(bundle.obj, bundle.data["certificate"], self.facts.fields)
        return super().hydrate(bundle)


class GatewayToken(PexipResource):
    """A singleton whose DELETE empties it."""

    def obj_delete(self, bundle, **kwargs):
        obj = self.obj_get(bundle, **kwargs)
        type(obj)(pk=obj.pk).save(force_update=True)


class MediaLibraryEntry(PexipResource):
    """A media file: name, size and format are read from the upload."""

    def received(self, obj, file) -> None:
        obj.file_name = file.name
        obj.media_size = file.size
        obj.media_format = pathlib.Path(file.name).suffix.lstrip(".")
        obj.media_type = (file.content_type or "").split("/")[0]


_SPECIAL: dict[tuple[str, str], type[PexipResource]] = {
    ("configuration", "worker_vm"): WorkerVm,
    ("configuration", "management_vm"): ManagementVm,
    ("configuration", "oauth2_client"): OAuth2Client,
    ("configuration", "ssh_authorized_key"): SshAuthorizedKey,
    ("configuration", "tls_certificate"): Certificate,
    ("configuration", "ca_certificate"): Certificate,
    ("configuration", "gms_gateway_token"): GatewayToken,
    ("configuration", "media_library_entry"): MediaLibraryEntry,
    ("status", "worker_vm"): Statistics,
    ("status", "system_location"): Statistics,
    ("status", "participant"): Streams,
    ("status", "backplane"): Streams,
    ("history", "participant"): Streams,
    ("history", "backplane"): Streams,
}


def base_for(facts: ResourceFacts) -> type[PexipResource]:
    """The class that a resource is made from."""
    return _SPECIAL.get((facts.family, facts.name), Stream if facts.parent else PexipResource)


def _check_worker_vm(node: Model) -> Errors:
    """The addresses of a Conferencing Node must fit together, and must not be the Management Node's."""
    try:
        network = ipaddress.ip_network(f"{node.address}/{node.netmask}", strict=False)
    except ValueError:
        return {"netmask": ["Enter a valid network mask."]}
    if ipaddress.ip_address(node.gateway) not in network:
        return {"gateway": [f"The gateway must be in the node's network, {network}."]}
    manager = models.model("configuration", "management_vm").objects
    if manager.filter(address=node.address).exists():
        return {"address": ["Management Node with this Address already exists."]}
    if manager.filter(hostname__iexact=node.hostname, domain__iexact=node.domain).exists():
        return {"__all__": ["Management Node with this Hostname and Domain already exists."]}
    return {}


def _check_static_route(route: Model) -> Errors:
    try:
        ipaddress.ip_network(f"{route.address}/{route.prefix}")
    except ValueError as error:
        return {"address": [f"Enter a network address: {error}."]}
    return {}


#: Validation that needs more than one field.
CHECKS = {
    ("configuration", "worker_vm"): _check_worker_vm,
    ("configuration", "static_route"): _check_static_route,
}
