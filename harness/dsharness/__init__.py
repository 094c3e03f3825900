# SPDX-License-Identifier: GPL-2.0
"""The harness of dsbench: builds the modules, boots guests, runs sweeps, compares and draws results."""
