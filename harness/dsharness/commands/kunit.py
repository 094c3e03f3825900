# SPDX-License-Identifier: GPL-2.0
"""Run the KUnit suites in the UML guest.

The kernel's own kunit.py parses the report. It is taken from the source that the guest was built from.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import command, proc, targets
from ..errors import HarnessError

SECONDS = 120.0

# No run may start while the suites use the containers, which are loaded with the suites. The kernel's log is the report,
# one for each module, since kunit.py stops at the end of the first report.
SCRIPT = """
set -e
insmod dsbench.ko autorun=0
for module in *_kunit.ko; do
	dmesg --clear
	modprobe "${module%.ko}"
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


def run_suites() -> Report:
    """Boot a guest, load the suites and return their report. HarnessError if the guest fails."""
    target = targets.get("uml")
    result = target.run(["sh", "-c", SCRIPT], timeout=SECONDS)
    if result.status:
        raise HarnessError(f"the KUnit suites did not run: {result.stderr.decode(errors='replace').strip()}")
    if target.kernel.source is None:
        raise HarnessError(f"{target.kernel.release} has no source with kunit.py in it")
    logs = result.stdout.split(REPORT_END)[:-1]
    return joined([parse(log, target.kernel.source) for log in logs])


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
    command.declare(parser, run, needs=lambda args: targets.prerequisites("uml"))


def run(_args: argparse.Namespace) -> int:
    """Print the report. Return 0 if all cases passed."""
    report = run_suites()
    print(report.text, end="")
    return 0 if report.passed else 1
