// SPDX-License-Identifier: GPL-2.0
/* Values that follow from the parameters of a run. */

#include <linux/minmax.h>
#include <linux/string.h>

#include <dsbench/bench.h>

#include "export.h"
#include "params.h"

/* Maximum number of elements that a find try passes if lookups=0. */
#define FIND_STEPS	DSBENCH_N_MAX

/**
 * dsbench_threads_cpus() - number of CPUs for the readers and the writer
 * @p: the parameters
 *
 * Context: any.
 *
 * Return: the number; 0 if no container is shared.
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
 * dsbench_select_all() - whether all containers are selected
 * @p: the parameters
 *
 * Context: any.
 *
 * Return: true if containers= names none.
 */
bool dsbench_select_all(const struct dsbench_params *p)
{
	return !strcmp(p->containers, "all");
}

/**
 * dsbench_selected() - whether a container is selected
 * @p: the parameters
 * @name: name of the container
 *
 * Context: any.
 *
 * Return: true if it is.
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
 * dsbench_lookups() - number of lookups of a find try
 * @p: the parameters
 * @size: elements in the container
 * @steps: elements that one lookup passes, at least 1
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
