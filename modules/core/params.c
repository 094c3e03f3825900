// SPDX-License-Identifier: GPL-2.0
/* The parameters of a run: what follows from them. */

#include <linux/minmax.h>
#include <linux/string.h>

#include <dsbench/bench.h>

#include "export.h"
#include "params.h"

/* Elements that a find try may pass when lookups= leaves it to us. */
#define FIND_STEPS	DSBENCH_N_MAX

/**
 * dsbench_threads_cpus() - CPUs that the readers and the writer need
 * @p: the parameters
 *
 * Context: any.
 *
 * Return: 0 where no container is shared.
 */
u32 dsbench_threads_cpus(const struct dsbench_params *p)
{
	u32 most = 0;
	u32 i;

	for (i = 0; i < p->nr_threads; i++)
		most = max(most, p->threads[i]);
	return most ? most + !!p->writes : 0;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_threads_cpus);

/**
 * dsbench_select_all() - is no container named?
 * @p: the parameters
 *
 * Context: any.
 *
 * Return: true where every container is to run.
 */
bool dsbench_select_all(const struct dsbench_params *p)
{
	return !strcmp(p->containers, "all");
}

/**
 * dsbench_selected() - is a container to run?
 * @p: the parameters
 * @name: the container's
 *
 * Context: any.
 *
 * Return: true where it is.
 */
bool dsbench_selected(const struct dsbench_params *p, const char *name)
{
	const char *at = p->containers;
	size_t length = strlen(name);

	if (dsbench_select_all(p))
		return true;

	for (;;) {
		size_t word = strcspn(at, ",");

		if (word == length && !strncmp(at, name, length))
			return true;
		if (!at[word])
			return false;
		at += word + 1;
	}
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_selected);

/**
 * dsbench_lookups() - how many keys one find try looks up
 * @p: the parameters
 * @size: elements in the container
 * @steps: elements that one find passes, 1 at least
 *
 * Context: any.
 *
 * Return: 1 to @size.
 */
u32 dsbench_lookups(const struct dsbench_params *p, u32 size, u32 steps)
{
	if (p->lookups)
		return min(p->lookups, size);
	return clamp(FIND_STEPS / steps, 1U, size);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_lookups);
