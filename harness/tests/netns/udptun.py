# SPDX-License-Identifier: GPL-2.0
"""The tunnel from end to end: each case is a function that builds its network anew, and says by Failure what is wrong.

    python3 udptun.py [CASE ...]    runs all, or these; each line of the output begins with "run", "ok", "FAILED" or "skip"

The cases are in case_*.py. The topology is Cable's, in lab.py, unless a case draws its own.
"""

from __future__ import annotations

import os
import re
import sys
import time
import traceback
from pathlib import Path

# Each registers its cases, which are tried in this order.
import case_datagrams  # noqa: F401
import case_mtu  # noqa: F401
import case_streams  # noqa: F401
import case_headers  # noqa: F401
import case_admission  # noqa: F401
import case_changes  # noqa: F401
import case_lifetimes  # noqa: F401
import case_loops  # noqa: F401
import case_refusals  # noqa: F401
import case_messages  # noqa: F401
import case_show  # noqa: F401
from checks import Failure, Skip
from commands import run
from lab import clear
from registry import CASES

TROUBLE = re.compile(
    r"BUG:|WARNING:|Oops|Call Trace|soft lockup|blocked for more than|scheduling while atomic|unregister_netdevice: waiting"
)


def supervise(name: str, log: int) -> bool:
    """Run one case, and say how it went."""
    print(f"run {name}", flush=True)
    begin = time.monotonic()
    kernel_says(log)
    try:
        CASES[name]()
        clear()
        if complaint := kernel_says(log):
            raise Failure(f"the kernel complains: {complaint}")
    except Skip as reason:
        print(f"skip {name}: {reason}", flush=True)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other cases are tried
        text = str(error) if isinstance(error, Failure) else repr(error)
        print(f"FAILED {name}: {place(error)}: {text} {kernel_says(log)}".replace("\n", " "), flush=True)
        clear()
        return False
    else:
        print(f"ok {name} ({time.monotonic() - begin:.1f} s)", flush=True)
    return True


def place(error: Exception) -> str:
    """File and line, of a case where one was on the way."""
    files = [(Path(frame.filename).name, frame.lineno) for frame in reversed(traceback.extract_tb(error.__traceback__))]
    name, line = next((file for file in files if file[0].startswith("case_")), files[-1])
    return f"{name} line {line}"


def kernel_says(log: int) -> str:
    """The first complaint among the kernel's new messages, or ""."""
    found = ""
    while True:
        try:
            message = os.read(log, 8192).decode(errors="replace").partition(";")[2].partition("\n")[0]
        except BlockingIOError:
            return found
        except BrokenPipeError:
            continue
        if not found and TROUBLE.search(message):
            found = message


def main(names: list[str]) -> int:
    """Run these cases, or all; 1 when one fails."""
    run("modprobe", "udptun")
    log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    results = [supervise(name, log) for name in names or CASES]
    return int(not all(results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
