# SPDX-License-Identifier: GPL-2.0
"""dsbench explain without a guest: names of cells, the plugin's stream, functions, and which windows make a try."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import shlex
from pathlib import Path

import pytest
import schemas
from made_results import make
from dsharness import cli
from dsharness.errors import HarnessError, UsageError
from dsharness.explain import annotate, cells, difference, emulator, folded, guest, picture, plan, profile, single, slower, symbols, tries
from dsharness.explain import table, windows
from dsharness.explain import place
from dsharness.explain.place import Place
from dsharness.explain.symbols import Function, Symbols
from dsharness.kernel.build import Build
from dsharness.kernel.kernels import Kernel
from dsharness.results import datapath
from dsharness.results import results
from dsharness.results.samples import Cell, parse_report
from dsharness.sweep import plan as sweep
from dsharness.sweep.stream import StageResult

CONTAINERS = ("list", "rbtree", "xarray")


def names(*patterns: str) -> list[str]:
    return [cell.name for cell in cells.find(patterns, CONTAINERS)]


def test_a_name_is_one_cell() -> None:
    (cell,) = cells.find(["rbtree/fill/64"], CONTAINERS)
    assert (cell.name, cell.named, cell.is_packet, cell.work) == ("rbtree/fill/64", True, False, "element")
    assert cells.find(["xarray/find/8"], CONTAINERS)[0].work == "lookup"
    assert cells.find(["udptun/path/1400"], CONTAINERS)[0].work == "packet"


def test_patterns_and_missing_sizes() -> None:
    assert names("xarray/*") == [f"xarray/{op}/1000" for op in ("fill", "find", "for_each", "erase")]
    assert names("xarray") == names("xarray/*")
    assert names("*/find") == [f"{name}/find/1000" for name in CONTAINERS]
    assert names("list/fill/*") == [f"list/fill/{n}" for n in (500, 1000, 2000, 4000)]
    assert names("udptun/tx") == ["udptun/tx/1400"]
    assert names("geneve/path/*") == [f"geneve/path/{n}" for n in (64, 512, 1400, 64400)]
    assert names("udptun/path/1400/burst:64") == ["udptun/path/1400/burst:64"]
    assert names("udptun/path/*/burst:*") == [f"udptun/path/{n}/burst:{burst}" for n in (64, 512, 1400) for burst in (1, 8, 64)]
    assert names("*/path/64400/burst:8") == []
    assert [cell.named for cell in cells.find(["udptun/tx/64/burst:7", "udptun/tx/64/burst:*"], CONTAINERS)] == [True, False, False, False]
    assert names("floor") == [f"floor/{op}/1000" for op in ("empty", "walk", "random", "chase")]
    assert names("rbtree/find/9", "rbtree/find/9") == ["rbtree/find/9"]
    assert len(names("*")) == 4 * len(CONTAINERS) + 4 + 3 * len(datapath.DEVICES)


def test_a_named_cell_stays_named_beside_a_pattern() -> None:
    found = cells.find(["list/*/500", "list/fill/500", "list/f*/500"], CONTAINERS)
    assert [cell.named for cell in found if cell.name == "list/fill/500"] == [True]


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("rbtree/fnd/10", r"cell 'rbtree/fnd/10' is unknown: did you mean rbtree/find/10\?"),
        ("xaray/find", r"cell 'xaray/find' is unknown: did you mean xarray/find\?"),
        ("udptun/find/10", "cell 'udptun/find/10' is unknown: did you mean"),
        ("nothing/like/it", "cell 'nothing/like/it' is unknown: there are list, rbtree, xarray, floor, veth"),
        ("rbtree/find/0", "cell 'rbtree/find/0' ends in '0': allowed are elements from 1 to 16777216"),
        ("udptun/tx/99999", "cell 'udptun/tx/99999' ends in '99999': allowed are octets of payload from 1 to 64400"),
        ("rbtree/find/10/2", "cell 'rbtree/find/10/2' is unknown: names are such as maple/fill/1000"),
        ("udptun/path/1400/64", "cell 'udptun/path/1400/64' is unknown: names are such as .*udptun/path/1400/burst:64"),
        ("udptun/path/1400/burst:", "cell 'udptun/path/1400/burst:' is unknown"),
        ("udptun/path/1400/burst:65", "ends in '65': allowed are bursts of 1 to 64 packets"),
        ("udptun/path/64400/burst:8", "has no bursts: only packets of 1 to 1400 octets of payload come in some"),
        ("list/find/100/burst:8", "has no bursts: only packets of 1 to 1400"),
        ("", "cell '' is unknown: names are such as"),
    ],
)
def test_a_cell_that_does_not_exist(pattern: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        names(pattern)


def test_cells_share_runs() -> None:
    lines = [stage.line for stage in guest.stages(cells.find(["rbtree/find", "list/find", "xarray", "udptun/tx", "udptun/path"], CONTAINERS))]
    assert lines == [
        "0 rbtree,list find 1000 N",
        "1 xarray fill,find,for_each,erase 1000 N",
        "2 @udptun tx,path 1400 0",
    ]
    lines = [stage.line for stage in guest.stages(cells.find(["udptun/*/1400/burst:64", "udptun/tx/1400", "udptun/tx/64/burst:64"], CONTAINERS))]
    assert lines == ["0 @udptun tx,rx,path 1400 64", "1 @udptun tx 1400 0", "2 @udptun tx 64 64"]
    assert [stage.line for stage in guest.stages(cells.find(["floor/walk/8"], CONTAINERS))] == ["0 list for_each 8 Y"]


def test_the_packets_of_a_profile_are_those_of_the_run() -> None:
    assert place.options({"hash": 0, "sink_gro": 1, "protocol": "tcp"}) == ["--hash", "0", "--protocol", "tcp"]
    assert place.options({"hash": 1, "sink_gro": 1, "protocol": "udp"}) == []
    assert request_of("udptun/tx/64", "--hash", "0").after.plan.packets == ("hash=0",)


STREAM = """\
profile 1
b 0 ffffffffc0001010 3 12
b 1 ffffffffc0003000 5 20
w 0 ffffffffc0001000 ffffffffc0001020 8 2 1 1 3 1,0 0,1
c 0 1 0 1
c 1 1 2 0
n 1 0 0
s 0 0 1
s 1 1 1
= 2
w 0 ffffffffc0001000 ffffffffc0001020 3 0 1 0 1 - 0
c 0 1 0 1
end
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "profile"
    path.write_text(text, encoding="ascii")
    return path


