# SPDX-License-Identifier: GPL-2.0
"""The tunnel in guests: the cases of netns/, all of them in UML, those that the kernel matters for on stock kernels.

A guest boots once for all of its cases.
"""

from __future__ import annotations

import functools
import re
import sys
from pathlib import Path

import pytest
from dsharness.errors import HarnessError
from dsharness.kernel import buildroot, tools
from dsharness.targets import Target, get

NETNS = Path(__file__).parent / "netns"
sys.path.insert(0, str(NETNS))

import udptun  # noqa: E402

SECONDS = 1800
"""For all cases of a guest, whose instructions QEMU emulates; an idle machine needs a tenth."""

ON_STOCK_KERNELS = (
    *(f"{name}_{inner}in{outer}" for name in ("datagrams", "mtu_edge", "stream", "tos") for inner in (4, 6) for outer in (4, 6)),
    "fragments_6in4", "ecn_4in4", "ecn_6in6", "ttl_6in6", "path_mtu_4in4", "path_mtu_6in6",
    "malformed_over4", "malformed_over6", "malformed_udp", "stranger_over4", "stranger_over6",
    "two_tunnels_on_one_port_over4", "changelink_under_traffic_over4", "delete_under_traffic_over4",
    "delete_under_traffic_over6", "module_unload_with_devices", "netns_move", "netns_of_the_device_dies",
    "netns_of_the_socket_dies", "underlay_removal", "routing_loop_over4", "routing_loop_over6", "routing_loop_of_two",
    "refused_by_the_kernel", "refused_changes", "refused_messages", "shown_is_what_makes_it",
)  # fmt: skip


@functools.cache
def outcomes(target: str, kernel: str | None) -> dict[str, str]:
    """What became of each case: "ok", or why it was not."""
    names = ON_STOCK_KERNELS if target == "qemu" else tuple(udptun.CASES)
    files = [*NETNS.glob("*.py"), tools.udptunctl()]
    said = bytearray()
    command = ["env", "PATH=/dsbench:/usr/sbin:/usr/bin:/sbin:/bin", "python3", "udptun.py", *names]
    end = "the guest did not come to it"
    if kernel == "newest":
        try:
            buildroot.require_namespaces()
        except HarnessError as error:
            return dict.fromkeys(names, f"skip: {error}")
    try:
        where: Target = get(target, kernel, network=True)
        where.run(command, files=files, timeout=SECONDS, on_stdout=said.extend)
    except HarnessError as error:
        end = str(error)
    found = dict.fromkeys(names, end)
    for verdict, name, why in re.findall(r"^(ok|FAILED|skip) (\w+):? ?(.*)$", said.decode(), re.MULTILINE):
        found[name] = {"ok": "ok", "skip": f"skip: {why}"}.get(verdict, why)
    return found


def judge(outcome: str) -> None:
    """Pass, skip or fail as the guest says."""
    if outcome.startswith("skip: "):
        pytest.skip(outcome.removeprefix("skip: "))
    assert outcome == "ok"


@pytest.mark.parametrize("name", udptun.CASES)
def test_in_uml(name: str) -> None:
    judge(outcomes("uml", None)[name])


@pytest.mark.parametrize("kernel", ["6.1", "6.12", "newest"])
@pytest.mark.parametrize("name", ON_STOCK_KERNELS)
def test_on_a_stock_kernel(name: str, kernel: str) -> None:
    judge(outcomes("qemu", kernel)[name])
