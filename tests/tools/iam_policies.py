# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The least that an IAM user must be allowed to run each playbook: docs/iam, from what the lab's account was asked.

`make iam` plays every playbook through its branches (tests/resilience/test_iam_policies.py) and calls this with --record and
the directory in which they left what each asked for; that becomes iam_recorded.json. From it follow the policies and
docs/iam/README.md. With --check nothing is written, and the exit status is 1 when a file is stale or something is wrong.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import botocore.session

ROOT = Path(__file__).parents[2]
IAM = ROOT / "docs/iam"
RECORD = Path(__file__).with_name("iam_recorded.json")
# AWS counts the characters of a managed policy without white space.
LONGEST = 6144

# What a playbook plays of others, so that it needs their policies, too.
PLAYS = {
    "enable_bursting": ["onboard_nodes"],
    "site": ["deploy_management", "onboard_nodes", "enable_bursting"],
}

# What asks nothing of AWS.
ELSEWHERE = {"configure_awx"}

OUR_TAG = "pexip-infinity-platform"
CARRIES_OUR_TAG = {"StringLike": {f"aws:ResourceTag/{OUR_TAG}": "*"}}
IS_GIVEN_OUR_TAG = {"StringLike": {f"aws:RequestTag/{OUR_TAG}": "*"}}
IS_BEING_MADE = {"StringEquals": {"ec2:CreateAction": ["AllocateAddress", "CreateSecurityGroup", "RunInstances"]}}
# An instance that was set up by hand is tagged before anything else is done with it.
IS_TAKEN_OVER = {"ForAnyValue:StringLike": {"aws:TagKeys": "pexip-*"}}
# A security group that was made by hand gets the user's tags, and stays what it is.
IS_GIVEN_NO_TAG_OF_OURS = {"ForAllValues:StringNotLike": {"aws:TagKeys": "pexip-*"}}
LOSES_THE_BURSTING_TAG = {
    "ForAllValues:StringEquals": {"aws:TagKeys": "pexip-cloud"},
    "Null": {"aws:TagKeys": "false"},  # without a key all tags would go
}
OUR_POLICIES = "arn:aws:iam::*:policy/pexip-*"
IS_OUR_POLICY = {"ArnLike": {"iam:PolicyARN": OUR_POLICIES}}

ARNS = {
    "image": "arn:aws:ec2:*::image/*",
    "user": "arn:aws:iam::*:user/pexip-*",
    "policy": OUR_POLICIES,
}


class Asked(NamedTuple):
    """A question to AWS: the action, the kind of resource (``*`` for none) and, for a tag, what makes the resource."""

    action: str
    kind: str
    made_by: str = ""

    @property
    def reads(self) -> bool:
        return bool(re.match(r"\w+:(Describe|Get|List)", self.action))

    def __str__(self) -> str:
        return " ".join(filter(None, self))


@dataclass(frozen=True)
class Rule:
    """A statement: of what was asked for, these actions on these kinds of resources are allowed on a condition."""

    sid: str
    actions: tuple[str, ...]
    kinds: tuple[str, ...]
    condition: dict[str, Any] | None = None
    making: bool = False

    def covers(self, asked: Asked) -> bool:
        """Whether it speaks of that."""
        return asked.action in self.actions and asked.kind in self.kinds and bool(asked.made_by) == self.making


