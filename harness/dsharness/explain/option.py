# SPDX-License-Identifier: GPL-2.0
"""The option --explain of compare, ab and gate. It loads on a bare Debian."""

from __future__ import annotations

import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Add the option."""
    parser.add_argument(
        "--explain", action="store_true", help="instructions only: also name the three functions that changed most in each slower cell"
    )
