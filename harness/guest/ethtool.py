# SPDX-License-Identifier: GPL-2.0
"""What ethtool does, by its ioctl(): counters and features of a device in the namespace that we are in. OSError if it fails."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from typing import NamedTuple

SIOCETHTOOL = 0x8946
GSTRINGS, GSTATS, STSO, SGRO, GSSET_INFO, GFEATURES, SFEATURES = 0x1B, 0x1D, 0x1F, 0x2C, 0x37, 0x3A, 0x3B
STATS, FEATURES = 1, 4
NAME = 32

_libc = ctypes.CDLL(None, use_errno=True)


def statistics(device: str) -> dict[str, int]:
    """Return the counters of ethtool -S."""
    names = _names(device, STATS)
    found = _call(device, struct.pack("=II", GSTATS, len(names)) + bytes(8 * len(names)))
    return dict(zip(names, struct.unpack_from(f"={len(names)}Q", found, 8), strict=True))


def set_gro(device: str, on: bool) -> None:
    """Turn GRO on or off."""
    _call(device, struct.pack("=II", SGRO, on))


def set_tso(device: str, on: bool) -> None:
    """Let the device cut TCP segments, or let the kernel do so before."""
    _call(device, struct.pack("=II", STSO, on))


def set_feature(device: str, name: str, on: bool) -> None:
    """Turn a feature on or off by its name in ethtool -k."""
    names = _names(device, FEATURES)
    blocks = (len(names) + 31) // 32
    words = [0] * (2 * blocks)
    place = names.index(name)
    words[2 * (place // 32)] = 1 << place % 32
    words[2 * (place // 32) + 1] = int(on) << place % 32
    _call(device, struct.pack(f"=II{2 * blocks}I", SFEATURES, blocks, *words))


class Feature(NamedTuple):
    """A feature of ethtool -k."""

    changeable: bool
    active: bool


def features(device: str) -> dict[str, Feature]:
    """Return the features of ethtool -k by their names."""
    names = _names(device, FEATURES)
    blocks = (len(names) + 31) // 32
    found = _call(device, struct.pack("=II", GFEATURES, blocks) + bytes(16 * blocks))
    available, _, active, _ = (struct.unpack_from(f"={4 * blocks}I", found, 8)[word::4] for word in range(4))
    return {name: Feature(_bit(available, place), _bit(active, place)) for place, name in enumerate(names) if name}


def _bit(words: tuple[int, ...], place: int) -> bool:
    return bool(words[place // 32] >> place % 32 & 1)


def _names(device: str, kind: int) -> list[str]:
    count = struct.unpack_from("=I", _call(device, struct.pack("=IIQI", GSSET_INFO, 0, 1 << kind, 0)), 16)[0]
    found = _call(device, struct.pack("=III", GSTRINGS, kind, count) + bytes(NAME * count))[12:]
    return [found[place : place + NAME].partition(b"\0")[0].decode() for place in range(0, NAME * count, NAME)]


def _call(device: str, request: bytes) -> bytes:
    data = ctypes.create_string_buffer(request, len(request))
    wanted = struct.pack("=16sQ16x", device.encode(), ctypes.addressof(data))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        if _libc.ioctl(channel.fileno(), SIOCETHTOOL, ctypes.create_string_buffer(wanted, len(wanted))) < 0:
            raise OSError(f"ethtool {request[0]:#x} of {device}: {os.strerror(ctypes.get_errno())}")
    return data.raw
