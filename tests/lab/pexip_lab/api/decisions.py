"""What the facts leave open, decided once: keys, uniqueness, ownership, and a few corrections."""

from __future__ import annotations

#: Resources whose detail key is no integer (FACTS, "Requests and answers"). upgrade_request has a uuid and no id.
KEYS = {
    ("configuration", "licence"): "fulfillment_id",
    ("configuration", "licence_request"): "sequence_number",
    ("configuration", "oauth2_client"): "client_id",
    ("configuration", "system_backup"): "filename",
    ("configuration", "webapp_branding"): "uuid",
    ("configuration", "upgrade_request"): "uuid",
}

#: Always there at /1/, changed but never created (FACTS, "Requests and answers"; trusted_join by its methods).
SINGLETONS = ("global", "authentication", "autobackup", "registration", "gms_gateway_token", "trusted_join")

#: Required by other clients, not by the API (FACTS, "Conferencing Node deployment").
OPTIONAL = {("worker_vm", "password")}

#: Fields that name an object, beside the required `name` of every named resource.
UNIQUE = {
    ("conference_alias", "alias"),
    ("device", "alias"),
    ("dns_server", "address"),
    ("end_user", "primary_email_address"),
    ("external_webapp_host", "address"),
    ("licence", "entitlement_id"),
    ("media_processing_server", "fqdn"),
    ("ntp_server", "address"),
    ("oauth2_client", "client_name"),
    ("webapp_alias", "slug"),
    ("worker_vm", "address"),
}

#: Fields that name an object together.
UNIQUE_TOGETHER = {
    ("configuration", "worker_vm"): (("hostname", "domain"),),
    ("configuration", "management_vm"): (("hostname", "domain"),),
    ("configuration", "sip_credential"): (("realm", "username"),),
    ("configuration", "ssh_authorized_key"): (("keytype", "key"),),
    ("configuration", "break_in_allow_list_address"): (("address", "prefix"),),
}

#: References to a parent without which the object makes no sense: it is deleted with its parent.
OWNED = {
    ("adfs_auth_server_domain", "adfs_auth_server"),
    ("conference_alias", "conference"),
    ("exchange_domain", "exchange_connector"),
    ("google_auth_server_domain", "google_auth_server"),
    ("media_library_playlist_entry", "playlist"),
    ("mjx_exchange_autodiscover_url", "exchange_deployment"),
    ("mjx_meeting_processing_rule", "mjx_integration"),
    ("recurring_conference", "conference"),
    ("scheduled_alias", "exchange_connector"),
    ("scheduled_conference", "conference"),
    ("user_group_entity_mapping", "user_group"),
}

#: Times that the server sets, and whether at every write or only at the creation.
SERVER_TIMES = {"creation_time": False, "last_updated": True, "updated": True, "updated_at": True}

#: Passwords that GET does not give back and that nothing needs in the clear: kept as a hash.
HASHED = {("worker_vm", "password")}

#: Choices that the facts only describe: no other kind of deployment is confirmed (FACTS, "Known values").
CHOICES = {("worker_vm", "deployment_type"): ("MANUAL-PROVISION-ONLY",)}

#: Lists that mirror references kept elsewhere: the nodes that use a certificate or an SSH key.
USED_BY = {
    "tls_certificate": ("tls_certificate", "tls_client_certificate"),
    "ssh_authorized_key": ("ssh_authorized_keys",),
}
