# SPDX-License-Identifier: GPL-2.0
"""dsbench peers: the cost of a packet over the number of tunnels on one port."""