# AWS, Service Authorization Reference: which resources an action is about, and which conditions it knows. What a launch or
# an allocation makes carries our tag from the first; the interface of an instance carries none.
RULES = [
    Rule("Launch", ("ec2:RunInstances",), ("instance", "volume"), IS_GIVEN_OUR_TAG),
    Rule("LaunchFrom", ("ec2:RunInstances",), ("image", "key-pair", "network-interface", "security-group", "subnet")),
    Rule("MakeGroup", ("ec2:CreateSecurityGroup",), ("security-group",), IS_GIVEN_OUR_TAG),
    Rule("MakeGroupIn", ("ec2:CreateSecurityGroup",), ("vpc",)),
    Rule("Allocate", ("ec2:AllocateAddress",), ("elastic-ip",), IS_GIVEN_OUR_TAG),
    Rule(
        "TagWhatIsMade",
        ("ec2:CreateTags",),
        ("elastic-ip", "instance", "security-group", "volume"),
        IS_BEING_MADE,
        making=True,
    ),
    Rule("TagOurs", ("ec2:CreateTags",), ("elastic-ip", "instance", "security-group"), CARRIES_OUR_TAG),
    Rule("TagGroupsMadeByHand", ("ec2:CreateTags",), ("security-group",), IS_GIVEN_NO_TAG_OF_OURS),
    Rule("TakeOver", ("ec2:CreateTags",), ("instance",), IS_TAKEN_OVER),
    Rule("TakeFromBursting", ("ec2:DeleteTags",), ("instance",), LOSES_THE_BURSTING_TAG),
    Rule(
        "Power",
        ("ec2:StartInstances", "ec2:StopInstances", "ec2:TerminateInstances"),
        ("instance",),
        CARRIES_OUR_TAG,
    ),
    Rule("Regroup", ("ec2:ModifyInstanceAttribute",), ("instance",), CARRIES_OUR_TAG),
    Rule("RegroupInto", ("ec2:ModifyInstanceAttribute",), ("security-group",)),
    Rule("Associate", ("ec2:AssociateAddress",), ("elastic-ip", "instance"), CARRIES_OUR_TAG),
    Rule("AssociateThrough", ("ec2:AssociateAddress",), ("network-interface",)),
    Rule("Release", ("ec2:ReleaseAddress",), ("elastic-ip",), CARRIES_OUR_TAG),
    # A group that was made by hand gets the rules that it lacks, and loses none.
    Rule(
        "AddRules",
        (
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:UpdateSecurityGroupRuleDescriptionsEgress",
            "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
        ),
        ("security-group",),
    ),
    Rule(
        "TakeRules",
        ("ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"),
        ("security-group",),
        CARRIES_OUR_TAG,
    ),
    Rule(
        "BurstingUser",
        (
            "iam:CreateAccessKey",
            "iam:CreateUser",
            "iam:DeleteAccessKey",
            "iam:DeleteUser",
            "iam:DeleteUserPolicy",
            "iam:TagUser",
        ),
        ("user",),
    ),
    Rule(
        "BurstingPolicy",
        (
            "iam:CreatePolicy",
            "iam:CreatePolicyVersion",
            "iam:DeletePolicy",
            "iam:DeletePolicyVersion",
            "iam:SetDefaultPolicyVersion",
            "iam:TagPolicy",
        ),
        ("policy",),
    ),
    Rule("BurstingAttachment", ("iam:AttachUserPolicy", "iam:DetachUserPolicy"), ("user",), IS_OUR_POLICY),
]

# AWS may ask about these besides, which the lab does not.
ALSO = {Asked("ec2:AssociateAddress", "instance"): Asked("ec2:AssociateAddress", "network-interface")}

# Allowed to everybody.
FREE = ("sts:GetCallerIdentity",)

PURPOSES = {
    "bursting_status": "Looks the Management Node up by its tags.",
    "check_bursting": "Compares AWS with the platform; with `bursting_report_repair` it also mends tags.",
    "convert_nodes": "Starts or stops the instances that it converts, and moves the tag `pexip-cloud`.",
    "deploy_management": "Security groups, the Management Node's instance and its Elastic IP address.",
    "enable_bursting": "Overflow nodes, and the IAM user, policy and access key of the platform; also turns bursting off.",
    "onboard_nodes": "The Conferencing Nodes' instances and their Elastic IP addresses.",
    "refresh_static_nat": "Looks the instances' public addresses up.",
    "remove_nodes": "Terminates the instances, and releases their Elastic IP addresses.",
    "restart_nodes": "Stops and starts the instances.",
    "site": "Everything that `deploy_management`, `onboard_nodes` and `enable_bursting` need.",
    "start_nodes": "Starts the instances.",
    "start_overflow_nodes": "Looks the Management Node up by its tags; the platform starts the nodes.",
    "stop_nodes": "Stops the instances, and takes overflow nodes from the platform.",
}

