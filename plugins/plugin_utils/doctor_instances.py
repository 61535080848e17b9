# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The doctor on instances: tags, instances and nodes that miss each other, regions, host names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.pexip.infinity.plugins.plugin_utils.doctor_case import (
    ALWAYS_ON,
    NODE_TAG,
    OVERFLOW,
    PLATFORM_TAG,
    ROLE_TAG,
    TAG,
    Case,
    listed,
    state,
    tag,
)
from ansible_collections.pexip.infinity.plugins.plugin_utils.doctor_findings import (
    CONVERT,
    INFORMATION,
    WARNING,
    finding,
)

Finding = dict[str, Any]

POWER = {"pending": "starting; it takes about 5 minutes", "stopping": "stopping"}  # by the state as EC2 names it


def overflow_tags(case: Case) -> Iterator[Finding]:
    """Guide, "Setting up your bursting nodes": every overflow instance carries the tag with the host name as its value."""
    for node, instance in case.pairs:
        value = tag(instance, TAG)
        if case.kind(node) != OVERFLOW or value == case.host_name or case.converting(node):
            continue
        if value is None and not (node.get("status") or {}).get("last_updated"):
            continue  # it is still being deployed, and gets the tag when it has been stopped
        running = state(instance) in ("running", "pending")
        unseen = "the platform does not list the node and never starts it"
        unseen += "; it is running now, and nobody stops it" if running else ""
        named = f"{node['name']}: instance {instance['instance_id']}"
        # A node that is still in an always-on location gets its tag when it is converted, never before.
        placed = node.get("system_location") in case.overflow_locations
        mend = _tagging(case, instance, "tag", case.host_name) if placed else None
        remedy = _remedy(case, instance, f"set the tag {TAG} to {case.host_name}")
        if not placed:
            remedy = f"convert the node, which moves it out of {node.get('system_location')} and tags it"
        playbook = None if placed else CONVERT
        if value is None:
            message = f"{named} has no tag {TAG}, so {unseen}: {remedy}"
            yield finding("tag-missing", node["name"], message, mend=mend, playbook=playbook)
        else:
            hint = _difference(value, case.host_name)
            message = f"{named}: tag {TAG} is {value!r}, the Management Node's host name is {case.host_name!r}{hint}, so {unseen}: {remedy}"
            yield finding("tag-wrong", node["name"], message, mend=mend, playbook=playbook)


def stray_tags(case: Case) -> Iterator[Finding]:
    """Guide, conversion to always-on: its instance loses the tag, or the platform stops it when it is idle."""
    always_on = [(n["name"], n, i) for n, i in case.pairs if case.kind(n) == ALWAYS_ON and not case.converting(n)]
    if case.manager:
        always_on.append((case.host_name, {}, case.manager))
    for name, node, instance in always_on:
        value = tag(instance, TAG)
        if value is None:
            continue
        mine = value == case.host_name
        effect = "the platform may stop it when it is idle" if mine else "its value is no concern of this platform"
        # A node that still is in an overflow location loses its tag when it is converted.
        placed = node.get("system_location") not in case.overflow_locations
        remedy = (
            _remedy(case, instance, f"take the tag {TAG} away") if placed else "convert the node, which takes it away"
        )
        yield finding(
            "tag-stray",
            name,
            f"{name}: instance {instance['instance_id']} is always on and carries the tag {TAG} ({value}); {effect}: {remedy}",
            severity=None if mine else WARNING,
            mend=_tagging(case, instance, "untag", value) if placed else None,
        )


def _tagging(case: Case, instance: Mapping, kind: str, value: str) -> dict | None:
    """How a tag is mended, where that is allowed: on instances that are known to be the node's, in the region looked into."""
    if not case.host_name or not case.may_touch(instance) or (case.region and case.region_of(instance) != case.region):
        return None
    return {"kind": kind, "name": instance["instance_id"], "settings": {TAG: value}}


def _remedy(case: Case, instance: Mapping, what: str) -> str:
    """What is to be done, and what keeps the doctor from doing it."""
    known = case.may_touch(instance)
    return what if known else f"{what} (to have it done, set pexip_adopt: true: the instance carries none of our tags)"


def _difference(value: str, host_name: str) -> str:
    """The two common slips, named."""
    if value.strip().lower() == host_name.lower():
        return " (case and spaces count)"
    return " (without the domain)" if value.lower().startswith(f"{host_name.lower()}.") else ""


