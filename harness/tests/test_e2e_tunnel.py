# SPDX-License-Identifier: GPL-2.0
"""The tunnel in guests: the cases of netns/, all of them in UML, those that the kernel matters for on stock kernels.

A guest boots once for all of its cases.
"""

from __future__ import annotations

import json
import re
import statistics

import pytest
from dsharness.kernel import kernels
from dsharness.targets import get
from netnsguests import ON_STOCK_KERNELS, ON_THE_KERNEL_WITH_RUST, ON_TWO_CPUS, guest_files, judge, outcomes, selected, udptun

IN_UML = tuple(name for name in udptun.CASES if name not in ON_THE_KERNEL_WITH_RUST)

ON_THE_OLDEST = (
    "single_packets_and_batches_stay_in_order", "threads_deliver_under_load",
    "datagrams_4in4", "datagrams_6in6", "tos_4in6", "malformed_udp", "two_tunnels_on_one_port_over4", "changelink_under_traffic_over4",
    "delete_under_traffic_over4", "netns_move", "netns_of_the_socket_dies", "underlay_removal", "refused_messages", "shown_is_what_makes_it",
    "vrf_over4", "device_and_none_share_a_port_over4", "path_mtu_with_dev_over6", "stranger_over4",
    "external_by_routes_6in4", "external_by_tc_4in6", "external_path_mtu_6in4", "external_metadata_over6", "external_is_refused",
    "external_by_bpf_4in6", "external_by_bpf_6in4", "external_by_ovs_4in6", "external_by_ovs_6in4", "headroom_follows_the_route",
    "team_carries_4in6", "team_carries_6in4",
    "outer_packets_are_counted_once", "outer_packets_pass_netfilter",
    "nat_of_the_underlay", "changed_under_a_stream_over4", "queueing_disciplines", "link_local_addresses",
)  # fmt: skip
"""Cases that use what differs most between kernels: `make test` runs these on the oldest one, and all cases on UML 6.12."""


@pytest.mark.xdist_group("tunnel-uml")
@pytest.mark.parametrize("name", IN_UML)
def test_in_uml(name: str, request: pytest.FixtureRequest) -> None:
    judge(outcomes("uml", None, selected(request))[name])


@pytest.mark.matrix
@pytest.mark.debug
@pytest.mark.xdist_group("tunnel-debug")
@pytest.mark.parametrize("kernel", [kernels.DEBUG])
@pytest.mark.parametrize("name", IN_UML)
def test_on_the_debug_kernel(name: str, kernel: str, request: pytest.FixtureRequest) -> None:
    """A report of KASAN, UBSAN, lockdep, RCU, debug objects or kmemleak fails the case that caused it."""
    judge(outcomes("uml", kernel, selected(request, kernel))[name])


NO_IPV6 = """
set -e
insmod udptun.ko
echo over6: $(udptunctl add tun6 local fd00::1 remote fd00::2 port 7000 2>&1)
ip link add under type dummy; ip addr add 10.0.0.1/24 dev under; ip link set under up
udptunctl add tun4 local 10.0.0.1 remote 10.0.0.2 port 7000
ip link set tun4 mtu 9000 up
/usr/bin/python3 -c '
import socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
packet = struct.pack("!IHBB16s16s", 6 << 28, 3000, 59, 64, b"\\xfd" + bytes(15), b"\\xfd" + bytes(14) + b"\\1") + bytes(3000)
s.sendto(packet, ("tun4", 0x86dd, 0, 0, b""))
'
ip -s -j link show tun4
rmmod udptun
"""


def test_a_kernel_that_is_to_go_without_ipv6() -> None:
    guest = get("uml", network=True)
    guest.parameters = ("ipv6.disable=1",)
    done = guest.run(["sh", "-c", NO_IPV6])
    text = done.stdout.decode()
    assert done.status == 0, text + done.stderr.decode()
    assert re.search(r"^over6: .*This kernel has no IPv6", text, re.MULTILINE)
    (shown,) = json.loads(text[text.index("[") :])
    sent = shown["stats64"]["tx"]
    assert (sent["packets"], sent["dropped"] + sent["errors"]) == (0, 1), "too large for the path"


def on_stock_kernels() -> list[object]:
    """Return each case with each stock kernel. The cases of a kernel share a guest."""
    found = []
    for kernel in ("6.1", "6.12", "newest"):
        for name in ON_STOCK_KERNELS:
            usual = kernel == "6.1" and name in ON_THE_OLDEST
            marks = [pytest.mark.xdist_group(f"tunnel-{kernel}"), *([] if usual else [pytest.mark.matrix])]
            found.append(pytest.param(name, kernel, marks=marks))
    return found


@pytest.mark.parametrize(("name", "kernel"), on_stock_kernels())
def test_on_a_stock_kernel(name: str, kernel: str, request: pytest.FixtureRequest) -> None:
    judge(outcomes("qemu", kernel, selected(request, kernel))[name])


def on_two_cpus() -> list[object]:
    """Return each case with each stock kernel. The cases of a kernel share a guest."""
    return [
        pytest.param(name, kernel, marks=[pytest.mark.xdist_group(f"tunnel-cpus-{kernel}"), pytest.mark.matrix])
        for kernel in ("6.1", "6.12", "newest")
        for name in ON_TWO_CPUS
    ]


@pytest.mark.parametrize(("name", "kernel"), on_two_cpus())
def test_on_two_cpus(name: str, kernel: str, request: pytest.FixtureRequest) -> None:
    judge(outcomes("qemu", kernel, selected(request, kernel), cpus=2)[name])


@pytest.mark.matrix
def test_two_cpus_execute_what_one_does() -> None:
    """A packet takes as many instructions as if one CPU had sent all: no cache of the tunnel serves one CPU alone.

    Emulated CPUs take turns under icount, so that they hardly ever wait for a lock: a lock around each transmit does not show.
    """
    guest = get("qemu", "6.12", "icount", network=True, cpus=2)
    done = guest.run(["env", "PATH=/dsbench:/usr/sbin:/usr/bin:/sbin:/bin", "python3", "counted.py"], files=guest_files(), timeout=600)
    text = done.stdout.decode()
    assert done.status == 0, text + done.stderr.decode()
    one, both = (statistics.median(map(float, re.findall(rf"^{where} ([0-9.]+)$", text, re.MULTILINE))) for where in ("one", "both"))
    print(f"instructions a packet, of both ends: {one:.0f} on one CPU, {both:.0f} on two at once")
    assert 0.98 < both / one < 1.02
