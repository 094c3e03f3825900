# SPDX-License-Identifier: GPL-2.0
"""BPF programs that write or read the tunnel metadata of packets, assembled here, and tc's hooks for them."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct

from checks import Failure, Skip
from netlink import CREATE, EXCL, NEWTFILTER, ROUTE, TCMSG, accepted, attribute, call

INGRESS, EGRESS = 0xFFFFFFF2, 0xFFFFFFF3
"""The hooks of a clsact discipline."""

SET_TUNNEL_KEY, GET_TUNNEL_KEY = 21, 20
IPV6 = 1
"""Flag of both helpers: the addresses are of IPv6."""

TUNNEL_KEY = "=I16sBBHI16s"
"""struct bpf_tunnel_key: id, remote, TOS, TTL, flags, label, local."""

_SYS_BPF = 321
_MAP_CREATE, _MAP_LOOKUP, _MAP_UPDATE, _PROG_LOAD = 0, 1, 2, 5
_ARRAY, _SCHED_CLS = 2, 3
_MAP_LOOKUP_HELPER = 1
_SHOT, _NEXT = 2, -1
_SIZE = struct.calcsize(TUNNEL_KEY)
_libc = ctypes.CDLL(None, use_errno=True)


class TunnelKey:
    """A struct bpf_tunnel_key in a map, for a program that applies it to packets, or fills it from packets."""

    def __init__(self) -> None:
        self._map = _bpf(_MAP_CREATE, struct.pack("=IIIII", _ARRAY, 4, _SIZE, 1, 0))

    def write(self, remote: str, local: str, tos: int, ttl: int) -> None:
        """Set the value."""
        value = struct.pack(TUNNEL_KEY, 0, _field(remote), tos, ttl, 0, 0, _field(local))
        self._access(_MAP_UPDATE, ctypes.create_string_buffer(value, _SIZE))

    def read(self, family: int) -> tuple[str, str, int, int]:
        """Return the remote address, the local one, TOS and TTL."""
        value = ctypes.create_string_buffer(_SIZE)
        self._access(_MAP_LOOKUP, value)
        _, remote, tos, ttl, _, _, local = struct.unpack(TUNNEL_KEY, value.raw)
        return _text(family, remote), _text(family, local), tos, ttl

    def attach(self, device: str, hook: int, helper: int, flags: int) -> None:
        """Let a program call the helper with this value for each packet. It drops packets for which the helper fails."""
        options = attribute(6, struct.pack("=I", self._load(helper, flags))) + attribute(7, b"key\0") + attribute(8, struct.pack("=I", 1))
        head = struct.pack(TCMSG, 0, socket.if_nametoindex(device), 0, hook, 1 << 16 | socket.htons(3))
        body = head + attribute(1, b"bpf\0") + attribute(2, options)
        accepted("a program for packets", call(ROUTE, NEWTFILTER, body, CREATE | EXCL))

    def _load(self, helper: int, flags: int) -> int:
        """Load the program. It gives the packet to the next filter."""
        text = b"".join(
            (
                _instruction(0xBF, dst=6, src=1),  # r6 = the packet
                _instruction(0x62, dst=10, offset=-4),  # the map's index, on the stack: 0
                _instruction(0xBF, dst=2, src=10),
                _instruction(0x07, dst=2, value=-4),  # r2 = its address
                _instruction(0x18, dst=1, src=1, value=self._map) + bytes(8),  # r1 = the map
                _instruction(0x85, value=_MAP_LOOKUP_HELPER),
                _instruction(0x15, dst=0, offset=6),  # if there is no value: drop
                _instruction(0xBF, dst=1, src=6),
                _instruction(0xBF, dst=2, src=0),
                _instruction(0xB7, dst=3, value=_SIZE),
                _instruction(0xB7, dst=4, value=flags),
                _instruction(0x85, value=helper),
                _instruction(0x15, dst=0, offset=2),  # if it has returned 0: go on
                _instruction(0xB7, dst=0, value=_SHOT),
                _instruction(0x95),
                _instruction(0xB7, dst=0, value=_NEXT),
                _instruction(0x95),
            )
        )
        code, license_ = ctypes.create_string_buffer(text), ctypes.create_string_buffer(b"GPL")
        log = ctypes.create_string_buffer(1 << 16)
        places = [ctypes.addressof(buffer) for buffer in (code, license_, log)]
        try:
            return _bpf(_PROG_LOAD, struct.pack("=IIQQIIQ", _SCHED_CLS, len(text) // 8, *places[:2], 1, len(log), places[2]))
        except OSError as error:
            raise Failure(f"the verifier: {error}: {log.value.decode()[-300:]}") from error

    def _access(self, command: int, value: ctypes.Array[ctypes.c_char]) -> None:
        index = ctypes.c_uint32(0)
        _bpf(command, struct.pack("=IIQQQ", self._map, 0, ctypes.addressof(index), ctypes.addressof(value), 0))


def _bpf(command: int, attributes: bytes) -> int:
    """Call bpf(). Skip if the kernel lacks it."""
    buffer = ctypes.create_string_buffer(attributes.ljust(128, b"\0"), 128)
    done = int(_libc.syscall(_SYS_BPF, command, buffer, 128))
    if done < 0:
        number = ctypes.get_errno()
        if number == errno.ENOSYS:
            raise Skip("this kernel has no bpf()")
        raise OSError(number, os.strerror(number))
    return done


def _instruction(code: int, *, dst: int = 0, src: int = 0, offset: int = 0, value: int = 0) -> bytes:
    return struct.pack("=BBhi", code, src << 4 | dst, offset, value)


def _field(address: str) -> bytes:
    """An address as the helpers take it: IPv4 in the byte order of the host, IPv6 in that of the network."""
    if ":" in address:
        return socket.inet_pton(socket.AF_INET6, address)
    return struct.pack("=I", int.from_bytes(socket.inet_aton(address), "big")).ljust(16, b"\0")


def _text(family: int, field: bytes) -> str:
    if family == 6:
        return socket.inet_ntop(socket.AF_INET6, field)
    return socket.inet_ntoa(struct.unpack_from("=I", field)[0].to_bytes(4, "big"))
