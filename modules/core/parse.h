/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parsers of the parameters' values. Each writes a sentence into the log for
 * a value that is not allowed, which names the parameter, the value and what is
 * allowed.
 */
#ifndef _DSBENCH_CORE_PARSE_H
#define _DSBENCH_CORE_PARSE_H

#include <linux/bits.h>
#include <linux/moduleparam.h>
#include <linux/types.h>

#include <dsbench/bench.h>

/* Operations that ops= selects: the floors' come behind them. */
#define DSBENCH_OPS_SELECTABLE	DSBENCH_EMPTY
#define DSBENCH_OPS_ALL		(BIT(DSBENCH_OPS_SELECTABLE) - 1)

const char *dsbench_param_owner(const struct kernel_param *kp);
const char *dsbench_param_dot(const struct kernel_param *kp);
int dsbench_param_shown(const char *val);
int dsbench_parse_u32(const char *val, const struct kernel_param *kp, u32 min,
		      u32 max, const char *unit);
int dsbench_parse_u64(const char *val, const struct kernel_param *kp);
int dsbench_parse_choice(const char *val, const struct kernel_param *kp,
			 const char * const *names);
int dsbench_parse_cpu(const char *val, const struct kernel_param *kp);
int dsbench_parse_ops(const char *val, const struct kernel_param *kp,
		      unsigned long *mask);
int dsbench_parse_names(const char *val, const struct kernel_param *kp,
			char *names, size_t size);
int dsbench_parse_threads(const char *val, const struct kernel_param *kp,
			  u32 *numbers, u32 max);

#endif /* _DSBENCH_CORE_PARSE_H */
