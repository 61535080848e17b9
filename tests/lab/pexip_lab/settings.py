"""What a lab is started with, and where it keeps its files."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .network import Network

# what the lab's process tells its starter
READY = "ready"


@dataclass(frozen=True)
class Settings:
    """The options of ``pexip-lab up``."""

    state_dir: str = ".lab"
    seed: str | None = None
    network: str = "127.16.0.0/16"
    base_port: int = 20000
    time_scale: float = 60.0
    #: HD calls that a Conferencing Node can host, by instance type; SD and audio follow
    capacities: Mapping[str, int] = field(default_factory=dict)

    @property
    def addresses(self) -> Network:
        """:raises ValueError: a network or port that the lab cannot use"""
        return Network.parse(self.network, self.base_port)

    @property
    def files(self) -> "StateFiles":
        return StateFiles(Path(self.state_dir).absolute())


@dataclass(frozen=True)
class StateFiles:
    """The files of a lab. ``pid`` is locked by the daemon as long as it lives."""

    directory: Path

    @property
    def pid(self) -> Path:
        return self.directory / "pid"

    @property
    def settings(self) -> Path:
        return self.directory / "settings.json"

    @property
    def log(self) -> Path:
        return self.directory / "log"

    @property
    def key(self) -> Path:
        return self.directory / "lab-key.pem"

    @property
    def machines(self) -> Path:
        return self.directory / "machines"

    def write(self, settings: Settings) -> None:
        self.settings.write_text(json.dumps(asdict(settings)))

    def read(self) -> Settings:
        """:raises FileNotFoundError: there is no lab"""
        return Settings(**json.loads(self.settings.read_text()))
