# SPDX-License-Identifier: GPL-2.0
"""External tunnels: the metadata of each packet name its receiver."""

from __future__ import annotations

import json
import re
import socket

import bpf
from checks import equal, eventually, true
from commands import GOOD, ip, refusal, run, tc, tunctl
from datagrams import exchange, learns, pattern, silent
from lab import Cable, Machine
from packets import INNER, IP_HEADER, OUTER, PORT, UDP_HEADER, inner_packet, overhead
from registry import case, combined, over_both
from streams import transfer


TOS, TTL = 0x48, 9
"""What the metadata of by_metadata() have."""


def external(outer: int, options: str = "") -> Cable:
    """A cable whose end in a is an external tunnel, which has no routes yet."""
    cable = Cable(outer)
    with cable.a:
        tunctl("del tun0")
        tunctl(f"add tun0 local {OUTER[outer][0]} port {PORT} external {options}")
        ip(f"addr add {INNER[4][0]}/32 dev tun0\naddr add {INNER[6][0]}/128 dev tun0 nodad\nlink set tun0 up")
    return cable


def route(outer: int, inner: int, more: str = "", *, to: str = "", by: str = "") -> None:
    """Add a route to b's inner address, or `to` another one, by b's outer address, or `by` another one."""
    encap = "ip" if outer == 4 else "ip6"
    run(*f"ip -{inner} route add {to or INNER[inner][1]} encap {encap} id 0 dst {by or OUTER[outer][1]} {more} dev tun0".split())


def by_metadata(cable: Cable, inner: int) -> tuple[socket.socket, socket.socket]:
    """Exchange datagrams and TCP; Failure unless packets have TOS and TTL of the metadata. Return the ends."""
    sniffer = cable.b.sniffer("veth0")
    left, right = cable.pair(inner)
    exchange(left, right, b"by metadata")
    packet = sniffer.one()
    equal("TOS, TTL and port of the packet", (packet.tos, packet.ttl, packet.target_port), (TOS, TTL, PORT))
    exchange(right, left, b"and back")
    transfer(cable.a, cable.b, inner, 1 << 19)
    return left, right


@combined
def external_by_routes(inner: int, outer: int) -> None:
    """A route names the receiver: datagrams and TCP, both ways."""
    cable = external(outer)
    with cable.a:
        route(outer, inner)
    left, right = cable.pair(inner)
    before = cable.a.counters("tun0")
    for size in (0, 1, 1000):
        exchange(left, right, pattern(size))
        exchange(right, left, pattern(size))
    found = cable.a.counters("tun0") - before
    equal("packets sent, received", (found.tx_packets, found.rx_packets), (3, 3))
    transfer(cable.a, cable.b, inner, 1 << 20)
    transfer(cable.b, cable.a, inner, 1 << 20, address=INNER[inner][0])


@combined
def external_by_tc(inner: int, outer: int) -> None:
    """tc sets the metadata and redirects packets into the tunnel; flower knows the sender of received packets.

    c veth1 ── veth1 a tun0 ── b tun0
    """
    cable, c = external(outer), Machine("c")
    ip("link add veth1 netns a type veth peer name veth1 netns c")
    near, far = {4: ("192.168.7.1", "192.168.7.2"), 6: ("fd07::1", "fd07::2")}[inner]
    length, whole, nodad = {4: (24, 32, ""), 6: (64, 128, "nodad")}[inner]
    protocol = {4: "ip", 6: "ipv6"}[inner]
    with cable.a:
        ip(f"addr add {near}/{length} dev veth1 {nodad}\nlink set veth1 up")
        cable.a.sysctl("net/ipv4/ip_forward 1")
        cable.a.sysctl("net/ipv6/conf/all/forwarding 1")
    with c:
        ip(f"addr add {far}/{length} dev veth1 {nodad}\nlink set veth1 up")
        run(*f"ip -{inner} route add default via {near}".split())
    with cable.b:
        run(*f"ip -{inner} route add {far}/{whole} dev tun0".split())
    cable.a.ready("veth1")
    with cable.a:
        tc("qdisc add dev veth1 clsact")
        tc(f"filter add dev veth1 ingress protocol {protocol} flower dst_ip {INNER[inner][1]}"
           f" action tunnel_key set src_ip {OUTER[outer][0]} dst_ip {OUTER[outer][1]} dst_port {PORT} id 0 ttl 9"
           " action mirred egress redirect dev tun0")  # fmt: skip
        tc("qdisc add dev tun0 clsact")
        for source in (OUTER[outer][1], {4: "192.0.2.1", 6: "2001:db8::1"}[outer]):
            tc(f"filter add dev tun0 ingress protocol {protocol} flower enc_src_ip {source} enc_dst_ip {OUTER[outer][0]}"
               f" enc_dst_port {PORT} action skbedit mark 7")  # fmt: skip
    left, right = c.udp(inner, far), cable.b.udp(inner, INNER[inner][1])
    left.connect(right.getsockname()[:2])
    right.connect(left.getsockname()[:2])
    sniffer = cable.b.sniffer("veth0")
    exchange(left, right, b"by way of tc")
    packet = sniffer.one()
    equal("TTL of the metadata; a checksum, which tunnel_key asks for", (packet.ttl, bool(packet.checksum)), (9, True))
    exchange(right, left, b"and back")
    transfer(c, cable.b, inner, 1 << 19)
    with cable.a:
        shown = run("tc", "-s", "filter", "show", "dev", "tun0", "ingress").stdout
    found = re.findall(r"enc_src_ip (\S+).*?Sent \d+ bytes (\d+) pkt", shown, re.DOTALL)
    equal("filters that packets match", [source for source, packets in found if int(packets)], [OUTER[outer][1]])
    equal("filters", len(found), 2)


