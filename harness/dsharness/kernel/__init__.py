# SPDX-License-Identifier: GPL-2.0
"""Kernels, found, fetched and built; and what is built for them of which sources: the modules and the tools."""
