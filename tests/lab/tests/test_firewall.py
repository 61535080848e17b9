"""Security groups decide who may connect (guide: Configuring AWS security groups)."""

import pytest
from pexip_lab.testing import CONTROLLER, OTHER_IMAGE, Account, opens, tcp

PORT = 8443


@pytest.fixture
def listening(account: Account, until):
    """Launch a Conferencing Node and wait until its upload port is open to the group's rules, or its boot is over."""

    def launch(group: str) -> str:
        instance = account.launch(group)
        until(lambda: (account.machine(instance) or {}).get("state") == "running", "the boot")
        return account.address(instance)

    return launch


@pytest.mark.parametrize(
    "rule",
    [
        tcp(PORT),
        tcp(PORT, "0.0.0.0/0"),
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": CONTROLLER}]},
        {"IpProtocol": "6", "FromPort": 8000, "ToPort": 9000, "IpRanges": [{"CidrIp": "127.0.0.0/8"}]},
    ],
)
def test_allowed(account, listening, rule):
    assert opens(listening(account.group(rule)), PORT)


@pytest.mark.parametrize(
    "rule",
    [
        tcp(PORT, "192.0.2.0/24"),
        tcp(PORT + 1),
        {"IpProtocol": "udp", "FromPort": PORT, "ToPort": PORT, "IpRanges": [{"CidrIp": CONTROLLER}]},
        {"IpProtocol": "50", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
    ],
)
def test_refused(account, listening, rule):
    assert not opens(listening(account.group(rule)), PORT)


def test_rules_are_evaluated_live(account, listening):
    group = account.group()
    address = listening(group)
    assert not opens(address, PORT)
    account.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[tcp(PORT)])
    assert opens(address, PORT)
    account.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[tcp(PORT)])
    assert not opens(address, PORT)


def test_another_image_is_a_machine_without_sockets(account, until):
    instance = account.launch(account.group(tcp(PORT)), image=OTHER_IMAGE)
    until(lambda: (account.machine(instance) or {}).get("state") == "running", "the boot")
    assert account.machine(instance)["kind"] == "other"
    assert not opens(account.address(instance), PORT)


def test_a_stopped_machine_has_no_sockets_and_a_terminated_one_is_gone(account, until):
    instance = account.launch(account.group(tcp(PORT)))
    address = account.address(instance)
    until(lambda: opens(address, PORT), "the upload form")
    account.ec2.stop_instances(InstanceIds=[instance])
    account.await_state(instance, "stopped")
    assert not opens(address, PORT)
    assert account.machine(instance)["state"] == "off"
    account.ec2.start_instances(InstanceIds=[instance])
    until(lambda: opens(address, PORT), "the upload form")
    account.ec2.terminate_instances(InstanceIds=[instance])
    until(lambda: account.machine(instance) is None, "the deletion")
