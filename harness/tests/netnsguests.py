# SPDX-License-Identifier: GPL-2.0
"""Runs the cases of netns/, many of them in one guest."""

from __future__ import annotations

import functools
import re
import sys
from pathlib import Path

import pytest
from dsharness import paths
from dsharness.errors import HarnessError
from dsharness.kernel import buildroot, kernels, tools
from dsharness.targets import GuestOptions, Target, get
from ynl import client_files

NETNS = Path(__file__).parent / "netns"
GUEST = paths.HARNESS / "guest"
sys.path[:0] = [str(NETNS), str(GUEST)]

import udptun  # noqa: E402

UDPTUN = "udptun"

SECONDS = 1800
"""For all cases of a guest, whose instructions QEMU emulates; an idle machine needs a tenth."""
SECONDS_DEBUG = 2 * SECONDS
"""The same on a debug kernel."""

SURROUNDINGS = (
    "sch_ingress", "sch_fq", "sch_cake", "sch_netem", "cls_matchall", "cls_flower", "act_mirred", "act_nat", "act_skbedit", "act_tunnel_key",
    "cls_bpf", "nf_tables", "macvlan", "macvtap", "ipvlan", "team", "team_mode_loadbalance", "team_mode_roundrobin", "ifb",
    "openvswitch",
)  # fmt: skip
"""Modules of the stock kernels that cases need beside those of every guest with a network; UML's kernel has most of them built in."""


MEMORY_MIB = 768
"""For the case with the most devices, ten_thousand_on_a_port."""

ON_STOCK_KERNELS = (
    *(f"{name}_{inner}in{outer}" for name in ("datagrams", "mtu_edge", "stream", "tos") for inner in (4, 6) for outer in (4, 6)),
    "fragments_6in4", "ecn_4in4", "ecn_6in6", "ttl_6in6", "path_mtu_4in4", "path_mtu_6in6",
    "ipv6_sender_of_a_narrow_path_over4", "ipv6_sender_of_a_narrow_path_over6",
    "malformed_over4", "malformed_over6", "malformed_udp", "stranger_over4", "stranger_over6", "several_peers_keep_their_input_routes",
    "a_bound_socket_comes_before_several_peers", "spoofed_from_another_device_with_two_peers",
    "two_tunnels_on_one_port_over4", "changelink_under_traffic_over4", "delete_under_traffic_over4",
    "delete_under_traffic_over6", "module_unload_with_devices", "netns_move", "netns_of_the_device_dies",
    "netns_of_the_socket_dies", "underlay_removal", "a_chain_loses_its_underlay", "routing_loop_over4", "routing_loop_over6", "routing_loop_of_two", "headroom_follows_the_route",
    "vrf_over4", "vrf_over6", "vrf_and_main_table_share_a_port", "device_and_none_share_a_port_over4", "device_and_none_share_a_port_over6",
    "a_port_on_one_address_over4", "a_port_on_one_address_over6", "path_mtu_with_dev_over4", "path_mtu_with_dev_over6",
    "path_mtu_in_vrf_over4", "path_mtu_in_vrf_over6", "underlays_in_a_circle",
    "merged_from_two_families", "merged_and_forwarded", "merged_datagrams", "merged_nested_tunnel",
    "refused_by_the_kernel", "refused_changes", "refused_messages", "shown_is_what_makes_it", "ip_makes_and_shows", "ip_changes",
    *(f"external_{name}_{inner}in{outer}" for name in ("by_routes", "by_tc", "path_mtu") for inner, outer in ((4, 6), (6, 4))),
    "external_to_many_over4", "external_to_many_over6", "external_metadata_over4", "external_metadata_over6", "external_is_refused",
    "external_without_metadata_over4", "external_without_metadata_over6", "external_follows_changes",
    "external_tunnels_share_metadata_over4", "external_tunnels_share_metadata_over6", "external_by_bpf_4in6", "external_by_bpf_6in4",
    *(f"external_by_ovs_{inner}in{outer}" for inner in (4, 6) for outer in (4, 6)),
    "examples_of_the_manual",
    *(f"big_sent_{inner}in{outer}" for inner in (4, 6) for outer in (4, 6)), "big_received_over4", "big_received_over6",
    "outer_packets_are_counted_once", "outer_packets_pass_netfilter",
    "nat_of_the_underlay", "underlay_flaps_over4", "underlay_flaps_over6", "underlay_is_replaced_over4", "route_to_the_peer_changes_over4",
    "route_to_the_peer_changes_over6", "outdated_routes_are_given_back", "marks_and_dscp_choose_the_route_over4", "changed_under_a_stream_over4", "changed_under_a_stream_over6",
    "netns_moves_under_traffic", "queueing_disciplines", "team_on_top", "team_carries_4in6", "team_carries_6in4", "refused_on_top", "vrf_on_top_4in4", "vrf_on_top_6in6",
    "threaded_napi_4in4", "threaded_napi_6in6", "threads_deliver_under_load", "single_packets_and_batches_stay_in_order", "down_and_up_under_traffic", "what_is_queued_is_dropped_at_close", "link_local_addresses", "the_underlay_is_shown_by_ip", "broadcast",
    "multicast_4in6", "multicast_6in4", "without_offloads_4in4", "without_offloads_6in6", "jumbo_underlay_4in4", "jumbo_underlay_6in6",
)  # fmt: skip
"""Cases for which the kernel matters."""
OF_BOTH_KINDS = tuple(name for name in udptun.CASES if name.startswith("kinds_"))
"""Cases that need the driver in C and that in Rust."""
ON_THE_KERNEL_WITH_RUST = (*OF_BOTH_KINDS, "a_thousand_rounds")
"""Cases that run on the kernel with Rust alone."""
ON_TWO_CPUS = (
    "cpus_send_and_receive_at_once", "packets_change_cpus", "a_cpu_goes_offline_under_traffic", "threads_deliver_under_load",
    "single_packets_and_batches_stay_in_order", "down_and_up_under_traffic", "changelink_under_traffic_over4", "delete_under_traffic_over4",
    "several_peers_keep_their_input_routes", "stream_4in4", "counters_grow_under_traffic", "routes_change_under_traffic",
)
"""Cases in which CPUs work on the same tunnel."""
OF_OTHER_PROGRAMS = tuple(name for name in udptun.CASES if name.startswith(("next_ip_", "ynl_")))
"""Cases of programs that only UML's guests have: the next Debian's ip, and the kernel's netlink client."""


