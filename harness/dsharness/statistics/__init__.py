# SPDX-License-Identifier: GPL-2.0
"""Statistics of plain numbers, independent of what was measured."""
