# SPDX-License-Identifier: GPL-2.0
"""The programs that measure: their command lines and their output."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

from ..errors import HarnessError

LATENCY = "latency_us"
THROUGHPUT = "throughput_mbps"

IPERF3_PORT = "5201"
SOCKPERF_PORT = "11111"
NETPERF_PORT = "12865"

# sockperf sleeps before each test, and warms up for another 0.4 s.
SOCKPERF_IDLE_SECONDS = 2.6
START_SECONDS = 0.3

LEAST, MOST = 1e-12, 1e18
"""Bounds of what a measurement can be, in any unit used here."""
DAMAGE = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)
"""Errors of reading output that is not what the tool prints."""


@dataclass(frozen=True)
class Reading:
    """Result of one run of a tool: its figure, and further details."""

    value: float
    details: dict[str, float] = field(default_factory=dict)


class Tool(ABC):
    """A tool: a client at one end, a server at the other."""

    name: str
    metric: str
    title: str
    required = False
    idle_seconds = START_SECONDS

    @property
    def lower_is_better(self) -> bool:
        """Whether a smaller figure is better."""
        return self.metric == LATENCY

    def version(self) -> list[str]:
        """Return a command that succeeds if the tool is installed."""
        return [self.name, "--version"]

    @abstractmethod
    def server(self) -> list[str]:
        """Return the command of the server, in the foreground, on all addresses."""

    @abstractmethod
    def client(self, address: str, seconds: int) -> list[str]:
        """One measurement."""

    def probe(self, address: str) -> list[str]:
        """Return a command that succeeds if the server can be reached, as short as the tool allows."""
        return self.client(address, 1)

    @abstractmethod
    def parse(self, output: str) -> Reading:
        """Parse the output of one measurement. HarnessError if there is no figure in it."""

    def complaint(self, output: str) -> str:
        """Return why a measurement failed, in the tool's words; "" if there are none."""
        return last_words(output)


class Iperf3(Tool):
    """TCP throughput, as seen by the receiver."""

    name = "iperf3"
    metric = THROUGHPUT
    title = "throughput, iperf3 TCP stream, Mbit/s"
    required = True

    def server(self) -> list[str]:
        return ["iperf3", "--server", "--port", IPERF3_PORT]

    def client(self, address: str, seconds: int) -> list[str]:
        return ["iperf3", "--json", "--client", address, "--port", IPERF3_PORT, "--time", str(seconds)]

    def probe(self, address: str) -> list[str]:
        amount = ["--bytes", "64K", "--connect-timeout", "1000"]
        return ["iperf3", "--client", address, "--port", IPERF3_PORT, *amount]

    def parse(self, output: str) -> Reading:
        try:
            report = json.loads(output)
            end = report["end"]
            value = positive(end["sum_received"]["bits_per_second"]) / 1e6
            retransmits = finite(end["sum_sent"].get("retransmits", 0))
        except DAMAGE as error:
            raise HarnessError(f"iperf3 printed no figure: {self.complaint(output)}") from error
        return Reading(value, {"retransmits": retransmits})

    def complaint(self, output: str) -> str:
        """Return the error message, which is JSON with --json."""
        try:
            return str(json.loads(output)["error"])
        except DAMAGE:
            return last_words(output)


class Sockperf(Tool):
    """TCP ping-pong with the smallest message. The figure is the median round trip of a run."""

    name = "sockperf"
    metric = LATENCY
    title = "latency, sockperf TCP ping-pong, round trip, µs"
    idle_seconds = START_SECONDS + SOCKPERF_IDLE_SECONDS

    def server(self) -> list[str]:
        return ["sockperf", "server", "--tcp", "--ip", "0.0.0.0", "--port", SOCKPERF_PORT]

    def client(self, address: str, seconds: int) -> list[str]:
        where = ["--ip", address, "--port", SOCKPERF_PORT]
        return ["sockperf", "ping-pong", "--tcp", "--full-rtt", *where, "--time", str(seconds)]

    def parse(self, output: str) -> Reading:
        found = dict(re.findall(r"percentile ([0-9.]+) = +([0-9.]+)", output))
        mean = re.search(r"avg-rtt=([0-9.]+) \(std-dev=([0-9.]+)\)", output)
        try:
            median, tail = (finite(found[rank]) for rank in ("50.000", "99.000"))
            if not mean:
                raise ValueError("no mean")
            return Reading(positive(median), {"mean": finite(mean[1]), "stddev": finite(mean[2]), "p99": tail})
        except DAMAGE as error:
            raise HarnessError(f"{self.name} printed no figure: {self.complaint(output)}") from error


class Netperf(Tool):
    """TCP_RR, the paper's test. The figure is the mean round trip of a run."""

    name = "netperf"
    metric = LATENCY
    title = "latency, netperf TCP_RR, round trip, µs"

    def version(self) -> list[str]:
        return ["netperf", "-V"]

    def server(self) -> list[str]:
        return ["netserver", "-D", "-4", "-p", NETPERF_PORT]

    def client(self, address: str, seconds: int) -> list[str]:
        test = ["-t", "TCP_RR", "-l", str(seconds), "-P", "0"]
        return ["netperf", "-H", address, "-p", NETPERF_PORT, *test, "--", "-o", "MEAN_LATENCY"]

    def parse(self, output: str) -> Reading:
        lines = output.strip().splitlines()
        try:
            return Reading(positive(float(lines[-1])))
        except DAMAGE as error:
            raise HarnessError(f"{self.name} printed no figure: {self.complaint(output)}") from error


TOOLS: tuple[Tool, ...] = (Sockperf(), Netperf(), Iperf3())


def positive(value: Any) -> float:
    """Return a figure of a measurement. ValueError if it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not LEAST < value < MOST:
        raise ValueError(f"{value!r} is no measurement")
    return float(value)


def finite(value: Any) -> float:
    """Return a number that a result file can have. ValueError if it is none."""
    number = float(value)
    if not abs(number) < MOST:
        raise ValueError(f"{number} is no figure")
    return number


def last_words(output: str) -> str:
    """Return the last line that is not empty."""
    return next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "")
