"""What is wrong on the platform of the seed `by-hand`, for whoever looks for it."""

from typing import NamedTuple


class Mistake(NamedTuple):
    """One mistake.

    ``code`` is what the collection's doctor calls it, ``thing`` the name of the node, instance, location or policy.
    """

    code: str
    thing: str
    story: str


PLANTED = (
    Mistake("policy-host-name", "pexip", "the policy names the FQDN, so nothing can be started or stopped"),
    Mistake("distributed-database", "burst01", "Enable distributed database was left checked"),
    Mistake("idle-overrun", "burst01", "it was never stopped after its deployment, and the policy keeps it running"),
    Mistake("tag-wrong", "burst02", "the tag's value is the Management Node's FQDN instead of its host name"),
    Mistake("tag-missing", "burst03", "its instance was never tagged"),
    Mistake("version-differs", "burst03", "its instance was launched from an older image"),
    Mistake("location-wrong", "burst04", "it was put into London instead of AWS burst"),
    Mistake("location-mixed", "London", "it holds an always-on node and an overflow node"),
    Mistake("node-without-instance", "burst05", "it was added to the platform and its instance never launched"),
    Mistake("instance-without-node", "Pexip burst06", "it was launched, tagged and stopped, and never added"),
    Mistake(
        "tag-stray",
        "conf02",
        "an always-on node's instance carries the tag, so the platform lists it as an overflow node",
    ),
    Mistake("static-nat-stale", "conf01", "its dynamic public address changed when it was stopped and started"),
    Mistake("overflow-location-secondary-only", "Oslo", "AWS burst is its secondary overflow location, and no primary"),
    Mistake("overflow-location-missing", "HQ", "it has no overflow location"),
    Mistake("threshold-unadvised", "Global settings", "bursting_threshold is 30, of 37 always-on HD calls"),
    Mistake("licences-few", "Licences", "there are fewer licences than the always-on nodes alone can carry calls"),
)
