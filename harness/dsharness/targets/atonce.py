# SPDX-License-Identifier: GPL-2.0
"""Runs guests that count instructions side by side: what they count does not depend on the machine's load."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent import futures

from .. import proc

MOST = 2
"""Maximum number of guests at once. Each has a quarter to one GiB of memory."""
SECONDS = 0.1
"""Time between two looks at threads whose guests have been ended."""


def most() -> int:
    """Return the number of guests to run at once here: no more than this process has CPUs, since a starved guest misses its deadlines."""
    return min(MOST, len(os.sched_getaffinity(0)))


def run(jobs: Sequence[Callable[[], None]]) -> None:
    """Run jobs that boot guests, each in a thread of its own. If one fails, or a signal ends the harness, all guests are ended."""
    if len(jobs) == 1:
        jobs[0]()
        return
    with futures.ThreadPoolExecutor(len(jobs)) as pool:
        running = [pool.submit(job) for job in jobs]
        try:
            for one in futures.as_completed(running):
                one.result()
        except BaseException:
            while futures.wait(running, SECONDS).not_done:
                proc.end_children()
            raise
