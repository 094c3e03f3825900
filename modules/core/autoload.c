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
#include "params.h"
#include "registry.h"

#define BORROWED_MAX	64

/* modprobe's exit status, as the helpers of the kernel return it. */
#define EXIT_STATUS(status)	((status) >> 8)

static void explain(struct dsbench_unloaded *u, int status)
{
	if (status == -ENOENT)
		strscpy(u->reason, "kernel.modprobe names no program",
			sizeof(u->reason));
	else if (status < 0)
		snprintf(u->reason, sizeof(u->reason), "modprobe failed with %d",
			 status);
	else if (status)
		snprintf(u->reason, sizeof(u->reason),
			 "modprobe ended with status %d", EXIT_STATUS(status));
	else
		strscpy(u->reason, "modprobe loaded nothing: is it blacklisted?",
			sizeof(u->reason));
}

static int note_unloaded(struct dsbench_run *run, const char *name, int status)
{
	struct dsbench_unloaded *u = kzalloc(sizeof(*u), GFP_KERNEL);

	if (!u)
		return -ENOMEM;

	strscpy(u->container, name, sizeof(u->container));
	explain(u, status);
	list_add_tail(&u->node, &run->unloaded);
	return 0;
}

#ifdef CONFIG_MODPROBE_PATH
/*
 * Run the program that CONFIG_MODPROBE_PATH names. The kernel keeps
 * kernel.modprobe to itself, and request_module() passes no options.
 */
static int modprobe(const char *option, const char *container)
{
	char path[] = CONFIG_MODPROBE_PATH;
	char module[sizeof("dsbench_") + DSBENCH_NAME_LEN];
	char *argv[6] = { path, (char *)option, "-q", "--", module };
	char *envp[4] = { "HOME=/", "TERM=linux",
			  "PATH=/sbin:/usr/sbin:/bin:/usr/bin" };

	snprintf(module, sizeof(module), "dsbench_%s", container);
	return call_usermodehelper(path, argv, envp, UMH_WAIT_PROC);
}
#else
static int modprobe(const char *option, const char *container)
{
	return -ENOENT;
}
#endif

/* Load one container by the name of its module, whether blacklisted or not. */
static int load_named(struct dsbench_run *run, const char *name)
{
	int status;

	if (dsbench_registry_has(name))
		return 0;
	status = request_module("dsbench_%s", name);
	return dsbench_registry_has(name) ? 0 : note_unloaded(run, name, status);
}

/*
 * One modprobe loads all that have the alias of dsbench_container_module(),
 * those of other projects, too. It does not tell which of them it could not
 * load, so try those of this suite once more, each alone. A container that the
 * user has blacklisted stays out.
 */
static int load_all(struct dsbench_run *run)
{
	char names[] = DSBENCH_CONTAINERS;
	int status = request_module("dsbench-container");
	bool none = status == -ENOENT;
	char *rest = names;
	char *name;
	int err = 0;

	while (!err && (name = strsep(&rest, " "))) {
		if (!*name || dsbench_registry_has(name))
			continue;
		status = none ? -ENOENT : modprobe("-b", name);
		if (!dsbench_registry_has(name))
			err = note_unloaded(run, name, status);
	}
	return err;
}

/**
 * dsbench_autoload() - load the containers of a run by modprobe
 * @run: its parameters name the containers, or select all; gets a note of each
 *	that cannot be loaded
 *
 * modprobe leaves loaded modules alone. The run goes without containers that
 * are not installed.
 *
 * Context: may sleep; the core must be live and must stay.
 *
 * Return: 0 or -ENOMEM.
 */
int dsbench_autoload(struct dsbench_run *run)
{
	char names[DSBENCH_SELECT_LEN];
	char *rest = names;
	char *name;
	int err = 0;

	dsbench_registry_borrowing(true);
	if (dsbench_select_all(&run->params)) {
		err = load_all(run);
	} else {
		strscpy(names, run->params.containers, sizeof(names));
		while (!err && (name = strsep(&rest, ",")))
			err = load_named(run, name);
	}
	dsbench_registry_borrowing(false);
	return err;
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
	int err = modprobe("-r", container);

	if (err)
		pr_info("dsbench_%s stays loaded: modprobe -r ended with %d\n",
			container, err);
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
