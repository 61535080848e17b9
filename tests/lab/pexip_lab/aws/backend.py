"""moto's EC2 service, mended where it differs from AWS. Nothing here makes it more lenient than AWS is."""

import re
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from moto import settings
from moto.core.responses import ActionResult
from moto.ec2 import urls
from moto.ec2.exceptions import DryRunClientError, InvalidInstanceIdError
from moto.ec2.models import EC2Backend, ec2_backends, elastic_network_interfaces, instances, security_groups, subnets
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.models.instances import Reservation
from moto.ec2.responses import EC2Response
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE

from ..clock import Clock
from .errors import given_twice, in_use, invalid_value, pending, token_mismatch
from .instance import LabInstance
from .networking import LabNetworkInterface, LabRule, LabSubnet

Observer = Callable[[LabInstance, str], None]
Addresses = Callable[[], str]

TENANCIES = ("default", "dedicated", "host")
# what a launch says of its network interfaces or of the instance, never of both
AT_INSTANCE_LEVEL = {
    "SecurityGroupIds": "security groups",
    "SecurityGroups": "security groups",
    "PrivateIpAddress": "private address",
}
GROUP_TEXT = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}")

# one request of EC2 at a time, so that tokens and addresses are given out once
LOCK = threading.RLock()


class LabEC2Backend(EC2Backend):
    """EC2 of one region."""

    def __init__(
        self,
        region_name: str,
        account_id: str,
        *,
        clock: Clock,
        observe: Observer,
        public: Addresses,
        stays_pending: Callable[[LabInstance], bool],
    ):
        self.clock = clock
        self.next_public_address = public
        self.lock = LOCK
        self.tell = observe
        self.stays_pending = stays_pending
        self.tokens: dict[str, tuple[dict[str, Any], Any]] = {}
        super().__init__(region_name, account_id)

    @property
    def _url_module(self) -> Any:
        # moto finds it by the name of the class's module, which is ours
        return urls

    def instances(self) -> list[LabInstance]:
        """Every instance that AWS still knows, terminated ones too."""
        return self.all_instances()

    def run_instances(self, *args: Any, **kwargs: Any) -> Reservation:
        try:
            return super().run_instances(*args, **kwargs)
        finally:
            self._drop_empty_reservations()  # moto keeps that of a launch that failed

    def forget(self, instance: LabInstance) -> None:
        """Take a terminated instance from the lists."""
        with self.lock:
            for reservation in self.reservations.values():
                reservation.instances = [other for other in reservation.instances if other is not instance]
            self._drop_empty_reservations()

    def _drop_empty_reservations(self) -> None:
        for key, reservation in list(self.reservations.items()):
            if not reservation.instances:
                del self.reservations[key]

    def allocate_address(
        self, domain: str, address: str | None = None, tags: dict[str, str] | None = None
    ) -> ElasticAddress:
        # moto's own choice lies in 127.0.0.0/8, which here holds the private addresses
        return super().allocate_address(domain, address or self.next_public_address(), tags)

    def associate_address(self, instance: Any = None, *args: Any, **kwargs: Any) -> ElasticAddress:
        if instance is not None and instance.state == "pending":
            raise pending(instance.id)
        associated = super().associate_address(instance, *args, **kwargs)
        # An interface has one: AWS takes the one that it had away, which stays allocated. moto leaves it there, too.
        for other in self.addresses:
            if other is not associated and other.eni is associated.eni:
                other.eni = other.instance = other.association_id = None
        return associated

    def delete_security_group(self, name: str | None = None, group_id: str | None = None) -> None:
        group = self.get_security_group_by_name_or_id(group_id or name or "")
        if group is not None:
            members = any(group in nic.group_set for nic in self.enis.values())
            others = (other for groups in self.groups.values() for other in groups.values() if other is not group)
            rules = (rule for other in others for rule in (*other.ingress_rules, *other.egress_rules))
            if members or any(rule.source_group.get("GroupId") == group.id for rule in rules):
                raise in_use(group.id)
        super().delete_security_group(name, group_id)


