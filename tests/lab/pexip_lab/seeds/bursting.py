"""The seed `bursting`: a platform that bursts, set up as the collection does it."""

from .builder import MANAGER, Builder

OVERFLOW = "AWS burst"
USER = f"pexip-{MANAGER}"
POLICY = f"pexip-bursting-{MANAGER}"
LICENCES = 100


def build(build: Builder) -> None:
    """conf01 (London) and conf02 (Oslo) are always on; burst01 and burst02 (AWS burst) are tagged and stopped.

    The guide's order: Setting up your bursting nodes in AWS and enabling bursting in Pexip Infinity.
    """
    group = build.manager_in_ec2()
    build.licences(LICENCES)
    overflow = build.location(OVERFLOW)
    always_on = {
        name: (build.launch(name, "conferencing", group, subnet), build.location(location, overflow_location1=overflow))
        for name, location, subnet in (("conf01", "London", 0), ("conf02", "Oslo", 1))
    }
    key = build.user(USER, POLICY, MANAGER)
    bursting = {
        name: build.launch(name, "conferencing", group, 0, tags={"pexip-cloud": MANAGER})
        for name in ("burst01", "burst02")
    }
    for name, (node, location) in always_on.items():
        build.register(name, node, location)
    for name, node in bursting.items():
        build.register(name, node, overflow, enable_distributed_database=False)
    build.await_contact(*(node for node, _location in always_on.values()), *bursting.values())
    build.stop(*bursting.values())
    build.enable_bursting(**key, bursting_threshold=5)
