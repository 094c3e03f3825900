# SPDX-License-Identifier: GPL-2.0
"""The harness of dsbench: builds the modules, boots a guest, runs the sweep, draws the pictures."""
