# SPDX-License-Identifier: GPL-2.0
"""The profile plugin on recorded events: plugin_host.c replays them in place of QEMU."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from dsharness.explain import windows
from dsharness.explain.windows import Stream, Window
from dsharness.kernel import tools

HOST = Path(__file__).with_name("plugin_host.c")

BLOCKS = """\
t 0 ffffffffc0001000 0faee8 0f31
t 1 ffffffffc0001005 0faee8 41ffd2
t 2 ffffffffc0002000 488b06 4839c7 75f8
t 3 ffffffffc0002008 c3
t 4 ffffffffc000100b 85c0 0faee8 0f31
t 5 ffffffff81000000 e807000000
t 6 ffffffff8100000c 48890424 c3
t 7 ffffffff81000ffa 90 90 e8000000
t 8 ffffffff81002000 cf
t 9 ffffffff81003000 f348a5
t 10 ffffffffc0005000 0f31
t 11 ffffffffc0005002 0f31
t 12 ffffffff81004ffa 90 48c745f8
t 13 ffffffff81005fe0 90 90
"""
"""0 and 4 end with rdtsc, 1 calls 2, which loops and is left by 3. 5 and 6 are a retpoline. 7 ends at a page; 12 a byte before it, where a
movq of 8 bytes begins. 8 is iret, 9 a rep movs. 10 and 11 are reads of the clock elsewhere. 13 is far from the end of its page."""

ONCE = "x 0 0\nx 0 1\nx 0 2\nl 0 2 0 1000 8\nx 0 2\nl 0 2 0 1040 8\nx 0 3\nx 0 4\ns 0 4 0 103e 4\nx 0 0\n"
"""One window, and the begin of the next, which closes the first."""


@pytest.fixture(scope="module", params=[1, 3])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin and its host, for a version of the interface."""
    program = tmp_path_factory.mktemp("host") / f"host-{request.param}"
    sources = [*sorted((tools.SOURCES / "profile").glob("*.c")), HOST]
    flags = (*tools.FLAGS, "-Werror", "-fsanitize=address,undefined", f"-DPROFILE_API={request.param}")
    subprocess.run(["gcc", *flags, "-o", program, *sources], check=True)
    return program


def replay(host: Path, events: str, *options: str) -> Stream:
    """Run the plugin on events. The first run of block 0 arms it."""
    out = host.with_name("stream")
    subprocess.run([host, f"out={out}", *options], input=f"{BLOCKS}x 0 0\n{events}", text=True, check=True)
    return windows.read(out)


def runs(window: Window) -> dict[int, int]:
    return {tally.block.address: tally.runs for tally in window.tallies}


def test_a_window_is_counted(host: Path) -> None:
    (window,) = replay(host, ONCE).windows
    assert (window.cpu, window.begin, window.end) == (0, 0xFFFFFFFFC0001003, 0xFFFFFFFFC0001010)
    assert window.instructions == 2 + 3 + 3 + 1 + 3
    assert (window.loads, window.stores) == (2, 1)
    assert window.lines == 2, "the store touches both lines"
    assert window.taken == 3, "the call, the loop, the return"
    assert runs(window)[0xFFFFFFFFC0002000] == 2
    assert [block.address for block in window.first] == [0xFFFFFFFFC0001005, 0xFFFFFFFFC0002000, 0xFFFFFFFFC0002008, 0xFFFFFFFFC000100B]
    assert [(tally.loads, tally.stores) for tally in window.tallies] == [(0, 0), (2, 0), (0, 0), (0, 1)]


def test_nothing_is_counted_before_the_clock_is_read(host: Path) -> None:
    out = host.with_name("stream")
    subprocess.run([host, f"out={out}"], input=f"{BLOCKS}x 0 1\nx 0 2\nl 0 2 0 1000 8\n", text=True, check=True)
    assert windows.read(out).windows == []


def test_equal_windows_are_written_once(host: Path) -> None:
    stream = replay(host, ONCE * 3 + ONCE.replace("x 0 2\n", "", 1))
    assert [window.instructions for window in stream.windows] == [12, 12, 12, 9]
    assert stream.windows[0] is stream.windows[2]
    assert host.with_name("stream").read_text(encoding="ascii").count("\nw ") == 2


def test_the_slice_is_learnt_and_other_reads_are_no_borders(host: Path) -> None:
    """The core measures empty slices first. A read within a window, and pairs elsewhere, then count for nothing."""
    other = "x 0 10\nx 0 2\nx 0 11\nx 0 2\n"
    inside = "x 0 0\nx 0 1\nx 0 10\nx 0 2\nx 0 11\nx 0 4\nx 0 2\n"
    unlearnt = replay(host, ONCE + other + inside).windows
    assert len(unlearnt) > 2
    learnt = replay(host, ONCE * 300 + other + inside).windows
    assert [window.instructions for window in learnt] == [12] * 300 + [2 + 1 + 3 + 1 + 3]
    assert {window.begin for window in learnt} == {0xFFFFFFFFC0001003}
    anew = replay(host, other * 300 + ONCE * 300 + inside).windows
    assert sum(window.begin == 0xFFFFFFFFC0001003 for window in anew) == 300 - 256 + 1
    assert anew[-1].instructions == 10


def test_cpus_have_windows_of_their_own(host: Path) -> None:
    events = "x 1 0\nx 0 0\nx 1 1\nx 0 1\nx 1 2\nx 0 2\nx 1 2\nl 1 2 0 5000 8\nx 0 3\nx 1 3\nx 0 4\nx 0 0\nx 1 4\nx 1 0\n"
    assert [(window.cpu, window.instructions, window.loads) for window in replay(host, events).windows] == [(0, 9, 0), (1, 12, 1)]


