# SPDX-License-Identifier: GPL-2.0
"""What the kernel writes is read whole, or refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dsharness.errors import HarnessError
from dsharness.results.samples import check_agreement, parse_report, parse_samples

REPORT = """\
# dsbench: 0.1.0
# revision: 0123456
# kernel: 6.12.117 x86_64
# compiler: gcc-12 (Debian 12.2.0-14) 12.2.0
# clock: rdtsc between lfence
# unit: tsc
# clock_khz: 2596104
# clock_overhead: 61
# config: SMP PREEMPT
# warning: this kernel has KASAN, so every memory access costs more: measure on one without it
# run: 1 n=4 tries=3 warmup=500 seed=1 order=shuffled alloc=prealloc lookups=0 misses=0 cpu=0 state=complete ms=7
# warning: run 1, interrupts fell into 1 of 3 tries of fill list at n=4
container  op    n tries disturbed  min  p50  mean  p90  p99  max  mad  per_element
list       fill  4     3         1  100  120   130  168  179  180   20  30.00
list       find  4     3         0  -10   -4    -5   -2   -1   -1    2  below_resolution
"""

SAMPLES = """\
run,container,op,n,elements,try,count,disturbed
1,list,fill,4,4,0,100,0
1,list,find,4,2,0,-10,0
1,list,fill,4,4,1,180,1
1,list,fill,4,4,2,120,0
1,list,find,4,2,1,-4,0
1,list,find,4,2,2,-1,0
"""

DATAPATH_REPORT = REPORT.partition("# run:")[0] + """\
# run: 1 tries=3 warmup=500 seed=1 cpu=0 state=complete ms=7
container  op      n tries disturbed    min    p50   mean    p90    p99    max  mad  per_element
veth       path 1400     3         0  95000  96000  96000  96800  96980  97000  700      3000.00
udptun     path 1400     3         0 190000 192000 192000 193600 193960 194000 1400      6000.00
"""

DATAPATH_SAMPLES = """\
run,container,op,n,elements,try,count,disturbed
1,veth,path,1400,32,0,95000,0
1,udptun,path,1400,32,0,194000,0
1,veth,path,1400,32,1,96000,0
1,udptun,path,1400,32,1,190000,0
1,udptun,path,1400,32,2,192000,0
1,veth,path,1400,32,2,97000,0
"""


def test_modules_of_earlier_revisions_are_understood() -> None:
    """ab, explain and gate run them: they called TSC cycles and counts cycles."""
    report = parse_report(REPORT.replace("# unit: tsc", "# unit: cycles"))
    assert report.unit == "tsc" and report.core_rates == []
    assert parse_samples(SAMPLES.replace(",count,", ",cycles,")) == parse_samples(SAMPLES)


def test_report() -> None:
    report = parse_report(REPORT)
    assert report.unit == "tsc"
    assert report.header.number("clock_khz") == 2596104
    assert report.header.get("compiler") == "gcc-12 (Debian 12.2.0-14) 12.2.0"
    assert report.header.get("absent", "none") == "none"
    assert [run.number for run in report.runs] == [1]
    assert report.runs[0].settings["order"] == "shuffled"
    assert [(row.container, row.op, row.n, row.tries, row.disturbed) for row in report.rows] == [
        ("list", "fill", 4, 3, 1),
        ("list", "find", 4, 3, 0),
    ]
    assert report.rows[0].values["per_element"] == 30.0
    assert report.rows[1].values["per_element"] is None


def test_warnings_of_single_cells_are_left_to_the_samples() -> None:
    assert parse_report(REPORT).warnings == [
        "this kernel has KASAN, so every memory access costs more: measure on one without it"
    ]


def test_what_a_row_has_not_is_no_figure() -> None:
    lines = [line.rstrip() for line in REPORT.splitlines()]
    columns = dict(zip(lines[-3:], ("  x_floor", "  11.10", "  -")))
    text = "\n".join(line + columns.get(line, "") for line in lines) + "\n"
    assert [row.values["x_floor"] for row in parse_report(text).rows] == [11.1, None]


def test_samples_keep_every_try_in_order() -> None:
    fill, find = parse_samples(SAMPLES)
    assert fill.name == "list/fill/4"
    assert list(fill.counts) == [100, 180, 120]
    assert list(fill.disturbed) == [0, 1, 0]
    assert (find.elements, list(find.counts)) == (2, [-10, -4, -1])
    check_agreement(parse_report(REPORT), [fill, find])


def test_rows_of_the_datapath_are_of_packets() -> None:
    report, cells = parse_report(DATAPATH_REPORT), parse_samples(DATAPATH_SAMPLES)
    check_agreement(report, cells)
    assert [(cell.name, cell.elements, cell.work) for cell in cells] == [
        ("veth/path/1400", 32, "packet"),
        ("udptun/path/1400", 32, "packet"),
    ]
    assert {cell.work for cell in parse_samples(SAMPLES)} == {"element"}


BURST_REPORT = REPORT.partition("# run:")[0] + """\
# run: 1 tries=2 warmup=500 seed=1 cpu=0 state=complete ms=7
container  op      n tries disturbed    min    p50   mean    p90    p99    max  mad  per_element threads burst
udptun     path 1400     2         0  95000  96000  96000  96800  96980  97000  700      3000.00       0     0
udptun     path 1400     2         0 190000 192000 192000 193600 193960 194000 1400      3000.00       0    64
"""

BURST_SAMPLES = """\
run,container,op,n,elements,try,count,disturbed,threads,elapsed,reads,writes,burst
1,udptun,path,1400,32,0,95000,0,0,0,0,0,0
1,udptun,path,1400,64,0,194000,0,0,0,0,0,64
1,udptun,path,1400,64,1,190000,0,0,0,0,0,64
1,udptun,path,1400,32,1,97000,0,0,0,0,0,0
"""


def test_bursts_have_cells_of_their_own() -> None:
    report, cells = parse_report(BURST_REPORT), parse_samples(BURST_SAMPLES)
    check_agreement(report, cells)
    assert [(cell.name, cell.elements, list(cell.counts)) for cell in cells] == [
        ("udptun/path/1400", 32, [95000, 97000]),
        ("udptun/path/1400/burst:64", 64, [194000, 190000]),
    ]
    assert [row.name for row in report.rows] == [cell.name for cell in cells]
    with pytest.raises(HarnessError, match="lacks the 2 tries of udptun/path/1400/burst:64"):
        check_agreement(report, cells[:1])
    with pytest.raises(HarnessError, match="the samples file is damaged: line 3"):
        parse_samples(BURST_SAMPLES.replace("0,64\n", "0,x\n", 1))


SHARED_SAMPLES = """\
run,container,op,n,elements,try,count,disturbed,threads,elapsed,reads,writes
1,list,find,4,4,0,100,0,0,0,0,0
1,list,find,4,4,0,110,0,1,26000,400,10
1,list,find,4,4,0,120,1,2,27000,800,9
1,list,find,4,4,1,104,0,0,0,0,0
"""


def test_readers_have_cells_of_their_own() -> None:
    cells = parse_samples(SHARED_SAMPLES)
    assert [cell.name for cell in cells] == ["list/find/4", "list/find/4/threads:1", "list/find/4/threads:2"]
    assert [list(cell.counts) for cell in cells] == [[100, 104], [110], [120]]
    assert [(list(cell.elapsed), list(cell.reads), list(cell.writes)) for cell in cells] == [
        ([], [], []), ([26000], [400], [10]), ([27000], [800], [9])
    ]  # fmt: skip


@pytest.mark.parametrize("damage", [("26000,400", "0,400"), ("26000,400", "26000,0"), ("400,10", "400,-1"), (",1,26000", ",x,26000")])
def test_readers_who_read_nothing_are_refused(damage: tuple[str, str]) -> None:
    with pytest.raises(HarnessError, match="the samples file is damaged: line 3"):
        parse_samples(SHARED_SAMPLES.replace(*damage))


def test_more_columns_and_another_order_are_read() -> None:
    text = "op,container,try,count,elements,n,run,disturbed,cpu\nfill,list,0,7,4,4,1,0,3\n"
    (cell,) = parse_samples(text)
    assert (cell.name, list(cell.counts)) == ("list/fill/4", [7])


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda text: "", "the samples file is empty"),
        (lambda text: text[:-3], "its last line has no end"),
        (lambda text: text.replace(",count", ""), "lacks the column 'count'"),
        (lambda text: text.replace("180,1", "180"), "line 4 has 7 fields instead of 8"),
        (lambda text: text.replace("180,1", "many,1"), "line 4 is '1,list,fill,4,4,1,many,1'"),
        (lambda text: text.replace("180", "9" * 20), "line 4 is"),
        (lambda text: text.replace("fill,4,4", "fill,4,0"), "list/fill/4 has 0 elements"),
    ],
)
def test_damaged_samples(damage: Callable[[str], str], sentence: str) -> None:
    with pytest.raises(HarnessError, match=sentence):
        parse_samples(damage(SAMPLES))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda text: "\n", "/proc/dsbench is empty"),
        (lambda text: text[:-1], "its last line has no end"),
        (lambda text: text.split("container ")[0], "the line with the column names is missing"),
        (lambda text: text.replace("container  op", "box  op"), "stands before the column names"),
        (lambda text: text.replace("# unit: tsc\n", ""), "its unit is '' instead of tsc or instructions or ns"),
        (lambda text: text.replace("  30.00", ""), "the table's row 'list       fill .*' can't be read"),
        (lambda text: text.replace("  30.00", "  thirty"), "can't be read"),
    ],
)
def test_damaged_report(damage: Callable[[str], str], sentence: str) -> None:
    with pytest.raises(HarnessError, match=sentence):
        parse_report(damage(REPORT))


def test_a_number_that_is_none() -> None:
    report = parse_report(REPORT.replace("2596104", "fast"))
    with pytest.raises(HarnessError, match="its header has 'clock_khz' as 'fast' instead of a number"):
        report.header.number("clock_khz")


def test_a_lost_sample_is_found() -> None:
    cells = parse_samples("\n".join(SAMPLES.splitlines()[:-1]) + "\n")
    with pytest.raises(HarnessError, match="it lacks the 3 tries of list/find/4"):
        check_agreement(parse_report(REPORT), cells)


def test_a_lost_row_is_found() -> None:
    report = parse_report("\n".join(REPORT.splitlines()[:-1]) + "\n")
    with pytest.raises(HarnessError, match="its table has fewer rows"):
        check_agreement(report, parse_samples(SAMPLES))
