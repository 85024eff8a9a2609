"""Figures for Prometheus, made when they are asked for; docs/metrics.md says what each means. Own registry, nothing of the process besides."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from paperdesk.api.engine_link import EngineLink, FamilyLink

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
UNSEEN_S: Final = 1e9


def gauge(name: str, text: str, value: float | None) -> Metric:
    """One figure; none where it is not known."""
    family = GaugeMetricFamily(name, text)
    if value is not None:
        family.add_metric([], value)
    return family


class Collected:
    """What links told, as metrics."""

    def __init__(self, link: EngineLink, family: FamilyLink, version: str) -> None:
        self.link, self.family, self.version = link, family, version
        self.clients = 0

    def collect(self) -> Iterable[Metric]:
        """All but the counters of the api itself."""
        yield from self._engine()
        yield from self._accounts()
        yield from self._processes()
        yield gauge("paperdesk_api_stream_clients", "Clients of the stream.", self.clients)
        welcome = self.link.welcome
        info = InfoMetricFamily("paperdesk", "What this desk is.")
        told = {"label": welcome.label, "run": welcome.run} if welcome else {"label": "", "run": ""}
        info.add_metric([], {**told, "version": self.version})
        yield info

    def _engine(self) -> Iterable[Metric]:
        pulse = self.link.pulse
        yield gauge("paperdesk_engine_seq", "The last input that the engine folded.", pulse.seq if pulse else None)
        for name, text, value in (
            ("paperdesk_market_inputs", "Market inputs folded.", pulse.market_inputs if pulse else None),
            ("paperdesk_outputs", "Outputs stated.", pulse.outputs if pulse else None),
        ):
            counter = CounterMetricFamily(name, text)
            if value is not None:
                counter.add_metric([], value)
            yield counter
        yield gauge("paperdesk_engine_busy_ratio", "Part of the last second worked.", pulse.busy if pulse else None)
        seconds = pulse.commit_ms / 1000 if pulse else None
        yield gauge("paperdesk_commit_seconds_max", "The longest commit of the last second.", seconds)
        lag = max(0, pulse.seq - pulse.projected_seq) if pulse else None
        yield gauge("paperdesk_projection_lag_inputs", "Inputs that the database is behind.", lag)
        silence = min(self.link.silence_s, UNSEEN_S)
        yield gauge("paperdesk_engine_silence_seconds", "Since the engine was heard last.", silence)

    def _accounts(self) -> Iterable[Metric]:
        link = self.link
        equity = GaugeMetricFamily("paperdesk_equity", "Worth of an account.", labels=["account", "asset"])
        if link.welcome and link.pulse:
            asset = link.directory.numbers.get(link.welcome.reporting, -1)
            for one in link.pulse.accounts:
                if one.equity_units is not None and asset in link.directory.scales:
                    value = one.equity_units / 10 ** link.directory.scales[asset]
                    equity.add_metric([str(one.account), link.welcome.reporting], value)
        yield equity
        status = GaugeMetricFamily("paperdesk_market_status", "0 live, 1 stale, 2 gap.", labels=["instrument"])
        for number, market in sorted(link.markets.items()):
            status.add_metric([link.directory.symbol(number)], market.status)
        yield status
        calls = CounterMetricFamily("paperdesk_door_calls", "Calls of the door.", labels=["host", "path", "verdict"])
        told = self.family.family
        counted = [*((link.pulse.feed.get("calls") or ()) if link.pulse else ()), *(told.door_calls if told else ())]
        for host, path, verdict, count in counted:
            calls.add_metric([str(host), str(path), str(verdict)], count)
        yield calls

    def _processes(self) -> Iterable[Metric]:
        restarts = CounterMetricFamily("paperdesk_process_restarts", "Restarts of a process.", labels=["process"])
        memory = GaugeMetricFamily("paperdesk_process_memory_bytes", "Resident memory.", labels=["process"])
        for one in self.family.family.processes if self.family.family else ():
            restarts.add_metric([one.name], one.restarts)
            memory.add_metric([one.name], one.rss_mb * 1e6)
        notes = CounterMetricFamily("paperdesk_notes", "Notes to receivers.", labels=["receiver", "outcome"])
        for receiver, outcome, count in self.family.family.notes if self.family.family else ():
            notes.add_metric([receiver, outcome], count)
        yield restarts
        yield memory
        yield notes


class Metrics:
    """The registry and the counters that the api keeps itself."""

    def __init__(self, link: EngineLink, family: FamilyLink, version: str) -> None:
        self.registry = CollectorRegistry()
        self.collected = Collected(link, family, version)
        self.registry.register(self.collected)
        labels = ["method", "route", "status"]
        self.requests = Counter("paperdesk_api_requests", "Requests answered.", labels, registry=self.registry)
        self.slow = Counter("paperdesk_api_slow_clients", "Stream clients too slow.", registry=self.registry)
        self.commands = Counter("paperdesk_commands", "Commands.", ["command", "code"], registry=self.registry)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)