def test_a_stream_is_read(tmp_path: Path) -> None:
    stream = windows.read(written(tmp_path, STREAM))
    assert [window.instructions for window in stream.windows] == [8, 8, 8, 3]
    assert stream.windows[0] is stream.windows[2]
    first, last = stream.windows[0], stream.windows[3]
    assert (first.loads, first.stores, first.taken, first.lines, first.misses) == (2, 1, 1, 3, (1, 0))
    assert [(tally.block.address, tally.runs, tally.loads) for tally in first.tallies] == [(0xFFFFFFFFC0001010, 1, 0), (0xFFFFFFFFC0003000, 1, 2)]
    assert last.misses == () and last.first == (windows.Block(0xFFFFFFFFC0001010, 3, 12),)
    assert stream.nodes == {1: windows.Node(0, windows.Block(0xFFFFFFFFC0001010, 3, 12))}
    assert [(node, runs) for node, _, runs in first.paths] == [(0, 1), (1, 1)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (STREAM.removesuffix("end\n"), "is truncated"),
        ("", "is truncated"),
        (STREAM.replace("profile 1", "profile 2"), "begins with 'profile 2'"),
        (STREAM.replace("c 1 1 2 0", "c 9 1 2 0"), "is damaged"),
        (STREAM.replace("= 2", "? 2"), r"is damaged: it has the line '\? 2'"),
        ("profile 1\n= 3\nend\n", "is damaged"),
    ],
)
def test_a_damaged_stream_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(HarnessError, match=sentence):
        windows.read(written(tmp_path, text))


