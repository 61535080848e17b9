"""Faults, each seen by a client that knows nothing of the lab: sockets, requests, boto3, asyncssh."""

import asyncio
import contextlib
import itertools
import random
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import boto3
import botocore.exceptions
import botocore.parsers
import pytest
import requests
from botocore.config import Config
from pexip_lab import cli
from pexip_lab.client import Lab
from pexip_lab.counters import Requests
from pexip_lab.faults import Event, Faults
from pexip_lab.faults.fault import REQUEST, parse
from pexip_lab.testing import MANAGEMENT_IMAGE, Account, opens, own_network, refused, tcp, until

LOCATIONS = "/api/admin/configuration/v1/system_location/"
NODES = "/api/admin/configuration/v1/worker_vm/"
UPLOAD = "/configuration/bootstrap"
SHORT = 0.5
UNIX_PASSWORD = "Unix-4711"


def aws(env: dict[str, str], service: str):
    """A client of boto3 that tries once."""
    return boto3.client(
        service,
        endpoint_url=env["AWS_ENDPOINT_URL"],
        region_name=env["AWS_REGION"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        config=Config(proxies={}, retries={"total_max_attempts": 1}, read_timeout=20),
    )


class Platform:
    """A lab with an installed Management Node, and clients for it."""

    def __init__(self, lab: Lab, certificate: Path):
        self.lab = lab
        self.account = Account(lab)
        self.env = self.account.env
        self.host, self.port = self.env["PEXIP_HOST"], lab.network.api_port
        self._names = (f"place-{number}" for number in itertools.count())
        self._hosts = itertools.count(100)
        self.certificate = certificate
        self.certificate.write_text(ssl.get_server_certificate((self.host, self.port)))
        self.session = self.client()
        groups = lab.ec2().describe_security_groups(Filters=[{"Name": "group-name", "Values": ["pexip-nodes"]}])
        self.group = groups["SecurityGroups"][0]["GroupId"]

    def client(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.certificate)
        session.auth = (self.env["PEXIP_USERNAME"], self.env["PEXIP_PASSWORD"])
        return session

    def send(self, method: str, path: str = LOCATIONS, **options) -> requests.Response:
        return self.session.request(method, f"https://{self.host}:{self.port}{path}", **{"timeout": 20} | options)

    def post(self, **options) -> tuple[str, requests.Response]:
        """Make a location of a new name."""
        name = next(self._names)
        return name, self.send("POST", json={"name": name}, **options)

    def exists(self, name: str) -> bool:
        """Asked on the lab's own connection, which no fault of these tests strikes: they strike POST alone."""
        return bool(self.lab.api(f"{LOCATIONS}?name={name}")["objects"])

    def aws(self, service: str):
        return aws(self.env, service)

    def launch(self, **options) -> str:
        """Launch a Conferencing Node at an address that none had before."""
        address = self.lab.network.vpc.network_address + next(self._hosts)
        return self.account.launch(self.group, private_ip=str(address), **options)

    def fault(self) -> dict:
        (fault,) = self.lab.faults()
        return fault

    def held(self) -> dict:
        """Wait until the one fault holds something."""
        return until(lambda: self.fault()["held"], "a request to be held")[0]


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[Platform]:
    directory = tmp_path_factory.mktemp("faults")
    lab = Lab.up(directory / "lab", seed="platform", network=own_network(3), time_scale=600)
    yield Platform(lab, directory / "ca.pem")
    lab.down()


@pytest.fixture
def platform(shared) -> Iterator[Platform]:
    """The shared lab without faults."""
    shared.session = shared.client()
    shared.lab.requests(reset=True)
    yield shared
    shared.lab.fault_clear()


@contextlib.contextmanager
def in_background(call) -> Iterator[dict]:
    """Run a call on a thread; what it gave or raised is in the dictionary after the block."""
    result: dict = {}

    def run() -> None:
        try:
            result["value"] = call()
        except Exception as error:
            result["error"] = error

    thread = threading.Thread(target=run)
    thread.start()
    yield result
    thread.join(20)
    assert not thread.is_alive()


class TestAnswers:
    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_status(self, platform, status, when):
        platform.lab.fault_add("status", "api", status=status, method="POST", when=when)
        name, answer = platform.post()
        assert answer.status_code == status
        assert "Retry-After" not in answer.headers
        assert platform.exists(name) is (when == "after")

    def test_retry_after(self, platform):
        platform.lab.fault_add("status", "api", status=429, retry_after=7, nth=1)
        assert platform.send("GET").headers["Retry-After"] == "7"
        assert platform.send("GET").status_code == 200

    def test_401_half_way_lasts(self, platform):
        platform.lab.fault_add("unauthorized", "api", nth=3)
        answers = [platform.send("GET") for _time in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 401, 401, 401]
        assert answers[-1].headers["WWW-Authenticate"] == 'Basic Realm="Pexip Infinity"'

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_delay(self, platform, when):
        platform.lab.fault_add("delay", "api", seconds=SHORT, method="POST", when=when)
        name, answer = platform.post()
        assert answer.elapsed.total_seconds() >= SHORT
        assert answer.status_code == 201 and platform.exists(name)

    def test_a_delayed_request_takes_effect_although_its_client_gave_up(self, platform):
        platform.lab.fault_add("delay", "api", seconds=2 * SHORT, method="POST")
        with pytest.raises(requests.exceptions.ReadTimeout):
            platform.send("POST", json={"name": "too-late"}, timeout=SHORT / 2)
        assert not platform.exists("too-late")
        until(lambda: platform.exists("too-late"), "the effect", 10)

    def test_truncated(self, platform):
        platform.lab.fault_add("truncate", "api", method="GET")
        with pytest.raises(requests.exceptions.RequestException, match="IncompleteRead"):
            platform.send("GET")

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_not_json(self, platform, when):
        platform.lab.fault_add("garbage", "api", method="POST", when=when)
        name, answer = platform.post()
        assert answer.ok
        assert "Location" in answer.headers or when == "before"
        with pytest.raises(requests.exceptions.JSONDecodeError):
            answer.json()
        assert platform.exists(name) is (when == "after")

    def test_slow_bytes(self, platform):
        platform.lab.fault_add("slow", "api", seconds=2 * SHORT, method="GET")
        answer = platform.send("GET", stream=True)
        arrivals = [time.monotonic() for _byte in answer.iter_content(1)]
        assert arrivals[-1] - arrivals[0] >= SHORT


class TestConnections:
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_reset(self, platform, when):
        platform.lab.fault_add("reset", "api", method="POST", when=when)
        with pytest.raises(requests.exceptions.ConnectionError):
            platform.send("POST", json={"name": f"reset-{when}"})
        assert platform.exists(f"reset-{when}") is (when == "after")

    def test_a_reset_is_one_on_the_wire(self, platform):
        platform.lab.fault_add("reset", "aws")
        body = b"Action=DescribeVpcs"
        with socket.create_connection((platform.lab.network.resolver, platform.lab.network.aws_port), 5) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: aws\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            with pytest.raises(ConnectionResetError):
                connection.recv(1)

    def test_refused_until_cleared_and_the_old_ones_are_lost(self, platform):
        assert platform.send("GET").ok
        platform.lab.fault_add("refuse", "api")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((platform.host, platform.port), 3)
        with pytest.raises(requests.exceptions.ConnectionError):
            platform.send("GET")
        platform.lab.fault_clear()
        assert platform.send("GET").ok

    def test_refused_for_some_time(self, platform):
        begin = time.monotonic()
        platform.lab.fault_add("refuse", "aws", seconds=SHORT)
        address = (platform.lab.network.resolver, platform.lab.network.aws_port)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, 3)
        until(lambda: opens(*address), "the endpoint")
        assert time.monotonic() - begin >= SHORT
        assert platform.lab.faults() == []

    def test_aborted(self, platform):
        platform.lab.fault_add("abort", "api", nth=2)
        assert [opens(platform.host, platform.port) for _time in range(3)] == [True, False, True]

    def test_expired_certificate(self, platform):
        platform.lab.fault_add("expired-certificate", "api", nth=1)
        with pytest.raises(requests.exceptions.SSLError, match="certificate has expired"):
            platform.client().get(f"https://{platform.host}:{platform.port}/")
        assert platform.send("GET").ok


