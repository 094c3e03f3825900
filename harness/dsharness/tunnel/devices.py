# SPDX-License-Identifier: GPL-2.0
"""The tunnels under test: the commands that create each at one end of the link.

Every tunnel carries IPv4 in IPv4, and has the largest MTU that fits the link. It has no outer checksum where it has
a choice, unless End.checksum says so.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..results.datapath import RUST, TUNNELS, UDPTUN

LINK = "link"

UDPTUN_PORT, RUST_PORT = "7000", "7001"
VXLAN_PORT = "4789"
GENEVE_PORT, GENEVE_L3_PORT = "6081", "6082"
BAREUDP_PORT = "6635"
FOU_PORT = "5555"
WIREGUARD_PORT = "51820"

NO_CHECKSUM = ("nocsum", "noudpcsum", "noencap-csum")
"""Words for a tunnel without an outer checksum. Without their "no" they are the words for one."""

# wg reads its settings from a file that it opens: a pipe works, ssh's socket does not.
WG_SETCONF = ("sh", "-c", 'cat | wg setconf "$1" /proc/self/fd/0', "sh")

# Outer IPv4 and UDP headers; then the bytes that each format adds.
IPV4_UDP = 20 + 8
ETHERNET = 14
VXLAN_HEADER = 8
GENEVE_HEADER = 8
WIREGUARD_HEADER = 52  # Type and counter, padding to 16, authenticator: leaves the 1420 of 1500 that is WireGuard's own MTU.


@dataclass(frozen=True)
class Keys:
    """Private key of one end, public key of the other, in the base64 form of wg."""

    private: str
    other_public: str


@dataclass(frozen=True)
class End:
    """One end of a tunnel as its commands need it: outer and inner addresses, names."""

    device: str
    local: str
    remote: str
    inner: str
    inner_remote: str
    udptunctl: str
    keys: Keys | None = field(default=None, repr=False)
    checksum: bool = False
    """Whether to send with an outer UDP checksum."""

    @property
    def name(self) -> str:
        """The name of the interface."""
        return interface(self.device)

    def words(self, options: tuple[str, ...]) -> tuple[str, ...]:
        """Return the options of a kind, with the checksum of this end."""
        return tuple(word.removeprefix("no") if self.checksum and word in NO_CHECKSUM else word for word in options)


@dataclass(frozen=True)
class Command:
    """An argument list, with its standard input if it needs one. `matters` is False if a failure is expected."""

    argv: tuple[str, ...]
    stdin: str | None = None
    matters: bool = True


@dataclass(frozen=True)
class Device:
    """A kind of tunnel. `make` returns the commands that create the interface, `after` those once it is up with its address."""

    name: str
    overhead: int
    make: Callable[[End], list[Command]]
    after: Callable[[End], list[Command]] = lambda end: []
    clear: Callable[[], list[tuple[str, ...]]] = lambda: []
    options: tuple[str, ...] = ()
    """What `make` asks for besides the addresses."""

    def commands(self, end: End, link_mtu: int) -> list[Command]:
        """Return all commands that create this end, in order."""
        up = [
            _command("ip", "link", "set", end.name, "mtu", str(link_mtu - self.overhead), "up"),
            _command("ip", "address", "add", end.inner, "peer", end.inner_remote, "dev", end.name),
        ]
        return [*self.make(end), *up, *self.after(end)]

    def undo(self) -> list[tuple[str, ...]]:
        """Return the `ip` commands that remove this end if no namespace does."""
        return [("link", "delete", interface(self.name)), *self.clear()]


def interface(device: str) -> str:
    """Return the name of a device's interface."""
    return f"dsb-{device}"


def _command(*argv: str, stdin: str | None = None, matters: bool = True) -> Command:
    return Command(argv, stdin, matters)


def _ip_link(end: End, *kind: str) -> Command:
    return _command("ip", "link", "add", end.name, "type", *kind)


