# SPDX-License-Identifier: GPL-2.0
"""Time every container and operation at several sizes, and the tunnel's datapath beside them."""