class TestHold:
    def client(self, platform: Platform, name: str) -> subprocess.Popen:
        """A process that makes a location."""
        code = "import requests, sys; requests.post(sys.argv[1], json={'name': sys.argv[2]}, auth=(sys.argv[3], sys.argv[4]), verify=sys.argv[5])"
        url = f"https://{platform.host}:{platform.port}{LOCATIONS}"
        return subprocess.Popen(
            [sys.executable, "-c", code, url, name, *platform.session.auth, str(platform.certificate)]
        )

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_a_client_killed_in_that_moment(self, platform, when):
        platform.lab.fault_add("hold", "api", method="POST", when=when)
        client = self.client(platform, f"killed-{when}")
        assert platform.held() == {"on": "api", "method": "POST", "path": LOCATIONS, "write": 1}
        assert platform.exists(f"killed-{when}") is (when == "after")
        client.kill()
        client.wait()
        until(lambda: not platform.fault()["held"], "the end of the hold", 5)
        assert platform.exists(f"killed-{when}") is (when == "after")

    def test_others_go_on_meanwhile(self, platform):
        platform.lab.fault_add("hold", "api", method="POST", when="after", nth=1)
        with in_background(platform.post) as first:
            platform.held()
            platform.lab.api(LOCATIONS, "POST", {"name": "meanwhile"})  # SQLite has one writer: none is in the way
            platform.lab.fault_clear()
        assert isinstance(first["error"], requests.exceptions.ConnectionError)

    def test_cleared_before_it_took_effect(self, platform):
        platform.lab.fault_add("hold", "api", method="POST")
        with in_background(lambda: platform.send("POST", json={"name": "never"})) as held:
            platform.held()
            platform.lab.fault_clear()
        assert isinstance(held["error"], requests.exceptions.ConnectionError)
        assert not platform.exists("never")

    def test_a_hold_ends_by_itself(self, platform):
        platform.lab.fault_add("hold", "api", method="POST", seconds=SHORT)
        begin = time.monotonic()
        with pytest.raises(requests.exceptions.ConnectionError):
            platform.post()
        assert time.monotonic() - begin >= SHORT

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_of_aws(self, platform, when):
        iam, name = platform.aws("iam"), f"held-{when}"
        platform.lab.fault_add("hold", "aws", match="^iam CreateUser", when=when)
        with in_background(lambda: iam.create_user(UserName=name)) as held:
            assert platform.held() == {
                "on": "aws",
                "method": "CreateUser",
                "path": f"iam CreateUser {name}",
                "write": 1,
            }
            platform.lab.fault_clear()
        assert isinstance(held["error"], botocore.exceptions.HTTPClientError)
        users = [user["UserName"] for user in platform.lab.iam().list_users()["Users"]]
        assert (name in users) is (when == "after")

    def test_the_lab_ends_while_it_holds(self, another_lab):
        lab = another_lab()
        lab.fault_add("hold", "aws", method="CreateVpc")
        lab.fault_add("delay", "aws", method="DescribeVpcs", seconds=60)
        ec2 = aws(lab.env, "ec2")
        with in_background(lambda: ec2.create_vpc(CidrBlock="127.1.0.0/16")), in_background(ec2.describe_vpcs):
            until(lambda: [fault["hits"] for fault in lab.faults()] == [1, 1], "both to wait")
            lab.down()
        assert lab.files.log.read_text().endswith("the lab has ended\n")  # it did not have to be killed


