"""The supervisor's own words about its family, sent to the receivers of the settings through the door.

Without receivers nothing of this is there: no socket, no thread. The socket of the proxy and the token are kept for as long as the desk lives, so
that a door that was started again goes on where the last one was.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from paperdesk.safety import link
from paperdesk.safety.allowlist import Entry
from paperdesk.safety.handover import hand_over, new_token
from paperdesk.safety.sender import Sender

TITLE: Final = "Paperdesk PAPER"
CLOSE_S: Final = 2.5
"""How long the end of a desk waits for its last notes."""


class Notes:
    """Notes to all receivers. `say` prints what the desk's own people should know."""

    def __init__(self, receivers: Sequence[Entry], say: Callable[[str], None]) -> None:
        self.say = say
        self.receivers = [(f"{one.scheme}://{one.host}{one.path}", one.purpose) for one in receivers]
        self.listening, self.token = -1, new_token()
        self.senders: list[Sender] = []
        if self.receivers:
            self.listening, port = link.listen(link.LOOPBACK[0], 0)
            self.senders = [Sender(url, purpose, port, self.token) for url, purpose in self.receivers]

    def hand_over(self) -> int:
        """A pipe for a door that is about to start, to be closed here once it has; -1 without receivers."""
        return hand_over(self.token, self.receivers) if self.receivers else -1

    def tell(self, label: str, text: str) -> None:
        """Send words of the supervisor; `label` is that of the prices."""
        for sender in self.senders:
            sender.tell({"title": TITLE, "text": f"PAPER, {label}: {text}"})

    def look(self) -> None:
        """Print what the senders have to say."""
        for sender in self.senders:
            for text in sender.said():
                self.say(text)

    def counts(self) -> list[tuple[str, str, int]]:
        """(host, sent|failed|dropped, how many), for metrics; receivers on one host together."""
        counted: Counter[tuple[str, str]] = Counter()
        for sender in self.senders:
            for outcome, count in sender.counts()._asdict().items():
                counted[sender.host, outcome] += count
        return [(host, outcome, count) for (host, outcome), count in counted.items()]

    def close(self) -> None:
        """Wait a little for the last notes, and let go of the socket; what was lost is said."""
        until_s = time.monotonic() + CLOSE_S
        for sender in self.senders:
            sender.close(until_s)
        self.look()
        for host, outcome, count in self.counts():
            if count and outcome != "sent":
                self.say(
                    f"Notes to {host} that {'did not arrive' if outcome == 'failed' else 'were not sent'}: {count}."
                )
        if self.listening >= 0:
            os.close(self.listening)
            self.listening = -1
