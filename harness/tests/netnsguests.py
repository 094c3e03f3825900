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

SURROUNDINGS = (
    "sch_ingress", "sch_fq", "sch_cake", "sch_netem", "cls_matchall", "cls_flower", "act_mirred", "act_nat", "act_skbedit", "act_tunnel_key",
    "macvlan", "macvtap", "ipvlan", "team", "ifb",
)  # fmt: skip
"""Modules of the stock kernels that cases need beside those of every guest with a network; UML's kernel has most of them built in."""


MEMORY_MIB = 768
"""For the case with the most devices, ten_thousand_on_a_port."""

OF_BOTH_KINDS = tuple(name for name in udptun.CASES if name.startswith("kinds_"))
"""Cases that need the driver in C and that in Rust."""
OF_OTHER_PROGRAMS = tuple(name for name in udptun.CASES if name.startswith(("next_ip_", "ynl_")))
"""Cases of programs that only UML's guests have: the next Debian's ip, and the kernel's netlink client."""


def selected(request: pytest.FixtureRequest, kernel: str | None = None, kind: str | None = None) -> tuple[str, ...]:
    """Return the cases of the selected tests that share the guest of this test."""
    items = (item for item in request.session.items if isinstance(item, pytest.Function) and item.function is request.function)
    ours = (item.callspec.params for item in items)
    return tuple(params["name"] for params in ours if (params.get("kernel"), params.get("kind")) == (kernel, kind))


@functools.cache
def outcomes(target: str, kernel: str | None, names: tuple[str, ...], kind: str = UDPTUN) -> dict[str, str]:
    """Run the cases in one guest, with devices of a kind. Return "ok" for each, or why it failed."""
    files = [*NETNS.glob("*.py"), GUEST / "ethtool.py", tools.udptunctl(), tools.SOURCES / "udptunctl" / "udptunctl.8"]
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
        where: Target = get(target, kernel, network=True, guest=guest)
        where.run(command, files=files, timeout=SECONDS, on_stdout=said.extend)
    except HarnessError as error:
        end = str(error)
    found = dict.fromkeys(names, end)
    for verdict, name, why in re.findall(r"^(ok|FAILED|skip) (\w+):? ?(.*)$", said.decode(), re.MULTILINE):
        found[name] = {"ok": "ok", "skip": f"skip: {why}"}.get(verdict, why)
    return found


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