class TestWritesSeen:
    def test_every_writing_request_has_an_ordinal(self, platform):
        platform.lab.fault_add("status", "api", status=503, method="POST")
        name, _answer = platform.post()
        platform.send("GET")
        platform.aws("ec2").describe_vpcs()
        platform.aws("iam").create_user(UserName=f"user-{name}")
        assert platform.lab.writes_seen() == [
            {"n": 1, "target": "api", "method": "POST", "path": LOCATIONS},
            {"n": 2, "target": "aws", "method": "CreateUser", "path": f"iam CreateUser user-{name}"},
        ]
        platform.lab.requests(reset=True)
        assert platform.lab.writes_seen() == []

    def test_a_fault_by_ordinal_strikes_wherever_it_goes(self, platform):
        iam = platform.aws("iam")
        for ordinal in (1, 2):
            platform.lab.fault_add("reset", write=ordinal)
        with pytest.raises(requests.exceptions.ConnectionError):
            platform.post()
        with pytest.raises(botocore.exceptions.HTTPClientError):
            iam.create_user(UserName="second")
        _name, answer = platform.post()
        assert answer.status_code == 201

    def test_what_a_management_node_asks_by_itself_is_none(self):
        assert Requests().arrived("aws", "DescribeInstances", "ec2 DescribeInstances") is None
        assert Requests().arrived("aws", "StartInstances", "ec2 StartInstances") == 1


