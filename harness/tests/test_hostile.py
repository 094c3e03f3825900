# SPDX-License-Identifier: GPL-2.0
"""Damaged and hostile texts: the output of a guest, and the names in a result file.

Each output is one that the scripts print, damaged at random by hypothesis. Whatever the damage, the streams keep one sentence, and a
file that was written can be read.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from made_results import make
from test_samples import DATAPATH_REPORT, DATAPATH_SAMPLES, REPORT, SAMPLES

from dsharness import paths, texts
from dsharness.errors import HarnessError
from dsharness.results import results, table
from dsharness.results.results import Results
from dsharness.sweep.drive import SweepRecorder
from dsharness.sweep.marked import LONGEST_LINE
from dsharness.sweep.stream import DATAPATH, SweepStream, runs_of
from dsharness.targets import guest
from dsharness.tunnel.devices import LINK
from dsharness.tunnel.meters import TOOLS, Iperf3, Netperf, Reading, Sockperf
from dsharness.tunnel.steps import Step, Take
from dsharness.tunnel.stream import Stream

OUTPUT = Path(__file__).with_name("tunnel_output")

set_hypothesis_home_dir(str(paths.BUILD / "hypothesis"))
# No deadline: these tests share the machine with guests.
EXAMPLES = settings(max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])

WORDS = (
    "", "-1", "0", "1", "abc", "4", "9", "²", "٣", "9" * 19, "9" * 30, "9" * 5000, "nan", "inf", "1e999", "-0", "0x1", "datapath",
    "@dsbench", "@tunnel", "\x1b[2J", "[/bold]", "\u202e", "%s", "'", '"', "{}", "[" * 5000, "true", "null", "list/find/4",
)  # fmt: skip

SIZE_FRAMES = (
    "noise\n@dsbench begin 4\n@dsbench progress 4 2 6\n@dsbench report 4\n"
    f"{REPORT}@dsbench samples 4\n{SAMPLES}@dsbench end 4\n"
)
FRAMES = (
    SIZE_FRAMES + "@dsbench begin datapath\n@dsbench topology datapath\ndevice veth:veth0:192.0.2.2\n"
    "device udptun:udptun0:10.99.2.2\nabsent bareudp this kernel has no bareudp\n@dsbench progress datapath 1 6\n"
    f"@dsbench report datapath\n{DATAPATH_REPORT}@dsbench samples datapath\n{DATAPATH_SAMPLES}@dsbench end datapath\n"
)
TAKES = [
    Step("do", ("uname",), fact="near_kernel"),
    Step("do", ("ip",), part="vxlan"),
    *(Step("take", (tool.name,), take=Take(0, order, LINK, tool)) for order, tool in enumerate(TOOLS)),
]
TUNNEL_FRAMES = (
    "@tunnel begin 0\n6.12\n\n@tunnel end 0 0\n@tunnel begin 1\nError: Unknown device type.\n\n@tunnel end 1 2\n"
    f"@tunnel begin 2\n{(OUTPUT / 'sockperf.txt').read_text(encoding='utf-8')}\n@tunnel end 2 0\n"
    "@tunnel begin 3\n122.20\n\n@tunnel end 3 0\n"
    f"@tunnel begin 4\n{(OUTPUT / 'iperf3.json').read_text(encoding='utf-8')}\n@tunnel end 4 0\n"
)


def damaged(text: str) -> st.SearchStrategy[str]:
    """Texts with a few lines left out, repeated, moved or replaced, and with a few words replaced."""
    lines = text.splitlines()

    @st.composite
    def draw_one(draw: st.DrawFn) -> str:
        found = list(lines)
        for _ in range(draw(st.integers(1, 4))):
            place = draw(st.integers(0, len(found) - 1)) if found else 0
            what = draw(st.sampled_from(("word", "word", "word", "word", "drop", "repeat", "move", "line")))
            if what == "drop" and found:
                del found[place]
            elif what == "repeat" and found:
                found.insert(draw(st.integers(0, len(found))), found[place])
            elif what == "move" and found:
                found.insert(draw(st.integers(0, len(found) - 1)), found.pop(place))
            elif what == "line":
                found.insert(place, draw(st.one_of(st.sampled_from(WORDS), st.text(max_size=30))))
            elif found:
                parts = re.split(r"([\s,=:]+)", found[place])
                parts[draw(st.integers(0, len(parts) - 1))] = draw(st.sampled_from(WORDS))
                found[place] = "".join(parts)
        return "\n".join([*found, ""]) if draw(st.booleans()) else "\n".join(found)

    return draw_one()


def fed(feed: Callable[[bytes], None], text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    for start in range(0, len(data), 1000):
        feed(data[start : start + 1000])


def swept(text: str, folder: Path) -> SweepStream:
    """Feed a sweep's output through the stream into a result file."""
    context: dict[str, Any] = {**make(complete=False).context, "n": [], "cells": [], "warnings": [], "absent_ops": []}
    for of_a_run in ("unit", "clock_khz", "clock_overhead", "devices", "absent_devices"):
        context.pop(of_a_run, None)
    stages = ["4", DATAPATH]
    recorder = SweepRecorder(folder / "sweep.json", Results(context, []), stages)
    stream = SweepStream(lambda stage, done, total: None, recorder.add, runs_of(stages))
    fed(stream.feed, text)
    if recorder.results.cells:
        assert results.read(recorder.path).sizes
    return stream


