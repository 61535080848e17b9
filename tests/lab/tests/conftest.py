"""One lab for a whole test session, ten lab minutes a second; tests that need their own make it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pexip_lab import testing
from pexip_lab.client import Lab
from pexip_lab.nursery import Nursery
from pexip_lab.testing import Account, own_network

SCALE = 600


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Starts labs faster."""
    with Nursery() as nursery:
        yield nursery


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[Lab]:
    """An empty account that the tests share."""
    started = Lab.up(tmp_path_factory.mktemp("lab"), network=own_network(0), time_scale=SCALE, start=nursery.start)
    yield started
    started.down()


@pytest.fixture
def another_lab(tmp_path: Path, nursery: Nursery) -> Iterator[Callable[..., Lab]]:
    """Start a lab of the test's own; it is taken down afterwards."""
    started: list[Lab] = []

    def start(seed: str | None = None, number: int = 1, **options: Any) -> Lab:
        options = {"network": own_network(number), "time_scale": SCALE, "start": nursery.start} | options
        started.append(Lab.up(tmp_path / f"lab{len(started)}", seed=seed, **options))
        return started[-1]

    yield start
    for one in started:
        one.down()


@pytest.fixture(scope="session")
def account(lab: Lab) -> Account:
    """The shared lab's account."""
    return Account(lab)


@pytest.fixture
def until() -> Callable[..., Any]:
    """Wait for a condition (pexip_lab.testing.until)."""
    return testing.until
