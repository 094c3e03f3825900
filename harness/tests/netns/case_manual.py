# SPDX-License-Identifier: GPL-2.0
"""The examples of the manual page."""

from __future__ import annotations

import os
import re
from pathlib import Path

from checks import Failure, true
from commands import ip, run
from lab import Machine
from registry import case

MANUAL = Path("udptunctl.8")
LITERAL = re.compile(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", re.MULTILINE | re.DOTALL)


@case
def examples_of_the_manual() -> None:
    """Each example runs on a machine of its own, whose eth0 has the addresses; on the peer where it is the peer's."""
    section = MANUAL.read_text(encoding="utf-8").partition(".Sh EXAMPLES")[2].partition(".Sh ")[0]
    examples = LITERAL.findall(section.replace("\\e\n", "\\\n"))
    true("there are examples", len(examples) > 5)
    for example in examples:
        if "IP_LIB_DIR" in example and not Path("link_udptun.so").exists():
            continue
        mine = "192.0.2.2" if "local 192.0.2.2" in example else "192.0.2.1"
        a = Machine("a")
        with a:
            ip(f"link add eth0 type dummy\nlink set eth0 up\naddr add {mine}/24 dev eth0\naddr add fe80::1/64 dev eth0 nodad")
            done = run("sh", "-ec", re.sub(r"\$PWD/build", os.getcwd(), example), status=None)
        if done.status:
            raise Failure(f"{example!r}: status {done.status}: {done.stderr.strip()}")
        true(f"{example!r} makes a tunnel", a.has("tun0"))
        a.delete()
