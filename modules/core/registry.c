// SPDX-License-Identifier: GPL-2.0
/* Registered subjects, and their safe removal during a run. */

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "export.h"
#include "floor.h"
#include "param_table.h"
#include "registry.h"

/* Protects the list and the private members of every subject on it. */
static DEFINE_MUTEX(lock);
static LIST_HEAD(containers);
static bool borrowing;
static void (*on_pending)(void);

static DECLARE_WAIT_QUEUE_HEAD(left_run);

static bool is_registered(const char *name)
{
	struct dsbench_subject *c;

	list_for_each_entry(c, &containers, node) {
		if (!strcmp(c->name, name))
			return true;
	}
	return !strcmp(dsbench_floor_subject.name, name);
}

/* Names that fit a cell, and all four loops. */
static bool is_whole(const struct dsbench_shared_ops *s)
{
	return s->readers && strlen(s->readers) < DSBENCH_NAME_LEN &&
	       s->writer && strlen(s->writer) < DSBENCH_NAME_LEN &&
	       s->find && s->for_each && s->insert && s->erase;
}

static bool is_valid(const struct dsbench_subject *c)
{
	size_t length = strlen(c->name);

	return length && length < DSBENCH_NAME_LEN &&
	       !strpbrk(c->name, " ,\n") && c->ops->create &&
	       c->ops->destroy && c->ops->verify &&
	       (c->ops->bare || c->ops->op[DSBENCH_FILL]) &&
	       (!c->ops->shared || is_whole(c->ops->shared));
}

#define INIT_PID	1

/*
 * The modprobe that the core starts descends from a kernel thread, a user's
 * insmod from init. What a user loads during a run is not borrowed.
 */
static bool loaded_by_kernel(void)
{
	const struct task_struct *task;
	bool found = false;

	rcu_read_lock();
	for (task = current; !found && task->pid > INIT_PID;
	     task = rcu_dereference(task->real_parent))
		found = task->flags & PF_KTHREAD;
	rcu_read_unlock();
	return found;
}

/**
 * dsbench_registry_on_pending() - set the hook for pending subjects
 * @hook: called without the registry's lock, must not sleep; NULL for none
 *
 * Context: any, before the first subject registers or after the last one has
 * gone.
 */
void dsbench_registry_on_pending(void (*hook)(void))
{
	on_pending = hook;
}

/**
 * dsbench_register() - register a subject with the core
 * @container: static; stays registered until dsbench_unregister()
 *
 * Unless autorun=0, a run of its own begins, or the subject joins the run that
 * it is being loaded for.
 *
 * Context: may sleep.
 *
 * Return: 0; -EINVAL for an invalid name, an ops table without create, destroy,
 * verify or fill, or incomplete shared operations; -EEXIST if the name is
 * taken.
 */
int dsbench_register(struct dsbench_subject *container)
{
	bool borrowed;
	int err = 0;

	if (!is_valid(container)) {
		pr_err("container %s: needs a name of 1 to %d characters without spaces, create, destroy, verify and fill, and all shared operations or none\n",
		       container->name, DSBENCH_NAME_LEN - 1);
		return -EINVAL;
	}

	mutex_lock(&lock);
	if (is_registered(container->name)) {
		pr_err("container %s: the name is taken\n", container->name);
		err = -EEXIST;
	} else {
		container->running = false;
		container->leaving = false;
		borrowed = borrowing && loaded_by_kernel();
		container->borrowed = borrowed;
		container->pending = dsbench_autorun() && !borrowed;
		list_add_tail(&container->node, &containers);
	}
	mutex_unlock(&lock);

	if (!err && container->pending && on_pending)
		on_pending();
	return err;
}
EXPORT_SYMBOL_GPL(dsbench_register);

/**
 * dsbench_unregister() - unregister a subject
 * @container: a registered subject
 *
 * A run in progress continues without it and keeps its samples. On return,
 * nothing of the subject is in use.
 *
 * Context: may sleep, until the try in progress has ended.
 */
void dsbench_unregister(struct dsbench_subject *container)
{
	mutex_lock(&lock);
	WRITE_ONCE(container->leaving, true);
	mutex_unlock(&lock);

	wait_event(left_run, !READ_ONCE(container->running));

	mutex_lock(&lock);
	list_del(&container->node);
	mutex_unlock(&lock);
}
EXPORT_SYMBOL_GPL(dsbench_unregister);

/**
 * dsbench_container_leave_run() - release a subject from a run
 * @container: a subject in a run; may be gone on return
 *
 * Context: may sleep.
 */
void dsbench_container_leave_run(struct dsbench_subject *container)
{
	mutex_lock(&lock);
	WRITE_ONCE(container->running, false);
	wake_up_all(&left_run);
	mutex_unlock(&lock);
}

/**
 * dsbench_registry_has() - whether a container is registered
 * @name: its name
 *
 * Context: may sleep.
 *
 * Return: true if it is, and stays.
 */
bool dsbench_registry_has(const char *name)
{
	struct dsbench_subject *c;
	bool found = false;

	mutex_lock(&lock);
	list_for_each_entry(c, &containers, node)
		found |= !c->leaving && !strcmp(c->name, name);
	mutex_unlock(&lock);
	return found;
}

/**
 * dsbench_registry_borrowing() - set whether containers are loaded for a run
 * @on: subjects that register from now on are removed after that run
 *
 * Context: may sleep.
 */
void dsbench_registry_borrowing(bool on)
{
	mutex_lock(&lock);
	borrowing = on;
	mutex_unlock(&lock);
}

/**
 * dsbench_registry_visit() - call a function for each subject that stays
 * @visit: called under the registry's lock; may sleep, must not register or
 *	unregister; a return value other than 0 ends the visit
 * @arg: passed to @visit
 *
 * Context: may sleep.
 *
 * Return: the last return value of @visit, or 0.
 */
int dsbench_registry_visit(dsbench_visit_fn visit, void *arg)
{
	struct dsbench_subject *c;
	int ret = 0;

	mutex_lock(&lock);
	list_for_each_entry(c, &containers, node) {
		if (c->leaving)
			continue;
		ret = visit(c, arg);
		if (ret)
			break;
	}
	mutex_unlock(&lock);
	return ret;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_registry_visit);
