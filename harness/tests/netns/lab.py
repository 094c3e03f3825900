# SPDX-License-Identifier: GPL-2.0
"""Namespaces as machines, for one process that holds sockets in all of them.

It runs in a guest, as root, with nothing but Python's standard library, ip and udptunctl. No second process has to be
waited for: what one socket sends is there when the next line reads it from the other.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PORT = 7000
"""The UDP port of the tunnels, at both ends."""

OUTER = {4: ("10.0.0.1", "10.0.0.2"), 6: ("fd00::1", "fd00::2")}
INNER = {4: ("192.168.5.1", "192.168.5.2"), 6: ("fd05::1", "fd05::2")}
AF = {4: socket.AF_INET, 6: socket.AF_INET6}
IP_HEADER = {4: 20, 6: 40}
UDP_HEADER = 8

PATIENCE = 5.0
"""Seconds for what has to arrive; what must not arrive is given much less, and is looked for in the counters, too."""

IP_MTU_DISCOVER, IP_PMTUDISC_DONT, IP_PMTUDISC_DO = 10, 0, 2
IPV6_MTU_DISCOVER, IPV6_DONTFRAG = 23, 62
IPV6_CHECKSUM, IPV6_FLOWINFO_SEND, IPV6_FLOWLABEL_MGR = 7, 33, 32
ETH_P_ALL, PACKET_OUTGOING = 3, 4
CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """What was found is not what has to be."""


class Skip(Exception):
    """The case cannot be tried here, and why."""


def equal(what: str, found: object, wanted: object) -> None:
    """Failure unless both are the same."""
    if found != wanted:
        raise Failure(f"{what}: {found!r} instead of {wanted!r}")


def true(what: str, holds: object) -> None:
    """Failure, with what should hold, unless it does."""
    if not holds:
        raise Failure(what)


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    status: int
    stdout: str
    stderr: str


def run(*argv: str, stdin: str = "", status: int | None = 0) -> Ran:
    """Run a command in the namespace that we are in. Failure when it does not exit with `status` (None: any)."""
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=60)
    if status is not None and done.returncode != status:
        raise Failure(f"{' '.join(argv)}: status {done.returncode} instead of {status}: {done.stderr.strip() or stdin}")
    return Ran(done.returncode, done.stdout, done.stderr)


def ip(commands: str) -> None:
    """Run these lines by ip, in the namespace that we are in."""
    run("ip", "-batch", "-", stdin="\n".join(line.strip() for line in commands.strip().splitlines()) + "\n")


def tunctl(words: str, status: int | None = 0) -> Ran:
    """Run udptunctl in the namespace that we are in."""
    return run("udptunctl", *words.split(), status=status)


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

    def udp(self, family: int, address: str, port: int = 0, *, df: bool | None = None) -> socket.socket:
        """A UDP socket at this address; `df` None leaves it to the kernel."""
        with self:
            made = socket.socket(AF[family], socket.SOCK_DGRAM)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
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


class Sniffer:
    """The packets that arrive at a device, from their IP header on."""

    def __init__(self, device: str) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self._socket.bind((device, ETH_P_ALL))

    def packets(self, wait: float = 0.2) -> list[Packet]:
        """Those that are there, the first of which may take `wait` seconds; neighbour discovery and the like left out."""
        found = []
        while select.select([self._socket], [], [], 0 if found else wait)[0]:
            data, (_, _, direction, *_) = self._socket.recvfrom(1 << 17)
            if direction != PACKET_OUTGOING and (packet := Packet.parse(data)):
                found.append(packet)
        return found

    def one(self) -> Packet:
        """The one packet that has arrived. Failure when there is none, or another."""
        found = self.packets(PATIENCE)
        equal("packets seen", len(found), 1)
        return found[0]


@dataclass(frozen=True)
class Packet:
    """A UDP packet, or a fragment of one."""

    version: int
    tos: int
    ttl: int
    df: bool
    flowlabel: int
    fragment: bool
    length: int
    checksum: int
    payload: bytes

    @classmethod
    def parse(cls, data: bytes) -> Packet | None:
        """None for what is no UDP."""
        version = data[0] >> 4
        if version == 4 and data[9] == socket.IPPROTO_UDP:
            length, _, offset = struct.unpack_from("!HHH", data, 2)
            fields = (4, data[1], data[8], bool(offset & 0x4000), 0, bool(offset & 0x3FFF), length)
            return cls(*fields, *_udp(data[20:]))
        if version == 6 and data[6] in (socket.IPPROTO_UDP, socket.IPPROTO_FRAGMENT):
            word, length = struct.unpack_from("!IH", data)
            fragment = data[6] == socket.IPPROTO_FRAGMENT
            fields = (6, word >> 20 & 0xFF, data[7], False, word & 0xFFFFF, fragment, length + 40)
            return cls(*fields, *_udp(data[48 if fragment else 40 :]))
        return None

    @property
    def inside(self) -> Packet:
        """The packet in its payload."""
        packet = Packet.parse(self.payload)
        if not packet:
            raise Failure(f"no UDP inside: {self.payload[:48].hex()}")
        return packet


def _udp(data: bytes) -> tuple[int, bytes]:
    return int.from_bytes(data[6:8], "big"), data[8:]


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

    def __init__(self, outer: int = 4, options: str = "") -> None:
        self.outer = outer
        self.a, self.b = Machine("a"), Machine("b")
        ip("link add veth0 netns a type veth peer name veth0 netns b")
        for side, machine in enumerate((self.a, self.b)):
            with machine:
                ip(f"""
                addr add {OUTER[4][side]}/24 dev veth0
                addr add {OUTER[6][side]}/64 dev veth0 nodad
                link set veth0 up
                """)
        for machine in (self.a, self.b):
            machine.ready("veth0")
        self.make(0, options)
        self.make(1, options)

    def make(self, side: int, options: str = "") -> None:
        """Make the tunnel's end in a (0) or b (1)."""
        local, remote = OUTER[self.outer][side], OUTER[self.outer][1 - side]
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
        """Change both ends."""
        for machine in (self.a, self.b):
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


