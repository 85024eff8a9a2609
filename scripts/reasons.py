"""Prints docs/reasons.md: every reason with its meaning and remedy. `python scripts/reasons.py > docs/reasons.md`."""

from paperdesk.domain.reasons import TEXTS, Reason

HEAD = """# Reasons

Every "no" of the desk is one of these. Codes are stored in logs and never change their meaning: 1–19 the command itself, 20–39 our risk gate and
funds (denied), 40–59 the venue (rejected), 60–79 the end of an order, 80–99 market data, 100–119 the way out to a venue.

| code | reason | meaning | what to do |
|--:|---|---|---|
"""


def page() -> str:
    """The page as it should stand."""
    rows = [
        f"| {int(reason)} | `{reason.name.lower()}` | {text.meaning} | {text.remedy} |"
        for reason, text in TEXTS.items()
        if reason
    ]
    assert len(rows) == len(Reason) - 1, "every reason has a text"
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(page(), end="")
