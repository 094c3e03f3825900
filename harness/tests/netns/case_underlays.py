# SPDX-License-Identifier: GPL-2.0
"""Underlays by `dev`: devices, VRFs, and the sockets that are bound to them."""

from __future__ import annotations

import json
import socket
import time

from checks import equal, true
from commands import KIND, ip, refusal, run, tunctl
from datagrams import exchange, learns, pattern, silent
from kinds import is_left_out
from lab import Cable, Machine
from packets import AF, INNER, IP_HEADER, OUTER, PORT, UDP_HEADER, inner_packet, overhead
from registry import case, over_both


@over_both
def vrf(outer: int) -> None:
    """The underlay is in a VRF: `dev` names it, or the VRF; both ways, and the default MTU is that of the device."""
    cable = Cable(outer, vrf=True, only_a="dev red")
    for device in ("red", "veth0"):
        with cable.a:
            tunctl(f"set tun0 dev {device}")
            (shown,) = json.loads(tunctl("-j show tun0").stdout)
        equal(f"MTU by default with dev {device}", shown["mtu"], 1500 - overhead(outer))
        for inner in (4, 6):
            cable.check(inner)


@case
def vrf_has_addresses_of_its_own() -> None:
    """An address of this host in the VRF of the underlay cannot be the remote one; one outside the VRF can."""
    cable = Cable(vrf=True, only_a="dev red")
    with cable.a:
        ip("link add dummy0 type dummy\naddr add 10.9.0.1/24 dev dummy0\naddr add fd09::1/64 dev dummy0 nodad\nlink set dummy0 up")
        for local, own, other in (("10.0.0.7", OUTER[4][0], "10.9.0.1"), ("fd00::7", OUTER[6][0], "fd09::1")):
            for device in ("red", "veth0"):
                refusal(
                    f"add tun1 local {local} remote {own} port {PORT} dev {device}", "The remote address belongs to this host"
                )
                tunctl(f"add tun1 local {local} remote {other} port {PORT} dev {device}")
                tunctl("del tun1")
            refusal(f"add tun1 local {local} remote {other} port {PORT}", "The remote address belongs to this host")


@case
def vrf_and_main_table_share_a_port() -> None:
    """The same addresses and ports in a VRF and outside of it belong to two tunnels.

    b tun0 ── veth0 ── veth0 (red) a tun0        c tun0 ── veth0 ── veth1 a tun1
    """
    cable = Cable(vrf=True, only_a="dev veth0")
    c = Machine("c")
    ip("link add veth1 netns a type veth peer name veth0 netns c")
    with cable.a:
        ip(f"addr add {OUTER[4][0]}/24 dev veth1\nlink set veth1 up")
        tunctl(f"add tun1 local {OUTER[4][0]} remote {OUTER[4][1]} port {PORT}")
        ip("addr add 192.168.6.1/24 dev tun1\nlink set tun1 up")
    with c:
        ip(f"addr add {OUTER[4][1]}/24 dev veth0\nlink set veth0 up")
        tunctl(f"add tun0 local {OUTER[4][1]} remote {OUTER[4][0]} port {PORT}")
        ip("addr add 192.168.6.2/24 dev tun0\nlink set tun0 up")
    cable.a.ready("veth1")
    left, right = cable.a.udp(4, "192.168.6.1"), c.udp(4, "192.168.6.2")
    left.connect(right.getsockname())
    right.connect(left.getsockname())
    exchange(left, right, b"outside")
    exchange(right, left, b"outside")
    cable.check()
    with cable.a:
        tunctl("del tun0")
    before = cable.a.counters("tun1")
    cable.inject(inner_packet(4))
    time.sleep(0.1)
    equal("packets out of the VRF in tun1", (cable.a.counters("tun1") - before).rx_packets, 0)