class TestMatching:
    def strikes(self, *events: tuple[str, str], **given: str) -> list[bool]:
        faults = Faults()
        faults.add({"kind": "reset", "on": "api"} | given)
        return [faults.strike(Event("api", REQUEST, *event)) is not None for event in events]

    def test_method_and_path(self):
        events = [("POST", "/a/3/"), ("post", "/b/"), ("GET", "/a/3/")]
        assert self.strikes(*events, method="POST") == [True, True, False]
        assert self.strikes(*events, match=r"/a/\d+/$") == [True, False, True]
        assert self.strikes(*events, method="GET", match="a") == [False, False, True]

    def test_nth_counts_what_matches(self):
        events = [("GET", "/"), ("POST", "/"), ("POST", "/"), ("POST", "/"), ("POST", "/")]
        assert self.strikes(*events, method="POST", nth="2") == [False, False, True, False, False]
        assert self.strikes(*events, method="POST", nth="2", times="2") == [False, False, True, True, False]
        assert self.strikes(*events, method="POST", times="1") == [False, True, False, False, False]

    def test_probability_is_repeatable(self):
        events = [("GET", "/")] * 200
        one, same, other = (self.strikes(*events, probability="0.25", seed=seed) for seed in ("1", "1", "2"))
        assert one == same != other
        assert 25 < sum(one) < 75
        drawn = random.Random(1)
        assert one == [drawn.random() < 0.25 for _event in events]

    def test_the_oldest_due_fault_strikes_and_the_next_is_not_used_up(self):
        faults = Faults()
        first, second = (faults.add({"kind": "reset", "on": "api", "times": "1"}) for _time in range(2))
        struck = [faults.strike(Event("api", REQUEST, "GET", "/")) for _time in range(3)]
        assert [fault and fault.id for fault in struck] == [first, second, None]
        assert [fault["hits"] for fault in faults.listed()] == [1, 1]

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({}, "no kind of fault ''; there are hold, delay"),
            ({"kind": "meteor"}, "no kind of fault 'meteor'"),
            ({"kind": "reset"}, "say where the fault reset happens: --on api or aws or node"),
            ({"kind": "reset", "on": "moon"}, "--on is api or aws or node or ssh, not 'moon'"),
            ({"kind": "reset", "on": "ssh"}, "the fault reset happens on api or aws or node, not on ssh"),
            ({"kind": "reset", "on": "api", "colour": "red"}, "a fault has no option --colour"),
            ({"kind": "reset", "on": "api", "when": "soon"}, "--when is before or after, not 'soon'"),
            ({"kind": "reset", "on": "api", "seconds": "1"}, "--seconds means nothing to the fault reset"),
            ({"kind": "reset", "on": "api", "nth": "0"}, "--nth is a whole number, 1 or more, not '0'"),
            ({"kind": "reset", "on": "api", "times": "-1"}, "--times is a whole number"),
            ({"kind": "reset", "on": "api", "probability": "2"}, "--probability is a number, 0 to 1, not '2'"),
            ({"kind": "reset", "on": "api", "probability": "nan"}, "--probability is a number"),
            ({"kind": "reset", "on": "api", "seed": "1"}, "--seed means nothing without --probability"),
            ({"kind": "reset", "on": "api", "nth": "1", "probability": "1"}, "--probability does not go with --nth"),
            ({"kind": "reset", "write": "1", "nth": "1"}, "does not go with --nth"),
            ({"kind": "reset", "on": "api", "match": "("}, "--match '(' is no regular expression"),
            ({"kind": "truncate", "on": "api", "when": "before"}, "--when means nothing to the fault truncate"),
            ({"kind": "delay", "on": "api"}, "the fault delay needs --seconds"),
            ({"kind": "delay", "on": "api", "seconds": "9999"}, "--seconds is a number, 0 to 600"),
            ({"kind": "hold", "on": "api", "seconds": "61"}, "--seconds is a number, 0 to 60"),
            ({"kind": "status", "on": "api"}, "the fault status needs --status"),
            ({"kind": "status", "on": "api", "status": "200"}, "--status is one of 400, 401"),
            ({"kind": "status", "on": "api", "status": "555"}, "--status is one of 400, 401"),
            ({"kind": "refuse", "on": "api", "nth": "2"}, "--nth means nothing to the fault refuse"),
            ({"kind": "abort", "on": "api", "match": "x"}, "a connection says nothing"),
            ({"kind": "capacity", "method": "CreateTags"}, "strikes RunInstances and StartInstances alone"),
            ({"kind": "drop", "write": "1"}, "--write means nothing to the fault drop"),
            ({"kind": "drop", "method": "GET"}, "--method means nothing to the fault drop"),
        ],
    )
    def test_what_means_nothing_is_refused(self, given, message):
        with pytest.raises(ValueError, match=re.escape(message)):
            parse("1", given)


