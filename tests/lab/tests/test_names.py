"""DNS and NTP as the machines find them (guide: Deploying a Management Node, step 14)."""

import pytest
from pexip_lab.names import Surroundings
from pexip_lab.network import Network

NETWORK = Network.parse("127.16.0.0/16")
PRIVATE = Surroundings(NETWORK, public=False)
PUBLIC = Surroundings(NETWORK, public=True)


@pytest.mark.parametrize("server", ["127.16.0.2", "127.116.0.2", "169.254.169.123"])
def test_servers_of_the_vpc_and_the_corporate_network_answer(server):
    assert PRIVATE.ntp_problem(server, []) is None


@pytest.mark.parametrize("server", ["8.8.8.8", "0.pool.ntp.org"])
def test_the_wizards_defaults_need_a_public_address(server):
    assert "did not answer" in PRIVATE.ntp_problem(server, ["127.16.0.2"])
    assert PUBLIC.ntp_problem(server, ["8.8.8.8"]) is None


def test_the_labs_names_need_a_resolver_that_knows_them():
    assert PRIVATE.ntp_problem("ntp.example.com", ["127.16.0.2"]) is None
    assert "resolved" in PRIVATE.ntp_problem("ntp.example.com", ["127.16.9.9"])
    assert "resolved" in PUBLIC.ntp_problem("ntp.example.com", ["8.8.8.8"])


@pytest.mark.parametrize("server", ["127.16.0.9", "127.17.0.2", "10.0.0.1"])
def test_other_addresses_do_not_answer(server):
    assert "did not answer" in PUBLIC.ntp_problem(server, ["127.16.0.2"])


def test_a_name_that_does_not_exist():
    assert "resolved" in PUBLIC.ntp_problem("ntp.nowhere.test", ["8.8.8.8"])


@pytest.mark.parametrize("network", ["10.0.0.0/16", "127.16.0.0/20", "127.0.0.0/16", "127.116.0.0/16", "nonsense"])
def test_networks_that_cannot_be_used(network):
    with pytest.raises(ValueError, match=r"network|Network|address|Expected"):
        Network.parse(network)