@over_both
def device_and_none_share_a_port(outer: int) -> None:
    """Tunnels with an underlay and without one share address and port, in either order of creation; a change of `dev` is no conflict."""
    cable = Cable(outer)
    second = {4: "10.0.0.3", 6: "fd00::3"}[outer]
    length = 24 if outer == 4 else 64
    with cable.b:
        ip(f"addr add {second}/{length} dev veth0 {'nodad' if outer == 6 else ''}")
        tunctl(f"add tun1 local {second} remote {OUTER[outer][0]} port {PORT}")
        ip("addr add 192.168.6.2/24 dev tun1\nlink set tun1 up")
    for first, other in (("dev veth0", "nodev"), ("nodev", "dev veth0"), ("nodev", "nodev"), ("dev veth0", "dev veth0")):
        with cable.a:
            tunctl(f"set tun0 {first}")
            tunctl(f"add tun1 local {OUTER[outer][0]} remote {second} port {PORT} {other}")
            ip("addr add 192.168.6.1/24 dev tun1\nlink set tun1 up")
        left, right = cable.a.udp(4, "192.168.6.1"), cable.b.udp(4, "192.168.6.2")
        left.connect(right.getsockname())
        right.connect(left.getsockname())
        with left, right:
            exchange(left, right, b"second")
            exchange(right, left, b"second")
            cable.check()
            with cable.a:
                tunctl("set tun0 nodev")
            cable.check()
            with cable.a:
                tunctl("set tun0 dev veth0")
            cable.check()
            exchange(right, left, b"still the second")
        with cable.a:
            tunctl("del tun1")


@case
def another_device_does_not_get_in() -> None:
    """The peer's packets through a device that `dev` does not name are a stranger's."""
    cable = Cable()
    with cable.a:
        ip("link add dummy0 type dummy\nlink set dummy0 up")
        tunctl("set tun0 dev dummy0")
    with cable.a.udp(4, INNER[4][0], 9) as receiver:
        before = cable.a.counters("tun0")
        cable.inject(inner_packet(4))
        silent(receiver)
        equal("counted in the tunnel", cable.a.counters("tun0"), before)


@over_both
def a_port_on_one_address(outer: int) -> None:
    """The port is taken on the tunnel's local address alone, and no other program can share it there."""
    cable = Cable(outer)
    second = {4: "10.0.0.3", 6: "fd00::3"}[outer]
    with cable.a:
        ip(f"addr add {second}/{24 if outer == 4 else 64} dev veth0 {'nodad' if outer == 6 else ''}")
    with cable.a.udp(outer, second, PORT) as program, cable.b.udp(outer, OUTER[outer][1]) as sender:
        sender.connect((second, PORT))
        exchange(sender, program, b"no tunnel")
        cable.check()
    with cable.a:
        if not is_left_out(KIND, "dev veth0"):
            tunctl("set tun0 dev veth0")
        for address in (OUTER[outer][0], "0.0.0.0" if outer == 4 else "::"):
            for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
                with socket.socket(AF[outer], socket.SOCK_DGRAM) as thief:
                    thief.setsockopt(socket.SOL_SOCKET, option, 1)
                    try:
                        thief.bind((address, PORT))
                    except OSError:
                        continue
                true(f"{address} port {PORT} cannot be shared", False)


@over_both
def local_address_comes_later(outer: int) -> None:
    """A tunnel can be made before its local address exists, and goes on working when the address is removed and added again."""
    cable = Cable(outer)
    late = {4: "10.0.0.9", 6: "fd00::9"}[outer]
    address = f"{late}/{24 if outer == 4 else 64} dev veth0"
    with cable.b:
        tunctl(f"set tun0 remote {late}")
    with cable.a:
        tunctl(f"set tun0 local {late}")
        for _ in range(2):
            ip(f"addr add {address} {'nodad' if outer == 6 else ''}")
            cable.check()
            ip(f"addr del {address}")


@over_both
def path_mtu_with_dev(outer: int) -> None:
    """ICMP about the path through `dev` is heeded although the routes lead elsewhere.

    a veth0 ── veth0 r veth1 (MTU 1360) ── veth0 b
    """
    path_mtu_is_learned(outer, "dev veth0")


@over_both
def path_mtu_in_vrf(outer: int) -> None:
    """The same in a VRF, whose name is `dev`."""
    path_mtu_is_learned(outer, "dev red")


