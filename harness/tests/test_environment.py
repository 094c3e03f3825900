# SPDX-License-Identifier: GPL-2.0
"""What the harness finds out about the machine, and what it warns of."""

from __future__ import annotations

import os

import pytest
from dsharness.results import environment


def test_facts_of_this_machine() -> None:
    facts = environment.facts()
    assert facts["num_cpus"] == os.cpu_count()
    assert facts["cpu_model"]
    assert len(facts["load_avg"]) == 3
    assert all(cache["size"] > 0 and cache["num_sharing"] >= 1 for cache in facts["caches"])


QUIET = {"load_avg": [0.1, 0.2, 3.0], "num_cpus": 2, "cpu_scaling_enabled": False, "governor": "performance"}


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, []),
        ({"load_avg": [1.4, 0, 0]}, []),
        ({"load_avg": [1.6, 0, 0]}, ["load 1.6 on 2 CPUs"]),
        ({"load_avg": [1.6, 0, 0], "num_cpus": 8}, []),
        ({"cpu_scaling_enabled": True, "governor": "powersave"}, ["governor is powersave"]),
    ],
)
def test_warnings_say_what_is_wrong(facts: dict[str, object], words: list[str]) -> None:
    found = environment.warnings({**QUIET, **facts})
    assert len(found) == len(words)
    assert all(word in warning for word, warning in zip(words, found, strict=True))
