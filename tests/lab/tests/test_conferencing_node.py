"""Conferencing Nodes: upload, reboot, contact (guide: Deploying a Conferencing Node; FACTS: deployment)."""

import http.client
import itertools
import ssl
import uuid
from collections.abc import Iterator

import pytest
from pexip_lab.client import Lab
from pexip_lab.testing import Account, opens, own_network, tcp

UPLOAD = "/configuration/bootstrap"
NODES = "/api/admin/configuration/v1/worker_vm/"
IKE = {"IpProtocol": "udp", "FromPort": 500, "ToPort": 500}
ESP = {"IpProtocol": "50"}


class Platform:
    """A lab with the seed platform, and what an administrator does with it."""

    def __init__(self, lab: Lab):
        self.lab = lab
        self._hosts = itertools.count(50)
        self.account = Account(lab)
        groups = self.account.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["pexip-nodes"]}])
        self.group = groups["SecurityGroups"][0]["GroupId"]
        lab.api("/api/admin/configuration/v1/system_location/", "POST", {"name": "London"})
        self.location = lab.api("/api/admin/configuration/v1/system_location/")["objects"][0]["resource_uri"]

    def register(self, address: str) -> bytes:
        """Register a node; returns its document."""
        name = f"node-{uuid.uuid4().hex[:8]}"
        subnet = f"{self.lab.network.resolver[:-1]}1"
        return self.lab.api(
            NODES,
            "POST",
            {
                "name": name,
                "hostname": name,
                "domain": "example.com",
                "address": address,
                "netmask": "255.255.240.0",
                "gateway": subnet,
                "system_location": self.location,
                "password": "Node-4711",
                "deployment_type": "MANUAL-PROVISION-ONLY",
            },
        ).encode()

    def launch(self, group: str | None = None) -> str:
        """Launch a node in the seed's group, or another, at an address that no node had before."""
        address = self.lab.network.vpc.network_address + next(self._hosts)
        return self.account.launch(group or self.group, private_ip=str(address))

    def await_form(self, instance: str, until) -> str:
        """Wait for the upload form; returns the address."""
        address = self.account.address(instance)
        until(lambda: opens(address, self.lab.network.bootstrap_port), "the upload form")
        return address

    def status(self, address: str) -> dict:
        (node,) = self.lab.api(f"{NODES}?address={address}")["objects"]
        return self.lab.api(f"/api/admin/status/v1/worker_vm/{node['id']}/")

    def contact(self, instance: str) -> str:
        return self.account.machine(instance)["contact"]


