# SPDX-License-Identifier: GPL-2.0
"""Run the KUnit suites in the UML guest.

The kernel's own kunit.py parses the report. It is taken from the source that the guest was built from. A report of the debug
kernel (--kernel debug) about memory, locks or RCU fails the case that caused it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import command, proc, targets
from ..errors import HarnessError
from ..kernel import kernels, option
from ..kernel.own import Spec

SECONDS = 120.0
DEBUG_SECONDS = 1200.0
"""Time limits of all suites, in seconds."""

TROUBLE = re.compile(
    r"BUG:|WARNING:|UBSAN:|ODEBUG:|Oops|Call Trace|kmemleak: \d+ new|refcount_t:|ref_tracker:|soft lockup|blocked for more than"
    r"|scheduling while atomic|self-detected stall"
)
"""What a kernel says about a fault of its own or of a module."""
HEADER = re.compile(rb"^(?P<stamp>\[[^]]*\] )(?P<inside> *)KTAP version ", re.MULTILINE)
"""The line in front of a report, or inside of one in front of a suite."""
RESULT = re.compile(r"^(?:\[[^]]*\] ?)?(?P<inside> *)(?:not )?ok \d+ (?P<name>\S+)")

# No run may start while the suites use the containers, which are loaded with the suites. The kernel's log is the report,
# one for each module, since kunit.py stops at the end of the first report.
SCRIPT = """
set -e
leaks=/sys/kernel/debug/kmemleak
find_leaks() {
	sleep 6 # younger objects are not reported, nor any that the first scan sees
	echo scan >$leaks
	echo scan >$leaks
}
if [ -e $leaks ]; then
	find_leaks
	echo clear >$leaks # the kernel's own, from its boot
fi
insmod dsbench.ko autorun=0
for module in *_kunit.ko; do
	dmesg --clear
	modprobe "${module%.ko}"
	if [ -e $leaks ]; then
		find_leaks
		cat $leaks >&2
	fi
	dmesg
	printf '\\f'
done
"""
REPORT_END = b"\f"


@dataclass(frozen=True)
class Case:
    """A test case, or one parameter of a test case."""

    suite: str
    name: str
    status: str
    """PASS, FAIL, SKIP or ERROR, as kunit.py reports it."""


@dataclass(frozen=True)
class Report:
    """The log as parsed by the kernel's kunit.py."""

    cases: tuple[Case, ...]
    text: str
    """As kunit.py prints it."""
    passed: bool
    """What its exit status says."""


def run_suites(kernel: Spec | None = None) -> Report:
    """Boot a guest of `kernel`, load the suites and return their report. HarnessError if the guest fails."""
    target = targets.get("uml", kernel)
    result = target.run(["sh", "-c", SCRIPT], timeout=DEBUG_SECONDS if target.kernel.is_debug else SECONDS)
    if result.status:
        raise HarnessError(f"the KUnit suites did not run: {result.stderr.decode(errors='replace').strip()}")
    if target.kernel.source is None:
        raise HarnessError(f"{target.kernel.release} has no source with kunit.py in it")
    logs = with_headers(result.stdout.split(REPORT_END)[:-1])
    return joined([judged(parse(log, target.kernel.source), log.decode(errors="replace")) for log in logs])


def with_headers(logs: Sequence[bytes]) -> list[bytes]:
    """Return logs of which each is a report, from one log for each module.

    Linux 6.1 prints no header in front of the suites of a module, and goes on numbering with those of the next one: its logs become one report.
    """
    whole = b"".join(logs)
    first = HEADER.search(whole)
    if not first or not first["inside"]:
        return list(logs)
    suites = sum(1 for line in whole.decode(errors="replace").splitlines() if (match := RESULT.match(line)) and not match["inside"])
    return [b"%bKTAP version 1\n%b1..%d\n%b" % (first["stamp"], first["stamp"], suites, whole)]


def judged(report: Report, log: str) -> Report:
    """Return the report with each case failed that the kernel complains about in its log."""
    blamed = complaints(log)
    if not blamed:
        return report
    cases = tuple(dataclasses.replace(case, status="FAIL") if case.name in blamed else case for case in report.cases)
    text = "".join(f"{name or 'after the last case'}: the kernel complains: {line}\n" for name, line in blamed.items())
    return Report(cases, report.text + text, passed=False)


def complaints(log: str) -> dict[str, str]:
    """Return the first complaint about each case, by the name of the case; "" for what follows the last one."""
    found: dict[str, str] = {}
    waiting = ""
    for line in log.splitlines():
        result = RESULT.match(line)
        if not result and not waiting and TROUBLE.search(line):
            waiting = line.strip()
        if result and waiting:
            found[result["name"]] = waiting
            waiting = ""
    return found | ({"": waiting} if waiting else {})


def joined(reports: Sequence[Report]) -> Report:
    """Return one report of all. It passed if there is one and each passed."""
    return Report(
        tuple(case for report in reports for case in report.cases),
        "".join(report.text for report in reports),
        bool(reports) and all(report.passed for report in reports),
    )


def parse(log: bytes, source: Path) -> Report:
    """Parse a kernel log by the kunit.py of a kernel source."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        saved = Path(folder) / "log"
        saved.write_bytes(log)
        argv = [sys.executable, str(source / "tools/testing/kunit/kunit.py"), "parse", f"--json={report}", str(saved)]
        answer = subprocess.run(argv, check=False, capture_output=True, encoding="utf-8", errors="replace", env=proc.english())
        try:
            content = json.loads(report.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise HarnessError(f"kunit.py made no report: {answer.stderr.strip() or answer.stdout.strip()}") from None
    return Report(tuple(_cases(content)), answer.stdout, answer.returncode == 0)


def _cases(group: dict[str, Any], suite: str = "") -> Iterator[Case]:
    """Return all cases below a group. A suite is a group of the first level."""
    for case in group.get("test_cases", []):
        yield Case(suite, case["name"], case["status"])
    for sub in group.get("sub_groups", []):
        yield from _cases(sub, suite or sub["name"])


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench kunit`."""
    parser = subparsers.add_parser("kunit", help="run the KUnit suites in the UML guest", description=__doc__)
    option.add(parser, f"6.12 (default), {kernels.DEBUG} or {kernels.RUST_DEBUG}: with KASAN, lockdep and the like", config=False)
    command.declare(parser, run, needs=lambda args: targets.prerequisites("uml", args.kernel), check=checked_kernel)


def checked_kernel(args: argparse.Namespace) -> argparse.Namespace:
    """Return the options. UsageError for a kernel that uml cannot have."""
    args.kernel = option.one(args)
    targets.check("uml", args.kernel)
    return args


def run(args: argparse.Namespace) -> int:
    """Print the report. Return 0 if all cases passed."""
    report = run_suites(args.kernel)
    print(report.text, end="")
    return 0 if report.passed else 1