class TestAws:
    def test_throttling(self, platform):
        platform.lab.fault_add("throttle", "aws", times=2)
        with refused("RequestLimitExceeded"):
            platform.aws("ec2").describe_vpcs()
        with refused("Throttling"):
            platform.aws("iam").list_users()
        assert platform.aws("iam").list_users()["Users"]

    def test_insufficient_capacity(self, platform):
        platform.lab.fault_add("capacity", "aws", match="c4.2xlarge")
        before = len(platform.aws("ec2").describe_instances()["Reservations"])
        with refused("InsufficientInstanceCapacity"):
            platform.launch()
        assert len(platform.aws("ec2").describe_instances()["Reservations"]) == before
        platform.lab.fault_clear()
        platform.lab.fault_add("capacity", "aws", method="StartInstances")
        with refused("InsufficientInstanceCapacity"):
            platform.aws("ec2").start_instances(InstanceIds=["i-0123456789abcdef0"])

    def test_a_type_that_is_not_offered(self, platform):
        platform.lab.fault_add("unsupported", match="c4.2xlarge$")
        with refused("Unsupported"):
            platform.launch()
        platform.account.ec2.terminate_instances(InstanceIds=[platform.launch(InstanceType="c5.2xlarge")])

    @pytest.mark.parametrize(("status", "code"), [(500, "InternalError"), (503, "Unavailable"), (502, "502")])
    def test_status(self, platform, status, code):
        platform.lab.fault_add("status", "aws", status=status, nth=1)
        with refused(code):
            platform.aws("ec2").describe_vpcs()

    def test_401(self, platform):
        platform.lab.fault_add("unauthorized", "aws")
        with refused("AuthFailure"):
            platform.aws("ec2").describe_vpcs()
        with refused("InvalidClientTokenId"):
            platform.aws("iam").list_users()

    def test_the_effect_of_a_lost_answer_stays(self, platform):
        platform.lab.fault_add("reset", "aws", method="CreateAccessKey", when="after")
        iam = platform.aws("iam")
        iam.create_user(UserName="lost-answer")
        with pytest.raises(botocore.exceptions.HTTPClientError):
            iam.create_access_key(UserName="lost-answer")
        assert len(iam.list_access_keys(UserName="lost-answer")["AccessKeyMetadata"]) == 1

    @pytest.mark.parametrize("kind", ["slow", "delay"])
    def test_late_answers(self, platform, kind):
        platform.lab.fault_add(kind, "aws", seconds=SHORT)
        begin = time.monotonic()
        assert platform.aws("ec2").describe_vpcs()["Vpcs"]
        assert time.monotonic() - begin >= SHORT

    @pytest.mark.parametrize("kind", ["garbage", "truncate"])
    def test_broken_answers(self, platform, kind):
        platform.lab.fault_add(kind, "aws")
        with pytest.raises(botocore.parsers.ResponseParserError):
            platform.aws("ec2").describe_vpcs()

    def test_an_instance_that_stays_pending(self, platform):
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "stuck"}]}]
        platform.lab.fault_add("stuck-pending", match=r"\bstuck\b")
        stuck = platform.launch(TagSpecifications=tags)
        other = platform.launch()
        platform.account.await_state(other, "running")
        until(lambda: platform.fault()["hits"], "the fault")
        assert platform.account.instance(stuck)["State"]["Name"] == "pending"
        assert platform.account.machine(stuck) is None
        platform.account.ec2.terminate_instances(InstanceIds=[stuck, other])
        platform.account.await_state(stuck, "terminated")

    def test_an_instance_whose_machine_never_boots(self, platform):
        platform.lab.fault_add("no-boot", match=r"\bdead\b")
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "dead"}]}]
        instance = platform.launch(TagSpecifications=tags)
        platform.account.await_state(instance, "running")
        until(lambda: platform.fault()["hits"], "the fault")
        platform.lab.clock_advance("1h")
        assert platform.account.machine(instance)["state"] == "booting"
        assert not opens(platform.account.address(instance), platform.lab.network.bootstrap_port)
        platform.lab.fault_clear()
        platform.account.ec2.reboot_instances(InstanceIds=[instance])
        until(lambda: platform.account.machine(instance)["state"] == "running", "the machine")
        platform.account.ec2.terminate_instances(InstanceIds=[instance])

    def test_an_instance_terminated_behind_our_back(self, platform):
        platform.lab.fault_add("terminate", method="RunInstances", seconds=60)
        lost = platform.launch(DisableApiTermination=True)
        platform.account.await_state(lost, "running")
        platform.account.await_state(lost, "terminated")

    def test_the_instances_that_a_request_names_are_lost(self, platform):
        named, other = platform.launch(), platform.launch()
        platform.lab.fault_add("terminate", method="CreateTags", match=named)
        for instance in (other, named):
            platform.account.ec2.create_tags(Resources=[instance], Tags=[{"Key": "a", "Value": "b"}])
        platform.account.await_state(named, "terminated")
        assert platform.account.instance(other)["State"]["Name"] in ("pending", "running")
        platform.account.ec2.terminate_instances(InstanceIds=[other])


