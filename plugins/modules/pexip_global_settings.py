#!/usr/bin/python
# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform's global settings (`global`): documentation and field table."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: pexip_global_settings
short_description: Change the global settings of a Pexip Infinity platform
description:
  - Changes the settings that hold for the whole platform, among them dynamic bursting and the cloud account that it
    uses.
  - The settings exist once, from the installation on. They are neither created nor deleted, so the module has no
    O(ignore:state). Options that are left out stay as they are.
version_added: 0.1.0
author:
  - The pexip.infinity authors (!UNKNOWN)
extends_documentation_fragment:
  - pexip.infinity.connection
  - pexip.infinity.attributes
  - pexip.infinity.semantics
  - pexip.infinity.semantics.secrets
requirements:
  - requests >= 2.31
notes:
  - A change reaches the Conferencing Nodes after about a minute, later on platforms of more than 60 nodes.
  - >-
    The platform does not tell O(aws_secret_key), O(azure_secret), O(gcp_private_key) and O(legacy_api_password) in a
    form that could be compared. Each is sent when the account that it belongs to (O(aws_access_key),
    O(azure_client_id), O(gcp_client_email), O(legacy_api_username)) differs, and with O(update_secrets=always) every
    time.
  - Quote V("ON"), V("OFF"), V("on") and V("off"); YAML reads the bare words as booleans.
  - >-
    The platform's deprecated settings are refused. They are V(default_to_new_webapp), V(default_webapp),
    V(enable_multiscreen), V(enable_push_notifications), V(es_maximum_deferred_posts), V(legacy_api_http),
    V(live_captions_api_gateway), V(live_captions_app_id), V(live_captions_enabled), V(live_captions_public_jwt_key),
    V(pss_customer_id), V(pss_enabled), V(pss_gateway) and V(pss_token).
