# SPDX-License-Identifier: GPL-2.0
"""Runs guests that count instructions side by side: what they count does not depend on the machine's load."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent import futures

from .. import proc

MOST = 2
"""Maximum number of guests at once. Each has a quarter to one GiB of memory."""
THREADS = "guest"
"""Beginning of the threads' names."""
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
    with futures.ThreadPoolExecutor(len(jobs), THREADS) as pool:
        try:  # a signal may come before all have begun
            for one in futures.as_completed([pool.submit(job) for job in jobs]):
                one.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            while any(thread.name.startswith(THREADS) for thread in threading.enumerate()):
                proc.end_children()
                time.sleep(SECONDS)
            raise