LOGIN = [("Enter new UNIX password:", UNIX_PASSWORD), ("Retype new UNIX password:", UNIX_PASSWORD)]
WIZARD = [
    ("[sudo] password for admin:", UNIX_PASSWORD),
    *((question, "") for question in ("IP address", "Network mask", "Gateway")),
    ("Hostname", "fresh"),
    ("Domain suffix", "example.com"),
    ("DNS servers", "RESOLVER"),
    ("NTP servers", "RESOLVER"),
    ("Web administration username", ""),
    ("Web administration password:", "Web-4711"),
    ("Web administration password (again):", "Web-4711"),
    ("Enable incident reporting", ""),
    ("Send deployment and usage statistics", ""),
]


class NewManager:
    """A Management Node that nobody has logged in to, and a person who answers its questions."""

    def __init__(self, platform: Platform):
        self.platform = platform
        self.network = platform.lab.network
        group = platform.account.group(tcp(self.network.ssh_port), tcp(self.network.api_port))
        self.instance = platform.account.launch(group, MANAGEMENT_IMAGE, InstanceType="m4.large")
        self.address = platform.account.address(self.instance)
        until(lambda: opens(self.address, self.network.ssh_port), "SSH")

    def talk(self, answers: list[tuple[str, str]]) -> tuple[str, bool]:
        """Answer as far as it goes: what was shown, and whether the session came to its own end."""
        return asyncio.run(self._talk(answers))

    async def _talk(self, answers: list[tuple[str, str]]) -> tuple[str, bool]:
        shown = ""
        async with asyncssh.connect(
            self.address,
            self.network.ssh_port,
            username="admin",
            client_keys=[self.platform.env["LAB_KEY_FILE"]],
            known_hosts=None,
        ) as connection:
            process = await connection.create_process(term_type="xterm", stderr=asyncssh.STDOUT)
            try:
                for question, text in answers:
                    shown += await process.stdout.readuntil(question)
                    process.stdin.write(text.replace("RESOLVER", self.network.resolver) + "\n")
                shown += await process.stdout.read()
            except asyncio.IncompleteReadError as end:
                shown += end.partial
            except (OSError, asyncssh.Error):
                return shown, False
            return shown, (await process.wait()).exit_status is not None

    def key(self) -> asyncssh.SSHKey:
        return asyncio.run(asyncssh.get_server_host_key(self.address, self.network.ssh_port))

    def installation(self) -> str:
        return self.platform.account.machine(self.instance)["installation"]


