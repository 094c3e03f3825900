# SPDX-License-Identifier: GPL-2.0
"""The examples of the manual page."""

from __future__ import annotations

import re
from pathlib import Path

from case_ynl import installed
from checks import Failure, equal, true
from commands import KIND, ip, run
from lab import Machine
from registry import case

MANUAL = Path("udptunctl.8")
LITERAL = re.compile(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", re.MULTILINE | re.DOTALL)
CLIENT = "tools/net/ynl/cli.py"
DYNAMIC_DEBUG = Path("/sys/kernel/debug/dynamic_debug/control")


@case
def examples_of_the_manual() -> None:
    """Each example runs on a machine of its own, whose eth0 has the addresses; on the peer where it is the peer's.

    The kernel's netlink client is in UML's guests alone, and a kernel may lack dynamic debug.
    """
    page = MANUAL.read_text(encoding="utf-8")
    examples = LITERAL.findall(page.replace("\\e\n", "\\\n"))
    equal("examples", len(examples), page.count(".Bd "))
    for example in examples:
        if (CLIENT in example and not installed()) or (str(DYNAMIC_DEBUG) in example and not DYNAMIC_DEBUG.exists()):
            continue
        runs(example)
    if DYNAMIC_DEBUG.exists():
        DYNAMIC_DEBUG.write_text(f"module {KIND} -p", encoding="ascii")


def runs(example: str) -> None:
    """Failure unless each command of an example succeeds, and the tunnel is there."""
    mine = "192.0.2.2" if "local 192.0.2.2" in example else "192.0.2.1"
    # Only this shows the devices of the namespace in /sys, where it hides what else is mounted there.
    inside = ["ip", "netns", "exec", "a"] if "/sys/class/net" in example else []
    a = Machine("a")
    with a:
        ip(f"link add eth0 type dummy\nlink set eth0 up\naddr add {mine}/24 dev eth0\naddr add fe80::1/64 dev eth0 nodad")
        done = run(*inside, "sh", "-ec", here(example), status=None)
    if done.status:
        raise Failure(f"{example!r}: status {done.status}: {done.stderr.strip()}")
    true(f"{example!r} makes a tunnel", a.has("tun0") or "tun0" not in example)
    a.delete()


def here(example: str) -> str:
    """Return an example with the places of files in this guest."""
    (plugin,) = Path("/usr/lib").glob(f"*/ip/link_{KIND}.so")
    example = example.replace("$PWD/build", str(plugin.parent)).replace("include/uapi/udptun.yaml", "udptun.yaml")
    program = installed()
    if not program:
        return example
    example = example.replace(CLIENT, f"/usr/bin/python3 {program}/cli.py")
    return example.replace("Documentation/netlink/netlink-raw.yaml", f"{program}/lib/netlink-raw.yaml")
