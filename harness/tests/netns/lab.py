# SPDX-License-Identifier: GPL-2.0
"""Namespaces as machines, for one process that holds sockets in all of them.

It runs in a guest, as root, with nothing but Python's standard library, ip and udptunctl. No second process has to be
waited for: what one socket sends is there when the next line reads it from the other.
"""

from __future__ import annotations

import ctypes
import os
import re
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from checks import PATIENCE, Failure, eventually
from commands import KIND, ip, run, tunctl
from datagrams import exchange
from kinds import UNCHANGEABLE
from packets import AF, INNER, OUTER, PORT, UDP_HEADER, Sniffer

IP_MTU_DISCOVER, IP_PMTUDISC_DONT, IP_PMTUDISC_DO = 10, 0, 2
IPV6_MTU_DISCOVER, IPV6_DONTFRAG, IPV6_CHECKSUM = 23, 62, 7
CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE = 33
"""Beyond net.core.rmem_max: a busy guest delivers hundreds of datagrams before their receiver runs."""
FLAGS = ("csum", "zerocsum6tx", "zerocsum6rx")
"""Keywords of udptunctl without a value."""

_libc = ctypes.CDLL(None, use_errno=True)


class Machine:
    """A network namespace. `with machine:` enters it; it is left at the end of the block."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._before: list[int] = []
        run("ip", "netns", "add", name)
        with self:
            for setting in ("addr_gen_mode 1", "router_solicitations 0", "accept_dad 0"):
                self.sysctl("net/ipv6/conf/default/" + setting)
            ip("link set lo up")

    def __enter__(self) -> Machine:
        self._before.append(os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        with open(f"/run/netns/{self.name}", "rb") as namespace:
            _enter(namespace.fileno())
        return self

    def __exit__(self, *_: object) -> None:
        before = self._before.pop()
        _enter(before)
        os.close(before)

    def sysctl(self, setting: str) -> None:
        """Write "path value" below /proc/sys, while we are inside."""
        path, value = setting.split()
        Path("/proc/sys", path).write_text(value, encoding="ascii")

    def enslave(self, device: str) -> None:
        """Put a device into a VRF, red, before it has addresses."""
        with self:
            ip(f"link add red type vrf table 10\nlink set red up\nlink set {device} master red")

    @staticmethod
    def read_sysctl(path: str) -> str:
        """Read a path below /proc/sys, while we are inside."""
        return Path("/proc/sys", path).read_text(encoding="ascii").strip()

    def delete(self) -> None:
        """Give up the namespace; it dies when nothing uses it."""
        run("ip", "netns", "del", self.name)

    def counters(self, device: str) -> Counters:
        """The counters of a device. Failure when it is not there."""
        with self:
            for line in Path("/proc/net/dev").read_text(encoding="ascii").splitlines():
                name, _, rest = line.strip().partition(":")
                if name == device:
                    return Counters.read([int(word) for word in rest.split()])
        raise Failure(f"{self.name} has no device {device}")

    def ready(self, *devices: str) -> None:
        """Wait until these have a carrier and IPv6 has noticed; the kernel may take a second. Failure when they get none."""
        eventually(f"{self.name}'s {', '.join(devices)} are up", lambda: all(self._is_up(device) for device in devices))

    def _is_up(self, device: str) -> bool:
        with self:
            return "state UP" in run("ip", "link", "show", device).stdout

    def has(self, device: str) -> bool:
        """Is there a device of that name?"""
        with self:
            return device in (name for _, name in socket.if_nameindex())

    def udp(self, family: int, address: str, port: int = 0, *, df: bool | None = None, device: str = "") -> socket.socket:
        """A UDP socket at this address, of this device if one is given; `df` None leaves it to the kernel."""
        with self:
            made = socket.socket(AF[family], socket.SOCK_DGRAM)
            if device:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
            made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
            made.bind((address, port))
        if df is not None:
            level, name = (socket.IPPROTO_IP, IP_MTU_DISCOVER) if family == 4 else (socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER)
            made.setsockopt(level, name, IP_PMTUDISC_DO if df else IP_PMTUDISC_DONT)
            if family == 6:
                made.setsockopt(socket.IPPROTO_IPV6, IPV6_DONTFRAG, int(df))
        made.settimeout(PATIENCE)
        return made

    def sniffer(self, device: str) -> Sniffer:
        """Sees each packet that arrives at a device from now on."""
        with self:
            return Sniffer(device)


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, CLONE_NEWNET):
        raise Failure(f"setns: {os.strerror(ctypes.get_errno())}")


@dataclass(frozen=True)
class Counters:
    """What /proc/net/dev has of a device; `rx_frame` is the sum of length, checksum and framing errors."""

    rx_bytes: int
    rx_packets: int
    rx_errors: int
    rx_dropped: int
    rx_frame: int
    tx_bytes: int
    tx_packets: int
    tx_errors: int
    tx_dropped: int
    tx_collisions: int
    tx_carrier: int

    @classmethod
    def read(cls, words: list[int]) -> Counters:
        """From the numbers of its line."""
        return cls(*words[0:4], words[5], *words[8:12], *words[13:15])

    def __sub__(self, earlier: Counters) -> Counters:
        return Counters(*(getattr(self, name) - getattr(earlier, name) for name in self.__dataclass_fields__))


def errors(counters: Counters) -> tuple[int, int, int]:
    """Receive errors, those of framing, and packets received."""
    return counters.rx_errors, counters.rx_frame, counters.rx_packets


class Cable:
    """Two machines joined by veth, with a tunnel between them.

    ┌─────────────────────────┐            ┌─────────────────────────┐
    │ a                       │            │ b                       │
    │ tun0  192.168.5.1/24    │            │ tun0  192.168.5.2/24    │
    │       fd05::1/64        │            │       fd05::2/64        │
    │   udp port 7000         │            │   udp port 7000         │
    │ veth0 10.0.0.1/24       ├────────────┤ veth0 10.0.0.2/24       │
    │       fd00::1/64        │            │       fd00::2/64        │
    └─────────────────────────┘            └─────────────────────────┘
    """

    def __init__(self, outer: int = 4, options: str = "", *, vrf: bool = False, only_a: str = "") -> None:
        """Lay the cable and make both ends of the tunnel with `options`; `only_a` is for a's, whose veth0 is in a VRF, red, if `vrf`."""
        self.outer = outer
        self._options = ["", ""]
        self.a, self.b = Machine("a"), Machine("b")
        self.lay(vrf=vrf)
        self.make(0, f"{options} {only_a}")
        self.make(1, options)

    def lay(self, *, vrf: bool = False) -> None:
        """Join the machines, for the first time or after one has lost its end; a's end is in a VRF, red, if `vrf`."""
        ip("link add veth0 netns a type veth peer name veth0 netns b")
        if vrf:
            self.a.enslave("veth0")
        for side, machine in enumerate((self.a, self.b)):
            with machine:
                ip(f"""
                addr add {OUTER[4][side]}/24 dev veth0
                addr add {OUTER[6][side]}/64 dev veth0 nodad
                link set veth0 up
                """)
        for machine in (self.a, self.b):
            machine.ready("veth0")

    @classmethod
    def of(cls, a: Machine, b: Machine, outer: int = 4) -> Cable:
        """The ends of a cable that a case has laid itself."""
        made = cls.__new__(cls)
        made.outer, made.a, made.b = outer, a, b
        made._options = ["", ""]
        return made

    def make(self, side: int, options: str = "") -> None:
        """Make the tunnel's end in a (0) or b (1)."""
        local, remote = OUTER[self.outer][side], OUTER[self.outer][1 - side]
        self._options[side] = options
        with (self.a, self.b)[side]:
            tunctl(f"add tun0 local {local} remote {remote} port {PORT} {options}")
        self.address(side)

    def address(self, side: int, machine: Machine | None = None) -> None:
        """Give the tunnel's end its addresses, and bring it up."""
        with machine or (self.a, self.b)[side]:
            ip(f"""
            addr add {INNER[4][side]}/24 dev tun0
            addr add {INNER[6][side]}/64 dev tun0 nodad
            link set tun0 up
            """)

    def set(self, options: str) -> None:
        """Change both ends. An end of a kind that cannot be changed is made anew."""
        for side, machine in enumerate((self.a, self.b)):
            if KIND in UNCHANGEABLE:
                with machine:
                    tunctl("del tun0")
                self.make(side, changed(self._options[side], options))
                continue
            with machine:
                tunctl(f"set tun0 {options}")

    def pair(self, inner: int, *, df: bool | None = None) -> tuple[socket.socket, socket.socket]:
        """Connected UDP sockets in a and b that talk through the tunnel."""
        ends = [m.udp(inner, INNER[inner][side], df=df) for side, m in enumerate((self.a, self.b))]
        for end, other in (ends, reversed(ends)):
            end.connect(other.getsockname()[:2])
        return ends[0], ends[1]

    def check(self, inner: int = 4) -> None:
        """Failure unless a datagram comes through, and its answer."""
        left, right = self.pair(inner)
        with left, right:
            exchange(left, right, b"ping")
            exchange(right, left, b"pong")

    def inject(self, payload: bytes, *, source: str | None = None, port: int = PORT, tos: int = 0, checksum: bool = True) -> None:
        """Send a UDP packet from b to the tunnel's port in a, as the tunnel's peer would."""
        family = AF[self.outer]
        header = struct.pack("!HHHH", port, PORT, UDP_HEADER + len(payload), 0)
        with self.b, socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
            raw.bind((source or OUTER[self.outer][1], 0))
            if self.outer == 4:
                raw.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
            else:
                raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
                raw.setsockopt(socket.IPPROTO_IPV6, IPV6_CHECKSUM, 6 if checksum else -1)
            raw.sendto(header + payload, (OUTER[self.outer][0], 0))


def changed(options: str, others: str) -> str:
    """Return the options of a tunnel with others, which replace those of the same keyword."""
    found: dict[str, str] = {}
    for words in (options, others):
        keyword = ""
        for word in words.split():
            if keyword and found[keyword] == keyword and keyword not in FLAGS:
                found[keyword] += f" {word}"
                continue
            keyword = word.removeprefix("no") if word.removeprefix("no") in (*FLAGS, "dev") else word
            found[keyword] = word
    return " ".join(found.values())


def clear() -> None:
    """Leave nothing of a case: namespaces, and what of our devices is in the first one."""
    for name in re.findall(r"^\S+", run("ip", "netns", "list").stdout, re.MULTILINE):
        run("ip", "netns", "del", name)
    for line in run("ip", "-o", "link").stdout.splitlines():
        name = line.split(": ")[1].partition("@")[0]
        if re.match(r"tun\d|veth|dummy|ifb", name):
            run("ip", "link", "del", name, status=None)
