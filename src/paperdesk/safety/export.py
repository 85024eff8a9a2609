"""The allow-list for other tools: a table for people, JSON, an nftables ruleset, network policies for Kubernetes.

Firewalls match addresses, the list names hosts: what these rules can hold and what they cannot is said in their own
comments. Methods, paths, parameters and frames are held by the door alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from paperdesk.safety.allowlist import ALLOWED, PORT, Entry
from paperdesk.safety.senders import MOST_SENT_BYTES

FORMATS = ("table", "json", "nftables", "k8s")

_NFTABLES = """#!/usr/sbin/nft -f
# Paperdesk: what the door may reach. Printed by `paperdesk door list --format nftables`.
#
# What this holds: the system user below sends nothing but DNS, and TCP to port {port} of the addresses in two sets.
# What it cannot hold: a packet filter knows addresses, not host names. These hosts lie behind a content network, whose
# addresses change and serve other sites too: the sets hold what DNS said when they were filled, and nothing here sees
# the host name, method or path inside TLS. The door itself holds those. DNS stays open, and can carry data out.
#
# Run the door as a user of its own, set its name here, load, and fill the sets now and every few minutes:
#   nft -f paperdesk.nft
#   for host in {hosts}; do
#     getent ahostsv4 "$host" | awk '{{print $1}}' | sort -u | xargs -rI% nft add element inet paperdesk door_v4 '{{ % timeout 1h }}'
#     getent ahostsv6 "$host" | awk '!/^::ffff:/ {{print $1}}' | sort -u | xargs -rI% nft add element inet paperdesk door_v6 '{{ % timeout 1h }}'
#   done
# Behind an HTTPS proxy, put the proxy's address and port in place of the sets.
define door_user = "paperdesk"

table inet paperdesk {{
    set door_v4 {{
        type ipv4_addr
        flags timeout
    }}
    set door_v6 {{
        type ipv6_addr
        flags timeout
    }}
    chain out {{
        type filter hook output priority filter; policy accept;
        meta skuid != $door_user accept
        oif "lo" accept
        meta l4proto {{ tcp, udp }} th dport 53 accept
        tcp dport {port} ip daddr @door_v4 counter accept
        tcp dport {port} ip6 daddr @door_v6 counter accept
        counter reject with icmpx admin-prohibited
    }}
}}
"""

_K8S_HEAD = """# Paperdesk: what the pod with the door may reach. Printed by `paperdesk door list --format k8s`.
#
# The first policy works with every network plugin that enforces policies, and is coarse: a NetworkPolicy matches
# addresses, not host names, and these hosts' addresses change. It lets the pod speak DNS, and TCP to port {port} of any
# public address. The second one names the hosts and needs Cilium. Apply one of the two, the second where Cilium runs:
# policies add up, so beside the first the second would hold nothing. Neither sees method or path inside TLS: the door
# holds those. Behind an HTTPS proxy, name its address and port instead.
"""
_K8S_PLAIN = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: paperdesk-door
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: paperdesk
      app.kubernetes.io/component: door
  policyTypes:
    - Egress
  egress:
    - ports:
        - protocol: UDP
          port: 53
        - protocol: TCP
          port: 53
    - to:
        - ipBlock:
            cidr: 0.0.0.0/0
            except:
              - 10.0.0.0/8
              - 100.64.0.0/10
              - 127.0.0.0/8
              - 169.254.0.0/16
              - 172.16.0.0/12
              - 192.168.0.0/16
        - ipBlock:
            cidr: ::/0
            except:
              - ::1/128
              - fc00::/7
              - fe80::/10
      ports:
        - protocol: TCP
          port: {port}
"""
_K8S_NAMES = """apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: paperdesk-door-names
spec:
  endpointSelector:
    matchLabels:
      app.kubernetes.io/name: paperdesk
      app.kubernetes.io/component: door
  egress:
    - toEndpoints:
        - matchLabels:
            k8s:io.kubernetes.pod.namespace: kube-system
            k8s-app: kube-dns
      toPorts:
        - ports:
            - port: "53"
              protocol: ANY
          rules:
            dns:
{dns}
    - toFQDNs:
{names}
      toPorts:
        - ports:
            - port: "{port}"
              protocol: TCP
"""


def export(form: str, entries: Sequence[Entry] = ALLOWED) -> str:
    """The list in one of FORMATS (ValueError for another), ending in a line break."""
    if form == "table":
        return _table(entries)
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(entries), indent=2).decode() + "\n"
    hosts = sorted({entry.host for entry in entries})
    if form == "nftables":
        return _NFTABLES.format(port=PORT, hosts=" ".join(hosts))
    if form == "k8s":
        names = "\n".join(f'        - matchName: "{host}"' for host in hosts)
        dns = "\n".join(f'              - matchName: "{host}"' for host in hosts)
        policy = _K8S_PLAIN.format(port=PORT)
        return _K8S_HEAD.format(port=PORT) + policy + "---\n" + _K8S_NAMES.format(port=PORT, names=names, dns=dns)
    raise ValueError(f"no format {form}")


def _table(entries: Sequence[Entry]) -> str:
    """One block of lines an entry: nothing is cut, whatever the terminal's width."""
    lines = ["What may leave, and nothing else:", ""]
    for entry in entries:
        lines.append(f"{entry.method} {entry.scheme}://{entry.host}{entry.path}")
        lines.append(f"    for         {entry.purpose}")
        if entry.parameters:
            lines.append(f"    parameters  {', '.join(entry.parameters)}")
        if entry.frames:
            lines.append(f"    may send    {', '.join(entry.frames)}; pongs")
        if entry.method == "POST":
            lines.append(f"    may send    a JSON object of up to {MOST_SENT_BYTES:,} bytes")
        lines.append(f"    at most     {entry.most_bytes:,} bytes {'a frame' if entry.frames else 'an answer'}")
    lines += ["", "No header of a caller's, no credential, no cookie, no redirect, no other port."]
    return "\n".join(lines) + "\n"
