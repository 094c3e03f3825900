// SPDX-License-Identifier: GPL-2.0
/*
 * struct list_head: elements are appended, searched from the head, and unlinked
 * by pointer. If shared, readers hold the RCU read lock and the writer a
 * spinlock, as for the kernel's lists of network devices, namespaces and
 * modules.
 */

#include <linux/rculist.h>
#include <linux/spinlock.h>

#include <dsbench/bench.h>

struct list_elem {
	struct dsbench_elem e;
	struct list_head link;
};

static_assert(sizeof(struct list_elem) <= DSBENCH_ELEM_SIZE);

struct list {
	struct list_head head;
	spinlock_t lock;	/* held by the writer */
};

static struct list_head *head_of(const struct dsbench_set *set)
{
	struct list *list = set->priv;

	return &list->head;
}

static int list_create(struct dsbench_set *set)
{
	struct list *list = kmalloc(sizeof(*list), GFP_KERNEL);

	if (!list)
		return -ENOMEM;

	INIT_LIST_HEAD(&list->head);
	spin_lock_init(&list->lock);
	set->priv = list;
	return 0;
}

static void list_destroy(struct dsbench_set *set)
{
	kfree(set->priv);
}

static __always_inline int list_fill_as(struct dsbench_set *set, u32 first,
					u32 last, bool inline_alloc)
{
	struct list_head *head = head_of(set);
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = dsbench_elem_get(set, i, inline_alloc);

		if (unlikely(!e))
			return -ENOMEM;
		list_add_tail(&container_of(e, struct list_elem, e)->link,
			      head);
	}
	return 0;
}

dsbench_by_alloc(list_fill)

static int list_find(struct dsbench_set *set, u32 first, u32 last)
{
	struct list_head *head = head_of(set);
	struct list_elem *le;
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		u64 key = set->lookup[i];

		list_for_each_entry(le, head, link) {
			if (le->e.key == key) {
				sum += le->e.value;
				hits++;
				break;
			}
		}
	}
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int list_visit_all(struct dsbench_set *set, u32 first, u32 last)
{
	struct list_head *head = head_of(set);
	struct list_elem *le;

	list_for_each_entry(le, head, link)
		le->e.value++;
	return 0;
}

static __always_inline int list_erase_as(struct dsbench_set *set, u32 first,
					 u32 last, bool inline_alloc)
{
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = set->by_key[i];

		list_del(&container_of(e, struct list_elem, e)->link);
		dsbench_elem_put(e, inline_alloc);
	}
	return 0;
}

dsbench_by_alloc(list_erase)

static int list_verify(struct dsbench_set *set)
{
	struct list_head *head = head_of(set);
	struct list_elem *le;

	list_for_each_entry(le, head, link) {
		if (le->link.next->prev != &le->link)
			return -EUCLEAN;
		if (dsbench_see(set, &le->e))
			return -EUCLEAN;
	}
	return 0;
}

static int list_find_shared(struct dsbench_set *set, u32 first, u32 last)
{
	struct list_head *head = head_of(set);
	struct list_elem *le;
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		u64 key = set->lookup[i];

		rcu_read_lock();
		list_for_each_entry_rcu(le, head, link) {
			if (le->e.key == key) {
				sum += le->e.value;
				hits++;
				break;
			}
		}
		rcu_read_unlock();
	}
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int list_visit_shared(struct dsbench_set *set, u32 first, u32 last)
{
	struct list_head *head = head_of(set);
	struct list_elem *le = set->at ?
			       container_of(set->at, struct list_elem, e) :
			       list_entry(head, struct list_elem, link);
	u32 part = last - first;
	u64 n = set->n;
	u32 hits = 0;
	u64 sum = 0;

	set->at = NULL;
	rcu_read_lock();
	list_for_each_entry_continue_rcu(le, head, link) {
		if (le->e.key >= n)
			continue;
		sum += le->e.value;
		if (++hits == part) {
			set->at = &le->e;
			break;
		}
	}
	rcu_read_unlock();
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int list_insert_one(struct dsbench_set *set, struct dsbench_elem *e)
{
	struct list *list = set->priv;

	spin_lock(&list->lock);
	list_add_tail_rcu(&container_of(e, struct list_elem, e)->link,
			  &list->head);
	spin_unlock(&list->lock);
	return 0;
}

static int list_erase_one(struct dsbench_set *set, struct dsbench_elem *e)
{
	struct list *list = set->priv;

	spin_lock(&list->lock);
	list_del_rcu(&container_of(e, struct list_elem, e)->link);
	spin_unlock(&list->lock);
	return 0;
}

static const struct dsbench_shared_ops list_shared = {
	.readers = "rcu_read_lock",
	.writer = "spin_lock",
	.rcu = true,
	.find = list_find_shared,
	.for_each = list_visit_shared,
	.insert = list_insert_one,
	.erase = list_erase_one,
};

static u32 list_find_steps(u32 n)
{
	return n;
}

static const struct dsbench_ops list_ops = {
	.create = list_create,
	.destroy = list_destroy,
	.verify = list_verify,
	.op = {
		[DSBENCH_FILL] = list_fill,
		[DSBENCH_FIND] = list_find,
		[DSBENCH_FOR_EACH] = list_visit_all,
		[DSBENCH_ERASE] = list_erase,
	},
	.shared = &list_shared,
	.find_steps = list_find_steps,
};

dsbench_container_module(list);
MODULE_DESCRIPTION("dsbench: struct list_head");
