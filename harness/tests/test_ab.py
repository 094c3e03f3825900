# SPDX-License-Identifier: GPL-2.0
"""Revisions of git's, the order of an A/B's loads, and what is refused, without a guest."""

from __future__ import annotations

import argparse
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from dsharness import paths
from dsharness.ab import command, drive, interleave
from dsharness.ab import plan as ab
from dsharness.ab.interleave import Side, SideSamples, Turn
from dsharness.compare.verdict import Word
from dsharness.errors import HarnessError, UsageError
from dsharness.kernel import build, kernels, trees
from dsharness.kernel.build import Build
from dsharness.results.datapath import Topology
from dsharness.results.samples import Cell, Header, Report
from dsharness.sweep.stream import StageResult
from dsharness.targets import Qemu

GUEST = paths.HARNESS / "guest"


def git(folder: Path, *args: str) -> str:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    return subprocess.run(["git", "-C", folder, *who, *args], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one module and a container of it, in three revisions: the last one does not build."""
    root = tmp_path / "project"
    (root / "modules/containers").mkdir(parents=True)
    (root / "include").mkdir()
    (root / "include/answer.h").write_text("#define ANSWER 42\n", encoding="utf-8")
    (root / "modules/Kbuild").write_text("obj-m := containers/\n", encoding="utf-8")
    (root / "modules/containers/Kbuild").write_text("obj-m := dsbench_one.o\ndsbench_one-y := one.o\n", encoding="utf-8")
    (root / ".gitignore").write_text("build/\n", encoding="utf-8")
    source = root / "modules/containers/one.c"
    good = '#include <linux/module.h>\nint answer = {};\nMODULE_LICENSE("GPL");\nMODULE_DESCRIPTION("one");\n'
    git(tmp_path, "init", "-q", "-b", "main", str(root))
    for text in (good.format(1), good.format(2), "int broken(void) { return nothing; }\nint more = lost;\n"):
        source.write_text(text, encoding="utf-8")
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "next")
    monkeypatch.setattr(paths, "ROOT", root)
    monkeypatch.setattr(paths, "BUILD", root / "build")
    monkeypatch.setattr(paths, "LOGS", root / "build/logs")
    return root


def plan(*argv: str) -> ab.AbPlan:
    top = argparse.ArgumentParser()
    command.add_parser(top.add_subparsers())
    return ab.checked_plan(top.parse_args(["ab", *argv]))


def test_a_revision_is_taken_out_of_git_and_nothing_stays_registered(project: Path) -> None:
    tree = trees.find("HEAD~2")
    assert "answer = 1;" in (tree.root / "modules/containers/one.c").read_text(encoding="utf-8")
    assert (tree.revision, tree.containers, tree.dirty) == (git(project, "rev-parse", "HEAD~2")[:12], ["one"], False)
    assert tree.root.is_relative_to(project / "build/ab")
    assert trees.find("HEAD~2").root == tree.root
    assert git(project, "worktree", "list").count("\n") == 0
    assert git(project, "status", "--porcelain") == ""


@pytest.mark.parametrize("name", ["worktree", "."])
def test_the_working_tree_is_taken_as_it_is(project: Path, name: str) -> None:
    assert (trees.find(name).root, trees.find(name).dirty) == (project, False)
    (project / "include/answer.h").write_text("#define ANSWER 43\n", encoding="utf-8")
    assert trees.find(name).dirty


def test_two_dirty_trees_have_two_stamps_and_a_commit_keeps_the_sources(project: Path) -> None:
    stamps = [trees.working().stamp]
    for number in (43, 44):
        (project / "include/answer.h").write_text(f"#define ANSWER {number}\n", encoding="utf-8")
        stamps.append(trees.working().stamp)
    assert [stamp.partition("+")[0].endswith("-dirty") for stamp in stamps] == [False, True, True]
    assert not any(trees.same_sources(one, other) for one, other in ((stamps[0], stamps[1]), (stamps[1], stamps[2])))
    git(project, "commit", "-q", "-a", "-m", "answer")
    assert trees.working().stamp != stamps[2] and trees.same_sources(trees.working().stamp, stamps[2])
    assert trees.same_sources("0123456", "0123456") and not trees.same_sources("0123456", "0123456-dirty")


@pytest.mark.parametrize("name", ["no-such-branch", "HEAD~99", "--help", "", "HEAD:modules", "a b"])
def test_an_unknown_revision_is_one_sentence(project: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        trees.find(name)
    assert str(caught.value) == f"revision {name!r} is unknown: allowed is what git rev-parse knows here, or worktree"


def test_without_git_there_are_no_revisions(tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    with pytest.raises(HarnessError, match="is no git checkout, so it has no revisions: "):
        trees.find("HEAD")
    (project / "inner").mkdir()
    monkeypatch.setattr(paths, "ROOT", project / "inner")
    with pytest.raises(HarnessError, match="is no git checkout of its own but a folder of"):
        trees.find("HEAD")
    assert trees.find("worktree").revision


def test_a_revision_without_modules_is_one_sentence(project: Path) -> None:
    git(project, "rm", "-q", "-r", "modules")
    git(project, "commit", "-q", "-m", "bare")
    with pytest.raises(HarnessError, match="revision 'HEAD' cannot be taken out of git: .*modules"):
        trees.find("HEAD")


def test_a_revision_that_does_not_build_shows_its_first_errors(project: Path) -> None:
    kernel = kernels.find("uml")
    good = build.modules(kernel, tree=trees.find("HEAD~1"))
    assert good.ko_dir.is_relative_to(project / "build/ab") and (good.ko_dir / "dsbench_one.ko").exists()
    with pytest.raises(HarnessError, match=r"(?s)the modules of HEAD do not build for .*one\.c:1:.*nothing") as caught:
        build.modules(kernel, tree=trees.find("HEAD"))
    assert str(caught.value).index("nothing") < str(caught.value).index("lost")


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ([], "0 revisions are given: allowed are two of them, or two kernels (--kernel, --kernel-dir, --kernel-git)"),
        (["HEAD"], "1 revisions are given"),
        (["HEAD", "HEAD", "HEAD"], "3 revisions are given"),
        (["--kernel", "6.1"], "0 revisions are given"),
        (["--kernel", "6.1", "--kernel", "6.12", "--kernel", "newest"], "3 kernels are named, 6.1, 6.12, newest: allowed is one, or two"),
        (["HEAD", "--kernel", "6.1", "--kernel", "6.12"], "two kernels are named and revision 'HEAD', too"),
        (["HEAD", "nothing"], "revision 'nothing' is unknown"),
        (["HEAD", "HEAD", "--target", "host"], "--target is 'host': allowed are uml and qemu"),
        (["HEAD", "HEAD", "--rounds", "5"], "--rounds is '5': allowed are whole numbers from 6 to 1000"),
        (["HEAD", "HEAD", "--rounds", "many"], "--rounds is 'many'"),
        (["HEAD", "HEAD", "--threshold", "-1"], "--threshold is '-1'"),
        (["HEAD", "HEAD", "--alpha", "2"], "--alpha is '2'"),
        (["HEAD", "HEAD", "--filter", "["], "--filter is '[': allowed are Python's regular expressions"),
        (["HEAD", "HEAD", "--filter", "^two/"], "--filter '^two/' matches no cell of this comparison: names are such as one/fill/500"),
        (["HEAD", "HEAD", "--fail-on", "any"], "--fail-on is 'any': allowed are slower, faster, inconclusive"),
        (["HEAD", "HEAD", "--container", "btree"], "--container is 'btree': allowed are one"),
        (["HEAD", "HEAD", "--device", "fou"], "--device has no use without --datapath: add that, or leave --device out"),
        (["HEAD", "HEAD", "--payloads", "64"], "--payloads has no use without --datapath"),
        (["HEAD", "HEAD", "--burst", "64"], "--burst has no use without --datapath"),
        (["HEAD", "HEAD", "--datapath", "--device", "tun"], "--device is 'tun': allowed are veth, udptun, vxlan"),
        (["HEAD", "HEAD", "--datapath", "--payloads", "0"], "--payloads is '0'"),
    ],
)
def test_bad_input_is_one_sentence(project: Path, argv: list[str], sentence: str) -> None:
    argv = [f"{word}={value}" if word == "--threshold" else word for word, value in zip(argv, [*argv[1:], ""])]
    argv = [word for word in argv if not word.startswith("-1")]
    with pytest.raises(UsageError) as caught:
        plan(*argv)
    assert str(caught.value).startswith(sentence)


def test_one_revision_twice_is_the_self_test(project: Path) -> None:
    assert plan("HEAD~1", "HEAD~1").revisions == ("HEAD~1", "HEAD~1")


def test_two_kernels_are_stock_ones(project: Path) -> None:
    made = plan("--kernel", "6.1", "--kernel", "6.12")
    assert (made.kernels, made.revisions, made.sweep.target, made.sweep.kernel) == (("6.1", "6.12"), None, "qemu", None)


def test_the_datapath_is_for_those_who_ask_and_of_udptun_unless_others_are_named(project: Path) -> None:
    assert plan("HEAD", "HEAD").sweep.datapath is None
    usual = plan("HEAD", "HEAD", "--datapath", "--seed", "7").sweep.datapath
    assert usual is not None
    assert (usual.devices, usual.payloads, usual.bursts, usual.settings) == (("veth", "udptun"), (1400,), (1, 64), ("seed=7",))
    named = plan("--kernel", "6.1", "--kernel", "6.12", "--datapath", "--device", "fou", "--payloads", "64,1400").sweep.datapath
    assert named is not None
    assert (named.devices, named.payloads) == (("veth", "fou"), (64, 1400))


def two_sides(ko_dir: Path, devices: tuple[str, ...] = ()) -> list[Side]:
    kernel = kernels.Kernel("6.12.1", (6, 12), "um", Path("/k"), None, None)
    return [Side(name, Build(kernel, ko_dir, Path("/root")), ("list",), devices) for name in ("a", "b")]


def test_sides_alternate_in_random_order_and_each_round_has_all() -> None:
    sides = two_sides(Path("/ko"))
    loads = interleave.order(sides, (500, 4000), rounds=40, seed=1)
    assert loads == interleave.order(sides, (500, 4000), rounds=40, seed=1)
    assert loads != interleave.order(sides, (500, 4000), rounds=40, seed=2)
    assert set(Counter((load.side.name, load.n) for load in loads).values()) == {40}
    assert len({load.stage for load in loads}) == len(loads)
    for first, second in zip(loads[::2], loads[1::2]):
        assert (first.round, first.n) == (second.round, second.n)
        assert first.side != second.side
    firsts = Counter(load.side.name for load in loads[::2])
    assert 20 < firsts["a"] < 60


def test_the_datapath_is_one_more_load_of_each_side_in_each_round_anywhere_in_it() -> None:
    loads = interleave.order(two_sides(Path("/ko"), ("veth",)), (500, 4000), rounds=40, seed=1)
    assert set(Counter((load.side.name, load.n) for load in loads).values()) == {40}
    pairs = list(zip(loads[::2], loads[1::2]))
    assert all((first.round, first.n) == (second.round, second.n) and first.side != second.side for first, second in pairs)
    packets = [place % 3 for place, (first, _) in enumerate(pairs) if first.n is None]
    assert len(packets) == 40 and set(packets) == {0, 1, 2}
    stages = {load.stage for load in loads if load.n is None}
    assert stages == {f"{number}:{side}:datapath" for number in range(40) for side in "ab"}
    assert next(load for load in loads if load.n is None).called.endswith(", the datapath")


def test_a_side_names_the_modules_of_the_datapath_that_it_lacks(tmp_path: Path) -> None:
    assert two_sides(tmp_path)[0].lacking == []
    assert two_sides(tmp_path, ("veth", "udptun"))[0].lacking == ["dsbench_tunnel", "udptun"]
    assert two_sides(tmp_path, ("veth", "fou"))[0].lacking == ["dsbench_tunnel"]
    (tmp_path / "dsbench_tunnel.ko").touch()
    assert two_sides(tmp_path, ("veth", "udptun"))[0].lacking == ["udptun"]


def test_a_filter_selects_the_cells_that_get_a_verdict(project: Path) -> None:
    report = Report(Header((("unit", "tsc"),)), (), ())
    taken = {}
    for side, name in enumerate("ab"):
        taken[name] = SideSamples()
        for number in range(8):
            cells = [Cell("one", op, 500, 1) for op in ("fill", "find")]
            for cell in cells:
                cell.add(1000 + number + 500 * side, 0)
            taken[name].add(StageResult(f"{number}:{name}:500", report, cells), Turn(number, 500))
    made = plan("HEAD", "HEAD", "--filter", "find", "--fail-on", "slower", "--sizes", "500")
    (found,) = drive.verdicts(made, taken)
    (alone,) = [cell for cell in drive.verdicts(plan("HEAD", "HEAD"), taken) if cell.name == found.name]
    assert (found.name, found.word) == ("one/find/500", Word.SLOWER)
    assert found.p == found.p_adjusted == alone.p < alone.p_adjusted
    assert made.fail_on == {"slower"}


@pytest.mark.parametrize(
    ("accel", "kernels_of", "memories"), [("icount", True, [512, 512, 544, 544, 576, 576]), ("tcg", True, [512] * 6), ("icount", False, [512])]
)
def test_guests_that_count_have_memory_of_different_sizes(
    monkeypatch: pytest.MonkeyPatch, project: Path, accel: str, kernels_of: bool, memories: list[int]
) -> None:
    booted: list[int] = []
    monkeypatch.setattr(interleave, "run", lambda target, *_: booted.append(target.memory_mib))
    made = plan(*(("--kernel", "6.1", "--kernel", "6.12") if kernels_of else ("HEAD", "HEAD")), "--sizes", "500", "1000")
    sides = two_sides(Path("/ko"))
    pair = [drive.Contender(side.name, trees.working(), Qemu(side.build, accel), side) for side in sides]
    drive._take(made, pair, interleave.order(sides, made.sweep.sizes, 3, 1), "", {})
    assert booted == memories


def test_packets_stand_behind_elements_whichever_came_first() -> None:
    header = Header(())
    containers, packets = Report(header, (), ()), Report(header, (), ())
    taken = SideSamples()
    for number in range(2):
        sent = Cell("veth", "path", 1400, 32)
        sent.add(3200 + number, 0)
        taken.add(StageResult(f"{number}:a:datapath", packets, [sent], Topology(("veth",), {"fou": "this kernel has no fou"})), Turn(number, None))
        found = Cell("list", "find", 64, 64)
        found.add(6400, 0)
        taken.add(StageResult(f"{number}:a:64", containers, [found]), Turn(number, 64))
    assert taken.names == ["list/find/64", "veth/path/1400"]
    assert taken.report is containers
    assert taken.blocks["veth/path/1400"] == {0: [100.0], 1: [100.03125]}
    assert taken.devices == {"devices": ["veth"], "absent_devices": {"fou": "this kernel has no fou"}, "payloads": [1400], "bursts": []}


def taken_with(disturbed: dict[str, dict[Turn, int]]) -> dict[str, SideSamples]:
    """Each side with a load of four tries in each turn, so many of them disturbed."""
    found = {}
    for name, turns in disturbed.items():
        found[name] = SideSamples()
        for turn, count in turns.items():
            cell = Cell("list", "find", turn.n or 0, 1)
            for number in range(4):
                cell.add(100 * turn.round + number, number < count)
            found[name].add(StageResult(f"{turn.round}:{name}:{turn.n}", Report(Header(()), (), ()), [cell]), turn)
    return found


def test_a_turn_is_left_out_when_one_of_its_loads_was_disturbed() -> None:
    turns = [Turn(number, 64) for number in range(8)]
    taken = taken_with({"a": {turn: 4 * (turn.round == 2) for turn in turns}, "b": {turn: 4 * (turn.round == 5) for turn in turns}})
    spoilt = interleave.spoilt(taken, 8)
    assert spoilt == {Turn(2, 64), Turn(5, 64)}
    blocks = interleave.blocks(taken, spoilt)
    rounds = [int(block[0]) // 100 for block in blocks["a"]["list/find/64"]]
    assert rounds == [0, 1, 3, 4, 6, 7]
    assert blocks["b"] == blocks["a"]
    assert len(taken["a"].cells["list/find/64"].counts) == 4 * 8, "every sample is kept"


def test_tries_that_are_disturbed_in_every_load_spoil_none() -> None:
    taken = taken_with({name: {Turn(number, 64): 4 for number in range(8)} for name in "ab"})
    assert interleave.spoilt(taken, 8) == set()
    assert len(interleave.blocks(taken)["a"]["list/find/64"]) == 8


def test_where_hardly_a_turn_is_left_all_of_them_count() -> None:
    taken = taken_with({name: {Turn(number, 64): 4 * (number > 4) for number in range(8)} for name in "ab"})
    spoilt = interleave.spoilt(taken, 8)
    assert len(spoilt) == 3
    assert len(interleave.blocks(taken, spoilt)["a"]["list/find/64"]) == 8


def test_turns_that_are_taken_once_more_move_no_mark() -> None:
    shares = {Turn(number, 64): 1 + 2 * (number == 3) for number in range(8)} | {Turn(8, 64): 0, Turn(9, 64): 4}
    taken = taken_with({name: shares for name in "ab"})
    assert interleave.spoilt(taken, 8) == {Turn(3, 64), Turn(9, 64)}
    assert len(interleave.blocks(taken, interleave.spoilt(taken, 8))["a"]["list/find/64"]) == 8


def test_turns_are_taken_again_at_their_size() -> None:
    sides = two_sides(Path("/ko"))
    loads = interleave.retry_loads(sides, [Turn(3, 64), Turn(9, 64), Turn(4, None)], first=16, seed=1)
    assert Counter((load.n, load.side.name) for load in loads) == {(64, "a"): 2, (64, "b"): 2, (None, "a"): 1, (None, "b"): 1}
    assert len({load.stage for load in loads}) == len(loads) == 6
    assert min(load.round for load in loads) == 16
