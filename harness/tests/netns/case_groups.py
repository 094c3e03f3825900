# SPDX-License-Identifier: GPL-2.0
"""Multicast and broadcast inside of the tunnel: all of them go to the peer."""

from __future__ import annotations

import socket
import struct

from checks import equal
from lab import Cable, Machine
from packets import AF, INNER
from registry import case, combined

GROUP = {4: "239.1.2.3", 6: "ff05::1234"}


@combined
def multicast(inner: int, outer: int) -> None:
    """A datagram to a group arrives at a member at the other end, in both directions."""
    cable = Cable(outer)
    for source, sink in ((cable.a, cable.b), (cable.b, cable.a)):
        with member(sink, inner) as receiver, source, socket.socket(AF[inner], socket.SOCK_DGRAM) as sender:
            index = socket.if_nametoindex("tun0")
            if inner == 4:
                sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4si", bytes(4), bytes(4), index))
            else:
                sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            sender.sendto(b"to the group", (GROUP[inner], receiver.getsockname()[1]))
            equal("datagram of the group", receiver.recv(100), b"to the group")


def member(machine: Machine, inner: int) -> socket.socket:
    """A socket that has joined the group at tun0."""
    made = machine.udp(inner, "0.0.0.0" if inner == 4 else "::")
    with machine:
        index, group = socket.if_nametoindex("tun0"), socket.inet_pton(AF[inner], GROUP[inner])
    if inner == 4:
        made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("=4s4si", group, bytes(4), index))
    else:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, struct.pack("=16si", group, index))
    return made


@case
def broadcast() -> None:
    """A broadcast arrives at the other end, whichever of the two addresses it is for."""
    cable = Cable()
    with cable.b.udp(4, "0.0.0.0") as receiver, cable.a.udp(4, INNER[4][0]) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"tun0")
        for address in ("192.168.5.255", "255.255.255.255"):
            sender.sendto(address.encode(), (address, receiver.getsockname()[1]))
            equal(f"broadcast to {address}", receiver.recv(100), address.encode())