def test_a_window_begins_before_it_ends(host: Path) -> None:
    """A lone read of the clock shifts the pairs; the next pair restores them."""
    assert [window.instructions for window in replay(host, "x 0 4\nx 0 1\n" + ONCE).windows] == [12]


def test_an_instruction_that_reaches_into_the_next_page_may_be_missing(host: Path) -> None:
    whole = replay(host, "x 0 0\nx 0 1\nx 0 7\nx 0 4\nx 0 0\n").windows[0]
    cut = replay(host, "x 0 0\nx 0 1\nx 0 7 cut\nx 0 4\nx 0 0\n").windows[0]
    assert whole.instructions - cut.instructions == 1
    assert runs(cut)[0xFFFFFFFF81000FFA] == runs(whole)[0xFFFFFFFF81000FFA] == 1
    assert 0xFFFFFFFF81000FFC in runs(whole) and 0xFFFFFFFF81000FFC not in runs(cut)


def test_what_is_cut_may_end_before_the_page(host: Path) -> None:
    """QEMU reads no byte of an operand that reaches into the next page."""
    whole, cut = (replay(host, f"x 0 0\nx 0 1\nx 0 12{how}\nx 0 13\nx 0 4\nx 0 0\n").windows[0] for how in ("", " cut"))
    assert (whole.instructions, cut.instructions) == (2 + 2 + 2 + 3, 2 + 1 + 2 + 3)
    assert 0xFFFFFFFF81004FFB in runs(whole) and 0xFFFFFFFF81004FFB not in runs(cut)
    assert 0xFFFFFFFF81005FE1 not in runs(whole)


def test_a_string_instruction_takes_no_branch(host: Path) -> None:
    (window,) = replay(host, "x 0 0\nx 0 1\nx 0 9\nx 0 9\nx 0 9\nx 0 4\nx 0 0\n").windows
    assert runs(window)[0xFFFFFFFF81003000] == 3 and window.taken == 1


def paths(stream: Stream, window: Window) -> set[tuple[int, ...]]:
    """The addresses of the calls that lead to each block, and its own."""
    def above(node: int) -> tuple[int, ...]:
        return (*above(stream.nodes[node].parent), stream.nodes[node].site.address) if node else ()

    return {(*above(node), block.address) for node, block, _ in window.paths}


def test_calls_and_returns_are_followed_through_a_retpoline(host: Path) -> None:
    """1 calls the thunk 5, which calls 6, which returns to 2, which returns behind 1."""
    stream = replay(host, "x 0 0\nx 0 1\nx 0 5\nx 0 6\nx 0 2\nx 0 3\nx 0 4\nx 0 0\n", "calls=on")
    call, thunk = 0xFFFFFFFFC0001005, 0xFFFFFFFF81000000
    assert paths(stream, stream.windows[0]) == {
        (call,), (call, thunk), (call, thunk, 0xFFFFFFFF8100000C), (call, 0xFFFFFFFFC0002000), (call, 0xFFFFFFFFC0002008),
        (0xFFFFFFFFC000100B,),
    }  # fmt: skip


def test_an_interrupt_is_a_call_that_iret_leaves(host: Path) -> None:
    stream = replay(host, "x 0 0\nx 0 1\nx 0 9\nx 0 8\nx 0 9\nx 0 4\nx 0 0\n", "calls=on")
    assert (0xFFFFFFFFC0001005, 0xFFFFFFFF81003000, 0xFFFFFFFF81002000) in paths(stream, stream.windows[0])
    assert (0xFFFFFFFFC0001005, 0xFFFFFFFF81003000) in paths(stream, stream.windows[0])


def test_brief_windows_have_their_sums_alone(host: Path) -> None:
    (window,) = replay(host, ONCE, "brief=on").windows
    assert (window.instructions, window.lines, window.tallies) == (12, 2, []) and window.first


def test_the_model_evicts_the_oldest_line_of_a_set(host: Path) -> None:
    """Two lines of 128 bytes, one set: the third line evicts the first. The second level keeps all."""
    touches = "".join(f"l 0 1 0 {line << 6:x} 8\n" for line in (1, 2, 1, 3, 2, 1))
    events = f"x 0 0\nx 0 1\n{touches}x 0 4\nx 0 0\n"
    (window,) = replay(host, events, "cache=1k:16:1M:16").windows
    assert window.misses == (3, 3)
    stream = replay(host, events * 2, "cache=1k:16")
    assert [one.misses for one in stream.windows] == [(3,), (3,)]
    stream = replay(host, events * 2, "cache=1k:16", "warm=on")
    assert [one.misses for one in stream.windows] == [(3,), (0,)]
    direct = "".join(f"l 0 1 0 {line << 6:x} 8\n" for line in (0, 16, 0, 16))
    (window,) = replay(host, f"x 0 0\nx 0 1\n{direct}x 0 4\nx 0 0\n", "cache=1k:1:1k:2").windows
    assert window.misses == (4, 2)


@pytest.mark.parametrize("option", ["cache=1k", "cache=1k:3", "cache=0k:1", "cache=1k:1:", "cache=1:1", "strange=1", "out=/no/such/folder/x"])
def test_wrong_options_are_refused(host: Path, option: str) -> None:
    done = subprocess.run([host, f"out={host.with_name('stream')}", option], input="", text=True, check=False, capture_output=True)
    assert done.returncode == 1 and done.stderr.startswith("profile plugin: ") and done.stderr.count("\n") == 1
