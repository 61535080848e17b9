"""Public addresses: given out by AWS, dialled through the internet gateway (guide: IP addressing)."""

import pytest
from pexip_lab.network import Network
from pexip_lab.testing import Account, opens, tcp

PORT = 8443


@pytest.fixture
def node(account: Account, until):
    """Launch a Conferencing Node whose upload form answers the controller; its id and private address."""

    def launch(*rules, public: bool) -> tuple[str, str]:
        instance = account.launch(account.group(*rules), public=public)
        until(lambda: (account.machine(instance) or {}).get("state") == "running", "the boot")
        return instance, account.address(instance)

    return launch


def test_every_lab_has_public_addresses_of_its_own():
    networks = [Network.parse(f"127.{number}.0.0/16").public for number in range(1, 100)]
    assert str(networks[15]) == "127.208.0.0/17"
    assert not any(one.overlaps(other) for one, other in zip(networks, networks[1:], strict=False))
    assert all(not network.overlaps(Network.parse("127.99.0.0/16").on_premises) for network in networks)


def test_a_dynamic_address_leads_to_its_machine_until_it_stops(account, node, until):
    instance, _private = node(tcp(PORT), public=True)
    public = account.instance(instance)["PublicIpAddress"]
    until(lambda: opens(public, PORT), "the upload form")
    account.ec2.stop_instances(InstanceIds=[instance])
    until(lambda: not opens(public, PORT), "the end")
    account.await_state(instance, "stopped")
    account.ec2.start_instances(InstanceIds=[instance])
    account.await_state(instance, "running")
    another = account.instance(instance)["PublicIpAddress"]
    assert another != public
    until(lambda: opens(another, PORT), "the upload form at the new address")
    assert not opens(public, PORT)


def test_an_elastic_address_leads_to_whom_it_is_associated_with(account, node, until):
    instance, _private = node(tcp(PORT), public=False)
    address = account.ec2.allocate_address(Domain="vpc")
    assert not opens(address["PublicIp"], PORT)
    association = account.ec2.associate_address(InstanceId=instance, AllocationId=address["AllocationId"])
    until(lambda: opens(address["PublicIp"], PORT), "the upload form")
    account.ec2.disassociate_address(AssociationId=association["AssociationId"])
    assert not opens(address["PublicIp"], PORT)


def test_the_source_is_what_the_security_groups_judge(account, node, until):
    """The controller may come in; the gateway is nobody that a rule could allow."""
    instance, private = node(tcp(PORT, "192.0.2.0/24"), public=True)
    public = account.instance(instance)["PublicIpAddress"]
    assert not opens(private, PORT)
    assert not opens(public, PORT)
