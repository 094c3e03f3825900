// SPDX-License-Identifier: GPL-2.0
/* The names of the operations, as parameters and reports spell them. */

#include "opnames.h"

const char * const dsbench_op_names[DSBENCH_NR_OPS] = {
	[DSBENCH_FILL] = "fill",
	[DSBENCH_FIND] = "find",
	[DSBENCH_FOR_EACH] = "for_each",
	[DSBENCH_ERASE] = "erase",
	[DSBENCH_TX] = "tx",
	[DSBENCH_RX] = "rx",
	[DSBENCH_PATH] = "path",
	[DSBENCH_EMPTY] = "empty",
	[DSBENCH_WALK] = "walk",
	[DSBENCH_RANDOM] = "random",
	[DSBENCH_CHASE] = "chase",
};
