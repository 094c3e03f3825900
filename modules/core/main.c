// SPDX-License-Identifier: GPL-2.0
/* dsbench.ko: the order of initialisation, and its exact reverse. */

#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/module.h>

#include "clock.h"
#include "debugfs.h"
#include "param_table.h"
#include "procfs.h"
#include "results.h"
#include "runner.h"
#include "set.h"
#include "slice.h"
#include "version.h"

/* A run would fail, so refuse to load with the reason. */
static int __init check_cpus(void)
{
	struct dsbench_params p;
	u32 needed;

	dsbench_params_get(&p);
	needed = dsbench_threads_cpus(&p);
	if (needed <= num_online_cpus())
		return 0;

	pr_err(DSBENCH_TOO_FEW_CPUS "\n", needed, num_online_cpus());
	return -EINVAL;
}

static int __init dsbench_init(void)
{
	int err;

	err = check_cpus();
	if (err)
		return err;

	err = dsbench_sets_init();
	if (err)
		return err;

	dsbench_clock_init();
	dsbench_slice_overhead();

	err = dsbench_runner_start();
	if (err)
		goto err_runner;

	err = dsbench_procfs_init();
	if (err)
		goto err_procfs;

	dsbench_debugfs_init();

	/*
	 * The thread loads the containers, not this function: they depend on a
	 * live core, and the core is live only after this function has
	 * returned.
	 */
	if (dsbench_autorun())
		dsbench_runner_request();

	pr_info("%s loaded, results in /proc/dsbench\n", DSBENCH_VERSION);
	return 0;

err_procfs:
	dsbench_runner_stop();
err_runner:
	dsbench_sets_exit();
	return err;
}

static void __exit dsbench_exit(void)
{
	dsbench_debugfs_exit();
	dsbench_procfs_exit();
	dsbench_runner_stop();
	dsbench_results_free();
	dsbench_sets_exit();
}

module_init(dsbench_init);
module_exit(dsbench_exit);

MODULE_DESCRIPTION("dsbench: what an element costs in each of the kernel's containers");
MODULE_AUTHOR("The dsbench developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(DSBENCH_VERSION);
