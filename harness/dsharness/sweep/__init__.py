# SPDX-License-Identifier: GPL-2.0
"""Times every container and operation at several sizes, and the tunnels' datapath."""