PAGE = """\
# IAM policies: the least that each playbook needs

<!-- Written by tests/tools/iam_policies.py from iam_recorded.json: do not edit. -->

For each playbook there is a policy document that allows what it asks AWS for in any of its branches, and nothing else. They
are measured: `make iam` plays every playbook through its branches against the lab, whose account records each action and the
kind of resource that it is about, and `make resilience` plays all of them again, each as an IAM user who has exactly this
policy. `make lint` fails when a document here does not follow from the record.

```bash
aws iam create-policy --policy-name pexip-operator-site --policy-document file://docs/iam/site.json
aws iam attach-user-policy --user-name video-team --policy-arn arn:aws:iam::123456789012:policy/pexip-operator-site
```

| policy | what for | what it may change |
| --- | --- | --- |
{table}
Each fits into one managed policy (6,144 characters without white space); as inline policies of a user (2,048 for all of them) `site`,
`deploy_management`, `enable_bursting` and `onboard_nodes` are too long.

## What is narrowed, and what you can narrow further

- Instances, Elastic IP addresses and security groups are started, stopped, terminated, released and taken rules from only
  where they carry the tag `{tag}`, and launched, allocated and made only with it.
- The statement `TakeOver` lets an instance that was set up by hand be tagged as a node (`pexip_adopt`), and the doctor tag one
  that is not tagged yet. **Without it, nothing can be done with an instance that is not ours**, but to take the tag
  `pexip-cloud` away: delete it when you adopt nothing. With it, our tag guards against mistakes, not against intent.
- The only tag that is ever taken away is `pexip-cloud`.
- Rules are added to security groups without our tag, too: a group that was made by hand and named in `pexip_security_groups`
  gets those that it lacks, and `pexip_tags`. Name your groups in the statement `AddRules` if you want it narrower; likewise
  subnets, key pair and images in `LaunchFrom`.
- Users and policies are changed only where their names begin with `pexip-`, and only such policies attached. With another
  `cloud_bursting_user` or `cloud_bursting_policy`, put its name into `BurstingUser`, `BurstingPolicy` and
  `BurstingAttachment`.
- Who may make a policy, attach it to a user and make that user's access key can have any permission in the end. Give
  `enable_bursting` and `site` to administrators, or set a permissions boundary; or make user and key yourself and give
  `cloud_bursting_access_key` and `cloud_bursting_secret_key`: then nothing of IAM is asked for.
- What only looks (`Look`) is allowed on all resources: EC2's Describe actions know no other way, and whose access key the
  platform holds is not known before.

In AWS GovCloud or China replace `arn:aws:` by `arn:aws-us-gov:` or `arn:aws-cn:`. Volumes that are encrypted by default with
a key of your own need that key's grants besides. The user that the platform itself logs in as is another one: its
policy is the guide's, and `enable_bursting` makes it.

## Which branch asks for what

Actions that a playbook needs in some of its branches only. Those of a playbook that it includes are listed under that one.

{branches}"""


def statements(asked: set[Asked]) -> list[dict[str, Any]]:
    """The statements that allow all of it.

    :raises ValueError: something that no rule covers
    """
    asked = asked | {ALSO[one] for one in asked & ALSO.keys()}
    reads = {one.action for one in asked if one.reads} - set(FREE)
    found = [{"Sid": "Look", "Effect": "Allow", "Action": sorted(reads), "Resource": "*"}] if reads else []
    covered = {one for one in asked if one.reads}
    for rule in RULES:
        taken = {one for one in asked if not one.reads and rule.covers(one)}
        covered |= taken
        if taken:
            statement = {
                "Sid": rule.sid,
                "Effect": "Allow",
                "Action": sorted({one.action for one in taken}),
                "Resource": sorted({ARNS.get(one.kind, f"arn:aws:ec2:*:*:{one.kind}/*") for one in taken}),
            }
            found.append(statement | ({"Condition": rule.condition} if rule.condition else {}))
    if missing := sorted(map(str, asked - covered)):
        raise ValueError(f"no rule in tests/tools/iam_policies.py covers {', '.join(missing)}")
    return found


def recorded() -> dict[str, dict[Asked, list[str]]]:
    """What each playbook asked for, and in which of its branches."""
    table = json.loads(RECORD.read_text())
    return {
        playbook: {Asked(*line.split(" ")): branches for line, branches in lines.items()}
        for playbook, lines in table.items()
    }


def wanted(record: dict[str, dict[Asked, list[str]]]) -> dict[str, set[Asked]]:
    """What each playbook must be allowed: what it asked for, and what those asked for that it plays."""
    return {
        playbook: {one for name in [playbook, *PLAYS.get(playbook, [])] for one in record.get(name, {})}
        for playbook in sorted({*record, *PLAYS})
    }


