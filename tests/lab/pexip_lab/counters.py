"""Counts the requests that the lab serves.

Names are ``GET worker_vm`` for a management API, ``aws DescribeInstances`` for AWS, ``bursting StartInstances`` for what a
Management Node asks of AWS by itself.
"""

import threading
from collections import Counter
from typing import Any

from .aws.gate import kind_of
from .aws.policies import Question
from .bursting.cloud import USER_AGENT


class Requests:
    """Requests by name: ``GET worker_vm`` for a management API, ``aws DescribeInstances`` for AWS."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._asked: dict[str, set[tuple[str, str, str]]] = {}
        self._writes: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1

    def count_aws(self, action: str, agent: str) -> None:
        """Count a request to AWS; what a Management Node asks by itself is counted apart."""
        self.count(f"{'bursting' if agent.startswith(USER_AGENT) else 'aws'} {action}")

    def arrived(self, target: str, method: str, path: str) -> int | None:
        """Number a writing request as it arrives, before anything is done with it; None for one that only reads.

        :param target: api, aws or node
        :param method: the HTTP method, or the action of AWS
        """
        if not is_write(f"{'aws ' if target == 'aws' else ''}{method} {path}"):
            return None
        with self._lock:
            number = len(self._writes) + 1
            self._writes.append({"n": number, "target": target, "method": method, "path": path})
        return number

    def writes_seen(self) -> list[dict[str, Any]]:
        """The writing requests since the last reset, in the order in which they arrived."""
        with self._lock:
            return list(self._writes)

    def saw(self, access_key: str, question: Question) -> None:
        """Remember what somebody asked AWS for, allowed or not."""
        (made_by,) = question.context.get("ec2:createaction", ("",))
        with self._lock:
            self._asked.setdefault(access_key, set()).add((question.action, kind_of(question.resource), made_by))

    def actions(self) -> dict[str, list[str]]:
        """The actions asked for since the last reset, such as ``ec2:StartInstances``, by access key."""
        with self._lock:
            return {key: sorted({action for action, _kind, _by in asked}) for key, asked in self._asked.items()}

    def asked(self) -> dict[str, list[list[str]]]:
        """The same with the kinds of the resources, and for tags of what is made the action that makes it.

        :returns: by access key lists of three, such as ``["ec2:CreateTags", "volume", "RunInstances"]``
        """
        with self._lock:
            return {key: sorted(map(list, asked)) for key, asked in self._asked.items()}

    def read(self, reset: bool = False) -> dict[str, int]:
        """The counts since the last reset, by name."""
        with self._lock:
            counts = dict(sorted(self._counts.items()))
            if reset:
                self._counts.clear()
                self._asked.clear()
                self._writes.clear()
        return counts


def is_write(name: str) -> bool:
    """Whether a request of this name changes something; what a Management Node does by itself does not count."""
    first, second = name.split(" ", 1)
    if first == "bursting":
        return False
    if first == "aws":
        return not second.startswith(("Describe", "Get", "List"))
    return first not in ("GET", "HEAD", "OPTIONS")
