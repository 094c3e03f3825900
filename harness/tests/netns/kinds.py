# SPDX-License-Identifier: GPL-2.0
"""The kinds of tunnels, and the cases of features that one of them leaves out."""

from __future__ import annotations

UNCHANGEABLE = ("udptun_rust",)
"""Kinds without changelink."""

LEFT_OUT: dict[str, dict[str, str]] = {"udptun_rust": {}}
"""Kind -> case -> what the kind lacks for it."""