def path_mtu_is_learned(outer: int, options: str, options_of_b: str = "") -> None:
    """Fail unless the sender hears of the narrow link, and its datagrams of that size arrive.

    With `dev veth0` or `fwmark 5`, a's better route leads elsewhere; with `dev red`, veth0 is in that VRF.
    """
    vrf = options == "dev red"
    a, r, b = Machine("a"), Machine("r"), Machine("b")
    nets = {4: ("10.0.1.{}/24", "10.0.2.{}/24"), 6: ("fd01::{}/64", "fd02::{}/64")}[outer]
    nodad = "nodad" if outer == 6 else ""
    ip("link add veth0 netns a type veth peer name veth0 netns r\nlink add veth1 netns r mtu 1360 type veth peer name veth0 netns b")
    if vrf:
        a.enslave("veth0")
    for machine, device, net, host in ((a, "veth0", 0, 1), (r, "veth0", 0, 9), (r, "veth1", 1, 9), (b, "veth0", 1, 2)):
        with machine:
            ip(f"addr add {nets[net].format(host)} dev {device} {nodad}\naddr add fe80::{host}/64 dev {device} nodad\nlink set {device} up")
    with b:
        ip("link set veth0 mtu 1360")
    with r:
        r.sysctl("net/ipv4/ip_forward 1")
        r.sysctl("net/ipv6/conf/all/forwarding 1")
    r.ready("veth0", "veth1")
    for machine in (a, b):
        machine.ready("veth0")
    via = [net.format(9).partition("/")[0] for net in nets]
    ends = [nets[side].format(side + 1).partition("/")[0] for side in (0, 1)]
    everywhere = "default" if outer == 4 else "::/0"
    with a:
        if options == "dev veth0":
            ip("link add dummy0 type dummy\nlink set dummy0 up")
            ip(f"route add {everywhere} dev dummy0 metric 1\nroute add {everywhere} via {via[0]} dev veth0 metric 1000")
        elif options == "fwmark 5":
            ip("link add dummy0 type dummy\nlink set dummy0 up")
            ip(f"route add {everywhere} dev dummy0\nroute add {everywhere} via {via[0]} dev veth0 table 5")
            run("ip", f"-{outer}", "rule", "add", "fwmark", "5", "table", "5")
        else:
            ip(f"route add {everywhere} {'vrf red' if vrf else ''} via {via[0]}")
    with b:
        ip(f"route add {everywhere} via {via[1]}")
    for side, machine in enumerate((a, b)):
        with machine:
            mine = options_of_b if side else options
            tunctl(f"add tun0 local {ends[side]} remote {ends[1 - side]} port {PORT} {mine}")
            ip(f"addr add {INNER[4][side]}/24 dev tun0\nlink set tun0 up")
    sender, receiver = a.udp(4, INNER[4][0], df=True), b.udp(4, INNER[4][1])
    sender.connect(receiver.getsockname())
    room = 1360 - overhead(outer) - IP_HEADER[4] - UDP_HEADER
    exchange(sender, receiver, b"small")
    true("the sender is told that its datagram is too long", learns(sender, pattern(room + 1)))
    silent(receiver)
    exchange(sender, receiver, pattern(room))


@case
def link_local_addresses() -> None:
    """IPv6 link-local addresses, the same on two cables: `dev` tells them apart.

    a tun0 ── veth0 fe80::a ── fe80::b veth0 ── b tun0
    a tun1 ── veth1 fe80::a ── fe80::b veth1 ── b tun1
    """
    cable = Cable(6)
    ip("link add veth1 netns a type veth peer name veth1 netns b")
    ends = "fe80::a", "fe80::b"
    for side, machine in enumerate((cable.a, cable.b)):
        with machine:
            for number in range(2):
                ip(f"addr add {ends[side]}/64 dev veth{number} nodad\nlink set veth{number} up")
            tunctl(f"set tun0 local {ends[side]} remote {ends[1 - side]} dev veth0")
            tunctl(f"add tun1 local {ends[side]} remote {ends[1 - side]} port {PORT} dev veth1")
            ip(f"addr add 192.168.6.{side + 1}/24 dev tun1\nlink set tun1 up")
            refusal("set tun0 nodev", "A link-local address needs an underlay device")
    for machine in (cable.a, cable.b):
        machine.ready("veth0", "veth1")
    left, right = cable.a.udp(4, "192.168.6.1"), cable.b.udp(4, "192.168.6.2")
    left.connect(right.getsockname())
    right.connect(left.getsockname())
    before = [cable.b.counters(name) for name in ("veth0", "veth1")]
    for _ in range(20):
        exchange(left, right, b"through veth1")
        exchange(right, left, b"through veth1")
    passed = [(cable.b.counters(name) - start).rx_packets for name, start in zip(("veth0", "veth1"), before, strict=True)]
    true(f"packets through veth0 and veth1: {passed}", passed[0] < 20 <= passed[1])
    for inner in (4, 6):
        cable.check(inner)
    with cable.a:
        (shown,) = json.loads(tunctl("-j show tun1").stdout)
        equal("shown", (shown["local"], shown["remote"], shown["dev"]), (*ends, "veth1"))


