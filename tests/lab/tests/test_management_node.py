"""A Management Node from its first login to its API, driven with OpenSSH (guide: steps 12 to 15)."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pexpect
import pytest
from pexip_lab.client import Lab
from pexip_lab.testing import EVERYONE, MANAGEMENT_IMAGE, Account, opens, tcp

UNIX_PASSWORD = "Unix-4711"
ANSWERS = {
    "IP address": "",
    "Network mask": "",
    "Gateway": "",
    "Hostname": "mgr",
    "Domain suffix": "example.com",
    "DNS servers": "RESOLVER",
    "NTP servers": "RESOLVER",
    "Web administration username": "",
    "Web administration password: ": "Web-4711",
    r"Web administration password \(again\)": "Web-4711",
    "Enable incident reporting": "",
    "Send deployment and usage statistics to Pexip": "",
}


@dataclass
class Node:
    """A new Management Node, and how to log in to it."""

    account: Account
    directory: Path
    instance: str = ""
    key: str = ""
    options: list[str] = field(default_factory=list)

    def launch(self, public: bool = False, key: str = "lab-key") -> "Node":
        network = self.account.lab.network
        group = self.account.group(tcp(network.ssh_port), tcp(network.api_port, EVERYONE))
        self.instance = self.account.launch(group, MANAGEMENT_IMAGE, public=public, key=key, InstanceType="m4.large")
        self.address = self.account.address(self.instance)
        self.key = self.key or self.account.env["LAB_KEY_FILE"]
        return self

    def ssh(self, *extra: str, user: str = "admin") -> pexpect.spawn:
        """A session with a terminal."""
        return pexpect.spawn("ssh", self.command(*extra, user=user), encoding="utf-8", timeout=20, use_poll=True)

    def command(self, *extra: str, user: str = "admin", terminal: str = "-tt") -> list[str]:
        return [
            *(terminal, "-i", self.key, "-p", str(self.account.lab.network.ssh_port), "-F", "none"),
            *("-o", "StrictHostKeyChecking=accept-new", "-o", f"UserKnownHostsFile={self.directory}/known_hosts"),
            *("-o", "IdentitiesOnly=yes", "-o", "LogLevel=ERROR", *extra, f"{user}@{self.address}"),
        ]

    def await_ssh(self, until) -> "Node":
        until(lambda: opens(self.address, self.account.lab.network.ssh_port), "SSH")
        return self

    def set_password(self, password: str = UNIX_PASSWORD) -> None:
        session = self.ssh()
        for question in ("Enter new UNIX password:", "Retype new UNIX password:"):
            session.expect_exact(question)
            session.sendline(password)
        session.expect(pexpect.EOF)
        assert "updated successfully" in session.before
        assert closed(session) == 0

    def begin_wizard(self) -> pexpect.spawn:
        session = self.ssh()
        session.expect_exact("Running Pexip installation wizard...")
        session.expect_exact("[sudo] password for admin: ")
        session.sendline(UNIX_PASSWORD)
        return session

    def answer(self, session: pexpect.spawn, **changed: str) -> None:
        """Answer the whole wizard."""
        answers = ANSWERS | {name.replace("_", " "): text for name, text in changed.items()}
        for question, text in answers.items():
            session.expect(question)
            session.sendline(text.replace("RESOLVER", self.account.lab.network.resolver))

    def machine(self) -> dict:
        return self.account.machine(self.instance)


def closed(session: pexpect.spawn) -> int:
    session.close()
    return session.exitstatus


@pytest.fixture
def node(account, tmp_path, until):
    """A booted node that nobody has logged in to."""
    node = Node(account, tmp_path).launch().await_ssh(until)
    yield node
    account.ec2.terminate_instances(InstanceIds=[node.instance])


def test_from_first_login_to_the_api(another_lab, tmp_path, until):
    lab: Lab = another_lab()
    node = Node(Account(lab), tmp_path).launch().await_ssh(until)
    assert node.machine()["installation"] == "new"

    first = node.ssh()
    first.expect("required to change your password")
    first.expect("WARNING: Your password has expired")
    first.expect_exact("Enter new UNIX password:")
    first.sendline(UNIX_PASSWORD)
    first.expect_exact("Retype new UNIX password:")
    assert UNIX_PASSWORD not in first.before
    first.sendline(UNIX_PASSWORD)
    first.expect(pexpect.EOF)
    assert closed(first) == 0
    assert node.machine()["installation"] == "password changed"
    assert not opens(node.address, lab.network.api_port)

    second = node.begin_wizard()
    second.expect(rf"IP address \[{node.address}\]")
    second.sendline("")
    second.expect(r"Network mask \[255.255.240.0\]")
    second.sendline("")
    second.expect(rf"Gateway \[{lab.network.resolver[:-1]}1\]")
    second.sendline("")
    for question, text in list(ANSWERS.items())[3:]:
        second.expect(question)
        second.sendline(text.replace("RESOLVER", lab.network.resolver))
    second.expect("reboots now")
    second.expect(pexpect.EOF)
    assert closed(second) == 255  # the connection is lost

    until(lambda: opens(node.address, lab.network.api_port), "the API")
    (manager,) = _api(node, "management_vm")
    assert (manager["hostname"], manager["domain"], manager["address"]) == ("mgr", "example.com", node.address)
    assert [item["address"] for item in _api(node, "dns_server")] == [lab.network.resolver]
    assert [item["address"] for item in _api(node, "ntp_server")] == [lab.network.resolver]

    third = node.ssh()
    third.expect("installed")
    third.expect(pexpect.EOF)
    assert closed(third) == 0


def _api(node: Node, resource: str) -> list[dict]:
    import base64
    import http.client
    import json
    import ssl

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(node.address, node.account.lab.network.api_port, context=context)
    token = base64.b64encode(b"admin:Web-4711").decode()
    headers = {"Authorization": f"Basic {token}"}
    objects: list[dict] = []
    # the connection is kept alive between two requests
    for _attempt in range(2):
        connection.request("GET", f"/api/admin/configuration/v1/{resource}/", headers=headers)
        objects = json.loads(connection.getresponse().read())["objects"]
    connection.close()
    return objects


class TestFirstLogin:
    def test_passwords_are_not_accepted(self, node):
        session = node.ssh("-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=password")
        session.expect("Permission denied")

    def test_only_admin_with_the_instances_key(self, node, tmp_path):
        session = node.ssh(user="root")
        session.expect("Permission denied")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
        node.key = str(tmp_path / "other")
        node.ssh().expect("Permission denied")

    def test_a_mismatch_is_asked_again(self, node):
        session = node.ssh()
        for password in ("Unix-4711", "Unix-4712"):
            session.expect("new UNIX password:")
            session.sendline(password)
        session.expect("passwords do not match")
        for _attempt in range(2):
            session.expect("new UNIX password:")
            session.sendline("Unix-4711")
        session.expect("updated successfully")

    def test_three_bad_passwords_end_the_session(self, node):
        session = node.ssh()
        for password, complaint in (("abc", "longer password"), ("", "No password supplied"), ("a", "longer password")):
            for _attempt in range(2):
                session.expect("new UNIX password:")
                session.sendline(password)
            session.expect(complaint)
        session.expect("password unchanged")
        session.expect(pexpect.EOF)
        assert closed(session) == 1
        assert node.machine()["installation"] == "new"

    def test_without_a_terminal_nothing_is_asked(self, node):
        done = subprocess.run(
            ["ssh", *node.command(terminal="-T")], capture_output=True, text=True, input="", timeout=20, check=False
        )
        assert done.returncode == 1
        assert "no TTY" in done.stdout

    def test_a_session_dropped_in_the_middle_changes_nothing(self, node):
        session = node.ssh()
        session.expect("Enter new UNIX password:")
        session.sendline("Unix-4711")
        session.expect("Retype new UNIX password:")
        session.close(force=True)
        assert node.machine()["installation"] == "new"
        node.set_password()


class TestWizard:
    @pytest.fixture
    def node(self, node):
        node.set_password()
        return node

    def test_sudo_asks_three_times(self, node):
        session = node.ssh()
        for _attempt in range(3):
            session.expect_exact("[sudo] password for admin: ")
            session.sendline("wrong")
            session.expect("Sorry, try again")
        session.expect("3 incorrect password attempts")
        session.expect(pexpect.EOF)
        assert closed(session) == 1

    def test_public_defaults_fail_without_a_public_address(self, node):
        session = node.begin_wizard()
        node.answer(session, DNS_servers="", NTP_servers="")
        session.expect("NTP server 0.pool.ntp.org could not be resolved")
        session.expect(pexpect.EOF)
        assert closed(session) == 1
        assert node.machine()["installation"] == "password changed"
        # the next login starts the wizard again
        again = node.begin_wizard()
        again.expect("IP address")
        again.close(force=True)

    def test_a_dropped_session_starts_the_wizard_again(self, node):
        session = node.begin_wizard()
        session.expect("IP address")
        session.sendline("")
        session.expect("Network mask")
        session.close(force=True)
        again = node.begin_wizard()
        again.expect("IP address")
        again.close(force=True)

    def test_bad_answers_are_asked_again(self, node):
        session = node.begin_wizard()
        for question, bad in (
            ("IP address", "10.0.0.256"),
            ("Network mask", "255.0.255.0"),
            ("Gateway", "192.0.2.1"),
            ("Hostname", "my host"),
            ("Domain suffix", "-example"),
            ("DNS servers", "dns.example.com"),
            ("NTP servers", "1.2.3"),
            ("Web administration username", "the admin"),
        ):
            session.expect(f"{question}.*: ")
            session.sendline(bad)
            good = {"Hostname": "mgr", "Domain suffix": "example.com"}.get(question, "")
            session.expect(rf"  .*\r\n{question}")
            session.sendline(good)
        session.expect("password: ")
        session.sendline("one")
        session.expect("again")
        session.sendline("two")
        session.expect("do not match")
        for _attempt in range(2):
            session.expect("password")
            session.sendline("Web-4711")
        session.expect("incident reporting")
        session.sendline("perhaps")
        session.expect("yes or no")
        session.sendline("yes")
        session.expect("Contact email address")
        session.sendline("nobody")
        session.expect("not a valid email")
        session.sendline("it@example.com")
        session.expect("usage statistics")
        session.close(force=True)


def test_public_defaults_work_with_a_public_address(account, tmp_path, until):
    node = Node(account, tmp_path).launch(public=True).await_ssh(until)
    node.set_password()
    session = node.begin_wizard()
    node.answer(session, DNS_servers="", NTP_servers="")
    session.expect("reboots now")
    session.expect(pexpect.EOF)
    until(lambda: opens(node.address, account.lab.network.api_port), "the API")
    account.ec2.terminate_instances(InstanceIds=[node.instance])


def test_a_wrong_own_address_leaves_the_node_unreachable(account, tmp_path, until):
    """Guide, IP addressing: nodes must be configured with the private address of their instance."""
    node = Node(account, tmp_path).launch().await_ssh(until)
    node.set_password()
    session = node.begin_wizard()
    node.answer(session, IP_address=node.address.rsplit(".", 1)[0] + ".200")
    session.expect(pexpect.EOF)
    until(lambda: node.machine()["installation"] == "installed", "the installation")
    until(lambda: node.machine()["state"] == "running", "the reboot")
    assert not opens(node.address, account.lab.network.api_port)
    account.ec2.terminate_instances(InstanceIds=[node.instance])


def test_any_imported_key_pair_works(account, tmp_path, until):
    key = tmp_path / "mine"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    account.ec2.import_key_pair(KeyName="mine", PublicKeyMaterial=Path(f"{key}.pub").read_bytes())
    node = Node(account, tmp_path, key=str(key)).launch(key="mine").await_ssh(until)
    node.set_password()
    account.ec2.terminate_instances(InstanceIds=[node.instance])


def test_the_disk_survives_a_stop_and_the_host_key_stays(node, account, until):
    node.set_password()
    account.ec2.stop_instances(InstanceIds=[node.instance])
    account.await_state(node.instance, "stopped")
    assert not opens(node.address, account.lab.network.ssh_port)
    account.ec2.start_instances(InstanceIds=[node.instance])
    node.await_ssh(until)
    node.begin_wizard().expect("IP address")


def test_the_certificate_stays_over_a_reboot(another_lab, until):
    lab = another_lab("platform")
    before = lab.env["PEXIP_TLS_FINGERPRINT"]
    manager = lab.status()["machines"][0]
    lab.ec2().reboot_instances(InstanceIds=[manager["id"]])
    until(lambda: not opens(manager["address"], lab.network.api_port), "the reboot", 5)
    until(lambda: opens(manager["address"], lab.network.api_port), "the API")
    import hashlib
    import ssl

    pem = ssl.get_server_certificate((manager["address"], lab.network.api_port))
    assert hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest() == before
