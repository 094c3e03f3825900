# SPDX-License-Identifier: GPL-2.0
"""Kernels, found, fetched and built, and what is built for them: the modules and the tools."""
