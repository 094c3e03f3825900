# SPDX-License-Identifier: GPL-2.0
"""The kinds of tunnels, what udptun_rust leaves out, and the cases of that, which are skipped for it."""

from __future__ import annotations

UDPTUN, RUST = "udptun", "udptun_rust"

UNCHANGEABLE = (RUST,)
"""Kinds without changelink."""
WITHOUT_ETHTOOL = (RUST,)
"""Kinds without statistics for ethtool -S."""
OPTIONS_LEFT_OUT: dict[str, tuple[str, ...]] = {RUST: ("dev", "sport", "fwmark", "external")}
"""Kind -> options of udptunctl that it refuses."""

_OF_RUST = {
    "has no changelink": (
        "changelink_under_traffic_over4", "changelink_under_traffic_over6", "changed_under_a_stream_over4", "changed_under_a_stream_over6",
        "refused_changes", "refused_to_the_root_of_another_user_namespace", "ip_changes", "local_address_comes_later_over4",
        "local_address_comes_later_over6",
    ),
    "has no underlay device": (
        "underlay_removal", "a_chain_loses_its_underlay", "an_underlay_too_small_for_the_header", "vrf_over4", "vrf_over6",
        "vrf_has_addresses_of_its_own", "vrf_and_main_table_share_a_port", "device_and_none_share_a_port_over4",
        "device_and_none_share_a_port_over6", "another_device_does_not_get_in", "path_mtu_with_dev_over4", "path_mtu_with_dev_over6",
        "path_mtu_in_vrf_over4", "path_mtu_in_vrf_over6", "link_local_addresses", "link_local_endpoints", "underlays_in_a_circle",
        "the_underlay_is_shown_by_ip", "a_bound_socket_comes_before_several_peers",
    ),
    "demultiplexes early for one peer alone": ("several_peers_keep_their_input_routes",),
    "has no range of source ports": (
        *(f"sport_hash_{inner}in{outer}" for inner in (4, 6) for outer in (4, 6)), "sport_range_is_checked_over4", "sport_range_is_checked_over6",
        "sport_range_of_one_over4", "sport_range_of_one_over6", "sport_ranges_do_not_overlap_over4", "sport_ranges_do_not_overlap_over6",
        "a_range_has_no_connected_socket", "path_mtu_with_sport_hash_over4", "path_mtu_with_sport_hash_over6", "sport_hash_at_one_end",
    ),
    "has no mark": (
        "fwmark_over4", "fwmark_over6", "default_route_through_the_tunnel_over4", "default_route_through_the_tunnel_over6",
        "fwmark_in_another_namespace", "path_mtu_with_fwmark_over4", "path_mtu_with_fwmark_over6",
    ),
    "does not log strangers": ("stranger_is_logged_over4", "stranger_is_logged_over6"),
    "is not in the manual's examples": ("examples_of_the_manual",),
}  # fmt: skip
"""What udptun_rust lacks -> cases of it. All cases external_* need the external mode."""


def left_out(kind: str, name: str) -> str:
    """Return what a kind lacks for a case; "" if the case is for it."""
    if kind != RUST:
        return ""
    if name.startswith("external_"):
        return "has no external mode"
    return next((reason for reason, names in _OF_RUST.items() if name in names), "")


def is_left_out(kind: str, words: str) -> bool:
    """Return whether a kind refuses one of these options of udptunctl."""
    return any(option in words.split() for option in OPTIONS_LEFT_OUT.get(kind, ()))
