# SPDX-License-Identifier: GPL-2.0
"""Changes and deletion under traffic."""

from __future__ import annotations

import socket
import time

from checks import PATIENCE, equal, true
from commands import run, tunctl
from lab import Cable
from packets import INNER, OUTER, PORT
from registry import case, over_both
from traffic import flowing, floods, running


@over_both
def changelink_under_traffic(outer: int) -> None:
    """Everything that may change does, fifty times; then all is as before, and works."""
    cable = Cable(outer)
    second = {4: "10.0.0.3", 6: "fd00::3"}[outer]
    changes = ["ttl 9", "ttl inherit", "tos inherit", "df set", "df unset", f"remote {second}", "remote-port 7", "port 8"]
    changes += ["csum"] if outer == 4 else ["zerocsum6tx", "zerocsum6rx", "flowlabel inherit", "flowlabel 7"]
    back = f"ttl 64 tos 0 df inherit local {OUTER[outer][0]} remote {OUTER[outer][1]} port {PORT} remote-port {PORT}"
    back += " nocsum" if outer == 4 else " nozerocsum6tx nozerocsum6rx flowlabel 0"
    with cable.a:
        initial = tunctl("show tun0").stdout
    with running(*floods(cable)):
        flowing(cable)
        with cable.a:
            for _ in range(5):
                for change in changes:
                    tunctl(f"set tun0 {change}")
            tunctl(f"set tun0 {back}")
            equal("tun0", tunctl("show tun0").stdout, initial)
        flowing(cable)
    cable.check()


@over_both
def delete_under_traffic(outer: int) -> None:
    """Under full traffic in both directions, each end is deleted and made again."""
    cable = Cable(outer)
    with running(*floods(cable)):
        for number in range(10):
            flowing(cable)
            side = number % 2
            with (cable.a, cable.b)[side]:
                tunctl("del tun0")
            true("tun0 is gone", not (cable.a, cable.b)[side].has("tun0"))
            cable.make(side)
    cable.check()


@case
def delete_under_a_stream() -> None:
    """The same with TCP, whose packets wait in queues; a new tunnel carries on with the same connection."""
    cable = Cable()
    with cable.b:
        listener = socket.create_server((INNER[4][1], 0))
    with cable.a:
        sender = socket.create_connection(listener.getsockname(), PATIENCE)
    receiver, _ = listener.accept()
    sender.setblocking(False)
    receiver.setblocking(False)
    for _ in range(5):
        pump(sender, receiver, 1 << 20)
        with cable.a:
            tunctl("del tun0")
        cable.make(0)
    sender.setblocking(True)
    receiver.setblocking(True)


def pump(sender: socket.socket, receiver: socket.socket, size: int) -> None:
    """Move about `size` bytes from one end of a connection to the other."""
    deadline = time.monotonic() + 20
    done = 0
    while done < size:
        for action in (lambda: sender.send(bytes(1 << 16)) and 0, lambda: len(receiver.recv(1 << 20))):
            try:
                done += action()
            except BlockingIOError:
                time.sleep(0.001)
        true(f"a stream goes on, after {done} bytes", time.monotonic() < deadline)


@case
def module_unload_with_devices() -> None:
    """rmmod under traffic takes the devices along; the module can come back."""
    cable = Cable()
    with running(*floods(cable)):
        flowing(cable)
        run("rmmod", "udptun")
    for machine in (cable.a, cable.b):
        true("tun0 is gone", not machine.has("tun0"))
    run("modprobe", "udptun")
    for side in (0, 1):
        cable.make(side)
    cable.check()