KALLSYMS = """\
ffffffff81000000 T _text
ffffffff81000000 T startup_64
ffffffff81000100 t xas_load.isra.0
ffffffff810000f0 t __pfx_xas_load
ffffffff81000200 D data
ffffffffc0001000 t dsbench_time_slice\t[dsbench]
ffffffffc0001100 t nothing\t[dsbench]
ffffffffc0003000 t rbtree_find\t[dsbench_rbtree]
ffffffffc0003100 t rbtree_fill\t[dsbench_rbtree]
"""


def test_functions_by_address() -> None:
    found = Symbols(symbols.parse(KALLSYMS))
    assert found.at(0xFFFFFFFF81000001).shown == "startup_64"
    assert found.at(0xFFFFFFFF81000250).shown == "xas_load"
    assert found.at(0xFFFFFFFFC00030FF).shown == "rbtree_find [dsbench_rbtree]"
    assert found.at(0x400000).shown == "(user space)"
    assert found.at(0xFFFFFFFF80000000).shown == "(generated code)"
    moved = found.moved("dsbench_rbtree", 0x1000)
    assert moved.at(0xFFFFFFFFC0004000).name == "rbtree_find" and moved.at(0xFFFFFFFFC0001000).name == "dsbench_time_slice"
    assert [one.module for one in found.named("rbtree_find")] == ["dsbench_rbtree"]


def test_hidden_functions_are_one_sentence() -> None:
    with pytest.raises(HarnessError, match="kernel.kptr_restrict must be 0"):
        symbols.parse("0000000000000000 T _text\n0000000000000000 t xas_load\n")


FIND = Function(0xFFFFFFFFC0003000, "rbtree_find", "dsbench_rbtree", 0)
FILL = Function(0xFFFFFFFFC0003100, "rbtree_fill", "dsbench_rbtree", 0)
OVERHEAD = 17


def slice_of(function: Function, count: int) -> tries.Slice:
    block = windows.Block(function.address, count + OVERHEAD, 4)
    window = windows.Window(0, 0xFFFFFFFFC0001000, 0xFFFFFFFFC0001020, count + OVERHEAD, 0, 0, 0, 1, (), (block,))
    window.tallies.append(windows.Tally(block, 1, 0, 0))
    return tries.Slice(window, function)


def cell_of(op: str, *counts: int) -> Cell:
    cell = Cell("rbtree", op, 10, 10)
    for count in counts:
        cell.add(count, 0)
    return cell


def test_windows_make_tries() -> None:
    """Tries of two slices, beside a warm-up, a try that was repeated, and the windows of another operation."""
    run = [slice_of(FIND, 55), slice_of(FIND, 45), slice_of(FILL, 100)]
    run += [slice_of(FIND, 60), slice_of(FIND, 40), slice_of(FIND, 99), slice_of(FIND, 70), slice_of(FIND, 41)]
    found = tries.of_cell(cell_of("find", 100, 111, 5), "dsbench_rbtree", run, OVERHEAD)
    assert [[window.instructions - OVERHEAD for window in windows_] for windows_ in found] == [[55, 45], [70, 41], []]
    assert tries.of_cell(cell_of("fill", 100), "dsbench_rbtree", run, OVERHEAD) == [[run[2].window]]
    assert tries.of_cell(cell_of("fill", 100), "dsbench_list", run, OVERHEAD) == [[]]


def test_runs_begin_with_empty_slices() -> None:
    empty = slice_of(Function(0xFFFFFFFFC0001100, "nothing", "dsbench", 0), 0)
    one, other = slice_of(FIND, 1), slice_of(FIND, 2)
    assert tries.runs([*[empty] * 2000, one, empty, other, *[empty] * 1000, other]) == [[one, empty, other], [other]]