def request(address: str, method: str, path: str, body: bytes = b"", kind: str = "text/xml") -> tuple[int, str]:
    """One request to a node's upload port."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(address, 8443, context=context, timeout=10)
    try:
        connection.request(method, path, body or None, {"Content-Type": kind} if body else {})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def platform(tmp_path_factory) -> Iterator[Platform]:
    lab = Lab.up(tmp_path_factory.mktemp("platform"), seed="platform", network=own_network(3), time_scale=600)
    yield Platform(lab)
    lab.down()


@pytest.fixture
def waiting(platform, until):
    """A node whose form is open: its instance and address."""
    instance = platform.launch()
    yield instance, platform.await_form(instance, until)
    platform.account.ec2.terminate_instances(InstanceIds=[instance])


def test_upload_reboot_contact(platform, waiting, until):
    instance, address = waiting
    document = platform.register(address)
    assert platform.status(address)["last_updated"] is None
    status, text = request(address, "POST", UPLOAD, document)
    assert status == 200, text
    until(lambda: not opens(address, 8443), "the reboot")
    node = until(lambda: (found := platform.status(address))["last_updated"] and found, "the contact")
    assert node["sync_status"] == "SYNCED"
    assert node["version"] == "11.0.0 (26902.0.0)"
    assert not opens(address, 8443)  # the form is gone for good


def test_contact_again_after_a_stop(platform, waiting, until):
    instance, address = waiting
    request(address, "POST", UPLOAD, platform.register(address))
    until(lambda: platform.contact(instance) == "ok", "the contact")
    ec2 = platform.account.ec2
    ec2.stop_instances(InstanceIds=[instance])
    platform.account.await_state(instance, "stopped")
    before = platform.status(address)
    ec2.start_instances(InstanceIds=[instance])
    after = until(lambda: (s := platform.status(address))["last_updated"] > before["last_updated"] and s, "the contact")
    assert after["boot_time"] > before["boot_time"]
    assert not opens(address, 8443)


def test_the_form(platform, waiting, until):
    instance, address = waiting
    status, page = request(address, "GET", "/")
    assert status == 200
    assert 'type="file"' in page
    document = platform.register(address)
    body = b'--X\r\nContent-Disposition: form-data; name="file"; filename="a.xml"\r\n\r\n' + document + b"\r\n--X--\r\n"
    status, text = request(address, "POST", UPLOAD, body, "multipart/form-data; boundary=X")
    assert status == 200, text
    until(lambda: platform.contact(instance) == "ok", "the contact")


def test_refusals(platform, waiting):
    _node, address = waiting
    document = platform.register(address)
    other = platform.register(address.rsplit(".", 1)[0] + ".250")  # nobody is there
    for body, kind, status, words in (
        (other, "text/xml", 400, "is for a node at"),
        (document[:-20], "text/xml", 400, "not well-formed"),
        (b"<other/>", "text/xml", 400, "invalid configuration file"),
        (b"  ", "text/xml", 400, "no configuration file"),
        (document, "application/json", 415, "text/xml"),
    ):
        answer = request(address, "POST", UPLOAD, body, kind)
        assert (answer[0], words in answer[1]) == (status, True), answer
    assert request(address, "GET", "/elsewhere")[0] == 404
    assert request(address, "GET", UPLOAD)[0] == 405


def test_a_second_document_is_refused(tmp_path):
    """Over the network there is hardly time for it: the node reboots after the first."""
    from http import HTTPStatus

    from pexip_lab.conferencing_node import ConferencingNode, UploadRefused
    from pexip_lab.document import Document, build
    from pexip_lab.machine import Hardware

    node = ConferencingNode(None, Hardware("n", "127.16.0.9", "255.255.240.0", "127.16.0.1", tmp_path))
    xml = build(
        Document("n", "n", "example.com", "127.16.0.9", "255.255.240.0", "127.16.0.1", "127.16.0.4", "t", "London")
    ).encode()
    node.configure(xml)
    with pytest.raises(UploadRefused, match="already") as refusal:
        node.configure(xml)
    assert refusal.value.status == HTTPStatus.CONFLICT


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [((IKE, ESP), True), ((IKE,), False), ((ESP,), False), ((), False)],
    ids=["both", "no ESP", "no UDP 500", "neither"],
)
def test_contact_needs_udp_500_and_esp_in_both_directions(platform, until, rules, allowed):
    """A group of its own, so that the Management Node's group must let the node in, and the other way round."""
    account, ec2 = platform.account, platform.account.ec2
    group = account.group(tcp(8443))
    pairs = [rule | {"UserIdGroupPairs": [{"GroupId": group}]} for rule in (IKE, ESP)]
    ec2.authorize_security_group_ingress(GroupId=platform.group, IpPermissions=pairs)
    if rules:
        inbound = [rule | {"UserIdGroupPairs": [{"GroupId": platform.group}]} for rule in rules]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=inbound)
    instance = platform.launch(group)
    address = platform.await_form(instance, until)
    request(address, "POST", UPLOAD, platform.register(address))
    until(lambda: platform.contact(instance) != "never", "an attempt")
    assert (platform.contact(instance) == "ok") is allowed
    assert (platform.status(address)["last_updated"] is not None) is allowed
    ec2.terminate_instances(InstanceIds=[instance])


def test_a_node_registered_anew_is_unknown(platform, waiting, until):
    instance, address = waiting
    request(address, "POST", UPLOAD, platform.register(address))
    until(lambda: platform.contact(instance) == "ok", "the contact")
    (node,) = platform.lab.api(f"{NODES}?address={address}")["objects"]
    platform.lab.api(node["resource_uri"], "DELETE")
    until(lambda: platform.contact(instance) == "unknown", "the refusal")


def test_a_node_that_was_never_configured_waits(platform, waiting):
    instance, address = waiting
    platform.lab.clock_advance("2h")
    assert opens(address, 8443)
    assert platform.contact(instance) == "never"


def test_requests_of_the_api_are_counted(platform):
    lab = platform.lab
    lab.requests(reset=True)
    lab.api(NODES)
    lab.api("/api/admin/status/v1/worker_vm/")
    assert lab.requests() == {"GET status/worker_vm": 1, "GET worker_vm": 1}
    assert lab.writes() == 0
    lab.api("/api/admin/configuration/v1/dns_server/", "POST", {"address": "192.0.2.1"})
    assert lab.writes() == 1
