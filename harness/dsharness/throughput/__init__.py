# SPDX-License-Identifier: GPL-2.0
"""Throughput of udptun and its peers by kind of traffic and by offloads."""
