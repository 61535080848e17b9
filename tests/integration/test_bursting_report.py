# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""bursting_status and check_bursting: a platform set up by hand with its mistakes, and one where all is well."""

from __future__ import annotations

import json

import pytest
from pexip_lab.planted import PLANTED
from pexip_lab.testing import until

WORKER_VM = "/api/admin/configuration/v1/worker_vm/"
LOCATION = "/api/admin/configuration/v1/system_location/"
CLOUD_NODE = "/api/admin/status/v1/cloud_node/"
SETTINGS = "/api/admin/configuration/v1/global/1/"
ALARM = "/api/admin/status/v1/alarm/"
MENDED = {
    ("tag-wrong", "burst02"),
    ("tag-missing", "burst03"),
    ("tag-stray", "conf02"),
    ("distributed-database", "burst01"),
    ("static-nat-stale", "conf01"),
    ("overflow-location-secondary-only", "Oslo"),
    ("overflow-location-missing", "HQ"),
}


def objects(lab, path: str) -> dict[str, dict]:
    """A resource's objects by name."""
    return {row["name"]: row for row in lab.api(f"{path}?limit=0")["objects"]}


def instances(lab) -> dict[str, dict]:
    """Every instance by private address."""
    found = [i for r in lab.ec2().describe_instances()["Reservations"] for i in r["Instances"]]
    return {i["PrivateIpAddress"]: i for i in found if "PrivateIpAddress" in i}


