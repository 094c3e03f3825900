# SPDX-License-Identifier: GPL-2.0
"""Changes and deletion under traffic."""

from __future__ import annotations

from checks import equal, eventually, true
from commands import KIND, ip, run, tunctl
from lab import Cable, Machine
from packets import OUTER, PORT
from registry import case, over_both
from streams import Stream
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
    stream = Stream(cable.a, cable.b, 4)
    for _ in range(5):
        stream.move(1 << 20)
        with cable.a:
            tunctl("del tun0")
        cable.make(0)


@over_both
def changed_under_a_stream(outer: int) -> None:
    """The addresses, the ports, the MTU and the name change while TCP goes on."""
    cable = Cable(outer)
    second = {4: "10.0.0.3", 6: "fd00::3"}[outer]
    with cable.b:
        ip(f"addr add {second}/{24 if outer == 4 else 64} dev veth0 {'nodad' if outer == 6 else ''}")
    stream = Stream(cable.a, cable.b, 4)
    for words_a, words_b in (
        (f"remote {second}", f"local {second}"), ("remote-port 8", "port 8"), ("dev veth0", "dev veth0"),
        ("mtu 600", "mtu 700"), ("mtu 9000", "mtu 1400"), ("mtu 1400", "nodev"),
    ):  # fmt: skip
        stream.move(1 << 18)
        for machine, words in ((cable.a, words_a), (cable.b, words_b)):
            with machine:
                tunctl(f"set tun0 {words}")
    for name, other in (("tun0", "tun7"), ("tun7", "tun0")):
        stream.move(1 << 18)
        with cable.a:
            rename(name, other)
    stream.move(1 << 18)
    cable.check()


def rename(name: str, other: str) -> None:
    """Rename a device. Kernels before 6.2 refuse that while it is up."""
    if not run("ip", "link", "set", name, "name", other, status=None).status:
        return
    ip(f"link set {name} down\nlink set {name} name {other}\nlink set {other} up")


@case
def netns_moves_under_traffic() -> None:
    """Under traffic in both directions, the device moves to another namespace and back."""
    cable, c = Cable(), Machine("c")
    with running(*floods(cable)):
        for _ in range(2):
            flowing(cable)
            with cable.a:
                ip("link set tun0 netns c")
            cable.address(0, c)
            before = c.counters("tun0").rx_packets
            eventually("packets arrive in c", lambda start=before: c.counters("tun0").rx_packets > start + 10)  # type: ignore[misc]
            with c:
                ip("link set tun0 netns a")
            cable.address(0)
    cable.check()
    cable.check(6)


@case
def module_unload_with_devices() -> None:
    """rmmod under traffic takes the devices along; the module can come back."""
    cable = Cable()
    with running(*floods(cable)):
        flowing(cable)
        run("rmmod", KIND)
    for machine in (cable.a, cable.b):
        true("tun0 is gone", not machine.has("tun0"))
    run("modprobe", KIND)
    for side in (0, 1):
        cable.make(side)
    cable.check()
