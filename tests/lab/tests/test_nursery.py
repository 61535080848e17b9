"""Labs out of a nursery are labs as any other."""

import os

import pytest
from pexip_lab import launcher
from pexip_lab.client import Lab
from pexip_lab.nursery import Nursery
from pexip_lab.settings import StateFiles
from pexip_lab.testing import own_network


def test_labs_are_processes_of_their_own_that_outlive_it(tmp_path):
    with Nursery() as nursery:
        labs = [Lab.up(tmp_path / str(number), network=own_network(number), start=nursery.start) for number in (1, 2)]
    pids = [int(lab.files.pid.read_text()) for lab in labs]
    assert [os.getsid(pid) for pid in pids] == pids
    names = [lab.ec2().describe_vpcs()["Vpcs"][0]["VpcId"] for lab in labs]
    assert names[0] != names[1], "their ids are the same"
    for lab in labs:
        assert "the lab is ready" in lab.files.log.read_text()
        lab.down()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_lab_that_cannot_start_says_why(tmp_path, nursery):
    with pytest.raises(launcher.LabError, match="no seed 'moon'"):
        Lab.up(tmp_path, seed="moon", network=own_network(1), start=nursery.start)
    assert not launcher.running(StateFiles(tmp_path))
