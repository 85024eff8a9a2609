"""What every handler works with, and the account's state made once for all who ask."""

from dataclasses import dataclass, field
from typing import Any

from paperdesk.api import account, rows
from paperdesk.api.engine_link import EngineLink, FamilyLink
from paperdesk.api.messages import Pulse
from paperdesk.api.metrics import Metrics
from paperdesk.api.models import State, Wall, encode
from paperdesk.api.picture import welcome_of
from paperdesk.api.reader import Reader
from paperdesk.api.told import problem


class StateKeeper:
    """The state as it was made last: made anew only where the database was written or the engine's pulse is another."""

    def __init__(self, link: EngineLink, reader: Reader) -> None:
        self.link, self.reader = link, reader
        self._key: tuple[Any, ...] = ()
        self._pulse: Pulse | None = None
        self._state: State | None = None
        self._bytes = b""
        link.on_welcome.append(self.learn)
        self._learned = ""

    def learn(self) -> None:
        """Older versions of instruments are read again when the engine greets."""
        self._learned, self._key = "", ()

    def current(self) -> tuple[State, bytes]:
        """The state and its JSON; Unanswered with 503 while there is none."""
        link, welcome = self.link, welcome_of(self.link)
        statuses = tuple((number, market.status) for number, market in link.markets.items())
        key = (self.reader.version(), statuses)
        if key != self._key or self._pulse is not link.pulse or self._state is None:
            with self.reader.look() as connection:
                if self._learned != welcome.run:
                    link.directory.take((), rows.older_grids(connection, welcome.run))
                    self._learned = welcome.run
                state = account.state_of(connection, welcome, link.directory, link.pulse, link.markets)
            if state is None:
                raise problem(
                    503, "starting", f"Run {welcome.run} is not in the database yet.", "ask again in a moment"
                )
            self._key, self._pulse, self._state, self._bytes = key, link.pulse, state, encode(state)
        return self._state, self._bytes


@dataclass
class Service:
    """Of one api process."""

    link: EngineLink
    family: FamilyLink
    reader: Reader
    metrics: Metrics
    keeper: StateKeeper
    walls: list[Wall] = field(default_factory=list)

    @property
    def clients(self) -> int:
        """Clients of the stream."""
        return self.metrics.collected.clients