@case
def link_local_endpoints() -> None:
    """Link-local addresses: a zone names the underlay, as `dev` does, and "show" prints it as `dev`."""
    cable = Cable()
    ends = ("fe80::1", "fe80::2")
    for side, machine in enumerate((cable.a, cable.b)):
        with machine:
            ip(f"addr add {ends[side]}/64 dev veth0 nodad")
            tunctl("del tun0")
            zones = ("%veth0", "%veth0") if side else ("%veth0", "")
            tunctl(f"add tun0 local {ends[side]}{zones[0]} remote {ends[1 - side]}{zones[1]} port {PORT}")
            true("dev is shown", " dev veth0 " in tunctl("show tun0").stdout)
        cable.address(side)
    for inner in (4, 6):
        cable.check(inner)
    with cable.a:
        ip("link add dummy0 type dummy")
        tunctl("set tun0 local fe80::1%veth0 dev veth0")
        refusal("set tun0 local fe80::1%veth0 dev dummy0", '"dummy0" is not the device that is named before', 1)
        refusal("set tun0 dev dummy0 local fe80::1%veth0", '"veth0" is not the device that is named before', 1)
        refusal("set tun0 local fe80::1%veth0 remote fe80::2%dummy0", '"dummy0" is not the device that is named before', 1)
        refusal("set tun0 nodev", "A link-local address needs an underlay device", 2)
    cable.check()


@case
def underlays_in_a_circle() -> None:
    """Two tunnels cannot be each other's `dev`; nor can a tunnel, three deep, carry itself."""
    a = Machine("a")
    with a:
        ip("link add dummy0 type dummy\naddr add 10.0.0.1/24 dev dummy0\nlink set dummy0 up")
        for number, below in enumerate(("dummy0", "tun0", "tun1")):
            tunctl(f"add tun{number} local 10.0.0.1 remote 10.0.0.{10 + number} port {PORT} dev {below}")
        for above in ("tun1", "tun2"):
            refusal(f"set tun0 dev {above}", "The underlay device is itself carried by this tunnel")
        tunctl("set tun1 nodev")
        tunctl("set tun0 dev tun2")
        ip("link del dummy0")
        equal("tunnels without their underlay", [a.has(f"tun{number}") for number in range(3)], [True] * 3)
        ip("link del tun1")
        equal("tunnels that are left of the chain tun0, tun2, tun1", [a.has(f"tun{number}") for number in range(3)], [False] * 3)


@case
def mark_of_another_namespace() -> None:
    """A packet's mark steers the policy routing of the host only if it is the host's own."""
    cable, c = Cable(), Machine("c")
    mark = 36
    with cable.a:
        ip(f"rule add fwmark 5 to {OUTER[4][1]} table 5\nroute add blackhole default table 5")
    left, right = cable.pair(4)
    with left, right:
        left.setsockopt(socket.SOL_SOCKET, mark, 5)
        try:
            left.send(b"into the black hole")
        except OSError:
            pass
        silent(right)
    with cable.a:
        ip("link set tun0 netns c")
    cable.address(0, c)
    left, right = c.udp(4, INNER[4][0]), cable.b.udp(4, INNER[4][1])
    left.connect(right.getsockname())
    right.connect(left.getsockname())
    left.setsockopt(socket.SOL_SOCKET, mark, 5)
    exchange(left, right, b"c's mark means nothing in a")
