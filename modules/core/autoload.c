// SPDX-License-Identifier: GPL-2.0
/*
 * Containers that are installed but not loaded are borrowed for a run: modprobe
 * loads them before the run and removes them after it. So a later insmod of the
 * same module, with parameters of its own, does not find the module loaded, and
 * the core can be removed at once. Containers that the user has loaded stay.
 */

#include <linux/kmod.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/umh.h>

#include "autoload.h"
#include "registry.h"

#define BORROWED_MAX	64

/**
 * dsbench_autoload() - load the containers of a run by modprobe
 * @p: names the containers, or selects all
 *
 * All containers have the alias of dsbench_container_module(); a single
 * container is loaded by the name of its module. modprobe leaves loaded modules
 * alone. The run goes without containers that are not installed.
 *
 * Context: may sleep; the core must be live and must stay.
 */
void dsbench_autoload(const struct dsbench_params *p)
{
	char names[DSBENCH_SELECT_LEN];
	char *rest = names;
	char *name;

	dsbench_registry_borrowing(true);
	if (dsbench_select_all(p)) {
		request_module("dsbench-container");
	} else {
		strscpy(names, p->containers, sizeof(names));
		while ((name = strsep(&rest, ",")))
			request_module("dsbench_%s", name);
	}
	dsbench_registry_borrowing(false);
}

struct borrowed {
	unsigned int count;
	char name[BORROWED_MAX][DSBENCH_NAME_LEN];
};

static int note_borrowed(struct dsbench_subject *c, void *arg)
{
	struct borrowed *b = arg;

	if (c->borrowed && b->count < BORROWED_MAX)
		strscpy(b->name[b->count++], c->name, DSBENCH_NAME_LEN);
	return 0;
}

static void unload(const char *container)
{
#ifdef CONFIG_MODPROBE_PATH
	char path[] = CONFIG_MODPROBE_PATH;
	char module[sizeof("dsbench_") + DSBENCH_NAME_LEN];
	char *argv[6] = { path, "-r", "-q", "--", module };
	char *envp[4] = { "HOME=/", "TERM=linux",
			  "PATH=/sbin:/usr/sbin:/bin:/usr/bin" };
	int err;

	snprintf(module, sizeof(module), "dsbench_%s", container);
	err = call_usermodehelper(path, argv, envp, UMH_WAIT_PROC);
	if (err)
		pr_info("%s stays loaded: %s -r ended with %d\n", module, path,
			err);
#endif
}

/**
 * dsbench_autoload_release() - unload the borrowed containers
 *
 * Context: may sleep, as for dsbench_autoload(). The registry's lock must not
 * be held, since the modules unregister.
 */
void dsbench_autoload_release(void)
{
	struct borrowed *b = kzalloc(sizeof(*b), GFP_KERNEL);
	unsigned int i;

	if (!b)
		return;

	dsbench_registry_visit(note_borrowed, b);
	for (i = 0; i < b->count; i++)
		unload(b->name[i]);
	kfree(b);
}