@EXAMPLES
@given(st.one_of(damaged(FRAMES), st.text(max_size=200)))
@example("@dsbench begin\n")
@example("@dsbench \n")
@example("@dsbench begin 4\n@dsbench progress 500 x y\n")
@example("@dsbench begin 4\n@dsbench progress 4 x y\n")
@example("@dsbench begin 17\n@dsbench end 17\n")
@example(SIZE_FRAMES * 2)
@example(FRAMES.replace("2596104", "0"))
@example(FRAMES.replace("begin datapath", "begin 4"))
@example(FRAMES.replace("run: 1", "run:"))
@example(FRAMES.replace("run: 1", "run: one"))
@example(FRAMES.replace("seed=1", "seed=²"))
@example(FRAMES.replace("seed=1", f"seed={'9' * 5000}"))
def test_the_output_of_a_sweep_may_be_anything(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stream = swept(text, Path(folder))
    assert stream.failure is None or isinstance(stream.failure, HarnessError)
    assert str(stream.failure).isprintable()


def test_whole_output_of_a_sweep_is_taken(tmp_path: Path) -> None:
    assert swept(FRAMES, tmp_path).failure is None
    assert results.read(tmp_path / "sweep.json").context["complete"]


@pytest.mark.parametrize("mark", ["progress 500 x y", "progress 4 1", "end 17", "begin", "hello 4", "begin 4 5"])
def test_a_damaged_mark_is_quoted(mark: str, tmp_path: Path) -> None:
    stream = swept(f"@dsbench begin 4\n@dsbench {mark}\n{FRAMES}", tmp_path)
    assert str(stream.failure) == f"the guest's output is damaged: it has a marked line with '{mark}'"


def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    stream = swept("y" * (3 * LONGEST_LINE), tmp_path)
    assert "a line of more than" in str(stream.failure)
    assert len(stream._rest) <= LONGEST_LINE + 1000


@EXAMPLES
@given(st.one_of(damaged(TUNNEL_FRAMES), st.text(max_size=200)))
@example("@tunnel end x\n")
@example("@tunnel end 1\n")
@example("@tunnel begin\n")
@example("@tunnel begin -1\n")
@example("@tunnel begin 99\n")
@example("@tunnel hello 1\n")
def test_the_output_of_an_evaluation_may_be_anything(text: str) -> None:
    readings: list[Reading] = []
    stream = Stream(TAKES, lambda step: None, lambda take, reading: readings.append(reading), lambda number: None)
    fed(stream.feed, text)
    assert stream.failure is None or isinstance(stream.failure, HarnessError)
    assert str(stream.failure).isprintable()
    json.dumps([vars(reading) for reading in readings], allow_nan=False)
    assert all(text.isprintable() for text in (*stream.facts.values(), *stream.absent.values()))


def test_whole_output_of_an_evaluation_is_taken() -> None:
    readings: list[Reading] = []
    stream = Stream(TAKES, lambda step: None, lambda take, reading: readings.append(reading), lambda number: None)
    fed(stream.feed, TUNNEL_FRAMES)
    assert (stream.failure, len(readings)) == (None, len(TOOLS))


@pytest.mark.parametrize(
    ("tool", "output"),
    [
        (Iperf3(), "[" * 100_000),
        (Iperf3(), json.dumps({"end": {"sum_received": {"bits_per_second": 10**400}, "sum_sent": {}}})),
        (Iperf3(), '{"end": {"sum_received": {"bits_per_second": 1e9}, "sum_sent": {"retransmits": NaN}}}'),
        (Sockperf(), "percentile x = 1\npercentile 50.000 = 1.2.3\navg-rtt=1.2.3 (std-dev=1)"),
        (Sockperf(), "percentile 50.000 = 75.3\navg-rtt=1.2 (std-dev=1)"),
        (Netperf(), "1e999"),
    ],
)
def test_a_tool_that_prints_nonsense_printed_no_figure(tool: Any, output: str) -> None:
    with pytest.raises(HarnessError, match="printed no figure"):
        tool.parse(output)


@EXAMPLES
@given(st.lists(st.sampled_from((b"ready", b"exit 0", b"exit", b"exit 1 2", b"", b"\xff", b"input", b"exit 9999999", b"exit abc", b"exit -1"))))
def test_the_report_of_a_guest_may_be_anything(lines: Sequence[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "status")
        file.write_bytes(b"".join(line + b"\n" for line in lines))
        report = guest.Report(file)
        bad = [line for line in lines if line.startswith(b"exit") and line != b"exit 0"]
        if bad:
            with pytest.raises(HarnessError, match="the guest's report is damaged: "):
                report.update()
        else:
            report.update()
            assert report.status == (0 if b"exit 0" in lines else None)


# names

NAMES = {
    "markup": "[bold red]rb[/]tree[/x]",
    "emoji": ":smile:",
    "wide": "木構造" * 4,
    "long": "x" * 150,
    "control": "a\x1b[31mb\x07\r\n\tc\u202ed",
    "surrogate": "a\ud800b",
}
SHOWN = {**NAMES, "control": r"a\x1b[31mb\x07\r\n\tc\u202ed", "surrogate": r"a\ud800b"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("columns", ["40", "200"])
def test_any_name_in_a_result_file_is_shown_safely_and_uncut(
    name: str, columns: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    file = tmp_path / "sweep.json"
    results.write(make(sizes=[500], tries=12), file)
    text = json.dumps(json.loads(file.read_text(encoding="utf-8"))).replace("rbtree", json.dumps(NAMES[name])[1:-1])
    file.write_text(text.replace('"kernel": "', f'"kernel": "{json.dumps(NAMES[name])[1:-1]}'), encoding="utf-8")
    table.show_medians(results.read(file))
    shown = capsys.readouterr().out
    assert SHOWN[name] in shown
    assert all(line.isprintable() for line in shown.splitlines())


@EXAMPLES
@given(st.text())
def test_printable_texts_can_be_written_and_are_kept(text: str) -> None:
    found = texts.printable(text)
    found.encode("utf-8")
    assert found.isprintable()
    assert text.isprintable() == (found == text)
