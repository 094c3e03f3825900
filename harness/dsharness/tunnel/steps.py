# SPDX-License-Identifier: GPL-2.0
"""The evaluation as steps for guest/tunnel.sh: the link, the tunnels, the servers, then the rounds."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .devices import LINK, Command, Device, End, Keys
from .sides import Netns, Side
from .meters import TOOLS, Tool

NO_PART = "-"

# 198.18.0.0/15 is reserved for benchmarks (RFC 2544).
LINK_NEAR, LINK_FAR = "198.18.0.1", "198.18.0.2"
VETH_MTU = 1500


@dataclass(frozen=True)
class Take:
    """One measurement: its round and order, and what it measures."""

    round: int
    order: int
    device: str
    tool: Tool


@dataclass(frozen=True)
class Step:
    """A command and how it is run: see guest/tunnel.sh. `fact` names what its output tells."""

    how: str
    argv: tuple[str, ...]
    part: str = NO_PART
    other: str = NO_PART
    stdin: str | None = None
    take: Take | None = None
    fact: str = ""


@dataclass(frozen=True)
class Link:
    """The bare link: its ends, their IPv4 addresses and its MTU. A shared link is neither created nor removed."""

    near: Side
    far: Side
    near_address: str
    far_address: str
    mtu: int
    shared: bool


@dataclass(frozen=True)
class Experiment:
    """What is measured. `keys` are those of the near and the far end, None if there is no wireguard."""

    link: Link
    devices: tuple[Device, ...]
    rounds: int
    seconds: int
    seed: int
    udptunctl: tuple[str, str]
    keys: tuple[Keys, Keys] | None = None

    @property
    def takes(self) -> int:
        """Maximum number of measurements."""
        return self.rounds * (len(self.devices) + 1) * len(TOOLS)

    @property
    def duration(self) -> float:
        """Duration of the rounds in seconds if nothing is absent."""
        return self.rounds * (len(self.devices) + 1) * sum(self.seconds + tool.idle_seconds for tool in TOOLS)


def veth_link() -> Link:
    """Return a link of two network namespaces of our own, joined by a veth pair."""
    mark = secrets.token_hex(4)
    return Link(Netns(f"dsb-near-{mark}"), Netns(f"dsb-far-{mark}"), LINK_NEAR, LINK_FAR, VETH_MTU, shared=False)


def steps(what: Experiment) -> list[Step]:
    """All steps, in their order."""
    return [
        *begin(what, TOOLS),
        *(step for index, device in enumerate(what.devices, start=1) for step in tunnel(what, device, index)),
        *_rounds(what),
    ]


def begin(what: Experiment, tools: Sequence[Tool]) -> list[Step]:
    """Return the steps before the first tunnel: what to undo at the end, facts, the link, the servers of `tools`."""
    return [*_undo(what), *_facts(what.link), *([] if what.link.shared else _veth(what.link)), *_servers(what.link, tools)]


def write(made: Sequence[Step], folder: Path) -> list[Path]:
    """Write the files that guest/tunnel.sh reads, the file of the steps first."""
    inputs = []
    lines = []
    for number, step in enumerate(made):
        source = "/dev/null"
        if step.stdin is not None:
            inputs.append(folder / f"tunnel-{number}.in")
            inputs[-1].write_text(step.stdin, encoding="utf-8")
            inputs[-1].chmod(0o600)
            source = inputs[-1].name
        if any("\n" in word for word in step.argv):
            raise ValueError(f"a word of {step.argv} has more than one line")
        lines += [f"{step.how} {number} {step.part} {step.other} {source} {len(step.argv)}", *step.argv]
    listing = folder / "tunnel-steps"
    listing.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return [listing, *inputs]


def inner_addresses(index: int) -> tuple[str, str]:
    """Return the addresses inside tunnel number `index`, near and far."""
    return f"198.18.{index}.1", f"198.18.{index}.2"


def _facts(link: Link) -> Iterator[Step]:
    for name, side in (("near", link.near), ("far", link.far)) if link.shared else (("near", None),):
        for fact, command in (("kernel", ("uname", "-r")), ("cpus", ("nproc",))):
            yield Step("try", tuple(side.argv(command) if side else command), fact=f"{name}_{fact}")


def _veth(link: Link) -> Iterator[Step]:
    assert isinstance(link.near, Netns) and isinstance(link.far, Netns)
    for side in (link.near, link.far):
        yield Step("do", ("ip", "netns", "add", side.name))
    pair = ("ip", "link", "add", "veth0", "type", "veth", "peer", "name", "veth0", "netns", link.far.name)
    yield at(link.near, "do", pair)
    for side, address in ((link.near, link.near_address), (link.far, link.far_address)):
        yield at(side, "do", ("ip", "link", "set", "lo", "up"))
        yield at(side, "do", ("ip", "address", "add", f"{address}/24", "dev", "veth0"))
        yield at(side, "do", ("ip", "link", "set", "veth0", "mtu", str(link.mtu), "up"))


def _servers(link: Link, tools: Sequence[Tool]) -> Iterator[Step]:
    for tool in tools:
        part = NO_PART if tool.required else tool.name
        for side in (link.near, link.far):
            yield at(side, "do", tool.version(), part, fact=f"{tool.name}_version")
        yield Step("start", tuple(link.far.lasting(tool.server())), part)
        yield at(link.near, "probe", tool.probe(link.far_address), part)


def tunnel(what: Experiment, device: Device, index: int, part: str = "", *, checksum: bool = False) -> Iterator[Step]:
    """Return the steps that make tunnel number `index`. If one fails, `part` (default: the device) is absent."""
    link = what.link
    near, far = inner_addresses(index)
    keys = what.keys or (None, None)
    ends = (
        (link.near, End(device.name, link.near_address, link.far_address, near, far, what.udptunctl[0], keys[0], checksum)),
        (link.far, End(device.name, link.far_address, link.near_address, far, near, what.udptunctl[1], keys[1], checksum)),
    )
    for side, end in ends:
        for command in device.commands(end, link.mtu):
            yield _command(side, command, part or device.name)
    iperf3 = next(tool for tool in TOOLS if tool.required)
    yield at(link.near, "probe", iperf3.probe(far), part or device.name)


def _rounds(what: Experiment) -> Iterator[Step]:
    """Return the rounds. Each measures every device with every tool once, in an order of its own."""
    shuffler = random.Random(what.seed)
    addresses = {LINK: what.link.far_address}
    addresses |= {device.name: inner_addresses(index)[1] for index, device in enumerate(what.devices, start=1)}
    cells = [(device, tool) for device in addresses for tool in TOOLS]
    for number in range(what.rounds):
        shuffler.shuffle(cells)
        for order, (device, tool) in enumerate(cells):
            yield at(
                what.link.near, "take", tool.client(addresses[device], what.seconds),
                part=NO_PART if device == LINK else device, other=NO_PART if tool.required else tool.name,
                take=Take(number, order, device, tool),
            )  # fmt: skip


def _undo(what: Experiment) -> Iterator[Step]:
    link = what.link
    if isinstance(link.near, Netns) and isinstance(link.far, Netns):
        yield from (Step("undo", ("ip", "netns", "delete", netns.name)) for netns in (link.near, link.far))
        return
    batch = "".join(" ".join(words) + "\n" for device in what.devices for words in device.undo())
    for side in (link.near, link.far):
        yield at(side, "undo", ("ip", "-force", "-batch", "-"), stdin=batch)


def _command(side: Side, command: Command, part: str) -> Step:
    return at(side, "do" if command.matters else "try", command.argv, part, stdin=command.stdin)


def at(
    side: Side, how: str, argv: Sequence[str], part: str = NO_PART, other: str = NO_PART,
    *, stdin: str | None = None, take: Take | None = None, fact: str = "",
) -> Step:  # fmt: skip
    """Return the step that runs a command at one end."""
    return Step(how, tuple(side.argv(argv)), part, other, stdin, take, fact)
