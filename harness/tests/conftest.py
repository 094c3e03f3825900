# SPDX-License-Identifier: GPL-2.0
"""Lets the tests import the harness as harness/dsbench does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

pytest.register_assert_rewrite("guests")
