"""Seeds with a platform and without bursting."""

from .builder import MANAGER, Builder, version


def platform(build: Builder) -> None:
    """An installed Management Node in EC2."""
    build.manager_in_ec2()


def nodes(build: Builder) -> None:
    """A platform with Conferencing Nodes conf01 (London) and conf02 (Oslo) in EC2 and onprem01 (HQ) on premises."""
    group = build.manager_in_ec2()
    placed = [
        ("conf01", build.launch("conf01", "conferencing", group, 0), "London"),
        ("conf02", build.launch("conf02", "conferencing", group, 1), "Oslo"),
        ("onprem01", build.on_premises(group), "HQ"),
    ]
    for name, node, location in placed:
        build.register(name, node, build.location(location))
    build.await_contact(*(node for _name, node, _location in placed))


def hybrid(build: Builder) -> None:
    """A Management Node in the corporate network and an empty VPC (guide: Deployment options, hybrid cloud)."""
    manager = build.simulation.hypervisor.on_premises(MANAGER, "management", 10, version())
    build.power_on(manager)
    build.install(manager)