def state(lab) -> dict:
    """What of AWS and the platform the doctor may touch."""
    tags = {
        address: {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
        for address, instance in instances(lab).items()
    }
    fields = ("system_location", "enable_distributed_database", "static_nat_address", "maintenance_mode")
    nodes = {name: {field: row[field] for field in fields} for name, row in objects(lab, WORKER_VM).items()}
    overflow = {
        name: (row["overflow_location1"], row["overflow_location2"]) for name, row in objects(lab, LOCATION).items()
    }
    return {"tags": tags, "nodes": nodes, "overflow": overflow}


def found(path, **wanted) -> set[tuple[str, str]]:
    """Code and object of a report's findings (with these values)."""
    findings = json.loads(path.read_text())["findings"]
    return {(f["code"], f["object"]) for f in findings if wanted.items() <= f.items()}


@pytest.fixture(scope="module")
def by_hand(lab_factory, module_play, tmp_path_factory):
    """The first day with a platform set up by hand: a look under --check, the repair, and the look after it."""
    reports = tmp_path_factory.mktemp("reports")
    with lab_factory(seed="by-hand") as lab:
        day = {"lab": lab, "reports": reports, "before": state(lab)}
        lab.requests(reset=True)
        for name, options in (
            ("check", {"check": True, "extra_vars": {"bursting_report_repair": True}}),
            (
                "repair",
                {"extra_vars": {"bursting_report_repair": True, "bursting_report_html": str(reports / "page.html")}},
            ),
            ("again", {"extra_vars": {"bursting_report_repair": True, "bursting_report_fail_on": "never"}}),
        ):
            options["extra_vars"]["bursting_report_json"] = str(reports / f"{name}.json")
            day[name] = module_play(lab, "check_bursting", **options)
            day[f"writes of {name}"] = lab.writes()
            day[f"after {name}"] = state(lab)
            lab.requests(reset=True)
        yield day


def test_every_planted_mistake_is_found(by_hand):
    named = found(by_hand["reports"] / "check.json")
    assert {(mistake.code, mistake.thing) for mistake in PLANTED} - named == set()


def test_nothing_is_an_error_that_nobody_planted(by_hand):
    named = found(by_hand["reports"] / "check.json")
    wrong = {*found(by_hand["reports"] / "check.json", severity="information")}
    assert named - wrong == {(mistake.code, mistake.thing) for mistake in PLANTED}


def test_findings_say_object_remedy_guide_and_playbook(by_hand):
    findings = json.loads((by_hand["reports"] / "check.json").read_text())["findings"]
    assert all(f["guide"] and f["message"] and f["severity"] in ("error", "warning", "information") for f in findings)
    (policy,) = [f for f in findings if f["code"] == "policy-host-name"]
    assert "manager.example.com" in policy["message"] and policy["playbook"] == "pexip.infinity.enable_bursting"


def test_check_mode_tells_what_it_would_mend_and_writes_nothing(by_hand):
    check = by_hand["check"].failed()
    assert by_hand["writes of check"] == 0
    assert by_hand["after check"] == by_hand["before"]
    assert found(by_hand["reports"] / "check.json", repair=True) == MENDED
    (told,) = [row["msg"] for row in check.results("Tell what would be mended") if "msg" in row]
    assert len(told) == 1 + len(MENDED)
    assert "4 finding(s)" not in check.failures[-1] and "tag-wrong (burst02)" in check.failures[-1]


def test_repair_mends_the_safe_ones_in_aws_and_on_the_platform(by_hand):
    by_hand["repair"].failed()  # what needs a person is still wrong
    assert "tag-wrong" not in by_hand["repair"].failures[-1]
    assert found(by_hand["reports"] / "repair.json", repaired=True) == MENDED
    lab, before, after = by_hand["lab"], by_hand["before"], by_hand["after repair"]
    address = {name: row["address"] for name, row in objects(lab, WORKER_VM).items()}
    for name in ("burst02", "burst03"):
        assert after["tags"][address[name]] == {**before["tags"][address[name]], "pexip-cloud": "manager"}
    assert after["tags"][address["conf02"]] == {
        key: value for key, value in before["tags"][address["conf02"]].items() if key != "pexip-cloud"
    }
    public = instances(lab)[address["conf01"]]["PublicIpAddress"]
    assert after["nodes"]["conf01"] == {**before["nodes"]["conf01"], "static_nat_address": public}
    assert after["nodes"]["burst01"] == {**before["nodes"]["burst01"], "enable_distributed_database": False}
    burst = objects(lab, LOCATION)["AWS burst"]["resource_uri"]
    assert after["overflow"] == {**before["overflow"], "Oslo": (burst, None), "HQ": (burst, None)}
    untouched = set(before["nodes"]) - {"conf01", "burst01"}
    assert {n: after["nodes"][n] for n in untouched} == {n: before["nodes"][n] for n in untouched}


def test_the_second_repair_finds_nothing_to_mend(by_hand):
    by_hand["again"].unchanged()
    assert by_hand["writes of again"] == 0
    left = found(by_hand["reports"] / "again.json")
    assert left & MENDED == set()
    assert ("policy-host-name", "pexip") in left and ("location-wrong", "burst04") in left


def test_the_page_holds_the_findings_and_no_secret(by_hand):
    page = (by_hand["reports"] / "page.html").read_text()
    assert page.startswith("<!DOCTYPE html>") and "policy-host-name" in page and "mended" in page
    (settings,) = by_hand["lab"].api("/api/admin/configuration/v1/global/")["objects"]
    texts = [page, *(path.read_text() for path in by_hand["reports"].glob("*.json"))]
    texts += [by_hand[name].output for name in ("check", "repair", "again")]
    assert settings["aws_access_key"] and not any(settings["aws_access_key"] in text for text in texts)


@pytest.fixture(scope="module")
def well(lab_factory, module_play, tmp_path_factory):
    """A platform that bursts: the doctor on a quiet day, the status while London is at its threshold, a wrong secret key."""
    reports = tmp_path_factory.mktemp("reports")
    with lab_factory(seed="bursting") as lab:
        day = {"lab": lab, "reports": reports}
        lab.requests(reset=True)
        quiet = {"bursting_report_fail_on": "warning", "bursting_report_json": str(reports / "quiet.json")}
        day["quiet"] = module_play(lab, "check_bursting", extra_vars=quiet)
        day["none"] = module_play(
            lab,
            "check_bursting",
            check=True,
            inventory=module_play.with_vars(
                lab.inventory, pexip_hostname="elsewhere", pexip_host=None, pexip_tls_fingerprint=None
            ),
            environment={"PEXIP_HOST": "", "PEXIP_TLS_FINGERPRINT": ""},
        )
        day["writes"] = lab.writes()
        lab.call_start("London", 11)
        until(
            lambda: "running" in (row["cloud_instance_state"] for row in lab.api(CLOUD_NODE)["objects"]),
            "an overflow node to be started",
        )
        busy = {f"bursting_report_{kind}": str(reports / f"busy.{kind}") for kind in ("json", "html")}
        day["busy"] = module_play(
            lab, "bursting_status", check=True, extra_vars={**busy, "bursting_report_refresh": 15}
        )
        until(
            lambda: any(row["media_load"] is not None for row in lab.api(CLOUD_NODE)["objects"]),
            "the overflow node to report in",
        )
        lab.api(SETTINGS, "PATCH", {"aws_secret_key": "this-is-not-its-secret"})
        until(
            lambda: "credentials" in json.dumps(lab.api(ALARM)["objects"]),
            "the platform to say that AWS refuses its access key",
        )
        wrong = {"bursting_report_json": str(reports / "wrong.json")}
        day["wrong"] = module_play(lab, "check_bursting", extra_vars=wrong)
        yield day


def test_where_all_is_well_nothing_is_found(well):
    well["quiet"].unchanged()
    assert found(well["reports"] / "quiet.json") == set()
    assert '"Findings: none"' in well["quiet"].output


def test_the_status_is_that_of_the_platform(well):
    well["busy"].unchanged()
    report = json.loads((well["reports"] / "busy.json").read_text())
    assert "findings" not in report
    rows = {row["name"]: row for row in report["bursting"]["locations"]}
    assert (rows["London"]["state"], rows["London"]["free_hd_calls"]) == ("bursting threshold reached", 4)
    assert rows["Oslo"]["state"] == "ok"
    (started,) = [row for row in report["bursting"]["nodes"] if row["state"] == "running"]
    assert "4 of 15, bursting threshold reached" in well["busy"].output and started["name"] in well["busy"].output


def test_the_status_page_refreshes_itself_when_asked(well):
    page = (well["reports"] / "busy.html").read_text()
    assert '<meta http-equiv="refresh" content="15">' in page and "Bursting threshold reached" in page


def test_a_wrong_secret_key_is_an_error_though_aws_cannot_tell_it(well):
    well["wrong"].failed()
    assert "credentials-refused" in well["wrong"].failures[-1]
    ((code, key),) = found(well["reports"] / "wrong.json", severity="error")
    assert code == "credentials-refused" and key.startswith("...") and len(key) == 7
    assert "this-is-not-its-secret" not in well["wrong"].output


def test_the_check_writes_nothing_to_aws_or_the_platform(well):
    assert well["writes"] == 0


def test_before_there_is_a_platform_check_mode_says_so(well):
    well["none"].unchanged()
    assert "There is no platform to ask yet." in well["none"].output
