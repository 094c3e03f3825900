# SPDX-License-Identifier: GPL-2.0
"""Exact profiles of cells: the functions that the instructions of an element go to."""