@combined
def external_by_bpf(inner: int, outer: int) -> None:
    """A BPF program sets the metadata, and tc redirects the packets into the tunnel; another program reads those of received packets."""
    sent, received = bpf.TunnelKey(), bpf.TunnelKey()
    cable = external(outer)
    local, remote = OUTER[outer]
    flags = bpf.IPV6 if outer == 6 else 0
    sent.write(remote, local, TOS, TTL)
    with cable.a:
        ip("link add dummy0 type dummy\nlink set dummy0 up")
        run(*f"ip -{inner} route add {INNER[inner][1]} dev dummy0 src {INNER[inner][0]}".split())
        for device in ("dummy0", "tun0"):
            tc(f"qdisc add dev {device} clsact")
        sent.attach("dummy0", bpf.EGRESS, bpf.SET_TUNNEL_KEY, flags)
        tc(f"filter add dev dummy0 egress prio 2 protocol {'ip' if inner == 4 else 'ipv6'} matchall action mirred egress redirect dev tun0")
        received.attach("tun0", bpf.INGRESS, bpf.GET_TUNNEL_KEY, flags)
    left, right = by_metadata(cable, inner)
    equal("what the other program has read", received.read(outer), (remote, local, 0, 64))
    sent.write({4: "10.0.0.9", 6: "fd00::9"}[outer], local, 0, 0)
    left.send(b"to another receiver")
    silent(right)


@over_both
def external_to_many(outer: int) -> None:
    """Routes lead to two peers, and packets of both arrive; a tunnel with one peer at the same port keeps its own.

    b tun0, and tun1 from a second address ──┐
                                             ├── port 7000 a tun0
    b tun2, from a third address ────────────┘           a tun2 (not external)
    """
    cable = external(outer)
    others = {4: ("10.0.0.3", "10.0.0.4"), 6: ("fd00::3", "fd00::4")}[outer]
    with cable.b:
        for number, address in enumerate(others, 1):
            ip(f"addr add {address}/{24 if outer == 4 else 64} dev veth0 {'nodad' if outer == 6 else ''}")
            tunctl(f"add tun{number} local {address} remote {OUTER[outer][0]} port {PORT}")
            ip(f"addr add 192.168.{5 + number}.2/32 dev tun{number}\nlink set tun{number} up")
            ip(f"route add 192.168.{5 + number}.1 dev tun{number}")
    with cable.a:
        tunctl(f"add tun2 local {OUTER[outer][0]} remote {others[1]} port {PORT}")
        ip("addr add 192.168.7.1/32 dev tun2\nlink set tun2 up\nroute add 192.168.7.2 dev tun2")
        ip("addr add 192.168.6.1/32 dev tun0")
        route(outer, 4)
        route(outer, 4, to="192.168.6.2", by=others[0])
    before = [cable.a.counters(name) for name in ("tun0", "tun2")]
    for net in (5, 6, 7):
        left, right = cable.a.udp(4, f"192.168.{net}.1"), cable.b.udp(4, f"192.168.{net}.2")
        left.connect(right.getsockname())
        right.connect(left.getsockname())
        with left, right:
            exchange(left, right, b"out")
            exchange(right, left, b"in")
    found = [(cable.a.counters(name) - start).rx_packets for name, start in zip(("tun0", "tun2"), before, strict=True)]
    equal("packets in the external tunnel, in the other", found, [2, 1])
    with cable.a:
        tunctl("del tun0")
        before_strangers = strangers()
    cable.inject(inner_packet(4))
    with cable.a:
        eventually("without the external tunnel, its peers are strangers", lambda: strangers() == before_strangers + 1)


