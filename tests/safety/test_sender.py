"""Notes that nobody waits for: what becomes of them where the door answers, refuses, dies in the middle, or never says a word."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from paperdesk.safety.link import MOST_ANSWERED_BYTES, asked
from paperdesk.safety.sender import MOST_WAITING, Counts, Sender

URL, TOKEN, WAIT_S = "https://ntfy.example.com/my-desk", "0123", 30.0
TAKEN = {"status": 200, "text": "thank you"}
Answers = Callable[[int, dict[str, object]], object]


@contextmanager
def door(answer: Answers) -> Iterator[tuple[int, list[dict[str, object]]]]:
    """Answers requests, one after the other, by their number: an object as the proxy would, bytes as they are. Its port, and what it was asked."""
    seen: list[dict[str, object]] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                one, _ = listening.accept()
            except OSError:
                return
            with one:
                data = b""
                while b"\r\n\r\n" not in data or not data.endswith(b"}"):
                    data += one.recv(65_536)
                head, _, body = data.partition(b"\r\n\r\n")
                assert f"Authorization: Bearer {TOKEN}".encode() in head and head.startswith(b"POST /send HTTP/1.1")
                seen.append(json.loads(body))
                told = answer(len(seen), seen[-1])
                if not isinstance(told, bytes):
                    told = b"HTTP/1.1 200 OK\r\n\r\n" + json.dumps(told).encode()
                one.sendall(told)

    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    try:
        yield listening.getsockname()[1], seen
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        serving.join(WAIT_S)


def told(answer: Answers, count: int, patience_s: float = WAIT_S) -> tuple[Counts, list[str], list[dict[str, object]]]:
    """What becomes of notes: counts, what was said of them, and what the door was asked."""
    with door(answer) as (port, seen):
        sender = Sender(URL, "notify", port, TOKEN, patience_s, again_s=0.0)
        for number in range(count):
            sender.tell({"n": number})
        sender.close(time.monotonic() + WAIT_S)
        return sender.counts(), sender.said(), seen


def test_notes_go_out_in_order_as_the_proxy_takes_them() -> None:
    counts, said, seen = told(lambda number, wish: TAKEN, 5)
    assert counts == (5, 0, 0) and said == []
    assert [wish["body"] for wish in seen] == [{"n": number} for number in range(5)]
    assert {(wish["purpose"], wish["method"], wish["url"]) for wish in seen} == {("notify", "POST", URL)}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"refused": "rate_limited", "message": "it asked for a pause"}, "it asked for a pause"),
        ({"refused": "busy"}, "busy"),
        ({"status": 404, "text": "no such desk"}, "the receiver answered 404, 'no such desk'"),
        ({"status": 301, "text": ""}, "the receiver answered 301"),
    ],
)
def test_what_is_not_taken_is_not_sent_again_and_said_once(answer: object, words: str) -> None:
    counts, said, seen = told(lambda number, wish: TAKEN if number == 4 else answer, 5)
    assert counts == (1, 4, 0) and len(seen) == 5, "no note is asked for twice"
    assert len(said) == 3 and all(words in one for one in (said[0], said[2])), "where trouble begins, and begins anew"
    assert said[0].startswith("A note to ntfy.example.com did not arrive: ") and "my-desk" not in "".join(said)
    assert said[1] == "Notes reach ntfy.example.com again."


@pytest.mark.parametrize("torn", [b"", b"HTTP/1.1 200 OK\r\n\r\n{", b"x" * (MOST_ANSWERED_BYTES + 1)])
def test_a_door_that_dies_in_the_middle_is_asked_once_more(torn: bytes) -> None:
    counts, said, seen = told(lambda number, wish: torn if number == 1 else TAKEN, 2)
    assert counts == (2, 0, 0) and said == []
    assert [wish["body"] for wish in seen] == [{"n": 0}, {"n": 0}, {"n": 1}]
    counts, said, seen = told(lambda number, wish: torn, 1)
    assert counts == (0, 1, 0) and len(seen) == 2 and "the door went away in the middle" in said[0]


def test_nobody_waits_for_a_door_that_never_answers() -> None:
    over = threading.Event()

    def hang(number: int, wish: dict[str, object]) -> object:
        over.wait(WAIT_S)
        return TAKEN

    with door(hang) as (port, _):
        sender = Sender(URL, "notify", port, TOKEN)
        began = time.monotonic()
        for number in range(1_000):
            sender.tell({"n": number})
        assert time.monotonic() - began < 1.0
        dropped = sender.counts().dropped
        assert 1_000 - MOST_WAITING - 1 <= dropped <= 1_000 - MOST_WAITING
        assert sender.said() == [f"{MOST_WAITING} notes wait for ntfy.example.com; more of them are dropped."]
        began = time.monotonic()
        sender.close(began + 0.3)
        assert 0.2 < time.monotonic() - began < 2.0
        assert sender.counts() == (0, 0, 1_000), "all that did not go out is counted"
        over.set()


def test_a_slow_door_is_given_up_and_not_asked_again() -> None:
    over = threading.Event()

    def slow(number: int, wish: dict[str, object]) -> object:
        if number == 1:
            over.wait(WAIT_S)
        return TAKEN

    with door(slow) as (port, seen):
        sender = Sender(URL, "notify", port, TOKEN, patience_s=0.3, again_s=0.0)
        sender.tell({"n": 0})
        until = time.monotonic() + WAIT_S
        while not sender.counts().failed and time.monotonic() < until:
            time.sleep(0.01)
        assert sender.counts() == (0, 1, 0)
        assert "the door did not answer in 0.3 s" in sender.said()[0]
        over.set()
        sender.patience_s = WAIT_S
        sender.tell({"n": 1})
        sender.close(time.monotonic() + WAIT_S)
        assert sender.counts() == (1, 1, 0)
        assert [wish["body"] for wish in seen] == [{"n": 0}, {"n": 1}]


def test_an_answer_has_a_bound() -> None:
    request = f"POST /send HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\n\r\n{{}}".encode()
    with door(lambda number, wish: b"x" * (MOST_ANSWERED_BYTES + number - 1)) as (port, _):
        assert len(asked(port, request, WAIT_S)) == MOST_ANSWERED_BYTES
        with pytest.raises(ConnectionError, match="an answer of over"):
            asked(port, request, WAIT_S)


def test_an_answer_in_drops_is_too_late_as_a_whole() -> None:
    listening = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        one, _ = listening.accept()
        with one:
            try:
                while True:
                    one.sendall(b"x")
                    time.sleep(0.02)
            except OSError:
                return

    dripping = threading.Thread(target=drip, daemon=True)
    dripping.start()
    with listening, pytest.raises(TimeoutError):
        asked(listening.getsockname()[1], b"hello", 0.3)
    dripping.join(WAIT_S)
