"""Answers of AWS that moto does not know."""

from moto.ec2.exceptions import EC2ClientError


def incorrect_state(instance_id: str, wanted: str) -> EC2ClientError:
    """An instance that cannot be started, stopped or rebooted now."""
    return EC2ClientError(
        "IncorrectInstanceState", f"The instance '{instance_id}' is not in a state from which it can be {wanted}."
    )


def address_in_use(address: str) -> EC2ClientError:
    return EC2ClientError("InvalidIPAddress.InUse", f"Address {address} is in use.")


def invalid_value(message: str) -> EC2ClientError:
    return EC2ClientError("InvalidParameterValue", message)


def token_mismatch() -> EC2ClientError:
    return EC2ClientError(
        "IdempotentParameterMismatch",
        "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
    )


def in_use(resource: str) -> EC2ClientError:
    return EC2ClientError("DependencyViolation", f"resource {resource} has a dependent object")


def different_networks(group_id: str, subnet_id: str) -> EC2ClientError:
    return EC2ClientError(
        "InvalidParameter", f"Security group {group_id} and subnet {subnet_id} belong to different networks."
    )


def pending(instance_id: str) -> EC2ClientError:
    return EC2ClientError(
        "InvalidInstanceID", f"The pending instance '{instance_id}' is not in a valid state for this operation."
    )


def not_in_zone(instance_type: str, zone: str) -> EC2ClientError:
    return EC2ClientError(
        "Unsupported",
        f"Your requested instance type ({instance_type}) is not supported in your requested Availability Zone ({zone}).",
    )


def given_twice(what: str) -> EC2ClientError:
    """Something that the launch's network interfaces say already."""
    return EC2ClientError(
        "InvalidParameterCombination",
        f"Network interfaces and an instance-level {what} may not be specified on the same request",
    )