def instances_without_node(case: Case) -> Iterator[Finding]:
    """Guide, "Instance found but no corresponding Conferencing Node", as AWS and as the platform see it."""
    taken = {i["instance_id"] for node in case.nodes for i in case.candidates(node)}
    if case.manager:
        taken.add(case.manager["instance_id"])
    addresses = {node.get("address") for node in case.nodes}
    lone = {
        i["instance_id"]: (tag(i, "Name") or "", i.get("private_ip_address"), i)
        for i in case.instances
        if tag(i, TAG) == case.host_name and case.host_name and i["instance_id"] not in taken
    }
    for row in case.cloud_nodes:
        if not row.get("name") and row.get("address") not in addresses and row.get("instance_id"):
            lone.setdefault(row["instance_id"], (row.get("instance_name") or "", row.get("address"), {}))
    for ident, (name, address, instance) in lone.items():
        if ident in taken:
            continue
        named = f"instance {ident} ({name or 'without a name'}, {address})"
        expected = tag(instance, NODE_TAG) in case.hosts and case.ours(instance)
        deploying = expected or state(instance) == "pending"
        wait = "; while the node is being deployed this is normal" if deploying else ""
        yield finding(
            "transient" if deploying else "instance-without-node",
            name or ident,
            f"{named} carries the tag {TAG}: {case.host_name}, and no Conferencing Node has its address{wait}: register the "
            "node, or take the tag away",
            playbook="pexip.infinity.onboard_nodes",
        )


def nodes_without_instance(case: Case) -> Iterator[Finding]:
    """An overflow node can only be started where its instance is."""
    if not case.aws:
        return
    for node in case.overflow_nodes:
        found = case.candidates(node)
        if len(found) == 1:
            continue
        name, address = node["name"], node.get("address")
        if found:
            message = (
                f"{name}: the instances {listed(i['instance_id'] for i in found)} all may be the node at {address}: terminate "
                "or re-tag all but its own"
            )
        else:
            message = (
                f"{name}: no instance in {case.region or 'the region'} has the node's address {address}, so it can never be "
                "started: look for it in another region, or remove the node and deploy it anew"
            )
        yield finding("node-without-instance", name, message)


def not_deployed(case: Case) -> Iterator[Finding]:
    """Overflow nodes that the inventory names and the platform does not know yet."""
    known = {node["name"] for node in case.nodes}
    for name, host in case.hosts.items():
        if host.get("overflow") and name not in known:
            yield finding(
                "transient",
                name,
                f"{name} is in the group pexip_overflow of the inventory and not on the platform yet: deploy it",
                playbook="pexip.infinity.onboard_nodes",
            )


def regions(case: Case) -> Iterator[Finding]:
    """Guide, "Limitations": all instances of a platform are in one region."""
    home = case.home
    for node, instance in case.pairs:
        region = case.region_of(instance)
        if home and region and region != home:
            yield finding(
                "region-differs",
                node["name"],
                f"{node['name']}: instance {instance['instance_id']} is in the region {region}, the platform in {home}: "
                f"deploy the node in {home}; the platform sees and starts instances of one region only",
            )


def host_names(case: Case) -> Iterator[Finding]:
    """Tag and policy know a platform by its host name alone, so two of one name start and stop each other's nodes."""
    if not case.host_name:
        return
    remedy = f"give each platform its own, or both claim the instances tagged {TAG}: {case.host_name}"
    address = case.management.get("address")
    managers = [instance for instance in case.instances if _is_manager(case, instance)]
    twins = [instance for instance in managers if address and instance.get("private_ip_address") == address]
    if len(twins) > 1 and not case.manager:
        yield finding(
            "duplicate-host-name",
            case.host_name,
            f"{case.host_name}: the instances {listed(i['instance_id'] for i in twins)} all are Management Nodes with this host name "
            f"at {address}, in copies of one network: {remedy}",
        )
    for instance in managers:
        own = case.manager and instance["instance_id"] == case.manager["instance_id"]
        if not own and instance.get("private_ip_address") != address:
            yield finding(
                "duplicate-host-name",
                case.host_name,
                f"{case.host_name}: instance {instance['instance_id']} ({instance.get('private_ip_address')}) is the Management "
                f"Node of another platform with this host name: {remedy}",
            )


def _is_manager(case: Case, instance: Mapping) -> bool:
    """Whether an instance is, by our tags or by image and name, the Management Node of a platform with this host name."""
    image = case.image(instance)
    tagged = tag(instance, ROLE_TAG) == "management" and tag(instance, PLATFORM_TAG) == case.host_name
    return tagged or (bool(image) and image["kind"] == "management" and tag(instance, "Name") == case.host_name)


def power_changes(case: Case) -> Iterator[Finding]:
    """Guide, "Connectivity errors in the administrator log": starting and stopping is normal."""
    for node, instance in case.pairs:
        if case.kind(node) != OVERFLOW:
            continue
        seen = (state(instance), case.cloud_node(node).get("state"))
        doing = next((words for now, words in POWER.items() if now in seen), None)
        if doing:
            yield finding(
                "transient",
                node["name"],
                f"{node['name']} is {doing}; connectivity errors in the log are normal meanwhile",
                severity=INFORMATION,
            )


CHECKS = (
    overflow_tags,
    stray_tags,
    instances_without_node,
    nodes_without_instance,
    not_deployed,
    regions,
    host_names,
    power_changes,
)
