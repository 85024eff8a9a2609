"""The last events in order, as the stream's messages, made once, by their places (seq, number).

A place is resumed from while everything after it is still here: `floor` is the lowest such place. A reader holds a cursor, a count of all
events ever taken, so that what it has read costs nothing.
"""

from bisect import bisect_right
from typing import Final

Place = tuple[int, int]
KEEP: Final = 20_000
TRIM: Final = 1_000
START: Final[Place] = (0, -1)
NOWHERE: Final[Place] = (2**63, 0)
"""Above every place: nothing can be resumed from."""


def place_text(place: Place) -> str:
    """As clients give it back."""
    return f"{place[0]}.{max(place[1], 0)}"


class Ring:
    """Of one run."""

    def __init__(self, keep: int = KEEP) -> None:
        self.keep = keep
        self.floor: Place = START
        self.newest: Place = START
        """The last output or note that was taken, event or not."""
        self._places: list[Place] = []
        self._texts: list[str] = []
        self._gone = 0
        self.generation = 0
        """Another one after everything was forgotten: what follows does not follow what was read."""

    @property
    def end(self) -> int:
        """The cursor behind the newest event."""
        return self._gone + len(self._places)

    @property
    def oldest(self) -> int:
        """The cursor before the oldest event."""
        return self._gone

    def begin_anew(self, floor: Place = NOWHERE) -> None:
        """Forget all; what follows the floor will come, NOWHERE: whatever comes first is the floor."""
        self._gone = self.end
        self.generation += 1
        self._places.clear()
        self._texts.clear()
        self.floor = floor

    def reach(self, place: Place) -> None:
        """Something of this place was taken, perhaps no event."""
        self.newest = place
        if self.floor == NOWHERE:
            self.floor = (place[0], place[1] - 1)

    def add(self, place: Place, text: str) -> None:
        """An event, after all that are here."""
        assert not self._places or place > self._places[-1], "events come in order"
        self._places.append(place)
        self._texts.append(text)
        if len(self._places) > self.keep + TRIM:
            self.floor = self._places[TRIM - 1]
            del self._places[:TRIM], self._texts[:TRIM]
            self._gone += TRIM

    def cursor(self, after: Place) -> int | None:
        """Where to read on from behind a place; None where something in between is gone."""
        if after < self.floor:
            return None
        return self._gone + bisect_right(self._places, after)

    def read(self, cursor: int, limit: int) -> list[str] | None:
        """Up to `limit` events from a cursor on; None where they are gone."""
        if cursor < self._gone:
            return None
        start = cursor - self._gone
        return self._texts[start : start + limit]

    def place(self, cursor: int) -> Place:
        """The place just before a cursor: what to resume from."""
        index = cursor - self._gone - 1
        return self._places[index] if 0 <= index < len(self._places) else self.floor