_UDPTUN = ("port", UDPTUN_PORT, "nocsum")
_RUST = ("kind", RUST, "port", RUST_PORT, "nocsum")
_VXLAN = ("id", "1", "dstport", VXLAN_PORT, "noudpcsum")
_GENEVE = ("id", "1", "dstport", GENEVE_PORT, "noudpcsum")
_GENEVE_L3 = ("id", "2", "dstport", GENEVE_L3_PORT, "noudpcsum", "innerprotoinherit")
_BAREUDP = ("dstport", BAREUDP_PORT, "ethertype", "ipv4")
_FOU = ("encap", "fou", "encap-sport", "auto", "encap-dport", FOU_PORT, "noencap-csum")


def _own(module: str, options: tuple[str, ...]) -> Callable[[End], list[Command]]:
    """Return what makes a tunnel of one of this project's drivers."""

    def make(end: End) -> list[Command]:
        addresses = ("local", end.local, "remote", end.remote)
        return [_command("modprobe", module), _command(end.udptunctl, "add", end.name, *addresses, *end.words(options))]

    return make


def _vxlan(end: End) -> list[Command]:
    return [_ip_link(end, "vxlan", "local", end.local, "remote", end.remote, *end.words(_VXLAN))]


def _geneve(end: End) -> list[Command]:
    return [_ip_link(end, "geneve", "remote", end.remote, *end.words(_GENEVE))]


def _geneve_l3(end: End) -> list[Command]:
    """Return geneve's commands as a layer 3 device: without an Ethernet header inside."""
    return [_ip_link(end, "geneve", "remote", end.remote, *end.words(_GENEVE_L3))]


def _bareudp(end: End) -> list[Command]:
    return [_ip_link(end, "bareudp", *end.words(_BAREUDP))]


def _bareudp_route(end: End) -> list[Command]:
    """Return bareudp's commands: it has no peer, so the route says where a packet goes."""
    to = ("encap", "ip", "id", "1", "dst", end.remote, *(("csum",) if end.checksum else ()), "dev", end.name, "src", end.inner)
    return [_command("ip", "route", "replace", end.inner_remote, *to)]


def _fou(end: End) -> list[Command]:
    return [
        _command("modprobe", "fou", matters=False),
        _command("ip", "fou", "add", "port", FOU_PORT, "ipproto", "4"),
        _ip_link(end, "ipip", "local", end.local, "remote", end.remote, *end.words(_FOU)),
    ]


def _wireguard(end: End) -> list[Command]:
    if not end.keys:
        return [_command("wg", "--version")]
    settings = (
        f"[Interface]\nPrivateKey = {end.keys.private}\nListenPort = {WIREGUARD_PORT}\n"
        f"[Peer]\nPublicKey = {end.keys.other_public}\nAllowedIPs = 0.0.0.0/0\n"
        f"Endpoint = {end.remote}:{WIREGUARD_PORT}\n"
    )
    return [_ip_link(end, "wireguard"), _command(*WG_SETCONF, end.name, stdin=settings)]


_TABLE = (
    Device(UDPTUN, IPV4_UDP, _own(UDPTUN, _UDPTUN), options=_UDPTUN),
    Device(RUST, IPV4_UDP, _own(RUST, _RUST), options=_RUST),
    Device("vxlan", IPV4_UDP + VXLAN_HEADER + ETHERNET, _vxlan, options=_VXLAN),
    Device("geneve", IPV4_UDP + GENEVE_HEADER + ETHERNET, _geneve, options=_GENEVE),
    Device("geneve_l3", IPV4_UDP + GENEVE_HEADER, _geneve_l3, options=_GENEVE_L3),
    Device("bareudp", IPV4_UDP, _bareudp, after=_bareudp_route, options=_BAREUDP),
    Device("fou", IPV4_UDP, _fou, clear=lambda: [("fou", "del", "port", FOU_PORT, "ipproto", "4")], options=_FOU),
    Device("wireguard", IPV4_UDP + WIREGUARD_HEADER, _wireguard),
)
_BY_NAME = {device.name: device for device in _TABLE}
DEVICES = tuple(_BY_NAME[kind] for kind in TUNNELS)


def options_of(names: Sequence[str]) -> dict[str, str]:
    """Return the options of these tunnels besides their addresses, as results have them."""
    return {device.name: " ".join(device.options) for device in DEVICES if device.name in names and device.options}
