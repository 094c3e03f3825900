/* SPDX-License-Identifier: GPL-2.0 */
/* Fails one allocation of the current thread. */
#ifndef _DSBENCH_RUST_TESTS_STARVE_H
#define _DSBENCH_RUST_TESTS_STARVE_H

#include <linux/types.h>

int starve_init(void);
void starve_exit(void);
void starve_begin(u32 nth);
u32 starve_end(void);

#endif /* _DSBENCH_RUST_TESTS_STARVE_H */
