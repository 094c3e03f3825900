// SPDX-License-Identifier: GPL-2.0
/*
 * Containers that are installed but not loaded are borrowed for a run: modprobe
 * brings them before it and takes them away after it. So a later insmod of the
 * same module, with parameters of its own, meets no module that is there
 * already, and the core can be removed at once. Containers that the user has
 * loaded stay.
 */

#include <linux/kmod.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/umh.h>

#include "autoload.h"
#include "registry.h"

#define BORROWED_MAX	64

/**
 * dsbench_autoload() - ask modprobe for the containers of a run
 * @p: names them, or says all
 *
 * All are found by the alias that dsbench_container_module() gives them, one
 * by the name of its module. What is loaded already, modprobe leaves alone;
 * what is not installed, the run goes without.
 *
 * Context: may sleep; the core must be live and must not go away meanwhile.
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
 * dsbench_autoload_release() - give back what was borrowed
 *
 * Context: may sleep; as for dsbench_autoload(). The registry's lock must be
 * free, for the modules unregister.
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
