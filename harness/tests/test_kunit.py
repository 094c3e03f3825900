# SPDX-License-Identifier: GPL-2.0
"""The KUnit suites, in the UML guest; and the report of a log that is not good."""

from __future__ import annotations

import pytest
from dsharness.commands import kunit
from dsharness.errors import HarnessError
from dsharness.kernel import kernels

SUITES = (
    "dsbench_stats",
    "dsbench_params",
    "dsbench_clock",
    "dsbench_precision",
    "dsbench_try",
    "dsbench_plan",
    "dsbench_set",
    "dsbench_floor",
    "dsbench_list",
    "dsbench_hashtable",
    "dsbench_rbtree",
    "dsbench_xarray",
    "dsbench_maple",
    "dsbench_rhashtable",
    "dsbench_llist",
    "dsbench_idr",
    "dsbench_sorted_array",
    "udptun",
)

# An operation that a container does not have cannot be tested.
SKIPPED = {
    "dsbench_llist": {
        "find_in_empty_finds_nothing", "find_finds_every_key", "find_does_not_find_the_absent",
        "verify_counts_what_find_found", "readers_meet_what_stays",
    },
    "dsbench_sorted_array": {"erase_in_slices", "fill_again_after_erase", "readers_meet_what_stays"},
}  # fmt: skip


@pytest.fixture(scope="module")
def report() -> kunit.Report:
    """One run of all suites."""
    return kunit.run_suites()


@pytest.fixture(scope="module")
def debug_report() -> kunit.Report:
    """One run of all suites on the debug kernel."""
    return kunit.run_suites(kernels.DEBUG)


@pytest.mark.matrix
@pytest.mark.debug
@pytest.mark.xdist_group("kunit-debug")
@pytest.mark.parametrize("suite", SUITES)
def test_suite_passes_on_the_debug_kernel(debug_report: kunit.Report, suite: str) -> None:
    test_suite_passes(debug_report, suite)


@pytest.mark.matrix
@pytest.mark.debug
@pytest.mark.xdist_group("kunit-debug")
def test_the_debug_kernel_has_nothing_to_say(debug_report: kunit.Report) -> None:
    assert debug_report.passed, debug_report.text


COMPLAINING = """\
[    1.0] KTAP version 1
[    1.0]     # Subtest: example
[    1.0]     1..2
[    1.0]     ok 1 good
[    1.1] BUG: KASAN: slab-use-after-free in bad+0x12/0x34 [example]
[    1.1] Call Trace:
[    1.2]     ok 2 bad
[    1.2] ok 1 example
[    1.3] kmemleak: 1 new suspected memory leaks
"""


def test_a_complaint_of_the_kernel_fails_its_case() -> None:
    found = kunit.complaints(COMPLAINING)
    assert list(found) == ["bad", ""]
    assert "use-after-free" in found["bad"]
    cases = (kunit.Case("example", "good", "PASS"), kunit.Case("example", "bad", "PASS"))
    report = kunit.judged(kunit.Report(cases, "", True), COMPLAINING)
    assert [case.status for case in report.cases] == ["PASS", "FAIL"]
    assert not report.passed


@pytest.mark.parametrize("suite", SUITES)
def test_suite_passes(report: kunit.Report, suite: str) -> None:
    cases = [case for case in report.cases if case.suite == suite]
    assert cases, f"{suite} did not run:\n{report.text}"
    assert {case.name for case in cases if case.status == "SKIP"} == SKIPPED.get(suite, set())
    bad = [f"{case.name}: {case.status}" for case in cases if case.status not in ("PASS", "SKIP")]
    assert not bad, report.text


def test_no_suite_is_forgotten(report: kunit.Report) -> None:
    assert {case.suite for case in report.cases} == set(SUITES)
    assert report.passed


FAILING = b"""\
KTAP version 1
1..1
    KTAP version 1
    # Subtest: example
    1..2
    ok 1 good
    not ok 2 bad
not ok 1 example
"""


def test_a_failing_case_is_reported() -> None:
    source = kernels.find("uml").source
    assert source
    report = kunit.parse(FAILING, source)
    assert not report.passed
    assert [(case.name, case.status) for case in report.cases] == [("good", "PASS"), ("bad", "FAIL")]


OLDER = (
    b"""\
[    1.650000]     KTAP version 1
[    1.650000]     # Subtest: first
[    1.650000]     1..1
[    1.650000]     ok 1 a_case
[    1.650000] ok 1 first
""",
    b"""\
[    2.830000]     KTAP version 1
[    2.830000]     # Subtest: second
[    2.830000]     1..2
[    2.830000]     ok 1 a_case
[    2.830000]     ok 2 another_case
[    2.830000] # second: pass:2 fail:0 skip:0 total:2
[    2.830000] ok 2 second
""",
)
"""What Linux 6.1 prints of two modules."""


def test_the_log_of_an_older_kernel_becomes_a_report() -> None:
    logs = kunit.with_headers(OLDER)
    source = kernels.find("uml").source
    assert source and len(logs) == 1
    report = kunit.parse(logs[0], source)
    assert report.passed, report.text
    assert [(case.suite, case.name) for case in report.cases] == [("first", "a_case"), ("second", "a_case"), ("second", "another_case")]


def test_a_log_with_a_header_stays_as_it_is() -> None:
    assert kunit.with_headers([FAILING, FAILING]) == [FAILING, FAILING]


def test_a_log_without_a_report_does_not_pass() -> None:
    source = kernels.find("uml").source
    assert source
    try:
        assert not kunit.parse(b"Linux version 6.12\n", source).passed
    except HarnessError:
        pass  # kunit.py may refuse it, too