@pytest.fixture
def manager(platform) -> Iterator[NewManager]:
    manager = NewManager(platform)
    yield manager
    platform.account.ec2.terminate_instances(InstanceIds=[manager.instance])


class TestSsh:
    def test_host_key_changed(self, platform, manager):
        first = manager.key()
        platform.lab.fault_add("host-key", nth=2)
        assert [manager.key() == first for _time in range(3)] == [True, False, True]

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_dropped_at_a_question(self, platform, manager, when):
        platform.lab.fault_add("drop", match="^Retype", when=when)
        shown, ended = manager.talk(LOGIN)
        assert not ended
        assert "updated successfully" not in shown
        assert platform.fault()["hits"] == 1
        assert manager.installation() == "new"

    def test_dropped_at_the_nth_step(self, platform, manager):
        platform.lab.fault_add("drop", nth=1, when="after")
        shown, ended = manager.talk(LOGIN)
        assert not ended
        assert "Enter new" not in shown

    def test_dropped_after_the_effect(self, platform, manager):
        platform.lab.fault_add("drop", match="updated successfully")
        shown, ended = manager.talk(LOGIN)
        assert not ended
        assert "updated successfully" not in shown
        assert manager.installation() == "password changed"

    @pytest.mark.parametrize("step", ["^NTP servers", "installation is complete"])
    def test_a_wizard_that_was_cut_off_can_be_repeated_or_is_through(self, platform, manager, step):
        assert manager.talk(LOGIN)[1]
        platform.lab.fault_add("drop", match=step)
        manager.talk(WIZARD)
        platform.lab.fault_clear()
        if step == "^NTP servers":
            assert manager.installation() == "password changed"
            manager.talk(WIZARD)
        assert manager.installation() == "installed"
        until(lambda: opens(manager.address, manager.network.api_port), "the API")


