/* SPDX-License-Identifier: GPL-2.0 */
/* The names of the operations. */
#ifndef _DSBENCH_CORE_OPNAMES_H
#define _DSBENCH_CORE_OPNAMES_H

#include <dsbench/bench.h>

extern const char * const dsbench_op_names[DSBENCH_NR_OPS];

#endif /* _DSBENCH_CORE_OPNAMES_H */