def exchange(sender: socket.socket, receiver: socket.socket, data: bytes) -> None:
    """Send a datagram; Failure unless it arrives as it was."""
    sender.send(data)
    try:
        found = receiver.recv(1 << 17)
    except TimeoutError as error:
        raise Failure(f"a datagram of {len(data)} bytes did not arrive") from error
    if found != data:
        raise Failure(f"a datagram of {len(data)} bytes arrived changed")


def silent(receiver: socket.socket, wait: float = 0.1) -> None:
    """Failure when something arrives."""
    if select.select([receiver], [], [], wait)[0]:
        raise Failure(f"{receiver.recv(1 << 17)[:64]!r} arrived")


def eventually(what: str, holds: Callable[[], bool]) -> None:
    """Failure unless it comes true within PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise Failure(f"not within {PATIENCE:g} s: {what}")
        time.sleep(0.02)


@contextlib.contextmanager
def running(*jobs: Callable[[], None]) -> Iterator[None]:
    """Run jobs over and over, each in a process of its own, while the block is executed. What fails in them is tried again."""
    children = [_start(job) for job in jobs]
    try:
        yield
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _start(job: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    while True:
        with contextlib.suppress(OSError, Failure):
            job()


def clear() -> None:
    """Leave nothing of a case: namespaces, and what of our devices is in the first one."""
    for name in re.findall(r"^\S+", run("ip", "netns", "list").stdout, re.MULTILINE):
        run("ip", "netns", "del", name)
    for line in run("ip", "-o", "link").stdout.splitlines():
        name = line.split(": ")[1].partition("@")[0]
        if re.match(r"tun\d|veth|dummy", name):
            run("ip", "link", "del", name, status=None)
