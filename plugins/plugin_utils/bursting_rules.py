# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of dynamic bursting: each reads a plan and yields sentences that name object, field, value and remedy.

Sources are the guide's sections, named at each rule, and the limits that the management API enforces.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from ansible_collections.pexip.infinity.plugins.module_utils.bursting import threshold_of
from ansible_collections.pexip.infinity.plugins.plugin_utils.bursting_plan import SERVERS, BurstingPlan

SHORTEST_LIFETIME = 5  # minutes; API fact: global.bursting_min_lifetime
USER_NAME_LENGTH = 64  # IAM's limit
CONVERT = "pexip.infinity.convert_nodes"


def listed(names: Iterable[str], nothing: str = "none") -> str:
    """Names in one line, sorted, each once."""
    return ", ".join(sorted({str(name) for name in names})) or nothing


def mapping(plan: BurstingPlan) -> Iterator[str]:
    """Guide, "Setting up your bursting nodes", step 5: a location overflows to another one, which overflows nowhere."""
    if not plan.overflow:
        yield (
            "pexip_overflow is not given: give a map from each primary location to its overflow location, such as "
            "{London: AWS burst}"
        )
    for primary, overflow in plan.overflow.items():
        if not overflow or not isinstance(overflow, str):
            yield f"pexip_overflow: {primary} has no overflow location: give it the name of one"
        elif overflow == primary:
            yield f"pexip_overflow: {primary} is its own overflow location: give it another one, for overflow nodes alone"
        elif overflow in plan.overflow:
            yield (
                f"pexip_overflow: {overflow} is the overflow location of {primary} and itself a primary location: "
                "overflow locations burst no further; give the one or the other another location"
            )


def primary_locations(plan: BurstingPlan) -> Iterator[str]:
    """Guide, "Configuring your system for dynamic bursting": the primary locations are there already."""
    known = {*plan.found, *(plan.declared if plan.check else ())}
    for primary in plan.overflow:
        if primary not in known:
            others = listed(known - set(plan.overflow_locations))
            yield (
                f"pexip_overflow: there is no location {primary}: name one of these: {others}; or declare it in "
                "pexip_locations and run pexip.infinity.deploy_management"
            )


def placement(plan: BurstingPlan) -> Iterator[str]:
    """Guide, step 3: an overflow node is in an overflow location; the move of one that is elsewhere drops its calls."""
    choices = listed(plan.overflow_locations)
    for host in plan.overflow_hosts:
        name, location = host["name"], host.get("location")
        if location not in plan.overflow_locations:
            yield (
                f"{name}: pexip_location {location or '(not given)'} of an overflow node is no overflow location of "
                f"pexip_overflow: give one of these: {choices}"
            )
        present = plan.registered.get(name, {}).get("system_location")
        if present and present != location:
            yield f"{name} is an overflow node and registered in {present}: move it to {location} with {CONVERT}"


def mixing(plan: BurstingPlan) -> Iterator[str]:
    """Guide, "Deployment guidelines": do not mix always-on and bursting nodes in one location."""
    for location in dict.fromkeys([*plan.overflow, *plan.overflow_locations]):
        always_on, overflow = plan.residents(location, overflow=False), plan.residents(location, overflow=True)
        if always_on and (overflow or location in plan.overflow_locations):
            would = f"always-on ({listed(always_on)}) and overflow nodes ({listed(overflow, 'all those to come')})"
            yield (
                f"The location {location} would hold {would}: give the ones or the others a location of their own, "
                f"with {CONVERT} where they are registered"
            )
        elif overflow and location in plan.overflow and location not in plan.overflow_locations:
            yield (
                f"The primary location {location} would hold overflow nodes ({listed(overflow)}): move them to "
                f"{plan.overflow[location]} with {CONVERT}"
            )


def region(plan: BurstingPlan) -> Iterator[str]:
    """Guide, "Deployment guidelines": all AWS Conferencing Nodes are in one region."""
    regions = defaultdict(list)
    for host in plan.overflow_hosts:
        regions[host.get("region") or plan.region].append(host["name"])
    for other, names in regions.items():
        if plan.region and other != plan.region:
            yield (
                f"{', '.join(names)}: pexip_region {other}, and the platform bursts in {plan.region}: overflow nodes are "
                "all in one region; launch them there"
            )
    for host in plan.overflow_hosts:
        node = plan.registered.get(host["name"])
        contacted = node and (node.get("status") or {}).get("last_updated")
        if contacted and not plan.has_instance(node):
            yield (
                f"{host['name']} is registered with the address {node.get('address')} and has no instance in "
                f"{plan.region or 'this region'}: only an EC2 instance in this region can be an overflow node; take the "
                "host out of the group pexip_overflow, or set pexip_adopt: true for an instance made by hand"
            )


def public_address(plan: BurstingPlan) -> Iterator[str]:
    """Guide, "Reinstating": a dynamic address is another one after each start, and the platform starts these nodes."""
    for host in plan.overflow_hosts:
        if host.get("public_address") == "dynamic" and not plan.force:
            yield (
                f"{host['name']}: pexip_public_address dynamic on an overflow node: the address changes whenever the "
                "platform starts the node, and its static NAT address would be wrong; set it to elastic or none (or "
                "pexip_force: true)"
            )


def threshold(plan: BurstingPlan) -> Iterator[str]:
    """Guide, "Configuring the bursting threshold"; API facts bursting_threshold and bursting_min_lifetime."""
    if plan.min_lifetime < SHORTEST_LIFETIME:
        yield (
            f"pexip_bursting_min_lifetime {plan.min_lifetime} is too short: the platform takes {SHORTEST_LIFETIME} "
            "minutes or more"
        )
    value, problem = resolve(plan)
    if problem:
        yield problem
    capacity = always_on_capacity(plan)
    if value is not None and 0 < capacity <= value:
        yield (
            f"pexip_bursting_threshold {plan.threshold} gives {value}, which is not below the always-on capacity of "
            f"{listed(plan.overflow)}, {capacity} HD calls: overflow nodes would run all the time; give less, 10% to 20% "
            "is the guide's advice"
        )


