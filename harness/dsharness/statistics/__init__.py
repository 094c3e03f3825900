# SPDX-License-Identifier: GPL-2.0
"""Statistics of plain numbers, whatever was measured."""
