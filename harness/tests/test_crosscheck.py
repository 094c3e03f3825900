# SPDX-License-Identifier: GPL-2.0
"""What the kernel's tests print, loops counted in real objects, and verdicts on figures with and without a fault."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from dsharness import cli, paths
from dsharness.crosscheck import checks, disassembly, kerneltests
from dsharness.crosscheck import drive as crosschecker
from dsharness.crosscheck.checks import Check, Facts, Measure, Verdict
from dsharness.crosscheck.kerneltests import INTERVAL, NAMES, RBTREE, RHASHTABLE, Found
from dsharness.errors import HarnessError
from dsharness.kernel import archive, linuxsource
from dsharness.kernel.kernels import Kernel

RBTREE_LOG = """\
[    2.156018] rbtree testing
[    2.157173]  -> test 1 (latency of nnodes insert+delete): 773191 cycles
[    2.157998]  -> test 2 (latency of nnodes cached insert+delete): 812002 cycles
[    2.158611]  -> test 3 (latency of inorder traversal): 91999 cycles
[    2.158620]  -> test 4 (latency to fetch first node)
[    2.158627]         non-cached: 64 cycles
[    2.158634]         cached: 3 cycles
[    2.158886] augmented rbtree testing
[    2.160459]  -> test 1 (latency of nnodes insert+delete): 1190553 cycles
[    2.161685]  -> test 2 (latency of nnodes cached insert+delete): 1213715 cycles
""".splitlines()
INTERVAL_LOG = """\
[    2.363491] interval tree insert/remove
[    2.365355]  -> 1249210 cycles
[    2.365365] interval tree search
[    2.563345]  -> 197231881 cycles (4391138 results)
""".splitlines()
RHASHTABLE_LOG = """\
[    2.820430] Running rhashtable test nelem=4000, max_size=0, shrinking=0
[    2.820643]   Adding 4000 keys
[    2.826169]   Traversal complete: counted=4000, nelems=4000, entries=4000, table-jumps=0
[    2.832842]   Duration of test: 12192366 ns
[    2.833315] test if its possible to exceed max_size 512: no, ok
[    2.833331] Average test time: 12192366
""".splitlines()


# What the kernel's tests say


def test_the_rbtree_test_is_read() -> None:
    found = kerneltests.parse(RBTREE, [RBTREE_LOG])
    assert found == {"insert+delete": Found(773191), "in order": Found(91999)}


def test_the_interval_tree_test_is_read() -> None:
    found = kerneltests.parse(INTERVAL, [INTERVAL_LOG])
    assert found == {"insert+delete": Found(1249210), "search": Found(197231881, 4391138)}


def test_the_rhashtable_test_is_read() -> None:
    assert kerneltests.parse(RHASHTABLE, [RHASHTABLE_LOG]) == {"all": Found(12192366)}


def test_the_quietest_load_counts() -> None:
    louder = [line.replace("773191", "777204").replace("91999", "91998") for line in RBTREE_LOG]
    found = kerneltests.parse(RBTREE, [louder, RBTREE_LOG])
    assert found == {"insert+delete": Found(773191), "in order": Found(91998)}


@pytest.mark.parametrize(
    ("name", "log", "sentence"),
    [
        (RBTREE, [line.replace("773191", "0") for line in RBTREE_LOG], "rbtree_test reads get_cycles(), which does not count"),
        (INTERVAL, [line.replace("1249210", "0") for line in INTERVAL_LOG], "interval_tree_test reads get_cycles()"),
        (RBTREE, RBTREE_LOG[:2], "rbtree_test did not say what 'latency of inorder traversal' took"),
        (RBTREE, RBTREE_LOG[7:], "rbtree_test did not say what"),
        (INTERVAL, [], "interval_tree_test did not say what 'insert+delete' took"),
        (RHASHTABLE, RHASHTABLE_LOG[:2], "test_rhashtable did not say what 'all' took"),
        (RHASHTABLE, ["[ 1.0] Test failed: Could not find key 4", *RHASHTABLE_LOG], "failed: Test failed: Could not find"),
        (RBTREE, ["[ 1.0] WARNING: CPU: 0 PID: 1 at rbtree_test.c", *RBTREE_LOG], "rbtree_test of the kernel failed: WARNING"),
    ],
)  # fmt: skip
def test_a_test_that_cannot_be_used_is_named(name: str, log: list[str], sentence: str) -> None:
    with pytest.raises(HarnessError) as caught:
        kerneltests.parse(name, [log])
    assert sentence in str(caught.value)


def test_a_test_that_never_ran_is_named() -> None:
    with pytest.raises(HarnessError, match="rbtree_test was not run"):
        kerneltests.parse(RBTREE, [])


# Getting and building them


def test_a_source_that_is_not_to_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(name: str) -> archive.Package:
        raise HarnessError(f"the package archive has no {name}")

    monkeypatch.setenv("DSBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(archive, "candidate", lambda name: None)
    monkeypatch.setattr(archive, "require", refuse)
    with pytest.raises(HarnessError, match="no linux-source-5.99"):
        linuxsource.pick("5.99", ["lib/rbtree_test.c"], linuxsource.TESTS)
    assert not [path for path in (tmp_path / linuxsource.TESTS).iterdir() if path.is_dir()]


def test_what_was_picked_before_serves_without_the_archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DSBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(archive, "candidate", lambda name: None)
    (tmp_path / linuxsource.TESTS / "linux-source-5.99_5.99.7-1").mkdir(parents=True)
    (tmp_path / linuxsource.TESTS / "linux-source-5.99_5.99.7-1.lock").touch()
    assert linuxsource.pick("5.99", ["lib/rbtree_test.c"], linuxsource.TESTS).source == "linux-source-5.99 5.99.7-1"


def test_an_installed_source_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    top = tmp_path / "linux-source-5.99" / "lib"
    top.mkdir(parents=True)
    (top / "rbtree_test.c").write_text("the test\n", encoding="utf-8")
    tarball = tmp_path / "linux-source-5.99.tar.xz"
    subprocess.run(["tar", "--create", "--xz", "--directory", tmp_path, "--file", tarball, top.parent.name], check=True)
    monkeypatch.setenv("DSBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(linuxsource, "USR_SRC", tmp_path)
    monkeypatch.setattr(linuxsource, "_installed_version", lambda name: "5.99.7-1")
    picked = linuxsource.pick("5.99", ["lib/rbtree_test.c", "lib/interval_tree_test.c"], linuxsource.TESTS)
    assert picked.source == "linux-source-5.99 5.99.7-1"
    assert [file.name for file in picked.folder.iterdir()] == ["rbtree_test.c"]
    tarball.write_bytes(tarball.read_bytes()[:-20])
    monkeypatch.setattr(linuxsource, "_installed_version", lambda name: "5.99.8-1")
    with pytest.raises(HarnessError, match="linux-source-5.99 cannot be unpacked"):
        linuxsource.pick("5.99", ["lib/rbtree_test.c"], linuxsource.TESTS)


def test_what_does_not_build_is_absent_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "rbtree_test.c").write_text("this is no C\n", encoding="utf-8")
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    monkeypatch.setattr(linuxsource, "pick", lambda version, files, shelf: linuxsource.Picked("linux-source-5.99 1", tmp_path))
    kernel = Kernel("5.99.7", (5, 99), "x86", kdir=tmp_path / "none", image=tmp_path / "vmlinuz", source=None)
    tests = kerneltests.make(kernel)
    assert not tests.modules
    assert tests.absent[RBTREE].startswith("it does not build for 5.99.7: ")
    assert tests.absent[INTERVAL] == "linux-source-5.99 1 has no interval_tree_test.c"
    log = crosschecker._log(RBTREE, [], tests)
    assert isinstance(log, HarnessError) and str(log).startswith("rbtree_test is absent: it does not build")


# Counting loops


LOOPS = """\
extern void callee(void);
long value;
void turn(unsigned int n) { asm volatile("1: subl $1, %0\\n\\tjnz 1b" : "+r" (n) : : "cc"); }
void straight(void) { value++; }
void with_a_call(int n) { asm volatile("2: addq $1, value(%%rip)\\n\\tcall callee\\n\\tdec %0\\n\\tjnz 2b" : "+r" (n)); }
"""


@pytest.fixture(scope="module")
def loops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loops")
    (folder / "loops.c").write_text(LOOPS, encoding="utf-8")
    subprocess.run(["gcc", "-O2", "-c", "loops.c"], cwd=folder, check=True)
    return folder / "loops.o"


def test_a_loop_of_two_instructions_has_two(loops: Path) -> None:
    assert [one.mnemonic for one in disassembly.function(loops, "turn").shortest_round()] == ["jne", "sub"]


def test_a_loop_around_a_call_and_its_increment(loops: Path) -> None:
    function = disassembly.function(loops, "with_a_call")
    (call,) = function.calls("callee")
    found = function.round_of(call)
    assert found and len(found) == 4
    assert [one.mnemonic for one in found if one.writes_memory] == ["addq"]
    assert checks._increment(found).mnemonic == "addq"


def test_what_has_no_loop_or_is_not_there_is_named(loops: Path) -> None:
    with pytest.raises(HarnessError, match="straight has no loop in this build"):
        disassembly.function(loops, "straight").shortest_round()
    with pytest.raises(HarnessError, match="loops.o has no function turns in this build"):
        disassembly.function(loops, "turns")


def test_an_increment_of_several_instructions_is_refused() -> None:
    stores = [disassembly.Instruction(0, "mov    %rax,0x8(%rdi)")]
    with pytest.raises(HarnessError, match="our increment is not one instruction in this build"):
        checks._increment(stores)


# Verdicts


def facts(tmp_path: Path, **changes: object) -> Facts:
    """Figures as they were measured once, with nothing to disassemble."""
    logs: Mapping[str, Mapping[str, Found] | HarnessError] = {
        RBTREE: {"insert+delete": Found(762_000), "in order": Found(92_000)},
        INTERVAL: {"insert+delete": Found(1_200_000), "search": Found(19_000_000, 430_000)},
        RHASHTABLE: {"all": Found(4_000_000)},
    }
    plain: dict[str, object] = {
        "n": 4000, "unit": "instructions", "khz": 1_000_000, "logs": logs,
        "ours": {"rbtree/fill": [130.0, 129.0], "rbtree/find": [90.0], "rbtree/for_each": [24.0], "rbtree/erase": [61.0, 60.0],
                 **{f"rhashtable/{op}": [100.0] for op in ("fill", "find", "for_each", "erase")}},
        "clock": [(0, 0), (500_000_000, 500_000_000), (1_000_000_000, 1_000_000_000)],
        "ko_dir": tmp_path, "tests": {name: tmp_path / f"{name}.ko" for name in NAMES},
    }  # fmt: skip
    return Facts(**{**plain, **changes})  # type: ignore[arg-type]


def named(found: list[Check], start: str) -> Check:
    return next(check for check in found if check.name.startswith(start))


def test_a_clock_that_drifts_breaks_its_bound(tmp_path: Path) -> None:
    sound = checks.all_of(facts(tmp_path))
    assert named(sound, "clock against").verdict is named(sound, "clock, one").verdict is Verdict.HOLDS
    wrong = checks.all_of(facts(tmp_path, khz=1_002_000))
    assert named(wrong, "clock against").verdict is Verdict.BROKEN
    drifting = checks.all_of(facts(tmp_path, clock=[(0, 0), (500_000_000, 499_000_000), (1_000_000_000, 1_000_000_000)]))
    assert named(drifting, "clock, one").verdict is Verdict.BROKEN


def test_other_work_is_shown_without_a_verdict(tmp_path: Path) -> None:
    found = checks.all_of(facts(tmp_path))
    search, rhashtable = named(found, "interval tree, search"), named(found, "rhashtable")
    assert (search.verdict, search.difference) == (Verdict.SHOWN, None)
    assert search.theirs == pytest.approx(19_000_000 / 430_000)
    assert (rhashtable.theirs, rhashtable.ours) == (1000.0, 600.0)
    assert rhashtable.verdict is Verdict.SHOWN


def test_what_is_missing_is_not_checked_and_says_why(tmp_path: Path) -> None:
    silent = {name: HarnessError(f"{name} said nothing") for name in NAMES}
    found = checks.all_of(facts(tmp_path, logs=silent))
    for name, test in (("rbtree, in order", RBTREE), ("interval tree, insert", INTERVAL), ("rhashtable", RHASHTABLE)):
        check = named(found, name)
        assert (check.verdict, check.note) == (Verdict.ABSENT, f"{test} said nothing")
    assert crosschecker.Report({}, found).failed
    runner = named(found, "runner, empty")
    assert (runner.verdict, runner.note) == (Verdict.ABSENT, "there is no floor/empty in this build")


@pytest.mark.parametrize(
    ("ours", "verdict"), [(24.0, Verdict.HOLDS), (24.47, Verdict.HOLDS), (24.49, Verdict.BROKEN), (23.5, Verdict.BROKEN)]
)
def test_a_bound_is_kept_to_the_percent(ours: float, verdict: Verdict) -> None:
    check = Check("rbtree, in order", 24.0, ours, Measure.PERCENT, 2.0, "")
    assert check.verdict is verdict
    assert crosschecker.Report({}, [check]).failed is (verdict is Verdict.BROKEN)


def test_cycles_have_no_bound(tmp_path: Path) -> None:
    cycles = facts(tmp_path, unit="tsc")
    assert [check.name for check in checks.all_of(cycles) if check.bound is not None] == [
        "clock against ktime, kHz", "clock, one half second and the next, kHz",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "lines",
    [
        [], ["ns,ticks"], ["ns,ticks", "1,1", "2,2"], ["ns,ticks", "1,1", "2", "3,3"], ["ns,ticks", "1,1", "x,2", "3,3"],
        ["ns,ticks", "1,1", "1,1", "3,3"],
    ],
)  # fmt: skip
def test_damaged_moments_are_refused(lines: list[str]) -> None:
    with pytest.raises(HarnessError, match="the clock's moments are damaged"):
        crosschecker.moments(lines)


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("--target", "host"), "--target is 'host': allowed are qemu, uml"),
        (("--accel", "auto"), "--accel is 'auto': allowed are icount, tcg, kvm"),
        (("--n", "499"), "--n is '499': allowed are whole numbers from 500 to 100000"),
        (("--n", "4e3"), "--n is '4e3'"),
        (("--target", "uml", "--accel", "icount"), "--accel icount is for target qemu"),
    ],
)
def test_bad_options_get_one_sentence(
    argv: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["crosscheck", *argv]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"dsbench: {sentence}") and said.count("\n") == 1
