# SPDX-License-Identifier: GPL-2.0
"""Planted faults, one at a time, and which test notices each."""