def strangers() -> int:
    """Packets from strangers at the port of tun2, in the namespace that we are in."""
    (shown,) = json.loads(tunctl("-j -s show tun2").stdout)
    return int(shown["stats"]["rx"]["stranger"])


@over_both
def external_metadata(outer: int) -> None:
    """Fields of the metadata go into the outer header; those that are 0, and flags that are not set, are the device's."""
    cable = external(outer, "ttl 77 tos 0x20")
    sniffer = cable.b.sniffer("veth0")
    src = OUTER[outer][0]
    for more, wanted in (
        ("", (77, 0x20, outer == 6)),
        (f"src {src}", (77, 0x20, outer == 6)),
        (f"{'ttl' if outer == 4 else 'hoplimit'} 5 {'tos' if outer == 4 else 'tc'} 0x48", (5, 0x48, outer == 6)),
        ("csum", (77, 0x20, True)),
    ):
        with cable.a:
            route(outer, 4, more)
        left, right = cable.pair(4)
        with left, right:
            exchange(left, right, b"x")
        packet = sniffer.one()
        equal(f"{more or 'no more than the receiver'}: TTL, TOS, checksum", (packet.ttl, packet.tos, bool(packet.checksum)), wanted)
        with cable.a:
            ip(f"route del {INNER[4][1]}")
    if outer == 6:
        with cable.a:
            tunctl("set tun0 zerocsum6tx")
        cable.set("zerocsum6rx")
        for more, wanted_sum in (("", False), ("csum", True)):
            with cable.a:
                route(outer, 4, more)
            left, right = cable.pair(4)
            with left, right:
                exchange(left, right, b"x")
            equal(f"zerocsum6tx, {more}: checksummed", bool(sniffer.one().checksum), wanted_sum)
            with cable.a:
                ip(f"route del {INNER[4][1]}")


@over_both
def external_without_metadata(outer: int) -> None:
    """What has no metadata, or those of another family or local address, is dropped and counted; what has no route, as carrier."""
    cable = external(outer)
    wrong = {4: ("::ffff:0:1", "10.0.0.99"), 6: ("10.0.0.2", "fd00::99")}[outer]
    unreachable, group = {4: ("198.51.100.1", "239.1.1.1"), 6: ("2001:db8::1", "ff0e::1")}[outer]
    with cable.a:
        ip("route add 192.168.8.1 dev tun0")
        run(*f"ip route add 192.168.8.2 encap {'ip6' if outer == 4 else 'ip'} id 0 dst {wrong[0]} dev tun0".split())
        route(outer, 4, f"src {wrong[1]}", to="192.168.8.3")
        route(outer, 4, to="192.168.8.4", by=group)
        route(outer, 4, to="192.168.8.5", by="0.0.0.0" if outer == 4 else "::")
        route(outer, 4, to="192.168.8.6", by=unreachable)
    with cable.a, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(1, 7):
            before = cable.a.counters("tun0")
            sender.sendto(b"x", (f"192.168.8.{number}", 9))
            found = cable.a.counters("tun0") - before
            counted = (found.tx_errors, found.tx_packets, found.tx_carrier)
            equal(f"errors, packets, carrier to 192.168.8.{number}", counted, (1, 0, int(number == 6)))


