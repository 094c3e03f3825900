# SPDX-License-Identifier: GPL-2.0
"""`dsbench compare`: the words on whole files, what it refuses, and what it leaves behind."""

from __future__ import annotations

import json
import math
import random
import re
import shutil
import subprocess
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_results import make

from dsharness import paths
from dsharness.compare import comparison
from dsharness.compare import picture as comparepicture
from dsharness.compare import table as comparetable
from dsharness.compare.comparison import Comparisons, Sweep
from dsharness.compare.plan import FAIL_ON
from dsharness.compare.verdict import Rule, Word
from dsharness.errors import HarnessError
from dsharness.results import results
from dsharness.results.results import Results
from dsharness.results.samples import Cell

DSBENCH = paths.HARNESS / "dsbench"


def scaled(sweep: Results, factor: float, *names: str) -> Results:
    """The sweep with these cells so many times as dear."""
    for cell in sweep.cells:
        if cell.name in names:
            cell.counts = array("q", (round(value * factor) for value in cell.counts))
    return sweep


def compared(before: Results, after: Results, **options: Any) -> Comparisons:
    return comparison.compare(Sweep(Path("a.json"), before), Sweep(Path("b.json"), after), **options)


def again(**options: Any) -> Results:
    """Another run of the same kind as make()."""
    return make(**{"seed": 2, "date": "2026-01-02T04:04:05+00:00", **options})


