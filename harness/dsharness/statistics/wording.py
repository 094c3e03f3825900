# SPDX-License-Identifier: GPL-2.0
"""Statistics in words."""

from __future__ import annotations


def probability(p: float | None) -> str:
    """Return a p value with four digits, "<0.0001" for a smaller one, "-" for none."""
    return "-" if p is None else "<0.0001" if p < 0.0001 else f"{p:.4f}"