class TestNode:
    @pytest.fixture
    def node(self, platform):
        """A node whose form is open, and the document for it."""
        instance = platform.launch()
        address = platform.account.address(instance)
        until(lambda: opens(address, platform.lab.network.bootstrap_port), "the form")
        platform.post()
        location = platform.lab.api(LOCATIONS)["objects"][0]["resource_uri"]
        name = f"node-{instance}"
        document = platform.lab.api(
            NODES,
            "POST",
            {
                "name": name,
                "hostname": name,
                "domain": "example.com",
                "address": address,
                "netmask": "255.255.240.0",
                "gateway": f"{platform.lab.network.resolver[:-1]}1",
                "system_location": location,
                "password": "Node-4711",
                "deployment_type": "MANUAL-PROVISION-ONLY",
            },
        )
        platform.lab.requests(reset=True)
        yield instance, address, document.encode()
        platform.account.ec2.terminate_instances(InstanceIds=[instance])

    def upload(self, platform: Platform, address: str, document: bytes) -> requests.Response:
        certificate = platform.certificate.with_name("node.pem")
        port = platform.lab.network.bootstrap_port
        certificate.write_text(ssl.get_server_certificate((address, port)))
        headers = {"Content-Type": "text/xml"}
        with requests.Session() as session:
            session.trust_env = False
            url = f"https://{address}:{port}{UPLOAD}"
            return session.post(url, document, headers=headers, verify=str(certificate), timeout=20)

    def test_the_upload_answers_500(self, platform, node):
        instance, address, document = node
        platform.lab.fault_add("status", "node", status=500, nth=1)
        assert self.upload(platform, address, document).status_code == 500
        assert platform.account.machine(instance)["configured"] is False
        assert self.upload(platform, address, document).status_code == 200

    def test_the_upload_is_applied_and_the_connection_reset(self, platform, node):
        instance, address, document = node
        platform.lab.fault_add("reset", "node", method="POST", when="after")
        with pytest.raises(requests.exceptions.ConnectionError):
            self.upload(platform, address, document)
        assert platform.account.machine(instance)["configured"] is True
        assert platform.lab.writes_seen() == [{"n": 1, "target": "node", "method": "POST", "path": UPLOAD}]
        until(lambda: platform.account.machine(instance)["contact"] == "ok", "the contact")

    def test_the_node_does_not_reboot_while_the_answer_is_held(self, platform, node):
        instance, address, document = node
        platform.lab.fault_add("hold", write=1, when="after")
        with in_background(lambda: self.upload(platform, address, document)) as held:
            platform.held()
            platform.lab.clock_advance("1h")
            assert platform.account.machine(instance)["state"] == "running"
            platform.lab.fault_clear()
        assert isinstance(held["error"], requests.exceptions.ConnectionError)
        until(lambda: platform.account.machine(instance)["contact"] == "ok", "the contact")

    def test_a_delayed_upload_ends_with_its_node(self, platform, node):
        instance, address, document = node
        platform.lab.fault_add("delay", "node", method="POST", seconds=60)
        with in_background(lambda: self.upload(platform, address, document)) as late:
            until(lambda: platform.fault()["hits"], "the upload")
            platform.account.ec2.stop_instances(InstanceIds=[instance])
        assert isinstance(late["error"], requests.exceptions.ConnectionError)
        assert platform.account.machine(instance)["configured"] is False

    def test_the_node_never_reports_in(self, platform, node):
        instance, address, document = node
        platform.lab.fault_add("silent", match=address)
        assert self.upload(platform, address, document).status_code == 200
        until(lambda: platform.fault()["hits"] > 1, "its reports")
        assert platform.account.machine(instance)["contact"] == "failed: timed out"
        status = platform.lab.api("/api/admin/status/v1/worker_vm/")["objects"]
        assert [item["last_updated"] for item in status if item["name"] == f"node-{instance}"] == [None]
        platform.lab.fault_clear()
        until(lambda: platform.account.machine(instance)["contact"] == "ok", "the contact")


def test_commands(platform, capsys):
    def run(*arguments: str) -> str:
        assert cli.main(["fault", *arguments, "--state", str(platform.lab.files.directory)]) == 0
        return capsys.readouterr().out

    assert run("list").strip() == "none"
    identity = run(
        "add", "--on", "api", "--kind", "status", "--status", "503", "--retry-after", "1", "--nth", "1"
    ).strip()
    assert platform.send("GET").status_code == 503
    header, row = (line.split() for line in run("list").splitlines())
    assert dict(zip(header, row, strict=True)) == {
        "id": identity,
        "on": "api",
        "kind": "status",
        "nth": "1",
        "times": "1",
        "when": "before",
        "status": "503",
        "retry_after": "1",
        "seen": "1",
        "hits": "1",
        "held": "-",
    }
    assert run("clear", "--id", identity).strip() == "1 cleared"
    assert run("clear").strip() == "0 cleared"
    directory = ["--state", str(platform.lab.files.directory)]
    assert cli.main(["fault", "clear", "--id", "99", *directory]) == 1
    assert capsys.readouterr().err == "pexip-lab: no fault '99'; there are: none\n"
    assert cli.main(["fault", "add", "--kind", "reset", *directory]) == 1
    assert "say where the fault reset happens" in capsys.readouterr().err
