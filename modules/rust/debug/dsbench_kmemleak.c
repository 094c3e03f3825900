// SPDX-License-Identifier: GPL-2.0
/*
 * Lets kmemleak scan the kernel's .lbss, where clang puts the variables that
 * begin as zero in the large code model, as UML has it. kmemleak scans .bss
 * alone, and would report as leaked all that only such a variable refers to.
 */

#include <linux/kmemleak.h>
#include <linux/module.h>

static unsigned long start;
module_param(start, ulong, 0444);
MODULE_PARM_DESC(start, "address of .lbss");

static unsigned long size;
module_param(size, ulong, 0444);
MODULE_PARM_DESC(size, "size of .lbss in bytes");

static int __init dsbench_kmemleak_init(void)
{
	if (!start || !size) {
		pr_err("start is %#lx and size is %lu: allowed are those of the kernel's .lbss\n",
		       start, size);
		return -EINVAL;
	}
	/* No reference is needed: the object is scanned and never reported. */
	kmemleak_alloc((void *)start, size, 0, GFP_KERNEL);
	return 0;
}

static void __exit dsbench_kmemleak_exit(void)
{
	kmemleak_free((void *)start);
}

module_init(dsbench_kmemleak_init);
module_exit(dsbench_kmemleak_exit);
MODULE_DESCRIPTION("dsbench: lets kmemleak scan the variables that a kernel by clang has in .lbss");
MODULE_LICENSE("GPL");
