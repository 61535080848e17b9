"""The seed `by-hand`: a platform clicked together from the guide, with the mistakes of `planted.PLANTED`."""

from dataclasses import replace

from ..network import DOMAIN
from .builder import MANAGER, Builder
from .bursting import OVERFLOW

FQDN = f"{MANAGER}.{DOMAIN}"
TAG = {"pexip-cloud": MANAGER}
WRONG_TAG = {"pexip-cloud": FQDN}
USER = POLICY = "pexip"
OLD = "10.2.0"
THRESHOLD = 30
LICENCES = 20
IDLE_HOURS = 2


def build(build: Builder) -> None:
    """conf01 (London), conf02 (Oslo) and onprem01 (HQ) are always on; burst01 to burst06 are meant to burst.

    Nothing is tagged or named as the collection does it.
    """
    build.ours = False
    group = build.manager_in_ec2()
    build.licences(LICENCES)
    overflow = build.location(OVERFLOW)
    london = build.location("London", overflow_location1=overflow)
    oslo = build.location("Oslo", overflow_location2=overflow)
    headquarters = build.location("HQ")
    key = build.user(USER, POLICY, FQDN)

    conf01 = build.launch("conf01", "conferencing", group, 0, public=True)
    address_of_yesterday = build.instance(conf01).public_ip
    build.stop(conf01)
    build.start(conf01)
    conf02 = build.launch("conf02", "conferencing", group, 1, tags=TAG)
    onprem01 = build.on_premises(group)
    burst01 = build.launch("burst01", "conferencing", group, 0, tags=TAG)
    burst02 = build.launch("burst02", "conferencing", group, 0, tags=WRONG_TAG)
    burst03 = build.launch("burst03", "conferencing", group, 1, version=OLD)
    burst04 = build.launch("burst04", "conferencing", group, 1, tags=TAG)
    burst06 = build.launch("burst06", "conferencing", group, 0, tags=TAG)

    build.register("conf01", conf01, london, static_nat_address=address_of_yesterday)
    build.register("conf02", conf02, oslo)
    build.register("onprem01", onprem01, headquarters)
    build.register("burst01", burst01, overflow)
    build.register("burst02", burst02, overflow, enable_distributed_database=False)
    build.register("burst03", burst03, overflow, enable_distributed_database=False)
    build.register("burst04", burst04, london, enable_distributed_database=False)
    nowhere = replace(burst01.hardware, address=build.free_address(0))
    build.declare("burst05", nowhere, overflow, enable_distributed_database=False)

    build.await_contact(conf01, conf02, onprem01, burst01, burst02, burst03, burst04)
    build.stop(burst02, burst03, burst04, burst06)
    build.simulation.clock.advance(IDLE_HOURS * 3600)
    build.enable_bursting(**key, bursting_threshold=THRESHOLD)
