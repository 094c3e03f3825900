// SPDX-License-Identifier: GPL-2.0
/*
 * The module of rust_wrong, whose operations are in wrong.rs. It has no alias:
 * a run of all containers must not load it.
 */

#include <linux/module.h>

#include "../bindings.h"
#include "rust_wrong.h"

int dsbench_rust_see(struct dsbench_set *set, struct dsbench_elem *e)
{
	return dsbench_see(set, e);
}

static struct dsbench_subject rust_wrong_container = {
	.name = "rust_wrong",
	.ops = &rust_wrong_ops,
	.owner = THIS_MODULE,
};

static int __init dsbench_rust_wrong_init(void)
{
	return dsbench_register(&rust_wrong_container);
}

static void __exit dsbench_rust_wrong_exit(void)
{
	dsbench_unregister(&rust_wrong_container);
}

module_init(dsbench_rust_wrong_init);
module_exit(dsbench_rust_wrong_exit);
MODULE_DESCRIPTION("dsbench: a container that gives wrong answers, for tests");
MODULE_LICENSE("GPL");