def location_servers(plan: BurstingPlan) -> Iterator[str]:
    """A location without DNS and NTP servers gives nodes that synchronise and yet do not work."""
    for name in plan.overflow_locations:
        wanted = plan.wanted_location(name)
        missing = [field for field in SERVERS if not wanted[field]]
        if missing:
            yield (
                f"The overflow location {name} has no {' and no '.join(missing)}: its nodes would not work; set "
                f"{' and '.join('pexip_' + field for field in missing)}, or declare the location in pexip_locations"
            )


def overflows_elsewhere(plan: BurstingPlan) -> Iterator[str]:
    """Guide, step 5: bursting works on the primary overflow location only, so an overflow that exists would be lost."""
    for primary, overflow in plan.overflow.items():
        declared = plan.declared.get(primary, {}).get("overflow_location1")
        if declared and declared != overflow:
            yield (
                f"pexip_locations gives {primary} the overflow_location1 {declared}, and pexip_overflow {overflow}: bursting "
                f"needs the latter; make {declared} its overflow_location2"
            )
        present = plan.named(plan.found.get(primary, {}).get("overflow_location1"))
        if not present or present == overflow or plan.replace:
            continue
        always_on = plan.residents(present, overflow=False)
        if always_on:
            yield (
                f"The location {primary} overflows to {present}, which holds always-on nodes ({listed(always_on)}), and "
                f"bursting needs {overflow} in its place: set cloud_bursting_replace: true, and overflow_location2 to "
                f"{present} if it is still to help out"
            )


def aws_user(plan: BurstingPlan) -> Iterator[str]:
    """IAM's limits, and whose user it is: keys of a user that is somebody else's are not ours to delete."""
    user, name = plan.user, plan.user.get("name") or ""
    given = [bool(user.get("access_key_given")), bool(user.get("secret_key_given"))]
    if any(given) and not all(given):
        yield "cloud_bursting_access_key and cloud_bursting_secret_key go together: give both or none"
    if any(given):
        return
    if len(name) > USER_NAME_LENGTH:
        yield f"cloud_bursting_user {name} has {len(name)} characters, IAM takes {USER_NAME_LENGTH}: give a shorter one"
    if user.get("exists") and not user.get("ours") and not user.get("adopt"):
        yield (
            f"There is an IAM user {name} without the tag pexip-infinity-platform: {user.get('platform')}: give "
            "cloud_bursting_user another name, or set pexip_adopt: true to take the user over (access keys that the "
            "platform does not hold are then deleted)"
        )


def other_user(plan: BurstingPlan) -> Iterator[str]:
    """An access key that works is not replaced unasked: somebody made that user for the platform."""
    user, owner = plan.user, plan.user.get("key_owner") or {}
    held = {"id": user.get("key_held"), "status": "Active"}
    if user.get("access_key_given") or plan.replace or owner.get("name", user["name"]) == user["name"]:
        return
    if held in owner["access_keys"]:
        yield (
            f"The platform logs in to AWS as the IAM user {owner['name']} with the active access key {held['id']}, and "
            f"cloud_bursting_user is {user['name']}: set cloud_bursting_user: {owner['name']} and pexip_adopt: true to keep "
            f"that user, or cloud_bursting_replace: true to have {user['name']} take its place"
        )


def many_for_one(plan: BurstingPlan) -> Iterator[str]:
    """The threshold holds for every location by itself: where a location has no more than that, one call bursts."""
    value, _problem = resolve(plan)
    for location in plan.overflow:
        capacity = plan.capacity(location)
        if value and 0 < capacity <= value < always_on_capacity(plan):
            yield (
                f"pexip_bursting_threshold {plan.threshold} gives {value}, and {location} has {capacity} HD calls in all: "
                "any call there starts an overflow node"
            )


def unknown_user(plan: BurstingPlan) -> Iterator[str]:
    """Whose access key the platform holds may be hidden from us, and then nobody can say whether it is replaced."""
    user = plan.user
    if user.get("key_problem"):
        yield (
            f"Nobody can tell whose access key {user.get('key_held')} is, which the platform holds ({user['key_problem']}): "
            f"unless it is an active one of {user.get('name')}, it is replaced by a new one of that user"
        )


def always_on_capacity(plan: BurstingPlan) -> int:
    """HD calls that the always-on nodes of all primary locations can host."""
    return sum(plan.capacity(location) for location in plan.overflow)


def resolve(plan: BurstingPlan) -> tuple[int | None, str]:
    """The threshold as a number of HD calls, and what is wrong with it.

    It is unknown (None) while a percentage has nothing to be a percentage of.
    """
    capacity = always_on_capacity(plan)
    if str(plan.threshold).strip().endswith("%") and not capacity:
        if plan.check:
            return None, ""
        return None, (
            f"pexip_bursting_threshold {plan.threshold}: no always-on node of {listed(plan.overflow)} has told its capacity "
            "yet: wait until one is in contact, or give a number of HD calls"
        )
    try:
        return threshold_of(plan.threshold, capacity), ""
    except ValueError as error:
        return None, f"pexip_bursting_threshold {plan.threshold}: {error}"


ERRORS = (
    mapping,
    primary_locations,
    placement,
    mixing,
    region,
    public_address,
    threshold,
    location_servers,
    overflows_elsewhere,
    aws_user,
    other_user,
)
WARNINGS = (many_for_one, unknown_user)