@pytest.fixture
def dsbench(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command with these sweeps, in files named a.json, b.json and so on, and these options."""

    def run(*arguments: Results | Path | str) -> subprocess.CompletedProcess[str]:
        argv: list[str | Path] = []
        for number, argument in enumerate(arguments):
            if isinstance(argument, Results):
                results.write(argument, tmp_path / f"{'abcdef'[number]}.json")
                argument = tmp_path / f"{'abcdef'[number]}.json"
            argv.append(argument)
        where = ("--json", tmp_path / "out.json", "--output", tmp_path / "plots")
        return subprocess.run(
            [DSBENCH, "compare", *argv, *where], cwd=tmp_path, check=False, capture_output=True, text=True
        )

    return run


def test_a_planted_change_is_found_and_nothing_else() -> None:
    slow, fast = "rbtree/fill/4000", "udptun/path/1400"
    kind = {"sizes": [500, 4000], "tries": 40, "devices": ["veth", "udptun"]}
    found = compared(make(**kind), scaled(scaled(again(**kind), 1.3, slow), 0.7, fast))
    words = {cell.name: cell.word for cell in found.cells}
    assert words.pop(slow) is Word.SLOWER
    assert words.pop(fast) is Word.FASTER
    assert set(words.values()) == {Word.NO_CHANGE}
    assert found.counts == {Word.NO_CHANGE: 54, Word.FASTER: 1, Word.SLOWER: 1, Word.INCONCLUSIVE: 0}
    assert found.geometric_mean == pytest.approx(1, abs=0.02)


def test_identical_samples_have_not_changed() -> None:
    before, after = make(unit="instructions"), make(unit="instructions", date="later")
    found = compared(before, after)
    assert found.counts[Word.NO_CHANGE] == 64
    assert (found.geometric_mean, found.typical_change) == (1, 0)


def test_a_sweep_that_ended_early_is_named() -> None:
    found = compared(make(sizes=[500]), again(sizes=[500], complete=False))
    sentence = "B is incomplete: its sweep ended before all of it was done"
    assert sentence in comparetable.summary(found) and f"{sentence}." in comparepicture.picture(found, "x").footnotes
    whole = compared(make(sizes=[500]), again(sizes=[500]))
    assert not any("incomplete" in line for line in (*comparetable.summary(whole), *comparepicture.picture(whole, "x").footnotes))


def test_cycles_of_a_busy_machine_get_no_verdict_unless_trusted() -> None:
    before, after = make(), scaled(again(load_avg=[3.5, 1, 1], num_cpus=2), 2, "list/fill/500")
    found = compared(before, after)
    assert found.counts[Word.INCONCLUSIVE] == 64
    (reason,) = found.reasons
    assert reason.startswith("in the second sweep the machine was busy, load 3.5 on 2 CPUs: repeat it")
    assert found.cells[0].ratio == pytest.approx(1, abs=0.1)
    assert compared(before, after, trusting=True).counts[Word.SLOWER] == 1
    counted = compared(make(unit="instructions"), again(unit="instructions", load_avg=[3.5, 1, 1], num_cpus=2))
    assert "busy" not in "".join(counted.reasons)


def test_a_governor_that_scales_is_a_doubt() -> None:
    scaling = {"cpu_scaling_enabled": True, "governor": "powersave"}
    (reason,) = compared(make(**scaling), again()).reasons
    assert reason.startswith("in the first sweep the frequency governor is powersave: set it to performance")


def with_floors(sweep: Results, factor: float = 1.0) -> Results:
    """The sweep with walks over the array at each of its sizes, which cost so many times as much at n = 500."""
    draw = random.Random(str(sweep.context["date"]))
    for n in sweep.sizes:
        cell = Cell("floor", "walk", n, n)
        scale = factor if n == 500 else 1.0
        cell.counts.extend(round(scale * 2000 * n * draw.uniform(0.99, 1.01)) for _ in range(20))
        cell.disturbed.extend([0] * 20)
        sweep.cells.append(cell)
        sweep.context["cells"].append(cell.name)
    return sweep


def test_where_a_floor_moved_it_was_the_machine() -> None:
    slow = ("list/fill/500", "list/fill/1000")
    before, after = with_floors(make(sizes=[500, 1000])), with_floors(scaled(again(sizes=[500, 1000]), 1.5, *slow), 1.4)
    words = {cell.name: cell for cell in compared(before, after).cells}
    assert words["floor/walk/500"].word is Word.SLOWER
    assert words["list/fill/1000"].word is Word.SLOWER
    assert words["list/fill/500"].word is words["rbtree/erase/500"].word is Word.INCONCLUSIVE
    assert words["list/fill/500"].reason == (
        "floor/walk/500, the same loop on both sides, is 1.40 of what it was: the machine changed, repeat both"
    )
    trusted = {cell.name: cell.word for cell in compared(before, after, trusting=True).cells}
    assert trusted["list/fill/500"] is Word.SLOWER
    last = comparepicture.picture(compared(before, after), "compare").panels[-1]
    assert (last.title, [name for name, _ in last.axis.ticks]) == ("floors", ["walk 500", "walk 1000"])
    still = compared(with_floors(make(sizes=[500])), with_floors(scaled(again(sizes=[500]), 1.5, slow[0])))
    assert still.counts == {Word.NO_CHANGE: 16, Word.FASTER: 0, Word.SLOWER: 1, Word.INCONCLUSIVE: 0}


def test_a_single_try_is_inconclusive() -> None:
    found = compared(make(tries=1), again(tries=1))
    assert found.counts[Word.INCONCLUSIVE] == 64
    assert list(found.reasons) == ["a single try shows no spread: take more tries"]


def test_cells_that_one_side_lacks_are_named() -> None:
    found = compared(make(sizes=[500, 1000]), again(sizes=[500, 2000], containers=["list", "rbtree"]))
    assert len(found.cells) == 8
    assert "hashtable/fill/500" in found.only_before and "list/find/1000" in found.only_before
    assert set(found.only_after) == {f"{c}/{o}/2000" for c in ("list", "rbtree") for o in ("fill", "find", "for_each", "erase")}
    assert "only B has list/fill/2000, list/find/2000" in "\n".join(comparetable.summary(found))
    assert "and 2 more" in "\n".join(comparetable.summary(found))


def test_the_rule_is_told_as_it_was_applied() -> None:
    cycles, counts = Rule.of("tsc"), Rule.of("instructions")
    noisy = "no further beyond it than loads of either side are apart"
    assert "±10 %" in comparetable.rule(cycles, in_turns=False) and "Mann-Whitney" in comparetable.rule(cycles, in_turns=False)
    assert "±0.1 %" in comparetable.rule(counts, in_turns=True) and "signed ranks" in comparetable.rule(counts, in_turns=True)
    told = [noisy in comparetable.rule(rule, in_turns) for rule in (cycles, counts) for in_turns in (False, True)]
    assert told == [False, False, False, True], "counts of several loads alone"


def test_cells_of_threads_are_compared_like_others() -> None:
    shared = {"sizes": [500], "threads": [2], "tries": 40}
    found = compared(make(**shared), scaled(again(**shared), 2, "rbtree/find/500/threads:2"))
    words = {cell.name: cell.word for cell in found.cells}
    assert words["rbtree/find/500/threads:2"] is Word.SLOWER
    assert words["rbtree/find/500"] is Word.NO_CHANGE
    panels = comparepicture.picture(found, "compare").panels
    assert "rbtree 500 threads:2" in [name for panel in panels for name, _ in panel.axis.ticks]


def test_bursts_are_compared_with_their_like_alone() -> None:
    kind: dict[str, Any] = {"sizes": [500], "tries": 40, "devices": ["veth", "udptun"], "payloads": [1400]}
    found = compared(make(**kind, bursts=[1, 64]), scaled(again(**kind, bursts=[1, 8]), 2, "udptun/path/1400/burst:1"))
    words = {cell.name: cell.word for cell in found.cells}
    assert words["udptun/path/1400/burst:1"] is Word.SLOWER
    assert words["udptun/path/1400"] is Word.NO_CHANGE
    assert not any(name.endswith(("burst:8", "burst:64")) for name in words)
    assert found.only_before == [f"{device}/{op}/1400/burst:64" for device in ("veth", "udptun") for op in ("tx", "rx", "path")]


@pytest.mark.parametrize(
    ("other", "kind", "sentence"),
    [
        ({"target": "qemu", "accel": "kvm"}, "target", "target (uml and qemu), accel (None and kvm)"),
        ({"unit": "instructions"}, "unit", "unit (tsc and instructions)"),
        ({"clock": "get_cycles"}, "unit", "clock (rdtsc between lfence, rdtscp and lfence and get_cycles)"),
        ({"kernel": "6.1.0"}, "kernel", "kernel (6.12.117 and 6.1.0)"),
        ({"cpu_model": "Other"}, "machine", "cpu_model (Example CPU 9000 @ 2.50GHz and Other)"),
        ({"order": "sequential"}, "options", "order (shuffled and sequential)"),
        ({"alloc": "inline"}, "options", "alloc (prealloc and inline)"),
        ({"config": ["SMP", "KASAN"]}, "config", "config (PREEMPT in the first alone, KASAN in the second)"),
        ({"compiler": "gcc 13"}, "compiler", "compiler (gcc 12 and gcc 13)"),
        (
            {"boot_parameters": ["init_on_alloc=0", "slub_debug=FZPU"]}, "boot",
            "boot parameters (nothing in the first alone, slub_debug=FZPU in the second)",
        ),
        (
            {"mitigations": {"retbleed": "Vulnerable", "tsa": "Vulnerable"}}, "config",
            "mitigations (retbleed: 'Mitigation: IBRS' and 'Vulnerable', tsa: 'nothing' and 'Vulnerable')",
        ),
        ({"core_types": ["efficiency"]}, "machine", "core types (performance in the first alone, efficiency in the second)"),
        ({"hash": 0}, "packets", "hash (1 and 0)"),
        ({"sink_gro": 0}, "packets", "sink_gro (1 and 0)"),
        ({"protocol": "tcp"}, "packets", "protocol (udp and tcp)"),
        (
            {"device_options": {"vxlan": "id 1 udpcsum"}}, "packets",
            "device_options (vxlan: 'id 1 noudpcsum' and 'id 1 udpcsum')",
        ),
        ({"guest_memory_mib": 1024}, "guest", "guest_memory_mib (512 and 1024)"),
        (
            {"guest_parameters": ["init_on_alloc=0"]}, "guest",
            "guest_parameters (nothing in the first alone, init_on_alloc=0 in the second)",
        ),
    ],
)  # fmt: skip
def test_what_differs_is_named_and_refused_unless_told(other: dict[str, Any], kind: str, sentence: str) -> None:
    kernel = {"boot_parameters": ["init_on_alloc=0"], "mitigations": {"retbleed": "Mitigation: IBRS"}, "core_types": ["performance"]}
    guest = {"guest_memory_mib": 512, "guest_parameters": []}
    packets = {"hash": 1, "sink_gro": 1, "protocol": "udp", "device_options": {"vxlan": "id 1 noudpcsum"}}
    before = make(config=["PREEMPT", "SMP"], compiler="gcc 12", **kernel, **guest, **packets)
    after = again(**{"config": ["SMP", "PREEMPT"], "compiler": "gcc 12", **kernel, **guest, **packets, **other})
    with pytest.raises(HarnessError) as caught:
        compared(before, after)
    assert str(caught.value) == (
        f"a.json and b.json differ in {sentence}: compare sweeps of one kind, or compare them anyway with --across {kind}"
    )
    found = compared(before, after, across=[kind])
    assert {difference.kind for difference in found.differences} == {kind}
    assert len(found.cells) == 64


def test_every_option_and_every_difference_counts() -> None:
    settings = {"seed": 2, "lookups": 64, "misses": 10, "erase_order": "insertion"}
    before, after = make(lookups=0, misses=0, erase_order="key"), make(date="later", **{**settings, "seed": 1})
    after.context["seed"] = 2
    with pytest.raises(HarnessError, match=r"erase_order \(key and insertion\), seed \(1 and 2\), lookups \(0 and 64\) and 1 more:"):
        compared(before, after)


def test_packets_of_a_file_that_does_not_say_had_no_hash(tmp_path: Path) -> None:
    path = tmp_path / "earlier.json"
    results.write(make(sizes=[500], devices=["veth"], payloads=[64]), path)
    content = json.loads(path.read_text())
    content["context"]["devices"] = ["veth"]
    path.write_text(json.dumps(content))
    before = results.read(path)
    assert {name: before.context[name] for name in ("hash", "sink_gro", "protocol")} == {"hash": 0, "sink_gro": 1, "protocol": "udp"}
    now = again(sizes=[500], devices=["veth"], payloads=[64])
    now.context.update(hash=1, sink_gro=1, protocol="udp")
    with pytest.raises(HarnessError, match=r"differ in hash \(0 and 1\): .* --across packets"):
        compared(before, now)


def test_tries_of_other_lengths_are_other_tries() -> None:
    after = again()
    after.cells[0].elements = 250
    with pytest.raises(HarnessError, match=r"elements of a try of hashtable/fill/500 \(500 and 250\)"):
        compared(make(), after)


def test_one_compiler_under_two_names_is_one() -> None:
    names = ("gcc-12 (Debian 12.2.0-14) 12.2.0", "x86_64-linux-gnu-gcc-12 (Debian 12.2.0-14) 12.2.0")
    before, after = make(compiler=names[0]), again(compiler=names[1])
    assert compared(before, after).differences == []
    with pytest.raises(HarnessError, match="differ in compiler"):
        compared(before, again(compiler="gcc-13 (Debian 13.2.0-1) 13.2.0"))


def test_fields_that_one_does_not_have_say_nothing() -> None:
    before, after = make(), again(config=["SMP"], compiler="gcc 12", later={"a": 1})
    assert compared(before, after).differences == []


def test_cycles_and_instructions_never_get_a_verdict() -> None:
    found = compared(make(), again(unit="instructions"), across=["unit"], trusting=True)
    assert found.counts[Word.INCONCLUSIVE] == 64
    assert found.rule == Rule.of("tsc")


def test_instructions_do_not_mind_the_machine() -> None:
    assert compared(make(unit="instructions"), again(unit="instructions", cpu_model="Other")).differences == []


def test_one_sweep_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="are the same sweep: name two of them"):
        compared(make(), make())
    path = tmp_path / "a.json"
    with pytest.raises(HarnessError, match="are the same sweep"):
        comparison.compare(Sweep(path, make()), Sweep(tmp_path / "." / "a.json", again()))


def test_nothing_in_common() -> None:
    with pytest.raises(HarnessError, match="have no cell in common: there is nothing to compare"):
        compared(make(sizes=[500]), again(sizes=[1000]))


@pytest.mark.parametrize(
    ("ratio", "low", "high", "threshold", "text"),
    [
        (1.07, 1.06, 1.08, 0.1, "1.07 ± 0.01 × slower"),
        (0.5, 0.4, 0.625, 0.1, "2.00 ± 0.45 × faster"),
        (1.0, 1.0, 1.0, 0.1, "1.00 ± 0.00 ×"),
        (1.0023, 1.0021, 1.0025, 0.001, "1.0023 ± 0.0002 × slower"),
        (0.9, 0.0, 1.0, 0.1, "1.11 ± ? × faster"),
        (float("nan"), float("nan"), float("nan"), 0.1, "below res."),
    ],
)
def test_a_change_in_words(ratio: float, low: float, high: float, threshold: float, text: str) -> None:
    cell = comparison.Comparison("a/b/1", 1, 1, ratio, low, high, 1, 1, Word.INCONCLUSIVE, "")
    assert comparetable.change(cell, Rule(threshold)) == text


def test_the_picture_has_every_cell(tmp_path: Path) -> None:
    found = compared(make(), scaled(again(), 5, "list/fill/500"), across=["options"])
    picture = comparepicture.picture(found, "compare")
    drawn = [point for panel in picture.panels for line in panel.series.values() for point in line]
    assert len(drawn) == 64
    assert [panel.title for panel in picture.panels] == ["fill", "find", "for_each", "erase"]
    assert {panel.high for panel in picture.panels} == {picture.panels[0].high}
    assert picture.panels[0].high < 4  # a ratio of 5 is cut, lest it flatten all others
    sizes = list(range(100, 1800, 100))
    many = compared(make(sizes=sizes, tries=6), again(sizes=sizes, tries=6))
    panels = comparepicture.picture(many, "compare").panels
    assert {len(panel.axis.ticks) for panel in panels} == {34}
    assert [panel.title for panel in panels][:3] == ["fill, 1 of 2", "fill, 2 of 2", "find, 1 of 2"]


def test_from_the_command_line(dsbench: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    ran = dsbench(make(tries=40), scaled(again(tries=40), 1.5, "xarray/find/2000"))
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"│ xarray/find/2000 .*│ 1\.\d\d ± 0\.\d\d × slower │ <?0\.\d{4} │ slower +│", ran.stdout)
    assert "64 cells: 63 no change, 1 slower; geometric mean of B / A 1.0" in ran.stdout
    assert "threshold ±10 %, alpha 0.05" in ran.stdout
    found = json.loads((tmp_path / "out.json").read_text())
    (one,) = found["comparisons"]
    cell = next(cell for cell in one["cells"] if cell["name"] == "xarray/find/2000")
    assert (cell["word"], one["counts"]["slower"], one["threshold"], one["alpha"]) == ("slower", 1, 0.1, 0.05)
    assert cell["low"] <= cell["ratio"] <= cell["high"]
    if shutil.which("gnuplot"):
        assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == ["compare.png", "compare.svg"]


def test_several_files_are_compared_with_the_first(dsbench: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    third = make(sizes=[500], seed=3, date="third")
    ran = dsbench(make(sizes=[500]), again(sizes=[500]), third, "--threshold", "30%", "--alpha", "0.01")
    assert ran.returncode == 0, ran.stderr
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["before"]["file"].endswith("a.json")
    assert [one["after"]["file"][-6:] for one in found["comparisons"]] == ["b.json", "c.json"]
    assert ran.stdout.count("threshold ±30 %, alpha 0.01") == 2


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ([], 0),
        (["--fail-on", "slower"], 3),
        (["--fail-on", "faster"], 0),
        (["--fail-on", "faster,slower"], 3),
        (["--fail-on", "faster", "--fail-on", "slower"], 3),
        (["--fail-on", "slower", "--filter", "^list/"], 0),
        (["--fail-on", "slower", "--filter", "find/500$"], 3),
    ],
)
def test_a_verdict_fails_the_command_where_it_is_told(
    dsbench: Callable[..., subprocess.CompletedProcess[str]], options: list[str], status: int
) -> None:
    kind: dict[str, Any] = {"sizes": [500], "tries": 40}
    ran = dsbench(*options, make(**kind), scaled(again(**kind), 1.5, "xarray/find/500"))
    assert ran.returncode == status, ran.stderr
    assert ("--fail-on slower: xarray/find/500 in " in ran.stderr) is (status == 3)


def test_the_words_that_fail_are_verdicts() -> None:
    assert set(FAIL_ON) == {word.value for word in Word} - {Word.NO_CHANGE.value}


def test_a_filter_comes_before_the_correction_for_many_cells() -> None:
    name = "xarray/find/500"
    kind: dict[str, Any] = {"sizes": [500], "tries": 40}
    before, after = make(**kind), scaled(again(**kind), 1.05, name)
    (alone,) = compared(before, after, wanted=re.compile(f"^{name}$")).cells
    among = next(cell for cell in compared(before, after).cells if cell.name == name)
    assert alone.p == alone.p_adjusted == among.p < among.p_adjusted
    wanted = re.compile("/find/")
    found = compared(make(sizes=[500]), again(sizes=[500, 1000], containers=["list"]), wanted=wanted)
    assert [cell.name for cell in found.cells] == ["list/find/500"]
    assert (found.only_before, found.only_after) == ([f"{c}/find/500" for c in ("hashtable", "rbtree", "xarray")], ["list/find/1000"])


def test_a_floor_that_the_filter_leaves_out_still_tells_of_the_machine() -> None:
    slow = "list/fill/500"
    before, after = with_floors(make(sizes=[500])), with_floors(scaled(again(sizes=[500]), 1.5, slow), 1.4)
    (cell,) = compared(before, after, wanted=re.compile(slow)).cells
    assert cell.word is Word.INCONCLUSIVE and cell.reason.startswith("floor/walk/500, the same loop on both sides, is 1.40")
    still = compared(with_floors(make(sizes=[500])), with_floors(scaled(again(sizes=[500]), 1.5, slow)), wanted=re.compile(slow))
    assert still.counts[Word.SLOWER] == 1


def test_what_the_core_found_below_resolution_gets_no_verdict() -> None:
    slow = scaled(make(sizes=[500]), 1.5, "list/fill/500")
    slow.context["below_resolution"] = ["list/fill/500"]
    cell = next(cell for cell in compared(again(sizes=[500]), slow).cells if cell.name == "list/fill/500")
    assert (cell.word, cell.reason) == (Word.INCONCLUSIVE, "below the clock's resolution: take more elements")
    assert math.isnan(cell.ratio)


def test_below_resolution_is_null_in_the_file(dsbench: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    low = scaled(make(sizes=[500]), 0, "list/fill/500")
    assert dsbench(low, again(sizes=[500])).returncode == 0
    cells = json.loads((tmp_path / "out.json").read_text())["comparisons"][0]["cells"]
    cell = next(cell for cell in cells if cell["name"] == "list/fill/500")
    assert (cell["ratio"], cell["word"]) == (None, "inconclusive")


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["a.json"], 2, "compare has one file, a.json: name two or more"),
        (["a.json", "b.json", "--threshold", "much"], 2, "--threshold is 'much'"),
        (["a.json", "b.json", "--threshold", "5"], 2, "--threshold is '5': allowed are shares from 0 to 1, such as 0.05 or 5%"),
        (["a.json", "b.json", "--alpha", "0"], 2, "--alpha is '0': allowed are shares above 0 and up to 1, such as 0.05 or 5%"),
        (["a.json", "b.json", "--threshold", "-0.1"], 2, ""),
        (["a.json", "b.json", "--alpha", "2"], 2, "--alpha is '2'"),
        (["a.json", "b.json", "--filter", "("], 2, "--filter is '(': allowed are Python's regular expressions, and this is none: missing )"),
        (["a.json", "b.json", "--filter", "^find"], 1, "--filter '^find' matches no cell that a.json and b.json have in common"),
        (["a.json", "b.json", "--fail-on", "slow"], 2, "--fail-on is 'slow': allowed are slower, faster, inconclusive"),
        (["a.json", "b.json", "--across", "weather"], 2, "--across is 'weather': allowed are target, unit"),
        (["a.json", "absent.json"], 1, "the result file absent.json cannot be read"),
    ],
)
def test_bad_arguments(
    dsbench: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, arguments: list[str], status: int, sentence: str
) -> None:
    results.write(make(sizes=[500]), tmp_path / "a.json")
    results.write(again(sizes=[500]), tmp_path / "b.json")
    ran = dsbench(*arguments)
    assert ran.returncode == status and "Traceback" not in ran.stderr
    assert sentence in ran.stderr
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda text: text[: len(text) // 2], "so it may be truncated"),
        (lambda text: re.sub(r'"count":\d+', '"count":NaN', text, count=1), "it contains NaN"),
        (lambda text: text.replace('"cells": [', '"cells": [\n"list/fill/9",', 1), "1 of its 17 cells are missing"),
        (lambda text: '{"context": {}, "benchmarks": [], "comparisons": []}', "it is an evaluation of tunnels, not a sweep"),
        (lambda text: '{"kind": "comparison", "comparisons": []}', "it is a comparison, not a sweep"),
    ],
)  # fmt: skip
def test_damaged_files_are_one_sentence(
    dsbench: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, damage: Callable[[str], str], sentence: str
) -> None:
    for name, sweep in (("a.json", make(sizes=[500])), ("b.json", again(sizes=[500]))):
        results.write(sweep, tmp_path / name)
    (tmp_path / "b.json").write_text(damage((tmp_path / "b.json").read_text()))
    ran = dsbench("a.json", "b.json")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("dsbench: the result file b.json can't be used: ")
    assert sentence in ran.stderr and ran.stderr.count("\n") == 1
