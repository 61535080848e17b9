# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pexip_installation against machines of the lab, over a real OpenSSH client."""

import ipaddress
import subprocess
import sys
from pathlib import Path

import pytest
import requests

OWNER = "686087431763"
IMAGE = "Pexip Infinity Management Node 11.0.0 (build 26902.0.0)"
UNIX, WEB, PASSPHRASE = "unix-Secret#1", "web Secret$2", "key Secret%3"


@pytest.fixture(scope="module")
def lab(lab_factory):
    """One lab for all tests of this file; each test has a machine of its own."""
    with lab_factory(time_scale=300) as lab:
        yield lab


@pytest.fixture(scope="module")
def security_group(lab):
    ec2 = lab.ec2()
    vpc = ec2.describe_subnets(SubnetIds=[lab.env["LAB_SUBNET_A"]])["Subnets"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="management", Description="management", VpcId=vpc)["GroupId"]
    ports = (lab.env["LAB_SSH_PORT"], lab.env["LAB_API_PORT"])
    rules = [
        {"IpProtocol": "tcp", "FromPort": int(port), "ToPort": int(port), "IpRanges": [{"CidrIp": "127.0.0.1/32"}]}
        for port in ports
    ]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules)
    return group


class Machine:
    """A Management Node that a test launches, and the task that installs it."""

    numbers = iter(range(50, 250))

    def __init__(self, lab, security_group, play, directory):
        self.lab, self.play = lab, play
        self.address = str(ipaddress.ip_network(lab.env["LAB_NETWORK"])[next(self.numbers)])
        self.known_hosts = directory / "keys" / "known_hosts"
        self._group = security_group
        self.instance = None

    def launch(self, public=False):
        ec2 = self.lab.ec2()
        image = ec2.describe_images(Owners=[OWNER], Filters=[{"Name": "name", "Values": [IMAGE]}])["Images"][0]
        self.instance = ec2.run_instances(
            ImageId=image["ImageId"],
            InstanceType="m4.large",
            MinCount=1,
            MaxCount=1,
            KeyName=self.lab.env["LAB_KEY_NAME"],
            NetworkInterfaces=[
                {
                    "DeviceIndex": 0,
                    "SubnetId": self.lab.env["LAB_SUBNET_A"],
                    "PrivateIpAddress": self.address,
                    "Groups": [self._group],
                    "AssociatePublicIpAddress": public,
                }
            ],
        )["Instances"][0]["InstanceId"]
        return self

    def terminate(self):
        ec2 = self.lab.ec2()
        ec2.terminate_instances(InstanceIds=[self.instance])
        # the lab's clock runs fast, and AWS forgets a terminated instance after an hour of it
        ec2.get_waiter("instance_terminated").wait(InstanceIds=[self.instance], WaiterConfig={"Delay": 1})

    def install(self, *args, check=False, **options):
        """Runs the task with other options where given; None leaves one out."""
        variables = self.lab.inventory["all"]["vars"]
        wanted = {
            "host": self.address,
            "port": int(self.lab.env["LAB_API_PORT"]),
            "ssh_port": int(self.lab.env["LAB_SSH_PORT"]),
            "password": WEB,
            "admin_password": UNIX,
            "private_key_file": self.lab.env["LAB_KEY_FILE"],
            "known_hosts": str(self.known_hosts),
            "hostname": "manager",
            "domain": "example.com",
            "dns_servers": variables["pexip_dns_servers"],
            "ntp_servers": variables["pexip_ntp_servers"],
            "tls_pin": "first_use",
            "wait_timeout": 60,
            "poll_interval": 1,
            **options,
        }
        task = {
            "name": "Install",
            "pexip.infinity.pexip_installation": {name: value for name, value in wanted.items() if value is not None},
        }
        plays = [
            {
                "hosts": "localhost",
                "connection": "local",
                "gather_facts": False,
                "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
                "tasks": [task],
            }
        ]
        run = self.play(self.lab, plays, *args, check=check)
        for secret in (UNIX, WEB, PASSPHRASE):
            assert secret not in run.output
        return run

    def api(self, resource):
        """The objects of a configuration resource, as the web administrator sees them."""
        answer = requests.get(
            f"https://{self.address}:{self.lab.env['LAB_API_PORT']}/api/admin/configuration/v1/{resource}/",
            auth=("admin", WEB),
            verify=False,
            timeout=10,
        )
        answer.raise_for_status()
        return answer.json()["objects"]