def test_a_profile_adds_up() -> None:
    found = Symbols(symbols.parse(KALLSYMS))
    wanted = cells.find(["rbtree/find/10"], CONTAINERS)[0]
    cell = cell_of("find", 100, 110, 120)
    made = [[slice_of(FIND, count).window] for count in cell.counts]
    one = profile.make(wanted, cell, made, OVERHEAD, found)
    assert (one.reported, one.instructions, one.clock) == (110, 110 + OVERHEAD, OVERHEAD)
    assert one.functions == {"rbtree_find [dsbench_rbtree]": profile.Share(110 + OVERHEAD, 1, 0, 0)}
    nearest = profile.make(wanted, cell, [made[0], [], made[2]], OVERHEAD, found)
    assert nearest.reported in (100, 120)
    with pytest.raises(HarnessError, match="no window of the profile has the 110 instructions of its try"):
        profile.make(wanted, cell, [[], [], []], OVERHEAD, found)
    with pytest.raises(HarnessError, match="takes no longer than the clock's own 17 instructions, use more elements"):
        profile.make(wanted, cell_of("find", 0, -1, 0), [[], [], []], OVERHEAD, found)


@pytest.mark.parametrize(("said", "number"), [("QEMU emulator version 7.2.22 (Debian)", 1), ("version 9.0.2", 2), ("version 10.0.3", 3)])
def test_versions_of_the_interface(said: str, number: int) -> None:
    assert emulator.interface(said) == number


def test_an_old_qemu_is_one_sentence() -> None:
    with pytest.raises(HarnessError, match="a profile needs version 4.2 or later"):
        emulator.interface("QEMU emulator version 3.1.0")


def made_profile(name: str, shares: dict[str, int], elements: int = 10) -> profile.Profile:
    wanted = cells.find([name], CONTAINERS)[0]
    made = profile.Profile(wanted, elements, sum(shares.values()) - OVERHEAD, OVERHEAD, 1, instructions=sum(shares.values()))
    made.functions = {function: profile.Share(count, elements) for function, count in shares.items()}
    return made


def test_differences_add_up_and_the_largest_is_first() -> None:
    before = made_profile("list/find/10", {"walk": 500, "same": 100, "gone": 30, "clock": OVERHEAD})
    after = made_profile("list/find/10", {"walk": 470, "same": 100, "new": 40, "clock": OVERHEAD})
    found = difference.changes(before, after)
    assert [(one.function, one.difference, one.mark) for one in found] == [
        ("new", 4.0, "appears"), ("walk", -3.0, ""), ("gone", -3.0, "vanishes"), ("same", 0.0, ""), ("clock", 0.0, ""),
    ]  # fmt: skip
    assert sum(one.difference for one in found) == pytest.approx(after.each(after.reported) - before.each(before.reported))
    assert difference.total(found[2:]).difference == pytest.approx(-3.0)


CONTEXT = {"target": "qemu", "unit": "instructions", "kernel": "6.12.1", "git_revision": "abc", "git_dirty": False, "seed": 1}


def test_slower_cells_get_their_command(capsys: pytest.CaptureFixture[str]) -> None:
    names = ["xarray/find/100", "xarray/find/100/threads:2"]
    assert slower.tell(names, CONTEXT, {**CONTEXT, "git_dirty": True, "order": "sequential"}, False) == {}
    assert capsys.readouterr().out == (
        "why xarray/find/100: harness/dsbench explain xarray/find/100 --kernel 6.12.1 --against abc --order sequential\n"
    )
    slower.tell(names, CONTEXT, {**CONTEXT, "kernel": "7.3.4"}, False)
    assert "explain xarray/find/100 --kernel 7.3.4 --revision abc --against 6.12.1\n" in capsys.readouterr().out
    slower.tell(names, CONTEXT, CONTEXT, False)
    slower.tell(names, {**CONTEXT, "unit": "tsc"}, {**CONTEXT, "git_dirty": True}, False)
    assert capsys.readouterr().out == ""
    slower.tell([f"list/find/{n}" for n in range(1, 10)], CONTEXT, {**CONTEXT, "git_dirty": True}, False)
    assert capsys.readouterr().out.endswith("and so for 3 more\n")


