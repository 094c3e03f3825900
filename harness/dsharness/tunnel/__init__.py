# SPDX-License-Identifier: GPL-2.0
"""The paper's evaluation: latency and throughput of the bare link, udptun and its in-tree peers."""
