"""Faults on request: what breaks on the wire, in AWS or in a machine. Nothing outside the lab can tell them from real ones.

`fault.py` says what a fault is and when it strikes, `registry.py` keeps them; `http.py`, `aws.py` and `ssh.py` carry them
out, `certificate.py` is the expired one.
"""

from .fault import Event, Fault
from .registry import Faults

__all__ = ["Event", "Fault", "Faults"]
