"""The list for other tools: complete, and honest about what those tools cannot hold."""

from __future__ import annotations

import json

import pytest

from paperdesk.app.cli_door import Format
from paperdesk.safety.allowlist import ALLOWED
from paperdesk.safety.export import FORMATS, export

HOSTS = {entry.host for entry in ALLOWED}


def test_the_formats_of_the_command_are_those_there_are() -> None:
    assert [form.value for form in Format] == list(FORMATS)
    with pytest.raises(ValueError):
        export("iptables")


@pytest.mark.parametrize("form", FORMATS)
def test_every_host_is_in_every_format(form: str) -> None:
    text = export(form)
    assert all(host in text for host in HOSTS) and text.endswith("\n") and text.isascii()
    assert not any(line.endswith(" ") or "\t" in line for line in text.splitlines())


def test_the_table_tells_every_entry() -> None:
    text = export("table")
    for entry in ALLOWED:
        assert f"{entry.method} {entry.scheme}://{entry.host}{entry.path}\n" in text and entry.purpose in text
        assert all(name in text for name in (*entry.parameters, *entry.frames))


def test_the_json_is_the_list() -> None:
    told = json.loads(export("json"))
    assert [(row["method"], row["host"], row["path"]) for row in told] == [(e.method, e.host, e.path) for e in ALLOWED]


def test_the_ruleset_closes_what_it_opens_and_says_what_it_cannot_hold() -> None:
    text = export("nftables")
    rules = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert rules.count("{") == rules.count("}") and rules.count("{") > 4
    assert rules.rstrip().endswith("}") and "counter reject" in rules
    assert "not host names" in text and "getent" in text
    order = [
        rules.index(word) for word in ('oif "lo" accept', "@door_v4 counter", "@door_v6 counter", "counter reject")
    ]
    assert order == sorted(order)


def test_the_policies_are_two_and_say_what_they_cannot_hold() -> None:
    text = export("k8s")
    coarse, named = text.split("\n---\n")
    assert "kind: NetworkPolicy" in coarse and "kind: CiliumNetworkPolicy" in named and "toFQDNs" in named
    assert "not host names" in coarse and all(host not in coarse for host in HOSTS)
    for line in text.splitlines():
        assert line.startswith("#") or (len(line) - len(line.lstrip(" "))) % 2 == 0
