# SPDX-License-Identifier: GPL-2.0
"""The datapath of Open vSwitch, openvswitch.ko: bridges, their ports and flows, by its own netlink messages."""

from __future__ import annotations

import socket
import struct

from netlink import accepted, attribute, family, generic
from packets import AF

DATAPATH, VPORT, FLOW = "ovs_datapath", "ovs_vport", "ovs_flow"
NEW = 1
"""OVS_DP_CMD_NEW, OVS_VPORT_CMD_NEW, OVS_FLOW_CMD_NEW."""

LOCAL_PORT = 0
"""The port of the bridge's own device, which has the bridge's name."""

IN_PORT, ETHERNET, ETHERTYPE, TUNNEL = 3, 4, 6, 16
OUTPUT, SET, PUSH_ETH, POP_ETH = 1, 3, 14, 15
TUN_TOS, TUN_TTL = 3, 4
TUN_SOURCE, TUN_TARGET = {4: 1, 6: 12}, {4: 2, 6: 13}
PROTOCOL = {4: 0x0800, 6: 0x86DD}
ADDRESSES, ADDRESSES_SIZE = {4: 7, 6: 8}, {4: 12, 6: 40}
"""OVS_KEY_ATTR_IPV4 and OVS_KEY_ATTR_IPV6, and the sizes of their structures."""
NETDEV = 1
"""OVS_VPORT_TYPE_NETDEV: a device of any kind."""


def bridge(name: str) -> int:
    """Make a bridge without flows in the namespace that we are in, and return its index. Skip where the kernel lacks openvswitch."""
    text = attribute(1, name.encode() + b"\0")
    accepted(f"make {name}", generic(family(DATAPATH), NEW, _header(0) + text + attribute(2, _u32(0))))
    return socket.if_nametoindex(name)


def add_port(index: int, device: str, number: int) -> None:
    """Make a device a port of a bridge."""
    words = attribute(1, _u32(number)) + attribute(2, _u32(NETDEV)) + attribute(3, device.encode() + b"\0") + attribute(5, _u32(0))
    accepted(f"{device} becomes a port", generic(family(VPORT), NEW, _header(index) + words))


def into_tunnel(index: int, version: int, tunnel: int, metadata: bytes) -> None:
    """Send IP packets of the bridge's own device to a port without their Ethernet header, with metadata of `receiver()`."""
    key = attribute(IN_PORT, _u32(LOCAL_PORT)) + attribute(ETHERNET, bytes(12)) + _any_ip(version)
    mask = attribute(IN_PORT, b"\xff" * 4) + attribute(ETHERNET, bytes(12)) + _ethertype(0xFFFF)
    actions = attribute(POP_ETH, b"") + attribute(SET, attribute(TUNNEL, metadata)) + attribute(OUTPUT, _u32(tunnel))
    _add_flow(index, key, mask, actions)


def out_of_tunnel(index: int, version: int, tunnel: int, metadata: bytes, hardware: bytes) -> None:
    """Send IP packets of a port, with the metadata of `sender()`, to the bridge's own device, whose hardware address this is."""
    key = attribute(TUNNEL, metadata) + attribute(IN_PORT, _u32(tunnel)) + _any_ip(version)
    mask = attribute(TUNNEL, _exactly(metadata)) + attribute(IN_PORT, b"\xff" * 4) + _ethertype(0xFFFF)
    _add_flow(index, key, mask, attribute(PUSH_ETH, hardware * 2) + attribute(OUTPUT, _u32(LOCAL_PORT)))


def receiver(outer: int, address: str, tos: int, ttl: int) -> bytes:
    """Metadata that name the receiver, and fields of the outer header."""
    return attribute(TUN_TARGET[outer], socket.inet_pton(AF[outer], address)) + attribute(TUN_TOS, bytes([tos])) + attribute(TUN_TTL, bytes([ttl]))


def sender(outer: int, address: str, local: str, ttl: int) -> bytes:
    """Metadata of a packet that has been received."""
    ends = attribute(TUN_SOURCE[outer], socket.inet_pton(AF[outer], address)) + attribute(TUN_TARGET[outer], socket.inet_pton(AF[outer], local))
    return ends + attribute(TUN_TTL, bytes([ttl]))


def _exactly(metadata: bytes) -> bytes:
    """Return the mask of these metadata, all of whose bits must match."""
    mask, place = bytearray(metadata), 0
    while place < len(mask):
        (length,) = struct.unpack_from("=H", metadata, place)
        mask[place + 4 : place + length] = b"\xff" * (length - 4)
        place += (length + 3) & ~3
    return bytes(mask)


def _add_flow(index: int, key: bytes, mask: bytes, actions: bytes) -> None:
    accepted("add a flow", generic(family(FLOW), NEW, _header(index) + attribute(1, key) + attribute(7, mask) + attribute(2, actions)))


def _ethertype(protocol: int) -> bytes:
    return attribute(ETHERTYPE, struct.pack("!H", protocol))


def _any_ip(version: int) -> bytes:
    """Return the key of IP packets. The kernel wants an address in it, which no mask makes count."""
    return _ethertype(PROTOCOL[version]) + attribute(ADDRESSES[version], bytes(ADDRESSES_SIZE[version]))


def _header(index: int) -> bytes:
    """struct ovs_header: the index of the bridge's device."""
    return struct.pack("=i", index)


def _u32(number: int) -> bytes:
    return struct.pack("=I", number)