@combined
def external_path_mtu(inner: int, outer: int) -> None:
    """A narrow link on the way: the sender hears of it, whether a route or tc brings its packets; what fits arrives.

    c veth1 ── veth1 a veth0 ── veth0 r veth1 (MTU 1360) ── veth0 b
    """
    a, r, b, c = (Machine(name) for name in "arbc")
    nets = {4: ("10.0.1.{}/24", "10.0.2.{}/24"), 6: ("fd01::{}/64", "fd02::{}/64")}[outer]
    edge = {4: "192.168.7.{}/24", 6: "fd07::{}/64"}[inner]
    ip("""
    link add veth0 netns a type veth peer name veth0 netns r
    link add veth1 netns r mtu 1360 type veth peer name veth0 netns b
    link add veth1 netns a type veth peer name veth1 netns c
    """)
    with b:
        ip("link set veth0 mtu 1360")
    for machine, device, net, host in (
        (a, "veth0", nets[0], 1), (r, "veth0", nets[0], 9), (r, "veth1", nets[1], 9), (b, "veth0", nets[1], 2), (a, "veth1", edge, 1), (c, "veth1", edge, 2),
    ):  # fmt: skip
        with machine:
            ip(f"addr add {net.format(host)} dev {device} {'nodad' if ':' in net else ''}\nlink set {device} up")
            machine.sysctl("net/ipv4/ip_forward 1")
            machine.sysctl("net/ipv6/conf/all/forwarding 1")
    for machine in (a, r):
        machine.ready("veth0", "veth1")
    ends = [nets[side].format(side + 1).partition("/")[0] for side in (0, 1)]
    far = edge.format(2).partition("/")[0]
    for machine, family, via in ((a, outer, nets[0]), (b, outer, nets[1]), (c, inner, edge)):
        with machine:
            run(*f"ip -{family} route add default via {via.format(1 if machine is c else 9).partition('/')[0]}".split())
    with b:
        tunctl(f"add tun0 local {ends[1]} remote {ends[0]} port {PORT}")
        ip(f"addr add {INNER[inner][1]}/{32 if inner == 4 else 128} dev tun0 {'nodad' if inner == 6 else ''}\nlink set tun0 up")
        for address in (INNER[inner][0], far):
            run(*f"ip -{inner} route add {address} dev tun0".split())
    with a:
        tunctl(f"add tun0 local {ends[0]} port {PORT} external")
        ip(f"addr add {INNER[inner][0]}/{32 if inner == 4 else 128} dev tun0 {'nodad' if inner == 6 else ''}\nlink set tun0 up")
        route(outer, inner, by=ends[1])
    room = 1360 - overhead(outer) - IP_HEADER[inner] - UDP_HEADER
    for source, address, by_tc in ((a, INNER[inner][0], False), (c, far, False), (c, far, True)):
        if by_tc:
            with c:
                run("ip", f"-{inner}", "route", "flush", "cache")
            with a:
                tc("qdisc add dev veth1 clsact")
                tc(f"filter add dev veth1 ingress protocol {'ip' if inner == 4 else 'ipv6'} flower dst_ip {INNER[inner][1]}"
                   f" action tunnel_key set src_ip {ends[0]} dst_ip {ends[1]} dst_port {PORT} id 0"
                   " action mirred egress redirect dev tun0")  # fmt: skip
        sender, receiver = source.udp(inner, address, df=True), b.udp(inner, INNER[inner][1])
        sender.connect(receiver.getsockname()[:2])
        with sender, receiver:
            exchange(sender, receiver, b"small")
            what = f"from {source.name}{' by tc' if by_tc else ''}"
            true(f"{what}: the sender is told that its datagram is too long", learns(sender, pattern(room + 1)))
            silent(receiver)
            exchange(sender, receiver, pattern(room))


@case
def external_follows_changes() -> None:
    """The metadata of a route keep the route to the peer: it is not used any more when the device changes.

    a veth0 ── veth0 b
    a veth1 ── veth1 b
    """
    cable = external(4)
    ip("link add veth1 netns a type veth peer name veth1 netns b")
    for side, machine in enumerate((cable.a, cable.b)):
        with machine:
            ip(f"addr add 10.0.1.{side + 1}/24 dev veth1\nlink set veth1 up")
            machine.sysctl("net/ipv4/conf/all/rp_filter 0")
    cable.b.ready("veth1")
    with cable.a:
        cable.a.ready("veth1")
        ip("route add 10.0.0.2 dev veth1 metric 100")
        route(4, 4)
    with cable.b:
        ip("addr add 10.0.0.2/32 dev veth1")
    left, right = cable.pair(4)
    exchange(left, right, b"through veth0")
    for words, device in (("dev veth1", "veth1"), ("dev veth0", "veth0"), ("nodev", "veth1")):
        with cable.a:
            tunctl(f"set tun0 {words}")
        before = cable.b.counters(device).rx_packets
        for _ in range(3):
            exchange(left, right, b"x")
        true(f"{words}: packets pass {device}", cable.b.counters(device).rx_packets >= before + 3)
    with cable.a:
        tunctl("set tun0 nodev local 10.0.1.1")
    with cable.b:
        tunctl("set tun0 remote 10.0.1.1")
    exchange(left, right, b"from the new address")