@pytest.fixture
def machine(lab, security_group, play, tmp_path):
    return Machine(lab, security_group, play, tmp_path)


def result(run):
    return run.results("Install")[-1]


def test_from_a_launched_instance_to_an_installed_platform(machine, lab):
    machine.launch()
    assert result(machine.install(check=True).succeeded())["changed"] is True
    assert not machine.known_hosts.exists()

    run = machine.install("-vvvv", incident_reporting=True, contact_email_address="ops@example.com").succeeded()
    done = result(run)
    assert done["changed"] is True
    assert done["installation"]["state"] == "installed"
    assert (done["installation"]["hostname"], done["installation"]["address"]) == ("manager", machine.address)
    assert done["installation"]["version"].startswith("11.0.0")
    assert "the Management Node reboots" in run.output

    variables = lab.inventory["all"]["vars"]
    assert [item["hostname"] for item in machine.api("management_vm")] == ["manager"]
    assert sorted(item["address"] for item in machine.api("dns_server")) == sorted(variables["pexip_dns_servers"])
    assert sorted(item["address"] for item in machine.api("ntp_server")) == sorted(variables["pexip_ntp_servers"])

    # Installed already: two GETs, no login.
    machine.known_hosts.unlink()
    lab.requests(reset=True)
    fingerprint = done["installation"]["tls_fingerprint"]
    again = machine.install(tls_pin="verify", tls_fingerprint=fingerprint).unchanged()
    assert result(again)["installation"] == done["installation"]
    assert lab.writes() == 0
    assert sum(count for name, count in lab.requests().items() if "management_vm" in name) == 2
    assert not machine.known_hosts.exists()
    machine.install(check=True).unchanged()

    refused = machine.install(password="not the web password").failed()
    assert "(401)" in refused.failures[0]
    assert "installed already" in refused.failures[0]
    assert not machine.known_hosts.exists()

    other = machine.install(hostname="another").failed()
    assert "'manager'" in other.failures[0]
    assert "'another'" in other.failures[0]


def test_a_refused_ntp_server_is_told_and_the_next_run_resumes(machine):
    machine.launch()
    run = machine.install(ntp_servers=["ntp.nowhere.invalid"]).failed()
    assert "ntp_servers" in run.failures[0]
    assert "ntp.nowhere.invalid" in run.failures[0]
    assert "last lines of the dialogue" in run.failures[0]
    # The first login's password change has taken place.
    assert result(run)["changed"] is True

    # Half-way: the password is set, the wizard is not done.
    wrong = machine.install(admin_password="another-Secret").failed()
    assert "admin_password" in wrong.failures[0]
    assert result(wrong)["changed"] is False

    resumed = machine.install().succeeded()
    assert result(resumed)["changed"] is True
    assert machine.api("management_vm")[0]["hostname"] == "manager"


def test_given_network_settings_take_the_place_of_the_defaults_and_offered_servers_are_taken(machine, lab):
    machine.launch(public=True)
    gateway = str(ipaddress.ip_network(lab.env["LAB_NETWORK"])[1])
    given = {"address": machine.address, "netmask": "255.255.240.0", "gateway": gateway}
    machine.install(**given, dns_servers=None, ntp_servers=None).succeeded()
    assert sorted(item["address"] for item in machine.api("dns_server")) == ["8.8.4.4", "8.8.8.8"]
    assert sorted(item["address"] for item in machine.api("ntp_server")) == ["0.pool.ntp.org", "1.pool.ntp.org"]
    management = machine.api("management_vm")[0]
    assert (management["address"], management["netmask"], management["gateway"]) == (
        machine.address,
        "255.255.240.0",
        gateway,
    )


