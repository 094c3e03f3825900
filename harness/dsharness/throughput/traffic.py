# SPDX-License-Identifier: GPL-2.0
"""The kinds of traffic: TCP by iperf3 in several shapes, and UDP with GSO."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ..errors import HarnessError
from ..tunnel.meters import DAMAGE, IPERF3_PORT, THROUGHPUT, Iperf3, Reading, Tool, finite, positive

UDP_PORT = "5202"
PYTHON = "/usr/bin/python3"
UDP_SCRIPT = "udpflow.py"
DATAGRAM = 1372
"""Bytes of a datagram's payload: as much as fits into the tunnel with the largest overhead, in all of them."""
LARGE, SMALL = "128K", "128"
"""Bytes of a write."""


@dataclass(frozen=True)
class Tcp(Iperf3):
    """TCP streams in one direction, or in both at once, until an amount has been sent. The figure is the sum of all receivers."""

    name: str
    title: str
    flows: int = 1
    write: str = LARGE
    amount: str = "16M"
    both: bool = False

    def client(self, address: str, seconds: int) -> list[str]:
        """Return one measurement; the amount ends it, not the time."""
        shape = ["--parallel", str(self.flows), "--length", self.write, "--bytes", self.amount]
        shape += ["--no-delay"] if self.write == SMALL else []
        shape += ["--bidir"] if self.both else []
        return ["iperf3", "--json", "--client", address, "--port", IPERF3_PORT, *shape]

    def parse(self, output: str) -> Reading:
        """Return Mbit/s, with the bytes and seconds that it is made of."""
        try:
            end = json.loads(output)["end"]
            sums = [end["sum_received"], *([end["sum_received_bidir_reverse"]] if self.both else [])]
            seconds = max(positive(one["seconds"]) for one in sums)
            received = sum(positive(one["bytes"]) for one in sums)
        except DAMAGE as error:
            raise HarnessError(f"iperf3 printed no figure: {self.complaint(output)}") from error
        return rate(received, seconds)


@dataclass(frozen=True)
class UdpGso(Tool):
    """One UDP flow: GSO at the sender, GRO at the receiver, which acknowledges, so that nothing is lost."""

    name: str = "udp-gso"
    title: str = "UDP, GSO"
    mebibytes: int = 16
    metric = THROUGHPUT
    required = True

    def version(self) -> list[str]:
        return [PYTHON, UDP_SCRIPT, "version"]

    def server(self) -> list[str]:
        return [PYTHON, UDP_SCRIPT, "serve", UDP_PORT]

    def client(self, address: str, seconds: int) -> list[str]:
        return [PYTHON, UDP_SCRIPT, "send", address, UDP_PORT, str(self.mebibytes), str(DATAGRAM)]

    def probe(self, address: str) -> list[str]:
        return [PYTHON, UDP_SCRIPT, "send", address, UDP_PORT, "1", str(DATAGRAM)]

    def parse(self, output: str) -> Reading:
        try:
            said = json.loads(output)
            return rate(positive(said["bytes"]), positive(said["seconds"]))
        except DAMAGE as error:
            raise HarnessError(f"{UDP_SCRIPT} printed no figure: {self.complaint(output)}") from error


def rate(count: float, seconds: float) -> Reading:
    """Return Mbit/s of `count` bytes."""
    return Reading(positive(8 * count / seconds / 1e6), {"bytes": finite(count), "seconds": finite(seconds)})


SERVERS: tuple[Tool, ...] = (Iperf3(), UdpGso())
"""The tools whose servers all kinds need."""
TRAFFIC: tuple[Tool, ...] = (
    Tcp("tcp-1", "TCP, 1 flow"),
    Tcp("tcp-8", "8 flows", flows=8),
    Tcp("tcp-64", "64 flows", flows=64),
    Tcp("tcp-small", "writes of 128 bytes", write=SMALL, amount="1M"),
    Tcp("tcp-both", "both ways", both=True),
    UdpGso(),
)
"""All kinds, the one of the matrix of offloads first."""