def test_printed_commands_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    kernels = {**CONTEXT, "kernel": "6.1"}, {**CONTEXT, "kernel": "6.12", "git_dirty": True, "alloc": "inline"}
    slower.tell(["xarray/find/100"], *kernels, False)
    words = shlex.split(capsys.readouterr().out.partition(": ")[2])[1:]
    request = plan.checked_plan(cli.parser().parse_args(words))
    assert request.before and request.before.place == Place("6.1") and request.after.place == Place("6.12")
    assert request.after.plan.settings == ("alloc=inline",)


def test_causes_enter_the_comparison() -> None:
    document = {"comparisons": [{"cells": [{"name": "a/find/1"}, {"name": "b/find/1"}]}]}
    slower.add_to(document, [{"b/find/1": [difference.Change("f", None, 2.0)]}])
    assert document["comparisons"][0]["cells"] == [
        {"name": "a/find/1"}, {"name": "b/find/1", "functions": [{"function": "f", "before": None, "after": 2.0, "difference": 2.0}]},
    ]  # fmt: skip


def request_of(*words: str) -> plan.Request:
    return plan.checked_plan(cli.parser().parse_args(["explain", *words]))


def test_what_it_is_compared_with() -> None:
    other = request_of("rbtree/find/10", "--against", "xarray")
    assert other.before and [cell.name for cell in other.before.plan.cells] == ["xarray/find/10"]
    kernel = request_of("rbtree", "--against", "6.1", "--kernel", "newest")
    assert kernel.before and (kernel.before.place, kernel.after.place) == (Place("6.1"), Place("newest"))
    revision = request_of("rbtree", "--against", "HEAD")
    assert revision.before and revision.before.place == Place(None, "HEAD") and revision.before.tree.name == "HEAD"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["rbtree/find", "--against", "xaray"], r"--against is 'xaray': did you mean xarray\?"),
        (["rbtree/find", "--against", "no-such-thing"], "--against is 'no-such-thing': allowed are a container, a device"),
        (["rbtree/find", "--against", "udptun"], "allowed for rbtree/find/1000 is another container that has find"),
        (["rbtree/find", "--against", "rbtree"], "allowed for rbtree/find/1000 is another container that has find"),
        (["rbtree/find", "list/find", "--against", "xarray"], "name cells of one container or device"),
        (["rbtree/find", "--revision", "no-such-revision"], "revision 'no-such-revision' is unknown"),
        (["rbtree/find", "--target", "uml"], "--target is 'uml': dsbench explain runs in qemu with --accel icount"),
        (["rbtree/find", "--accel", "kvm"], "--accel is 'kvm': dsbench explain runs with --accel icount"),
        (["rbtree/find", "--tries", "0"], "--tries is '0': allowed are whole numbers from 1"),
        (["rbtree/find", "--order", "random"], "--order is 'random': allowed are shuffled, sequential"),
    ],
)
def test_wrong_options_are_one_sentence(words: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        request_of(*words)


def test_single_operations_have_a_spread() -> None:
    made = [slice_of(FIND, count).window for count in (60, 40, 50, 900)]
    wanted = cells.find(["rbtree/find/10"], CONTAINERS)[0]
    one = single.make(wanted, made)
    assert one.instructions == single.Spread(57, 67, 917, 917) and one.lines == single.Spread(1, 1, 1, 1)
    assert (one.operations, one.misses) == (4, ())
    assert single.spread(list(range(1, 201))) == single.Spread(1, 100, 199, 200)
    with pytest.raises(HarnessError, match="rbtree/find/10 cannot be divided"):
        single.make(wanted, [])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--cache", "32k"], "--cache is '32k': allowed are 1 to 4 levels SIZE:WAYS"),
        (["--cache", "32k:8,1M:3"], "--cache is '32k:8,1M:3'"),
        (["--cache", "1k:0"], "--cache is '1k:0'"),
        (["--cache", ",".join(["32k:8"] * 5)], "allowed are 1 to 4 levels"),
        (["--warm"], "--warm has no use without --cache"),
        (["--single", "--plot"], "--plot has no use with --single"),
        (["--annotate", "xas_load", "--single"], "--annotate has no use with --single"),
        (["--annotate", "no name"], "--annotate is 'no name': allowed are names of functions"),
    ],
)
def test_wrong_ways_to_look(words: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        request_of("rbtree/find/10", *words)


def test_only_some_operations_can_be_divided() -> None:
    with pytest.raises(UsageError, match="--single cannot divide rbtree/for_each/10: allowed are fill, find, erase of containers"):
        request_of("rbtree/for_each/10", "--single")
    with pytest.raises(UsageError, match="--single: none of the cells"):
        request_of("udptun", "--single")
    assert request_of("rbtree", "--single").after.plan.plugin == ("brief=on",)
    assert request_of("rbtree", "--cache", "32k:8,2M:16", "--warm").after.plan.plugin == ("cache=32k:8:2M:16", "warm=on")


CODE = bytes.fromhex("4839c7 75fb e8f8ff0000 c3 90 90".replace(" ", ""))
"""cmp; jne to itself; call of 0x10005 bytes further; ret; padding."""


def test_a_disassembly_shows_how_often_each_instruction_ran(tmp_path: Path) -> None:
    begin = 0xFFFFFFFF81000100
    function = Function(begin, "walk", "", begin + len(CODE))
    other = Function(begin + 0x10002, "other", "", 0)
    found = Symbols([function, other])
    made = made_profile("list/find/10", {"walk": 100})
    made.blocks.update({windows.Block(begin, 2, 5): 20, windows.Block(begin + 5, 1, 5): 10})
    kernel = Kernel("6.12.1", (6, 12), "x86", tmp_path, None, None)
    lines = annotate.lines(function, CODE, made, found, Build(kernel, tmp_path / "ko", tmp_path / "root"))
    assert [(line.address - begin, line.runs) for line in lines] == [(0, 20), (3, 20), (5, 10), (10, 0)]
    assert [line.text.split()[0] for line in lines] == ["cmp", "jne", "call", "ret"]
    assert lines[2].text.split()[1] == "other"
    assert lines[1].text.split()[1] == f"{begin:#x}"


def test_two_disassemblies_stand_next_to_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    begin = 0xFFFFFFFF81000100
    loop = [annotate.Line(begin, 20, "cmp    %rax,%rdi"), annotate.Line(begin + 3, 20, f"jne    {begin:#x}"), annotate.Line(begin + 5, 0, "ret")]
    longer = [*loop[:1], annotate.Line(begin + 3, 10, "inc    %rsi"), annotate.Line(begin + 6, 10, f"jne    {begin:#x}")]
    before, after = made_profile("list/find/10", {}), made_profile("xarray/find/10", {})
    table.show_beside([[("list_find", loop)], [("table::find", longer)]], [before, after])
    said = " ".join(capsys.readouterr().out.split())
    assert "list/find/10: list_find" in said and "xarray/find/10: table::find" in said
    assert "│ 2.00 │ +0x003 jne +0x0 │ 1.00 │ +0x003 inc %rsi │" in said
    assert "│ │ │ 1.00 │ +0x006 jne +0x0 │" in said
    assert "ret" not in said


def test_annotate_goes_with_another_container() -> None:
    asked = request_of("rust_list/find/10", "--kernel", "rust", "--against", "list", "--annotate", "list_find", "--annotate", "table::find")
    assert asked.before and asked.before.plan.code == asked.after.plan.code == ("list_find", "table::find")


def test_a_function_that_does_not_run_is_one_sentence() -> None:
    made = made_profile("list/find/10", {"walk [dsbench_list]": 100})
    with pytest.raises(HarnessError, match="--annotate xas_load: no such function runs in list/find/10, where walk do"):
        annotate.check_runs("xas_load", [made], [])
    with pytest.raises(HarnessError, match="--annotate xas_load: no such function runs in any of the 2 cells, where walk, look do"):
        annotate.check_runs("xas_load", [made, made_profile("xarray/find/10", {"look [dsbench_xarray]": 100})], [])
    with pytest.raises(HarnessError, match="kcore"):
        annotate.unpacked([base64.b64encode(gzip.compress(b"")).decode()])
    with pytest.raises(HarnessError, match="code is damaged"):
        annotate.unpacked(["x"])


def test_stacks_are_folded(tmp_path: Path) -> None:
    stream = windows.read(written(tmp_path, STREAM.replace("ffffffffc0001010", "ffffffffc0001000")))
    made = made_profile("list/find/10", {"rbtree_find": 8})
    made.windows = [stream.windows[0]]
    found = folded.stacks(made, stream.nodes, Symbols(symbols.parse(KALLSYMS)))
    folded.write(tmp_path / "out", [(made, found)])
    assert (tmp_path / "out").read_text(encoding="utf-8") == (
        "list/find/10;dsbench_time_slice [dsbench] 3\nlist/find/10;dsbench_time_slice [dsbench];rbtree_find [dsbench_rbtree] 5\n"
    )
    with pytest.raises(HarnessError, match="--folded /no/such/folder/x: No such file"):
        folded.write(Path("/no/such/folder/x"), [])


def test_bars_are_stacked() -> None:
    some = [made_profile("list/find/10", {"walk": 90, "lock": 10}), made_profile("udptun/tx/1400", {"lock": 50, "send": 450})]
    drawn = picture.picture(some, "6.12.1")
    assert [panel.title for panel in drawn.panels] == ["containers", "datapath"]
    assert {name: [(point.low, point.median) for point in points] for name, points in drawn.panels[0].series.items() if points} == {
        "walk": [(0.0, 9.0)], "lock": [(9.0, 10.0)],
    }  # fmt: skip
    assert sum(point.median - point.low for points in drawn.panels[1].series.values() for point in points) == pytest.approx(50)
    many = [made_profile(f"list/find/{n}", {f"f{n}{i}": 10 for i in range(9)}) for n in range(1, 50)]
    crowded = picture.picture(many, "6.12.1")
    assert len(crowded.containers) == picture.MOST_FUNCTIONS + 1 and crowded.containers[-1] == picture.REST
    assert crowded.footnotes == ["9 more cells are not drawn."]


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    some = [made_profile("list/find/10", {"walk": 90, "lock": 10}), made_profile("udptun/tx/1400", {"lock": 50, "send": 450})]
    assert [path.name for path in picture.draw(some, "6.12.1", tmp_path)] == ["explain.svg", "explain.png"]


def test_a_result_file_has_the_costs_of_explained_cells(tmp_path: Path) -> None:
    made = make(sizes=[500], devices=["veth"])
    name = made.cells[0].name
    made.costs[name] = results.Costs({"f [dsbench_list]": 4.00001, "g": 1.0}, 2.5, 1.0, 1.07)
    path = tmp_path / "made.json"
    results.write(made, path)
    assert schemas.complaints(path) == []
    rows = {row["name"]: row for row in json.loads(path.read_text(encoding="utf-8"))["benchmarks"]}
    assert rows[f"{name}_median"]["instructions_by_function"] == {"f [dsbench_list]": 4.0, "g": 1.0}
    assert (rows[f"{name}_median"]["loads"], rows[f"{name}_median"]["lines"]) == (2.5, 1.07)
    assert sum("lines" in row for row in rows.values()) == 1
    first, second = list(csv.DictReader(path.with_suffix(".csv").read_text(encoding="utf-8").splitlines()))[:2]
    assert (first["stores"], first["instructions_by_function"]) == ("1", "f [dsbench_list]=4.00; g=1.00")
    assert second["stores"] == second["instructions_by_function"] == ""


def test_a_sweep_explains_where_instructions_are_counted() -> None:
    parser = cli.parser()
    assert sweep.checked_plan(parser.parse_args(["sweep", "--target", "qemu", "--accel", "icount", "--explain"])).explain
    with pytest.raises(UsageError, match="--explain needs --target qemu --accel icount, not uml"):
        sweep.checked_plan(parser.parse_args(["sweep", "--explain"]))


def test_a_cell_below_the_clock_is_left_out_unless_it_was_named() -> None:
    found = Symbols(symbols.parse(KALLSYMS))
    report = parse_report("# unit: instructions\n# clock_overhead: 17\ncontainer op n tries disturbed\n")
    stage = StageResult("0", report, [cell_of("find", 0)])
    for named in (False, True):
        wanted = cells.Wanted("rbtree", "find", 10, named)
        request = plan.ExplainPlan((wanted,), 1, (), 1.0)
        outcome = guest.Outcome([], found, Build(Kernel("6.12.1", (6, 12), "x86", Path(), None, None), Path(), Path()))
        if named:
            with pytest.raises(HarnessError, match="takes no longer than the clock"):
                guest._explain(request, guest.Stage("0", 10, (wanted,)), stage, [], found, outcome)
        else:
            guest._explain(request, guest.Stage("0", 10, (wanted,)), stage, [], found, outcome)
            assert outcome.absent[0].startswith("rbtree/find/10 cannot be explained") and not outcome.profiles


def qemu_that_says(folder: Path, complaint: str) -> Path:
    """A QEMU that has a version, and ends with a complaint when it is to load a plugin."""
    program = folder / "qemu"
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "QEMU emulator version 11.0.0" && exit\necho "{complaint}" >&2\nexit 1\n', encoding="utf-8")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("complaint", "sentence"),
    [
        ("qemu-system-x86_64: -plugin: invalid option", "version 11.0.0 was built without plugins, which a profile needs: Debian's"),
        ("Could not load plugin x: plugin x requires api version 3, but this QEMU supports only a minimum version of 5",
         "version 11.0.0 does not take the profile plugin, which knows versions 1 to 3 of its interface: Could not load .* minimum version of 5"),
    ],
)  # fmt: skip
def test_a_qemu_that_refuses_the_plugin_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, complaint: str, sentence: str
) -> None:
    monkeypatch.setattr(emulator.qemucmd, "PROGRAM", str(qemu_that_says(tmp_path, complaint)))
    with pytest.raises(HarnessError, match=sentence):
        emulator.plugin()


