"""Many streams at once, in a process of its own: `python -m tests.e2e.crowd URL COUNT`.

Prints `joined` once all are greeted; listens until its standard input ends; then prints how many events each heard at least, and
`same` where all heard the same ones in the same order.
"""

from __future__ import annotations

import asyncio
import json
import sys

from websockets.asyncio.client import connect


class Member:
    """One stream and the events that it heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.greeted = asyncio.Event()

    async def listen(self, url: str, after: str) -> None:
        """Until it is canceled."""
        address = f"{url.replace('http', 'ws')}/api/v1/stream?after={after}"
        async with connect(address, origin=url, open_timeout=30, proxy=None, compression=None) as stream:  # type: ignore[arg-type]
            async for text in stream:
                self.greeted.set()
                if '"type":"event"' in text:
                    self.heard.append(json.loads(text)["event"]["id"])


async def main(url: str, count: int, after: str) -> None:
    """All of them."""
    members = [Member() for _ in range(count)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(member.listen(url, after)) for member in members]
        for member in members:
            await member.greeted.wait()
        print("joined", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            task.cancel()
    least = min(len(member.heard) for member in members)
    same = all(member.heard[:least] == members[0].heard[:least] for member in members)
    print(least, "same" if same else "different", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
