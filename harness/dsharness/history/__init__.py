# SPDX-License-Identifier: GPL-2.0
"""The cost of containers and tunnels over a series of kernels."""