def policies(record: dict[str, dict[Asked, list[str]]]) -> dict[str, dict[str, Any]]:
    """The policy documents by playbook."""
    return {
        playbook: {"Version": "2012-10-17", "Statement": statements(asked)}
        for playbook, asked in wanted(record).items()
    }


def page(record: dict[str, dict[Asked, list[str]]]) -> str:
    """The text of docs/iam/README.md."""
    rows = []
    for playbook, asked in wanted(record).items():
        changes = sorted({one.action for one in asked if not one.reads})
        text = ", ".join(f"`{action}`" for action in changes) or "nothing"
        if playbook == "site":
            text = "what those three may change"
        rows.append(f"| [`{playbook}`]({playbook}.json) | {PURPOSES[playbook]} | {text} |\n")
    parts = []
    for playbook, asked in record.items():
        every = {branch for branches in asked.values() for branch in branches}
        by_branches: dict[str, dict[str, set[str]]] = {}
        for one, branches in asked.items():
            if not one.reads and len(branches) < len(every):
                named = ", ".join(f"*{branch}*" for branch in branches)
                by_branches.setdefault(named, {}).setdefault(one.action, set()).add(one.kind)
        lines = [
            f"  - {named}: "
            + ", ".join(f"`{action}` ({', '.join(sorted(kinds))})" for action, kinds in sorted(actions.items()))
            + "\n"
            for named, actions in sorted(by_branches.items())
        ]
        if lines:
            parts.append(f"- `{playbook}`\n" + "".join(lines))
    return PAGE.format(table="".join(rows), tag=OUR_TAG, branches="".join(parts))


def files() -> Iterator[tuple[Path, str]]:
    """Every file that follows from the record, with its text."""
    record = recorded()
    for playbook, policy in policies(record).items():
        yield IAM / f"{playbook}.json", json.dumps(policy, indent=2) + "\n"
    yield IAM / "README.md", page(record)


def problems() -> list[str]:
    """What is wrong in docs/iam, a line each."""
    texts = dict(files())
    found = [
        f"{path.relative_to(ROOT)} is stale: run python tests/tools/iam_policies.py"
        for path, text in texts.items()
        if not path.is_file() or path.read_text() != text
    ]
    playbooks = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    for playbook in sorted((playbooks - ELSEWHERE) ^ {path.stem for path in IAM.glob("*.json")}):
        found.append(
            f"docs/iam/{playbook}.json: a playbook without a policy, or a policy without a playbook: run make iam"
        )
    session = botocore.session.get_session()
    known = {
        f"{service}:{operation}"
        for service in ("ec2", "iam")
        for operation in session.get_service_model(service).operation_names
    }
    for path, text in texts.items():
        if path.suffix != ".json":
            continue
        if len(re.sub(r"\s", "", text)) > LONGEST:
            found.append(f"{path.relative_to(ROOT)}: longer than the {LONGEST} characters that AWS takes")
        actions = {action for statement in json.loads(text)["Statement"] for action in statement["Action"]}
        found += [f"{path.relative_to(ROOT)}: not an action of AWS: {action}" for action in sorted(actions - known)]
    return found


def remember(directory: Path) -> None:
    """Write iam_recorded.json from what the runs left in a directory."""
    table: dict[str, dict[str, list[str]]] = {}
    for path in sorted(directory.glob("*.json")):
        run = json.loads(path.read_text())
        for asked in run["asked"]:
            if asked[0] not in FREE:
                branches = table.setdefault(run["playbook"], {}).setdefault(str(Asked(*asked)), [])
                branches.append(run["branch"])
    lines = {
        playbook: {line: sorted(branches) for line, branches in sorted(asked.items())}
        for playbook, asked in sorted(table.items())
    }
    RECORD.write_text(json.dumps(lines, indent=2) + "\n")


def main(arguments: list[str]) -> int:
    """The exit status."""
    if arguments == ["--check"]:
        found = problems()
        for problem in found:
            print(problem)
        return int(bool(found))
    if arguments[:1] == ["--record"]:
        remember(Path(arguments[1]))
    for path, text in files():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