@over_both
def external_tunnels_share_metadata(outer: int) -> None:
    """Two tunnels send by one action of tc, which keeps a route: each packet takes the route of its own local address.

    a tun0 (first address)  veth0 ── veth0 b
    a tun1 (second address) veth1 ── veth1 b      by a rule for that address
    """
    cable = external(outer, "ttl 10")
    second, length, nodad = {4: ("10.0.0.3", 24, ""), 6: ("fd00::3", 64, "nodad")}[outer]
    net = {4: "10.0.1.{}", 6: "fd01::{}"}[outer]
    ip("link add veth1 netns a type veth peer name veth1 netns b")
    for side, machine in enumerate((cable.a, cable.b), 1):
        with machine:
            ip(f"addr add {net.format(side)}/{length} dev veth1 {nodad}\naddr add fe80::{side}/64 dev veth1 nodad\nlink set veth1 up")
    for machine in (cable.a, cable.b):
        machine.ready("veth1")
    with cable.a:
        ip(f"addr add {second}/{length} dev veth0 {nodad}\nroute add {OUTER[outer][1]} via {net.format(2)} dev veth1 table 9")
        run("ip", f"-{outer}", "rule", "add", "from", second, "table", "9")
        tunctl(f"add tun1 local {second} port {PORT} external ttl 11")
        ip("link set tun1 up\nlink add dummy0 type dummy\nlink set dummy0 up\nroute add 192.168.8.0/24 dev dummy0")
        tc("qdisc add dev dummy0 clsact")
        tc(f"actions add action tunnel_key set src_ip {'0.0.0.0' if outer == 4 else '::'} dst_ip {OUTER[outer][1]}"
           f" dst_port {PORT} id 0 index 5")  # fmt: skip
        for number in range(2):
            tc(f"filter add dev dummy0 egress protocol ip flower dst_ip 192.168.8.{number}"
               f" action tunnel_key index 5 action mirred egress redirect dev tun{number}")  # fmt: skip
    sniffers = [cable.b.sniffer(device) for device in ("veth0", "veth1")]
    with cable.a, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in (0, 1, 0, 0, 1, 1):
            sender.sendto(b"x", (f"192.168.8.{number}", 9))
    equal("TTLs at veth0, at veth1", [[packet.ttl for packet in sniffer.packets()] for sniffer in sniffers], [[10] * 3, [11] * 3])


@case
def external_moves() -> None:
    """Another namespace has the device, and the routes: the socket stays. ip shows nothing of a remote address."""
    cable, c = external(4), Machine("c")
    with cable.a:
        ip("link set tun0 netns c")
    with c:
        ip(f"addr add {INNER[4][0]}/32 dev tun0\nlink set tun0 up")
        route(4, 4)
        shown = tunctl("show tun0").stdout
        true(f"{shown.strip()} is external, and has no remote", " external " in shown and " remote " not in shown)
    left, right = c.udp(4, INNER[4][0]), cable.b.udp(4, INNER[4][1])
    left.connect(right.getsockname())
    right.connect(left.getsockname())
    exchange(left, right, b"out of c")
    exchange(right, left, b"into c")


@case
def external_is_refused() -> None:
    """Each contradiction has its sentence, and changes nothing."""
    cable = external(4)
    with cable.a:
        for words, sentence in {
            f"{GOOD} external": "An external tunnel has no remote address",
            "local fd00::1 remote fd00::2 port 1 external": "An external tunnel has no remote address",
            "port 1 external": "The local address is missing",
            "local 10.0.0.1 external": "The local port is missing",
            "local 0.0.0.0 port 1 external": "The local address is unspecified",
            "local fe80::1 port 1 external": "A link-local address needs an underlay device",
            f"local 10.0.0.1 port {PORT} external": "Another external tunnel uses this address and port",
            "local 10.0.0.1 port 1 external external": '"external" is given twice',
        }.items():
            refusal(f"add tun9 {words}", sentence)
            true("no device is left", not cable.a.has("tun9"))
        tunctl(f"add tun1 {GOOD}")
        tunctl(f"add tun2 local 10.0.0.1 port {PORT} external dev veth0")
        tunctl("add tun3 local 10.0.0.1 port 7001 external")
        before = tunctl("show").stdout
        for words, sentence in {
            "tun0 remote 10.0.0.2": "An external tunnel has no remote address",
            "tun0 dev veth0": "Another external tunnel uses this address and port",
            f"tun3 port {PORT}": "Another external tunnel uses this address and port",
            "tun1 external": "The mode of a tunnel, external or not, cannot be changed",
        }.items():
            refusal(f"set {words}", sentence, 2)
            equal(f"tunnels after {words}", tunctl("show").stdout, before)
        tunctl("set tun0 external ttl 9")
        for line in before.splitlines()[2:]:
            name, _, words = line.partition(" ")
            tunctl(f"del {name}")
            tunctl(f"add {name} {words}")
            equal("shown", tunctl(f"show {name}").stdout.strip(), line)