def test_a_host_key_that_changed_is_an_error(machine):
    machine.launch()
    machine.install(ntp_servers=["ntp.nowhere.invalid"]).failed()
    machine.terminate()
    machine.launch()
    run = machine.install().failed()
    assert "host key" in run.failures[0]
    assert "ssh-keygen -R" in run.failures[0]
    assert str(machine.known_hosts) in run.failures[0]


def test_strict_host_key_checking_takes_no_new_key(machine):
    machine.launch()
    run = machine.install(host_key_checking="yes").failed()
    assert "host_key_checking: accept-new" in run.failures[0]


def test_nobody_there_is_waited_for_until_the_time_out(machine):
    run = machine.install(wait_timeout=3).failed()
    assert f"the SSH server at {machine.address}" in run.failures[0]
    assert "time-out 3" in run.failures[0]
    assert "security group" in run.failures[0]


def test_an_unknown_key_is_an_error_after_a_moment(machine, tmp_path):
    machine.launch()
    key = tmp_path / "other.pem"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    run = machine.install(private_key_file=str(key), wait_timeout=300, refusal_timeout=2).failed()
    assert "Permission denied" in run.failures[0]
    assert "refusal_timeout 2" in run.failures[0]
    assert "key pair" in run.failures[0]
    assert result(run)["installation"]["state"] == "refused"


# Carries one connection, as a jump host does, and leaves a line that it did.
DETOUR = """\
import contextlib, pathlib, socket, sys, threading

there = socket.create_connection((sys.argv[1], int(sys.argv[2])))
pathlib.Path(__file__).with_suffix(".used").write_text(sys.argv[1])

def back():
    with contextlib.suppress(ConnectionError):
        while data := there.recv(65536):
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

threading.Thread(target=back, daemon=True).start()
with contextlib.suppress(ConnectionError):  # the machine reboots
    while data := sys.stdin.buffer.read1(65536):
        there.sendall(data)
"""


def test_a_key_with_a_passphrase_and_a_way_of_the_operators_own(machine, lab, tmp_path):
    machine.launch()
    key, detour = tmp_path / "locked.pem", tmp_path / "detour.py"
    detour.write_text(DETOUR)
    key.write_bytes(Path(lab.env["LAB_KEY_FILE"]).read_bytes())
    key.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", PASSPHRASE, "-f", str(key)], check=True)
    way = {"private_key_file": str(key), "ssh_extra_args": ["-o", f"ProxyCommand={sys.executable} {detour} %h %p"]}

    run = machine.install(**way).failed()
    assert "give private_key_passphrase" in run.failures[0]
    run = machine.install(**way, private_key_passphrase="another").failed()
    assert "private_key_passphrase does not open the private key" in run.failures[0]
    run = machine.install("-vvvv", **way, private_key_passphrase=PASSPHRASE).succeeded()
    assert result(run)["installation"]["state"] == "installed"
    assert detour.with_suffix(".used").read_text() == machine.address


def test_offered_servers_are_those_that_the_wizard_tries(machine):
    """They are public ones, which a machine without a public address does not reach."""
    machine.launch()
    run = machine.install(dns_servers=None, ntp_servers=None).failed()
    assert "0.pool.ntp.org" in run.failures[0]
    assert "reachable only with a public address" in run.failures[0]


def test_options_are_checked_before_anything_is_dialled(machine):
    run = machine.install(hostname="bad name", dns_servers=["dns"], ntp_servers=[], wait_timeout=1).failed()
    for word in ("bad name", "dns_servers", "ntp_servers"):
        assert word in run.failures[0]
    assert not machine.known_hosts.exists()


def test_check_mode_without_a_host(machine):
    run = machine.install(check=True, host=None).succeeded()
    assert result(run)["changed"] is True
