"""Recognises what looks like a credential, by its name or shape, so that it can be refused or left out, never shown.

The desk needs no credential at all, so this errs towards seeing one: a strategy parameter named `token` is refused, and
its owner renames it. What must not be mistaken are paths (deep ones, ones named after a content hash too), numbers,
symbols and names, for these fill honest settings.
"""

from __future__ import annotations

import re

_NAME_WORD = re.compile(
    r"(?:^|_)(?:apikeys?|bearer|credentials?|jwt|mnemonic|passphrase|passwd|passwords?|privatekey|pwd|secrets?|secretkey)(?:_|$)"
    r"|(?:^|_)tokens?(?:_|$)"
    r"|(?:access|api|auth|client|encryption|private|signing|ssh)_key|(?:recovery|seed)_phrase"
)
_SHAPES = (
    ("a private key or certificate (PEM)", re.compile(r"-----BEGIN [A-Z0-9 ]+-----")),
    ("a signed token (JWT)", re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")),
    ("a cloud access key", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("an access token", re.compile(r"\b(?:gh[opsu]_|github_pat_|glpat-|sk-|xox[abps]-)[A-Za-z0-9_-]{16,}")),
    ("an address with a password in it", re.compile(r"[a-z][a-z0-9+.-]*://[^\s/@:]*:[^\s/@]+@", re.IGNORECASE)),
)
_SEPARATORS = re.compile(r"[\s,;:|?&\"'<>()\[\]{}]+")
_LONG_KEY = re.compile(r"(?:[A-Za-z_.]+=)?([A-Za-z0-9+/_-]{64,})={0,2}")
_PATH_START = re.compile(r"(?:\.{0,2}/|~)")
_MAX_CHARS = 4_096
_KEY_SEGMENT_CHARS = 40
_MIXED_SEGMENT_CHARS = 16


def credential_in_name(name: str) -> str | None:
    """What a setting's name says it holds, for a message (`a credential, by its name`), or None when harmless.

    `name` may be in any spelling: `API_KEY`, `apiKey`, `api-key`.
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    plain = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")
    return "a credential, by its name" if _NAME_WORD.search(plain) else None


def credential_in_value(value: str) -> str | None:
    """What a value looks like, for a message (`a signed token (JWT)`), or None when it looks harmless.

    Looks for PEM blocks, JWTs, well-known token prefixes, passwords inside addresses, and keys of 64 or more hex or
    base64 characters. The answer never holds any part of the value. A text over 4,096 characters is no setting and is
    answered as one that may hold anything.
    """
    if len(value) > _MAX_CHARS:
        return "more than a setting (over 4,096 characters)"
    for meaning, shape in _SHAPES:
        if shape.search(value):
            return meaning
    for word in _SEPARATORS.split(value):
        key = _LONG_KEY.fullmatch(word)
        if key and not _is_path(key[1]) and _is_random(key[1]):
            return "a key of 64 or more characters"
    return None


def _is_random(word: str) -> bool:
    """Whether a long word mixes letters and digits as keys do; names joined by `_` or `-` must mix cases as well."""
    if not (any(map(str.isdigit, word)) and any(map(str.isalpha, word))):
        return False
    return word.isalnum() or (any(map(str.isupper, word)) and any(map(str.islower, word)))


def _is_path(word: str) -> bool:
    """Whether a word of 64 or more base64 characters is a path rather than a key that happens to hold slashes."""
    if "/" not in word:
        return False
    segments = word.split("/")
    longest = max(segments, key=len)
    if _PATH_START.match(word):
        return len(segments) > 2 or len(longest) < _KEY_SEGMENT_CHARS
    mixed = (
        all(any(map(kind, longest)) for kind in (str.isupper, str.islower, str.isdigit))
        and longest.replace("+", "").isalnum()
    )
    return not (mixed and len(longest) >= _MIXED_SEGMENT_CHARS)
