# SPDX-License-Identifier: GPL-2.0
"""The options of a sweep, and what its script in the target prints."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

import pytest
from test_samples import REPORT, SAMPLES

from dsharness import sweep
from dsharness.errors import UsageError
from dsharness.sweepstream import SizeResult, SweepStream

SCRIPT = Path(__file__).resolve().parents[1] / "guest" / "sweep.sh"


def plan(*argv: str) -> sweep.Plan:
    top = argparse.ArgumentParser()
    sweep.add_parser(top.add_subparsers())
    return sweep.checked_plan(top.parse_args(["sweep", *argv]))


def test_defaults() -> None:
    made = plan()
    assert (made.target, made.sizes, made.tries, made.settings) == ("uml", (500, 1000, 2000, 4000), None, ())
    assert {"list", "hashtable", "rbtree", "xarray"} <= set(made.containers)
    assert made.ops == ("fill", "find", "for_each", "erase")


def test_lists_in_every_spelling() -> None:
    assert plan("--sizes", "500 1000").sizes == plan("--sizes", "1000", "500,500").sizes == (500, 1000)
    made = plan("--container", "rbtree,list", "--op", "find", "--order", "sequential", "--misses", "10", "--seed", "0")
    assert made.settings == ("containers=rbtree,list", "ops=find", "order=sequential", "misses=10", "seed=0")


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("--sizes", "0"), "--sizes is '0': allowed are whole numbers from 1 to 16777216"),
        (("--sizes=-5",), "--sizes is '-5'"),
        (("--sizes", "500 many"), "--sizes is 'many'"),
        (("--sizes", "16777217"), "--sizes is '16777217'"),
        (("--sizes", " "), "--sizes is empty"),
        (("--tries", "0"), "--tries is '0': allowed are whole numbers from 1 to 1000000"),
        (("--tries", "1e3"), "--tries is '1e3'"),
        (("--tries", "1000000"), "--tries 1000000 makes 64000000 samples"),
        (("--container", "tree"), "--container is 'tree': allowed are hashtable, list, rbtree, xarray"),
        (("--op", "sort"), "--op is 'sort': allowed are fill, find, for_each, erase"),
        (("--order", "random"), "--order is 'random': allowed are shuffled, sequential"),
        (("--alloc", ""), "--alloc is ''"),
        (("--lookups", "-1"), "--lookups is '-1'"),
        (("--misses", "101"), "--misses is '101': allowed are whole numbers from 0 to 100"),
        (("--seed", str(1 << 64)), "--seed is '18446744073709551616'"),
        (("--warmup", "x"), "--warmup is 'x'"),
        (("--timeout", "0"), "--timeout is '0'"),
        (("--output", "file.csv"), "--output is 'file.csv': allowed are names that end in .json"),
    ],
)
def test_bad_options_get_one_sentence(argv: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan(*argv)
    assert str(caught.value).startswith(sentence)
    assert caught.value.exit_code == 2


FRAMES = (
    "noise before\n@dsbench begin 4\n@dsbench progress 4 2 6\n@dsbench report 4\n"
    f"{REPORT}@dsbench samples 4\n{SAMPLES}@dsbench end 4\n"
)


def follow(output: str, chunk: int) -> tuple[list[SizeResult], list[tuple[int, int, int]], SweepStream]:
    sizes: list[SizeResult] = []
    progress: list[tuple[int, int, int]] = []
    stream = SweepStream(lambda n, done, total: progress.append((n, done, total)), sizes.append)
    data = output.encode()
    for start in range(0, len(data), chunk):
        stream.feed(data[start : start + chunk])
    return sizes, progress, stream


@pytest.mark.parametrize("chunk", [1, 7, 100_000])
def test_the_stream_is_cut_up_whatever_its_pieces(chunk: int) -> None:
    sizes, progress, stream = follow(FRAMES * 2, chunk)
    assert stream.failure is None
    assert progress == [(4, 0, 0), (4, 2, 6)] * 2
    assert [size.n for size in sizes] == [4, 4]
    assert [cell.name for cell in sizes[0].cells] == ["list/fill/4", "list/find/4"]


def test_a_size_that_is_cut_off_is_not_taken() -> None:
    sizes, _, stream = follow(FRAMES + FRAMES[:-20], 100)
    assert (len(sizes), stream.failure) == (1, None)


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (
            "@dsbench begin 9\n@dsbench failed 9\n[   1.0] dsbench: dsbench: n=9: needs more memory\n"
            "[   1.0] dsbench: `9' invalid for parameter `n'\n@dsbench end 9\n",
            "the kernel refused the run of n=9: n=9: needs more memory",
        ),
        ("@dsbench begin 9\n@dsbench failed 9\n@dsbench end 9\n", "the run of n=9: it left no message"),
        (FRAMES.replace("state=complete", "state=interrupted"), "the run of n=4 was not completed"),
        (FRAMES.replace("1,list,find,4,2,2,-1,0\n", ""), "it lacks the 3 tries of list/find/4"),
        (FRAMES.replace(SAMPLES, ""), "the samples file is empty"),
    ],
)
def test_failures_are_kept_for_the_end(output: str, sentence: str) -> None:
    sizes, _, stream = follow(output + FRAMES, 50)
    assert sizes == []
    assert sentence in str(stream.failure)


def test_the_script_is_sound_shell() -> None:
    subprocess.run(["sh", "-n", SCRIPT], check=True)
