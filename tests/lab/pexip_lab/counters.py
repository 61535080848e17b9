"""Counts the requests that the lab serves."""

import threading
from collections import Counter


class Requests:
    """Requests by name: ``GET worker_vm`` for a management API, ``aws DescribeInstances`` for AWS."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1

    def count_aws(self, action: str) -> None:
        self.count(f"aws {action}")

    def read(self, reset: bool = False) -> dict[str, int]:
        """The counts since the last reset, by name."""
        with self._lock:
            counts = dict(sorted(self._counts.items()))
            if reset:
                self._counts.clear()
        return counts


def is_write(name: str) -> bool:
    """Whether a request of this name changes something."""
    first, second = name.split(" ", 1)
    if first == "aws":
        return not second.startswith(("Describe", "Get", "List"))
    return first not in ("GET", "HEAD", "OPTIONS")