def test_this_qemu_takes_the_plugin() -> None:
    assert emulator.plugin().name.startswith("profile-")


@pytest.mark.parametrize("line", ["@explain end", "@explain", "@explain nothing modules", "@explain end a b"])
def test_a_damaged_mark_is_one_sentence(line: str) -> None:
    stream = guest.ExplainStream()
    stream.feed(f"@explain begin modules\n{line} \n".encode())
    assert str(stream.failure).startswith("the guest's output is damaged: it has a marked line with")


def test_damaged_sections_are_one_sentence() -> None:
    stream = guest.ExplainStream()
    stream.feed(b"@explain begin base\nzz\n@explain end base\n@explain begin code-1\nH4sIAAAA\n@explain end code-1\n")
    with pytest.raises(HarnessError, match="it lacks the section 'modules'"):
        stream.section("modules")
    with pytest.raises(HarnessError, match="'zz' is no address"):
        stream.address("base")
    with pytest.raises(HarnessError, match="the guest's code is damaged"):
        _ = stream.code
    packed = gzip.compress(b"list_find")[:10] + b"\xff" * 20  # the header of gzip, and nothing that zlib knows
    with pytest.raises(HarnessError, match="the guest's list of functions is damaged"):
        symbols.unpacked([base64.b64encode(packed).decode()])


def test_modules_stand_in_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    table.show(made_profile("rbtree/find/10", {"rbtree_find [dsbench_rbtree]": 500, "clock": OVERHEAD}), "6.12")
    assert "│ rbtree_find [dsbench_rbtree] │" in capsys.readouterr().out
