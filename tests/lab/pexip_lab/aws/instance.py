"""moto's instance, mended: state changes take their time, and a terminated instance gives everything back."""

from datetime import UTC, datetime
from typing import Any

from moto.ec2.exceptions import InvalidSecurityGroupNotFoundError
from moto.ec2.models.instances import Instance, InstanceState
from moto.ec2.models.security_groups import SecurityGroup

from .errors import different_networks, incorrect_state, not_in_zone

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
# lab seconds that a change takes; AWS forgets a terminated instance after about an hour
STARTING, STOPPING, SHUTTING_DOWN, FORGETTING = 15, 20, 20, 3600


class LabInstance(Instance):
    """An EC2 instance whose states follow each other on the lab's clock. The backend is told of every change."""

    def __init__(self, ec2_backend: Any, *args: Any, **kwargs: Any):
        super().__init__(ec2_backend, *args, **kwargs)
        self._begin("pending", STARTING, self._running)

    @property
    def live(self) -> bool:
        """Whether it still exists, running or not."""
        return self.state not in ("shutting-down", "terminated")

    @property
    def security_groups(self) -> list[SecurityGroup]:
        """The groups of the primary interface, which is where AWS keeps them; moto keeps two lists."""
        nics = getattr(self, "nics", None)
        if nics is None:
            return self._launch_groups
        return list(nics[0]._group_set) if nics else []

    @security_groups.setter
    def security_groups(self, groups: list[SecurityGroup]) -> None:
        if hasattr(self, "nics"):
            self.nics[0]._group_set = list(groups)
        else:
            self._launch_groups = list(groups)

    def prep_nics(self, nic_spec: list[dict[str, Any]], *args: Any, **kwargs: Any) -> None:
        subnet = self.ec2_backend.get_subnet(self.subnet_id) if self.subnet_id else None
        # moto asks for a type of the region alone
        place = {"location": [self.placement.zone], "instance-type": [self.instance_type]}
        if not self.ec2_backend.describe_instance_type_offerings("availability-zone", place):
            raise not_in_zone(self.instance_type, self.placement.zone)
        for group_id in {group for nic in nic_spec for group in nic.get("Groups") or []}:
            # moto would make up a group of that id
            group = self.ec2_backend.get_security_group_from_id(group_id)
            if group is None:
                raise InvalidSecurityGroupNotFoundError(group_id)
            if subnet and group.vpc_id != subnet.vpc_id:
                raise different_networks(group_id, subnet.id)
        for nic in nic_spec:
            # an interface made by the launch goes with the instance unless the launch says otherwise
            if not nic.get("NetworkInterfaceId"):
                nic.setdefault("DeleteOnTermination", True)
        super().prep_nics(nic_spec, *args, **kwargs)
        if not nic_spec:
            for nic in self.nics.values():
                nic.delete_on_termination = True

    def start(self) -> InstanceState:
        previous = self._previous()
        if self.state in ("pending", "running"):
            return previous
        if self.state != "stopped":
            raise incorrect_state(self.id, "started")
        super().start()
        self._begin("pending", STARTING, self._running)
        return previous

    def stop(self) -> InstanceState:
        previous = self._previous()
        if self.state in ("stopping", "stopped"):
            return previous
        if self.state != "running":
            raise incorrect_state(self.id, "stopped")
        self._begin("stopping", STOPPING, self._stopped)
        return previous

    def terminate(self) -> InstanceState:
        previous = self._previous()
        if self.live:
            self._begin("shutting-down", SHUTTING_DOWN, self._terminated)
        return previous

    def reboot(self) -> None:
        if self.state != "running":
            raise incorrect_state(self.id, "rebooted")
        self.ec2_backend.tell(self, "rebooting")

    @property
    def private_ip(self) -> str | None:
        return self.nics[0].private_ip_address if self.nics else None

    private_ip_address = private_ip

    @property
    def public_ip(self) -> str | None:
        return self.nics[0].public_ip if self.nics else None

    public_ip_address = public_ip

    @property
    def private_dns_name(self) -> str:
        return super().private_dns_name if self.nics else ""

    def _previous(self) -> InstanceState:
        return InstanceState(self.state, self.state_code)

    def _begin(self, state: str, seconds: float, finish: Any) -> None:
        """Enter a passing state and finish it later, unless another change has come first."""
        self._set(state)
        if state == "pending":
            self.launch_time = datetime.fromtimestamp(self.ec2_backend.clock.time(), UTC).replace(tzinfo=None)

        def arrive() -> None:
            with self.ec2_backend.lock:
                if self.state == state:
                    finish()

        self.ec2_backend.clock.call_later(seconds, arrive)

    def _set(self, state: str) -> None:
        # a new object: answers that are being written keep the old one
        self._state = InstanceState(state, CODES[state])
        self.ec2_backend.tell(self, state)

    def _running(self) -> None:
        if not self.ec2_backend.stays_pending(self):
            self._set("running")

    def _stopped(self) -> None:
        super().stop()
        self._set("stopped")

    def _terminated(self) -> None:
        for nic in self.nics.values():
            if (address := nic.elastic_address) is not None:
                self.ec2_backend.disassociate_address(address=address.public_ip)
        address, subnet = self.private_ip, self.ec2_backend.get_subnet(self.subnet_id)
        self._subnet_id = subnet.id  # moto reads it from the interface, which goes now
        super().terminate()
        self.nics = {}
        subnet.del_subnet_ip(address)
        self._set("terminated")
        self.ec2_backend.clock.call_later(FORGETTING, self.ec2_backend.forget, self)
