# SPDX-License-Identifier: GPL-2.0
"""The tunnel from end to end: each case is a function that builds its network anew, and says by Failure what is wrong.

    python3 udptun.py [CASE ...]    runs all, or these; each line of the output begins with "run", "ok", "FAILED" or "skip"
    KIND=udptun_rust python3 udptun.py   runs them with devices of the driver in Rust

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
import case_offloads  # noqa: F401
import case_big  # noqa: F401
import case_disciplines  # noqa: F401
import case_groups  # noqa: F401
import case_stacked  # noqa: F401
import case_delivery  # noqa: F401
import case_cpus  # noqa: F401
import case_headers  # noqa: F401
import case_nat  # noqa: F401
import case_netfilter  # noqa: F401
import case_admission  # noqa: F401
import case_underlays  # noqa: F401
import case_sport  # noqa: F401
import case_marks  # noqa: F401
import case_flaps  # noqa: F401
import case_external  # noqa: F401
import case_ovs  # noqa: F401
import case_changes  # noqa: F401
import case_lifetimes  # noqa: F401
import case_kinds  # noqa: F401
import case_many  # noqa: F401
import case_peers  # noqa: F401
import case_loops  # noqa: F401
import case_refusals  # noqa: F401
import case_messages  # noqa: F401
import case_show  # noqa: F401
import case_iproute2  # noqa: F401
import case_ynl  # noqa: F401
import case_manual  # noqa: F401
import kcsan
from checks import Failure, Skip
from commands import KIND, run
from kinds import left_out
from lab import clear
from memory import KMEMLEAK
from registry import CASES

TROUBLE = re.compile(
    r"BUG:|WARNING:|UBSAN:|ODEBUG:|Oops|Call Trace|refcount_t:|ref_tracker:|soft lockup|blocked for more than"
    r"|scheduling while atomic|self-detected stall|unregister_netdevice: waiting"
)
KMEMLEAK_SECONDS = 6
"""Younger objects are not reported."""
RACES = kcsan.Reports(KIND)


def supervise(name: str, log: int) -> bool:
    """Run one case, and say how it went."""
    print(f"run {name}", flush=True)
    begin = time.monotonic()
    kernel_says(log)
    try:
        if reason := left_out(KIND, name):
            raise Skip(f"{KIND} {reason}")
        CASES[name]()
        clear()
        if complaint := kernel_says(log):
            raise Failure(f"the kernel complains: {complaint}")
    except Skip as reason:
        print(f"skip {name}: {reason}", flush=True)
        clear()
    except Exception as error:  # noqa: BLE001 - whatever it is, the other cases are tried
        text = str(error) if isinstance(error, Failure) else repr(error)
        print(f"FAILED {name}: {place(error)}: {text} {kernel_says(log)}".replace("\n", " "), flush=True)
        clear()
        return False
    else:
        print(f"ok {name} ({time.monotonic() - begin:.1f} s)", flush=True)
    return True


def jiffies() -> int:
    """The kernel's clock, by which kmemleak dates what was allocated."""
    found = re.search(r"^jiffies: (\d+)", Path("/proc/timer_list").read_text(encoding="ascii"), re.MULTILINE)
    return int(found[1]) if found else 0


def leaked(begins: dict[str, int]) -> bool:
    """Say which cases have left memory that nothing refers to; `begins` has the jiffies at which each began."""
    time.sleep(KMEMLEAK_SECONDS)
    for _ in range(2):  # an object that a scan sees for the first time is not reported
        KMEMLEAK.write_text("scan", encoding="ascii")
    found: dict[str, str] = {}
    for report in re.split(r"^unreferenced object ", KMEMLEAK.read_text(encoding="ascii"), flags=re.MULTILINE)[1:]:
        date = re.search(r"jiffies (\d+)", report)
        begun = [name for name, begin in begins.items() if date and begin <= int(date[1])]
        if begun:
            found.setdefault(begun[-1], " ".join(report.split()))
    for name, report in found.items():
        print(f"FAILED {name}: a memory leak: {report}", flush=True)
    return bool(found)


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
        race = RACES.take(message)
        if not found and (race or race is None and TROUBLE.search(message)):
            found = race or message


def main(names: list[str]) -> int:
    """Run these cases, or all; 1 when one fails."""
    run("modprobe", KIND)
    log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    kcsan.turn_on()
    begins: dict[str, int] = {}
    results = []
    for name in names or CASES:
        begins[name] = jiffies()
        results.append(supervise(name, log))
    leaks = KMEMLEAK.exists() and leaked(begins)
    unloaded = unloads(list(begins)[-1], log)
    for race, times in RACES.others.items():
        print(f"race of the kernel, {times} times: {race}", flush=True)
    if summary := kcsan.summary():
        print(summary, flush=True)
    return int(not all([*results, unloaded]) or leaks)


def unloads(last: str, log: int) -> bool:
    """Say whether the module can be removed, which a device that was not freed would prevent; the last case answers for it."""
    done = run("rmmod", KIND, status=None)
    if complaint := done.stderr.strip() or kernel_says(log):
        print(f"FAILED {last}: the module is removed after it: {complaint}".replace("\n", " "), flush=True)
    return not complaint


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