def selected(request: pytest.FixtureRequest, kernel: str | None = None, kind: str | None = None) -> tuple[str, ...]:
    """Return the cases of the selected tests that share the guest of this test."""
    items = (item for item in request.session.items if isinstance(item, pytest.Function) and item.function is request.function)
    ours = (item.callspec.params for item in items)
    return tuple(params["name"] for params in ours if (params.get("kernel"), params.get("kind")) == (kernel, kind))


@functools.cache
def outcomes(target: str, kernel: str | None, names: tuple[str, ...], kind: str = UDPTUN, cpus: int = 1) -> dict[str, str]:
    """Run the cases in one guest, with devices of a kind. Return "ok" for each, or why it failed.

    Several CPUs run at once, in threads of QEMU, and time is the host's.
    """
    files = guest_files()
    said = bytearray()
    settings = ["PATH=/dsbench:/usr/sbin:/usr/bin:/sbin:/bin", f"KIND={kind}"]
    if target == "uml" and any(name.startswith("next_ip_") for name in names):
        settings.append(f"NEXT_DEBIAN={next_debian()}")
    if target == "uml" and any(name.startswith("ynl_") for name in names):
        client = sorted(client_files().iterdir())
        settings.append(f"YNL={' '.join(file.name for file in client)}")
        files += [*client, paths.ROOT / "include/uapi/udptun.yaml"]
    command = ["env", *settings, "python3", "udptun.py", *names]
    end = "the guest did not come to it"
    if kernel == kernels.NEWEST:
        try:
            buildroot.require_namespaces()
        except HarnessError as error:
            return dict.fromkeys(names, f"skip: {error}")
    try:
        guest = GuestOptions(modules=SURROUNDINGS) if target == "qemu" else GuestOptions(memory_mib=MEMORY_MIB)
        where: Target = get(target, kernel, "tcg" if cpus > 1 else None, network=True, cpus=cpus, guest=guest)
        seconds = SECONDS_DEBUG if kernel in (kernels.DEBUG, kernels.RUST_DEBUG) else SECONDS
        where.run(command, files=files, timeout=seconds, on_stdout=said.extend)
    except HarnessError as error:
        end = str(error)
    found = dict.fromkeys(names, end)
    for verdict, name, why in re.findall(r"^(ok|FAILED|skip) (\w+):? ?(.*)$", said.decode(), re.MULTILINE):
        found[name] = {"ok": "ok", "skip": f"skip: {why}"}.get(verdict, why)
    return found


def guest_files() -> list[Path]:
    """Return the files that the cases need in a guest."""
    return [*NETNS.glob("*.py"), GUEST / "ethtool.py", tools.udptunctl(), tools.SOURCES / "udptunctl" / "udptunctl.8"]


def next_debian() -> str:
    """Return the build root, whose ip the UML guest runs; "" where it cannot be had."""
    try:
        return str(buildroot.find().path)
    except HarnessError:
        return ""


def judge(outcome: str) -> None:
    """Pass, skip or fail as the guest says."""
    if outcome.startswith("skip: "):
        pytest.skip(outcome.removeprefix("skip: "))
    assert outcome == "ok"
