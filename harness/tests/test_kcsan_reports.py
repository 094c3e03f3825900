# SPDX-License-Identifier: GPL-2.0
"""Reports of KCSAN in the kernel's log: which are about the tunnel's own code."""

from __future__ import annotations

import netnsguests  # noqa: F401 - has the folder of the cases on the path
from kcsan import Reports

RULE = "=" * 66


def report(title: str, *frames: str) -> list[str]:
    """Return the messages of a report, as the kernel prints them."""
    half = len(frames) // 2
    access = [f" {frame}" for frame in frames]
    return [
        RULE, f"BUG: KCSAN: data-race in {title}", "", "write to 0xffff888004d4c0a8 of 4 bytes by interrupt on cpu 1:", *access[:half], "",
        "read to 0xffff888004d4c0a8 of 4 bytes by task 312 on cpu 0:", *access[half:], "", "value changed: 0x00000012 -> 0x00000013", "",
        "Reported by Kernel Concurrency Sanitizer on:", "CPU: 0 UID: 0 PID: 312 Comm: python3 Tainted: G           O       6.12.117 #1", RULE,
    ]  # fmt: skip


def read(reports: Reports, messages: list[str]) -> list[str | None]:
    return [reports.take(message) for message in messages]


def test_a_race_of_the_module_is_found_at_the_end_of_its_report() -> None:
    reports = Reports("udptun")
    messages = report("udptun_receive [udptun] / udptun_receive [udptun]", "udptun_receive+0x12/0x300 [udptun]", "udp_rcv+0x1/0x20")
    found = read(reports, ["before", *messages, "after"])
    assert [found[0], found[-1]] == [None, None], "messages outside of a report"
    assert found[-2] == "data-race in udptun_receive [udptun] / udptun_receive [udptun]: udptun_receive [udptun], udp_rcv"
    assert not any(found[1:-2]) and not reports.others


def test_a_race_of_the_kernel_is_counted_and_fails_nothing() -> None:
    reports = Reports("udptun")
    for _ in range(2):
        assert not any(read(reports, report("tick_do_timer / tick_do_timer", "tick_do_timer+0x1/0x20", "hrtimer+0x12/0x300")))
    assert not any(read(reports, report("llist_add / llist_del", "llist_add+0x1/0x20", "udptun_receive+0x12/0x300 [udptun]")))
    assert reports.others == {"data-race in tick_do_timer / tick_do_timer": 2, "data-race in llist_add / llist_del, below udptun": 1}


def test_another_module_of_a_similar_name_is_not_ours() -> None:
    reports = Reports("udptun")
    assert not any(read(reports, report("xmit [udptun_rust] / xmit [udptun_rust]", "xmit+0x1/0x20 [udptun_rust]", "xmit+0x1/0x20 [udptun_rust]")))
