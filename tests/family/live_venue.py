"""A venue on this machine that plays Binance Spot at a pace, as a process of its own: `python -m tests.family.live_venue`.

Prints its port, then plays until it is ended. Frames are made up from a seed, or those of a recording; faults at given places as in
`tests.feeds.venue`. It also takes notes, as a receiver of them: `--notes FILE` gets the body of each, a line each. `--no-market` refuses all that is
asked of a venue, `--hang` never answers who sends a note.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web
from tests.feeds.venue import NAME, Venue, made_up
from tests.safety.local import serving

from paperdesk.feeds.recording import lines


class PacedVenue(Venue):
    """Plays `rate` frames a second; a minute bar history that fits the first price."""

    def __init__(
        self, frames: Sequence[Mapping[str, Any]], picture: Mapping[str, Any], rate: float, **faults: Any
    ) -> None:
        super().__init__(frames, picture, **faults)
        self.gap_s = 1.0 / rate
        self.began = time.monotonic()
        self.sent = 0

    async def _send(self, socket: web.WebSocketResponse, frame: Mapping[str, Any], fault: str) -> int:
        self.sent += 1
        ahead = self.sent * self.gap_s - (time.monotonic() - self.began)
        if ahead > 0.005:
            await asyncio.sleep(ahead)
        if ahead < -1.0:  # nobody was connected: the pace begins anew
            self.began, self.sent = time.monotonic(), 0
        return await super()._send(socket, frame, fault)


class Receiver:
    """Takes notes beside (or without) a venue."""

    def __init__(self, venue: Venue | None, notes: Path | None, hangs: bool) -> None:
        self.venue, self.notes, self.hangs = venue, notes, hangs

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """A note is written down; everything else is the venue's."""
        if request.method == "POST":
            body = await request.text()
            if self.notes is not None:
                with self.notes.open("a", encoding="utf-8") as file:
                    file.write(json.dumps([request.host, request.path, json.loads(body)]) + "\n")
            if self.hangs:
                await asyncio.Event().wait()
            return web.Response(text="thank you")
        if self.venue is None:
            return web.Response(status=404, text="{}")
        return await self.venue.answer(request)


def recorded(path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Frames and picture of a raw recording of this venue."""
    frames, picture = [], None
    for _, line in lines(path):
        told = json.loads(line)
        body = told.get("raw", told) if isinstance(told, dict) else {}
        body = json.loads(body) if isinstance(body, str) else body
        inner = body.get("data", body)
        if "lastUpdateId" in inner and picture is None:
            picture = inner
        elif picture is not None and inner.get("s") == NAME:
            frames.append(body)
    assert picture is not None, "the recording holds no picture of a book"
    return frames, picture


async def run(arguments: argparse.Namespace) -> None:
    """Serve and play."""
    if arguments.recording:
        frames, picture = recorded(arguments.recording)
    else:
        frames, picture = made_up(arguments.seed, arguments.count)
    faults = {int(place): fault for place, _, fault in (one.partition("=") for one in arguments.fault)}
    venue = PacedVenue(frames, picture, arguments.rate, faults=faults)
    receiver = Receiver(None if arguments.no_market else venue, arguments.notes, arguments.hang)
    async with serving(receiver.answer) as port:
        print(port, flush=True)
        await venue.play()
        print("played", venue.last, venue.last_trade, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--recording", type=Path)
    parser.add_argument("--fault", action="append", default=[], metavar="PLACE=FAULT")
    parser.add_argument("--notes", type=Path)
    parser.add_argument("--no-market", action="store_true")
    parser.add_argument("--hang", action="store_true")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