class LabEC2Response(EC2Response):
    """Reads those parameters of a launch that moto passes over."""

    def _dispatch(self, *args: Any, **kwargs: Any) -> Any:
        with LOCK:
            return super()._dispatch(*args, **kwargs)

    def error_on_dryrun(self) -> None:
        # moto takes the word "false" for yes
        if self._get_bool_param("DryRun", False):
            raise DryRunClientError()

    # moto answers these two with nothing, where AWS says whether it worked
    def update_security_group_rule_descriptions_ingress(self) -> ActionResult:
        super().update_security_group_rule_descriptions_ingress()
        return ActionResult({"Return": True})

    def update_security_group_rule_descriptions_egress(self) -> ActionResult:
        super().update_security_group_rule_descriptions_egress()
        return ActionResult({"Return": True})

    def create_tags(self) -> ActionResult:
        # moto tags what is not there, and takes AWS' own keys
        known = {instance.id for instance in self.ec2_backend.instances()}
        for identity in self._get_param("Resources", []):
            if identity.startswith("i-") and identity not in known:
                raise InvalidInstanceIdError(identity)
        if any(tag["Key"].lower().startswith("aws:") for tag in self._get_param("Tags", [])):
            raise invalid_value("Tag keys starting with 'aws:' are reserved for internal use")
        return super().create_tags()

    def create_security_group(self) -> ActionResult:
        name, description = self._get_param("GroupName") or "", self._get_param("Description") or ""
        if name.lower().startswith("sg-"):
            raise invalid_value("Group names may not be in the format sg-*.")
        for what, text in (("group name", name), ("security group description", description)):
            if not GROUP_TEXT.fullmatch(text):
                raise invalid_value(
                    f"Invalid {what}. It may have 255 characters from the following set: "
                    "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
                )
        return super().create_security_group()

    def run_instances(self) -> ActionResult:
        token = self._get_param("ClientToken")
        asked = {name: value for name, value in self._get_params().items() if name != "ClientToken"}
        if token in self.ec2_backend.tokens:
            before, reservation = self.ec2_backend.tokens[token]
            if before != asked:
                raise token_mismatch()
            return ActionResult(reservation)
        if self._get_param("NetworkInterfaces"):
            for parameter, what in AT_INSTANCE_LEVEL.items():
                if self._get_param(parameter):
                    raise given_twice(what)
        if self._get_param("Placement.Tenancy", "default") not in TENANCIES:
            raise invalid_value(f"Invalid value '{self._get_param('Placement.Tenancy')}' for tenancy.")
        reservation = super().run_instances().result
        for instance in reservation.instances:
            instance.placement.tenancy = self._get_param("Placement.Tenancy") or "default"
            instance.disable_api_termination = self._get_bool_param("DisableApiTermination", False)
        if token:
            self.ec2_backend.tokens[token] = (asked, reservation)
        return ActionResult(reservation)


def install(clock: Clock, observe: Observer, public: Addresses, stays_pending: Callable[[LabInstance], bool]) -> None:
    """Put the mended classes in moto's places. Once, before anything asks moto for a backend.

    :param observe: called with an instance and its new state (or ``rebooting``), while the account is locked
    :param public: gives the next public address, while the account is locked
    :param stays_pending: asked of an instance that is about to run, while the account is locked
    """
    settings.EC2_ENABLE_INSTANCE_TYPE_VALIDATION = True
    settings.ENABLE_KEYPAIR_VALIDATION = True
    settings.ENABLE_AMI_VALIDATION = True
    instances.Instance = LabInstance
    elastic_network_interfaces.NetworkInterface = LabNetworkInterface
    security_groups.SecurityGroupRule = LabRule
    subnets.Subnet = LabSubnet
    EC2_PREFIX_TO_RESOURCE["eipalloc"] = "elastic-ip"  # what AWS calls it among tags; moto says vpc-elastic-ip
    ec2_backends.backend = partial(
        LabEC2Backend, clock=clock, observe=observe, public=public, stays_pending=stays_pending
    )
    urls.url_paths = {"{0}/": LabEC2Response.dispatch}