options:
  aws_access_key:
    description:
      - Access key ID of the AWS user with which the platform starts and stops overflow nodes, at most 40 characters.
    type: str
  aws_secret_key:
    description:
      - Secret access key that belongs to O(aws_access_key).
      - It is sent when O(aws_access_key) differs from the platform's. To replace the secret of the same access key, set
        O(update_secrets=always) once.
    type: str
  azure_client_id:
    description:
      - Client (application) ID with which the platform starts and stops overflow nodes in Azure. It is treated as a
        secret.
    type: str
  azure_secret:
    description:
      - Secret that belongs to O(azure_client_id). It is sent when O(azure_client_id) differs from the platform's.
    type: str
  azure_subscription_id:
    description:
      - ID of the Azure subscription that holds the overflow nodes.
    type: str
  azure_tenant:
    description:
      - ID of the Azure tenant that O(azure_client_id) belongs to.
    type: str
  bdpm_max_pin_failures_per_window:
    description:
      - Number of wrong PINs for one service within 10 minutes, V(5) to V(200), after which the service is blocked for a
        while.
      - The platform's default is V(20).
    type: int
  bdpm_max_scan_attempts_per_window:
    description:
      - Number of wrong aliases that one source address may dial within 10 minutes, V(5) to V(200), before it is blocked
        for a while.
      - The platform's default is V(20).
    type: int
  bdpm_pin_checks_enabled:
    description:
      - Whether O(bdpm_max_pin_failures_per_window) is enforced. A location can differ, see
        M(pexip.infinity.pexip_location).
      - The platform's default is V(true).
    type: bool
  bdpm_scan_quarantine_enabled:
    description:
      - Whether O(bdpm_max_scan_attempts_per_window) is enforced. A location can differ, see
        M(pexip.infinity.pexip_location).
      - The platform's default is V(true).
    type: bool
  bursting_enabled:
    description:
      - Whether the platform watches the load of its locations and starts and stops overflow nodes in the cloud.
      - The platform's default is V(false).
    type: bool
  bursting_min_lifetime:
    description:
      - Number of minutes, V(5) or more, that an overflow node runs at least before it is stopped as idle.
      - The platform's default is V(50).
    type: int
  bursting_threshold:
    description:
      - Number of HD calls, V(1) or more. An overflow node is started when a location can host only this many more or
        fewer.
      - It holds for every location. An overflow node takes about 5 minutes until it hosts calls, so leave room for the
        calls that arrive meanwhile.
      - The platform's default is V(5).
    type: int
  cloud_provider:
    description:
      - Cloud in which the overflow nodes run.
      - The platform's default is V(AWS).
    type: str
    choices: [AWS, AZURE, GCP]
  contact_email_address:
    description:
      - Address under which Pexip can ask back about an incident report, at most 100 characters.
    type: str
  content_security_policy_header:
    description:
      - Value of the HTTP header C(Content-Security-Policy) that Conferencing Nodes send, at most 4096 characters.
      - The platform's default allows its own web app and Microsoft's office add-ins. Read it with
        M(pexip.infinity.pexip_resource_info) before you change it.
    type: str
  content_security_policy_state:
    description:
      - Whether Conferencing Nodes send O(content_security_policy_header).
      - The platform's default is V(true).
    type: bool
  crypto_mode:
    description:
      - Whether participants must encrypt their media (V(on)), do so where their device can (V(besteffort)), or must not
        over SIP, H.323 and Skype for Business (V(off)). A service can differ.
      - The platform's default is V(besteffort).
    type: str
    choices: ["besteffort", "on", "off"]
  default_theme:
    description:
      - Theme of the services that have none of their own, by name.
    type: str
  default_webapp_alias:
    description:
      - Web app path that Conferencing Nodes serve by default, by its slug.
    type: str
  disabled_codecs:
    description:
      - Codecs that the platform does not use. The list is the whole list, so V([]) enables every codec.
      - The platform's default is V(MP4A-LATM_128), V(H264_H_0) and V(H264_H_1).
    type: list
    elements: str
  eject_last_participant_backstop_timeout:
    description:
      - Number of seconds that a conference goes on with one participant, V(60) to V(86400); V(0) ends it never.
      - The platform's default is V(0).
    type: int
  enable_analytics:
    description:
      - Whether deployment and usage statistics are sent to Pexip.
      - The platform's default is V(false).
    type: bool
  enable_application_api:
    description:
      - Whether the client API is served. Pexip's own apps, other clients and Microsoft Teams need it.
      - The platform's default is V(true).
    type: bool
  enable_breakout_rooms:
    description:
      - Whether Virtual Meeting Rooms may have breakout rooms.
      - The platform's default is V(false).
    type: bool
  enable_chat:
    description:
      - Whether chat messages pass between participants. A service can differ.
      - The platform's default is V(true).
    type: bool
  enable_clock:
    description:
      - Whether a conference can show a timer or a countdown.
      - The platform's default is V(false).
    type: bool
  enable_denoise:
    description:
      - Whether the platform can take noise out of a participant's speech.
      - The platform's default is V(true).
    type: bool
  enable_dialout:
    description:
      - Whether calls through the gateway are possible, and participants can be added to a conference by dialing out.
      - The platform's default is V(true).
    type: bool
  enable_directory:
    description:
      - Whether registered apps are shown the aliases of services and devices, beside those of their own call history.
      - The platform's default is V(true).
    type: bool
  enable_edge_non_mesh:
    description:
      - Whether proxying nodes need no IPsec connection to every other node. A location of proxying nodes only then
        connects within itself, to its transcoding location, to its two overflow locations and to the Management Node.
      - The platform's default is V(true).
    type: bool
  enable_fecc:
    description:
      - Whether participants can move the cameras of others (far-end camera control).
      - The platform's default is V(true).
    type: bool
  enable_h323:
    description:
      - Whether Conferencing Nodes speak H.323.
      - The platform's default is V(true).
    type: bool
  enable_legacy_dialout_api:
    description:
      - Whether the older dial-out API may call out of a Virtual Meeting Room without a Call Routing Rule.
      - The platform's default is V(false).
    type: bool
  enable_lync_auto_escalate:
    description:
      - Whether an audio call from Skype for Business is sent the conference's video by itself.
      - The platform's default is V(false).
    type: bool
  enable_lync_vbss:
    description:
      - Whether Skype for Business calls share screens as video (VbSS).
      - The platform's default is V(false).
    type: bool
  enable_mlvad:
    description:
      - Whether advanced voice activity detection (Voice Focus) is on.
      - The platform's default is V(false).
    type: bool
  enable_rtmp:
    description:
      - Whether Conferencing Nodes speak RTMP, which streaming and recording services use.
      - The platform's default is V(true).
    type: bool
  enable_sip:
    description:
      - Whether Conferencing Nodes speak SIP over TCP and TLS.
      - The platform's default is V(true).
    type: bool
  enable_sip_udp:
    description:
      - Whether Conferencing Nodes accept SIP over UDP. The security group must then let UDP port 5060 in.
      - All Conferencing Nodes must be rebooted after this is turned off.
      - The platform's default is V(false).
    type: bool
  enable_softmute:
    description:
      - Whether the platform can silence participants who do not speak (Softmute).
      - The platform's default is V(true).
    type: bool
  enable_ssh:
    description:
      - Whether an administrator can log in to the nodes over SSH. A node can differ, see M(pexip.infinity.pexip_node).
      - The platform's default is V(true).
    type: bool
  enable_turn_443:
    description:
      - Whether WebRTC clients may fall back to a media relay on TCP port 443.
      - The platform's default is V(false).
    type: bool
  enable_webrtc:
    description:
      - Whether Conferencing Nodes accept WebRTC calls, which browsers and Pexip's apps make.
      - The platform's default is V(true).
    type: bool
  error_reporting_enabled:
    description:
      - Whether incident reports are sent to O(error_reporting_url).
      - The platform's default is V(false).
    type: bool
  error_reporting_url:
    description:
      - URL that incident reports are sent to, at most 255 characters.
      - The platform's default is V(https://acr.pexip.com).
    type: str
  es_connection_timeout:
    description:
      - Number of seconds in which an event sink must have been reached and have answered.
      - The platform's default is V(7).
    type: int
  es_initial_retry_backoff:
    description:
      - Number of seconds before an event that could not be delivered is tried again for the first time.
      - The platform's default is V(1).
    type: int
  es_maximum_retry_backoff:
    description:
      - Number of seconds to which the pause between tries may grow before an alarm is raised and the event sink is
        given up.
      - The platform's default is V(1800).
    type: int
  es_media_streams_wait:
    description:
      - Number of seconds to wait for the media statistics at the end of a call.
      - The platform's default is V(1).
    type: int
  es_metrics_update_interval:
    description:
      - Interval between updates of the event sinks' metrics; V(0) turns the metrics off.
      - The platform's default is V(60).
    type: int
  es_short_term_memory_expiration:
    description:
      - Number of seconds that the event of a participant who left is kept so that its media statistics can be added.
      - The platform's default is V(2).
    type: int
  external_participant_avatar_lookup:
    description:
      - Whether avatars of participants from outside are fetched in the way of the meeting that they are in.
      - The platform's default is V(true).
    type: bool
  gcp_client_email:
    description:
      - Service account with which the platform starts and stops overflow nodes in Google Cloud.
    type: str
  gcp_private_key:
    description:
      - Private key that belongs to O(gcp_client_email), at most 12288 characters. It is sent when O(gcp_client_email)
        differs from the platform's.
    type: str
  gcp_project_id:
    description:
      - ID of the Google Cloud project that holds the overflow nodes.
    type: str
  guests_only_timeout:
    description:
      - Number of seconds that a conference goes on with guests alone after the last host has left, V(0) to V(86400).
      - The platform's default is V(60).
    type: int
  legacy_api_password:
    description:
      - Password that other systems present to the platform, at most 100 characters. It is sent when
        O(legacy_api_username) differs from the platform's.
    type: str
  legacy_api_username:
    description:
      - User name that other systems present to the platform, at most 100 characters.
    type: str
  live_captions_vmr_default:
    description:
      - Whether live captions are on for services and Call Routing Rules that do not say otherwise.
      - The platform's default is V(false).
    type: bool
  liveview_show_conferences:
    description:
      - Whether Live View shows conferences and backplanes.
      - The platform's default is V(true).
    type: bool
  local_mssip_domain:
    description:
      - SIP domain that Skype for Business routes to the platform, at most 255 characters. It is also the domain of the
        calling address in outbound SIP calls that have none of their own. A location can differ.
    type: str
  logon_banner:
    description:
      - Text on the login page of the administrator interface, at most 4096 characters.
    type: str
  logs_max_age:
    description:
      - Number of days that nodes keep logs and call history, V(0) to V(3650); V(0) sets no limit of age.
      - The platform's default is V(0).
    type: int
  management_qos:
    description:
      - DSCP value of the management packets that all nodes send, V(0) to V(63).
      - The platform's default is V(0).
    type: int
  management_session_timeout:
    description:
      - Number of minutes, V(5) to V(1440), after which an idle user of the administrator interface is logged out. See
        O(session_timeout_enabled).
      - The platform's default is V(30).
    type: int
  management_start_page:
    description:
      - Path of the page that the administrator interface opens with.
      - The platform's default is V(/admin/conferencingstatus/deploymentgraph/deployment_graph/).
    type: str
  max_callrate_in:
    description:
      - Largest bandwidth, in kbps, that the platform receives from one participant, V(128) to V(8192), in calls without
        a limit of their own.
      - The platform's default is no limit.
    type: int
  max_callrate_out:
    description:
      - Largest bandwidth, in kbps, that the platform sends to one participant, V(128) to V(8192), in calls without a
        limit of their own.
      - The platform's default is V(4128).
    type: int
  max_pixels_per_second:
    description:
      - Best picture quality that participants get. A service or a Call Routing Rule can differ.
      - The platform's default is V(hd).
    type: str
    choices: [sd, hd, fullhd]
  max_presentation_bandwidth_ratio:
    description:
      - Largest part of a call's bandwidth, in percent, that a presentation may take, V(25) to V(75).
      - The platform's default is V(75).
    type: int
  media_ports_end:
    description:
      - Last port, V(10000) to V(49999), of the range that Conferencing Nodes send media from. The range must hold 100
        ports or more.
      - The platform's default is V(49999). The security groups that this collection makes fit the defaults.
    type: int
  media_ports_start:
    description:
      - First port, V(10000) to V(49999), of the range that Conferencing Nodes send media from.
      - The platform's default is V(40000).
    type: int
  min_pin_length:
    description:
      - Least number of digits of a PIN, V(4) to V(20).
      - The platform's default is V(6).
    type: int
  ocsp_responder_url:
    description:
      - URL that certificates are checked at, at most 255 characters, with O(ocsp_state=OVERRIDE) or where a certificate
        names none.
    type: str
  ocsp_state:
    description:
      - Whether TLS certificates are checked by OCSP, not at all (V(OFF)), at the URL in the certificate (V(ON)), or at
        O(ocsp_responder_url) (V(OVERRIDE)).
      - The platform's default is V(OFF).
    type: str
    choices: ["OFF", "ON", "OVERRIDE"]
  pin_entry_timeout:
    description:
      - Number of seconds that a participant may stay at the PIN screen before the call is ended, V(30) to V(86400).
      - The platform's default is V(120).
    type: int
  session_timeout_enabled:
    description:
      - Whether O(management_session_timeout) is enforced.
      - The platform's default is V(true).
    type: bool
  signalling_ports_end:
    description:
      - Last port, V(10000) to V(49999), of the range that Conferencing Nodes send signaling from.
      - The platform's default is V(39999). The security groups that this collection makes fit the defaults.
    type: int
  signalling_ports_start:
    description:
      - First port, V(10000) to V(49999), of the range that Conferencing Nodes send signaling from.
      - The platform's default is V(33000).
    type: int
  sip_tls_cert_verify_mode:
    description:
      - Whether the certificate of the other side is verified in SIP over TLS.
      - The platform's default is V(OFF).
    type: str
    choices: ["OFF", "ON"]
  site_banner:
    description:
      - Text on top of every page of the administrator interface, at most 255 characters.
    type: str
  site_banner_bg:
    description:
      - Background color of O(site_banner), as V(#rrggbb).
      - The platform's default is V(#c0c0c0).
    type: str
  site_banner_fg:
    description:
      - Text color of O(site_banner), as V(#rrggbb).
      - The platform's default is V(#000000).
    type: str
  teams_enable_powerpoint_render:
    description:
      - Whether Microsoft Teams calls show PowerPoint Live.
      - The platform's default is V(true).
    type: bool
  waiting_for_chair_timeout:
    description:
      - Number of seconds that a guest waits for a host before the call is ended, V(0) to V(86400).
      - The platform's default is V(900).
    type: int
seealso:
  - module: pexip.infinity.pexip_location
  - module: pexip.infinity.pexip_node
  - module: pexip.infinity.pexip_resource_info
    description: Reads the settings, with the resource V(global).
  - name: Dynamic bursting to the AWS cloud
    description: The deployment guide's section on the bursting settings and the AWS user.
    link: https://docs.pexip.com/admin/aws_bursting.htm
"""

EXAMPLES = r"""
---
- name: Burst to AWS when a location can host 12 more HD calls or fewer
  pexip.infinity.pexip_global_settings:
    bursting_enabled: true
    cloud_provider: AWS
    bursting_threshold: 12
    bursting_min_lifetime: 50

- name: Give the platform the AWS user that controls the overflow nodes
  pexip.infinity.pexip_global_settings:
    aws_access_key: "{{ lookup('ansible.builtin.env', 'PEXIP_AWS_ACCESS_KEY_ID', default=undef()) }}"
    aws_secret_key: "{{ lookup('ansible.builtin.env', 'PEXIP_AWS_SECRET_ACCESS_KEY', default=undef()) }}"

- name: Require encrypted media and verified certificates
  pexip.infinity.pexip_global_settings:
    crypto_mode: "on"
    sip_tls_cert_verify_mode: "ON"

- name: Take the banner away and lift the limit on outgoing bandwidth
  pexip.infinity.pexip_global_settings:
    site_banner: ""
    clear:
      - max_callrate_out

- name: Allow every codec
  pexip.infinity.pexip_global_settings:
    disabled_codecs: []
"""

RETURN = r"""
---
global_settings:
  description:
    - The settings under their option names, without secrets.
    - References are names where they are known and URIs otherwise.
  type: dict
  returned: success
  sample:
    id: 1
    bursting_enabled: true
    bursting_threshold: 12
    bursting_min_lifetime: 50
    cloud_provider: AWS
    disabled_codecs: [MP4A-LATM_128, H264_H_0, H264_H_1]
    resource_uri: /api/admin/configuration/v1/global/1/
"""

from ansible_collections.pexip.infinity.plugins.module_utils.module import PexipModule
from ansible_collections.pexip.infinity.plugins.module_utils.resource import Field, Resource

CONTENT_SECURITY_POLICY = (
    "upgrade-insecure-requests; default-src 'self'; frame-ancestors 'self'; "
    "frame-src 'self' https://telemetryservice.firstpartyapps.oaspapps.com/telemetryservice/telemetryproxy.html "
    "https://*.microsoft.com https://*.office.com; "
    "style-src 'self' 'unsafe-inline' https://*.microsoft.com https://*.office.com; object-src 'self'; "
    "font-src 'self' https://*.microsoft.com https://*.office.com; img-src 'self' https://www.adobe.com data: blob:; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' https://*.microsoft.com https://*.office.com "
    "https://ajax.aspnetcdn.com https://api.keen.io; media-src 'self' blob:; "
    "connect-src 'self' https://*.microsoft.com https://*.office.com https://example.com;"
)

GLOBAL_SETTINGS = Resource(
    "global",
    identity=(),
    singleton=True,
    title="global settings",
    fields=[
        Field("aws_access_key", nullable=True, max_length=40),
        Field("aws_secret_key", nullable=True, secret=True, readable=False, sent_with="aws_access_key"),
        Field("azure_client_id", nullable=True, secret=True),
        Field("azure_secret", nullable=True, secret=True, readable=False, sent_with="azure_client_id"),
        Field("azure_subscription_id", nullable=True),
        Field("azure_tenant", nullable=True),
        Field("bdpm_max_pin_failures_per_window", "int", minimum=5, maximum=200, default=20),
        Field("bdpm_max_scan_attempts_per_window", "int", minimum=5, maximum=200, default=20),
        Field("bdpm_pin_checks_enabled", "bool", default=True),
        Field("bdpm_scan_quarantine_enabled", "bool", default=True),
        Field("bursting_enabled", "bool", default=False),
        Field("bursting_min_lifetime", "int", nullable=True, minimum=5, default=50),
        Field("bursting_threshold", "int", nullable=True, minimum=1, default=5),
        Field("cloud_provider", choices=("AWS", "AZURE", "GCP"), default="AWS"),
        Field("contact_email_address", max_length=100, default=""),
        Field("content_security_policy_header", max_length=4096, default=CONTENT_SECURITY_POLICY),
        Field("content_security_policy_state", "bool", default=True),
        Field("crypto_mode", choices=("besteffort", "on", "off"), default="besteffort"),
        Field("default_theme", ref="ivr_theme", nullable=True),
        Field(
            "default_webapp_alias",
            ref="webapp_alias",
            nullable=True,
            default="/api/admin/configuration/v1/webapp_alias/3/",
        ),
        Field("disabled_codecs", "list", items="value", default=["MP4A-LATM_128", "H264_H_0", "H264_H_1"]),
        Field("eject_last_participant_backstop_timeout", "int", minimum=0, maximum=86400, excluded=(1, 59), default=0),
        Field("enable_analytics", "bool", default=False),
        Field("enable_application_api", "bool", default=True),
        Field("enable_breakout_rooms", "bool", default=False),
        Field("enable_chat", "bool", default=True),
        Field("enable_clock", "bool", default=False),
        Field("enable_denoise", "bool", default=True),
        Field("enable_dialout", "bool", default=True),
        Field("enable_directory", "bool", default=True),
        Field("enable_edge_non_mesh", "bool", default=True),
        Field("enable_fecc", "bool", default=True),
        Field("enable_h323", "bool", default=True),
        Field("enable_legacy_dialout_api", "bool", default=False),
        Field("enable_lync_auto_escalate", "bool", default=False),
        Field("enable_lync_vbss", "bool", default=False),
        Field("enable_mlvad", "bool", default=False),
        Field("enable_rtmp", "bool", default=True),
        Field("enable_sip", "bool", default=True),
        Field("enable_sip_udp", "bool", default=False),
        Field("enable_softmute", "bool", default=True),
        Field("enable_ssh", "bool", default=True),
        Field("enable_turn_443", "bool", default=False),
        Field("enable_webrtc", "bool", default=True),
        Field("error_reporting_enabled", "bool", default=False),
        Field("error_reporting_url", max_length=255, default="https://acr.pexip.com"),
        Field("es_connection_timeout", "int", default=7),
        Field("es_initial_retry_backoff", "int", default=1),
        Field("es_maximum_retry_backoff", "int", default=1800),
        Field("es_media_streams_wait", "int", default=1),
        Field("es_metrics_update_interval", "int", default=60),
        Field("es_short_term_memory_expiration", "int", default=2),
        Field("external_participant_avatar_lookup", "bool", default=True),
        Field("gcp_client_email", nullable=True),
        Field(
            "gcp_private_key",
            nullable=True,
            secret=True,
            readable=False,
            sent_with="gcp_client_email",
            max_length=12288,
            default="",
        ),
        Field("gcp_project_id", nullable=True),
        Field("guests_only_timeout", "int", minimum=0, maximum=86400, default=60),
        Field(
            "legacy_api_password",
            secret=True,
            readable=False,
            sent_with="legacy_api_username",
            max_length=100,
            default="",
        ),
        Field("legacy_api_username", max_length=100, default=""),
        Field("live_captions_vmr_default", "bool", default=False),
        Field("liveview_show_conferences", "bool", default=True),
        Field("local_mssip_domain", max_length=255, default=""),
        Field("logon_banner", max_length=4096, default=""),
        Field("logs_max_age", "int", minimum=0, maximum=3650, default=0),
        Field("management_qos", "int", nullable=True, minimum=0, maximum=63, default=0),
        Field("management_session_timeout", "int", minimum=5, maximum=1440, default=30),
        Field("management_start_page", default="/admin/conferencingstatus/deploymentgraph/deployment_graph/"),
        Field("max_callrate_in", "int", nullable=True, minimum=128, maximum=8192),
        Field("max_callrate_out", "int", nullable=True, minimum=128, maximum=8192, default=4128),
        Field("max_pixels_per_second", choices=("sd", "hd", "fullhd"), default="hd"),
        Field("max_presentation_bandwidth_ratio", "int", minimum=25, maximum=75, default=75),
        Field("media_ports_end", "int", minimum=10000, maximum=49999, default=49999),
        Field("media_ports_start", "int", minimum=10000, maximum=49999, default=40000),
        Field("min_pin_length", "int", minimum=4, maximum=20, default=6),
        Field("ocsp_responder_url", max_length=255, default=""),
        Field("ocsp_state", choices=("OFF", "ON", "OVERRIDE"), default="OFF"),
        Field("pin_entry_timeout", "int", minimum=30, maximum=86400, default=120),
        Field("session_timeout_enabled", "bool", default=True),
        Field("signalling_ports_end", "int", minimum=10000, maximum=49999, default=39999),
        Field("signalling_ports_start", "int", minimum=10000, maximum=49999, default=33000),
        Field("sip_tls_cert_verify_mode", choices=("OFF", "ON"), default="OFF"),
        Field("site_banner", max_length=255, default=""),
        Field("site_banner_bg", default="#c0c0c0"),
        Field("site_banner_fg", default="#000000"),
        Field("teams_enable_powerpoint_render", "bool", default=True),
        Field("waiting_for_chair_timeout", "int", minimum=0, maximum=86400, default=900),
    ],
    deprecated=(
        "default_to_new_webapp",
        "default_webapp",
        "enable_multiscreen",
        "enable_push_notifications",
        "es_maximum_deferred_posts",
        "legacy_api_http",
        "live_captions_api_gateway",
        "live_captions_app_id",
        "live_captions_enabled",
        "live_captions_public_jwt_key",
        "pss_customer_id",
        "pss_enabled",
        "pss_gateway",
        "pss_token",
    ),
)


def main() -> None:
    """Entry point of the module."""
    PexipModule(GLOBAL_SETTINGS, returns="global_settings").run()


if __name__ == "__main__":
    main()
