// SPDX-License-Identifier: GPL-2.0
/* The parsers of the parameters' values. */

#include <linux/cpumask.h>
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>

#include "export.h"
#include "opnames.h"
#include "parse.h"

/**
 * dsbench_param_shown() - length of a value as the user wrote it
 * @val: the value, with the newline that echo adds
 *
 * Context: any.
 *
 * Return: characters in front of the newline.
 */
int dsbench_param_shown(const char *val)
{
	return strcspn(val, "\n");
}

/**
 * dsbench_param_owner() - the module of a parameter, as the command line names it
 * @kp: the parameter
 *
 * Context: any.
 *
 * Return: "" for the core's own parameters, "dsbench_list" for a container's.
 */
const char *dsbench_param_owner(const struct kernel_param *kp)
{
	return kp->mod == THIS_MODULE ? "" : module_name(kp->mod);
}

/**
 * dsbench_param_dot() - what stands between a parameter's module and its name
 * @kp: the parameter
 *
 * Context: any.
 *
 * Return: "" for the core's own parameters, "." for a container's.
 */
const char *dsbench_param_dot(const struct kernel_param *kp)
{
	return kp->mod == THIS_MODULE ? "" : ".";
}

/**
 * dsbench_parse_u32() - parse a whole number
 * @val: the value
 * @kp: the parameter; its arg points to a u32
 * @min: least number allowed
 * @max: largest number allowed
 * @unit: what the numbers count, for the sentence in the log
 *
 * Context: any.
 *
 * Return: 0, or -EINVAL with the parameter unchanged.
 */
int dsbench_parse_u32(const char *val, const struct kernel_param *kp, u32 min,
		      u32 max, const char *unit)
{
	u32 value;

	if (kstrtou32(val, 0, &value) || value < min || value > max) {
		pr_err("%s%s%s=%.*s: must be a whole number from %u to %u%s\n",
		       dsbench_param_owner(kp), dsbench_param_dot(kp), kp->name,
		       dsbench_param_shown(val), val, min, max, unit);
		return -EINVAL;
	}
	*(u32 *)kp->arg = value;
	return 0;
}

/**
 * dsbench_parse_u64() - parse a whole number of 64 bits
 * @val: the value
 * @kp: the parameter; its arg points to a u64
 *
 * Context: any.
 *
 * Return: 0, or -EINVAL with the parameter unchanged.
 */
int dsbench_parse_u64(const char *val, const struct kernel_param *kp)
{
	u64 value;

	if (kstrtou64(val, 0, &value)) {
		pr_err("%s=%.*s: must be a whole number from 0 to %llu\n",
		       kp->name, dsbench_param_shown(val), val, U64_MAX);
		return -EINVAL;
	}
	*(u64 *)kp->arg = value;
	return 0;
}

/**
 * dsbench_parse_choice() - parse one of two names
 * @val: the value
 * @kp: the parameter; its arg points to a bool, true for the second name
 * @names: the two names
 *
 * Context: any.
 *
 * Return: 0, or -EINVAL with the parameter unchanged.
 */
int dsbench_parse_choice(const char *val, const struct kernel_param *kp,
			 const char * const *names)
{
	int chosen = __sysfs_match_string(names, 2, val);

	if (chosen < 0) {
		pr_err("%s=%.*s: must be %s or %s\n", kp->name,
		       dsbench_param_shown(val), val, names[0], names[1]);
		return chosen;
	}
	*(bool *)kp->arg = chosen;
	return 0;
}

/**
 * dsbench_parse_cpu() - parse the number of a CPU that is online
 * @val: the value; -1 for the last CPU online
 * @kp: the parameter; its arg points to an int
 *
 * Context: any.
 *
 * Return: 0, or -EINVAL with the parameter unchanged.
 */
int dsbench_parse_cpu(const char *val, const struct kernel_param *kp)
{
	int value;

	if (kstrtoint(val, 0, &value) || value < -1 ||
	    (value >= 0 && (value >= nr_cpu_ids || !cpu_online(value)))) {
		pr_err("%s=%.*s: must be the number of a CPU that is online (%*pbl), or -1 for the last of them\n",
		       kp->name, dsbench_param_shown(val), val,
		       cpumask_pr_args(cpu_online_mask));
		return -EINVAL;
	}
	*(int *)kp->arg = value;
	return 0;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_parse_cpu);

/* Parse a comma-separated list of names into a bitmap. Return 0 if a name is unknown. */
static unsigned long ops_mask(const char *val)
{
	unsigned long mask = 0;
	const char *name = val;

	if (sysfs_streq(val, "all"))
		return DSBENCH_OPS_ALL;

	for (;;) {
		size_t length = strcspn(name, ",\n");
		int op;

		for (op = 0; op < DSBENCH_OPS_SELECTABLE; op++) {
			if (strlen(dsbench_op_names[op]) == length &&
			    !strncmp(dsbench_op_names[op], name, length))
				break;
		}
		if (op == DSBENCH_OPS_SELECTABLE)
			return 0;
		mask |= BIT(op);
		if (name[length] != ',')
			return mask;
		name += length + 1;
	}
}

/**
 * dsbench_parse_ops() - parse "all" or a comma-separated list of operations
 * @val: the value
 * @kp: the parameter
 * @mask: set to a bitmap of enum dsbench_op
 *
 * Context: any.
 *
 * Return: 0, or -EINVAL with @mask unchanged.
 */
int dsbench_parse_ops(const char *val, const struct kernel_param *kp,
		      unsigned long *mask)
{
	unsigned long parsed = ops_mask(val);

	if (!parsed) {
		pr_err("%s=%.*s: must be all, or fill, find, for_each, erase, tx, rx and path with commas between\n",
		       kp->name, dsbench_param_shown(val), val);
		return -EINVAL;
	}
	*mask = parsed;
	return 0;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_parse_ops);

/* Each name is of lower case letters, digits and underscores, and fits a cell. */
static bool are_names(const char *val, size_t length)
{
	size_t i, start = 0;

	for (i = 0; i <= length; i++) {
		if (i < length && (islower(val[i]) || isdigit(val[i]) ||
				   val[i] == '_'))
			continue;
		if ((i < length && val[i] != ',') || i == start ||
		    i - start >= DSBENCH_NAME_LEN)
			return false;
		start = i + 1;
	}
	return true;
}

/**
 * dsbench_parse_names() - parse "all" or a comma-separated list of containers
 * @val: the value
 * @kp: the parameter
 * @names: set to the list, without the newline
 * @size: bytes in @names
 *
 * Which containers exist is known only when modules are loaded, so this checks
 * the form of the names only.
 *
 * Context: any.
 *
 * Return: 0, or -EINVAL with @names unchanged.
 */
int dsbench_parse_names(const char *val, const struct kernel_param *kp,
			char *names, size_t size)
{
	size_t length = dsbench_param_shown(val);

	if (length >= size || !are_names(val, length)) {
		pr_err("%s=%.*s: must be all, or names of containers with commas between, %zu characters at the most\n",
		       kp->name, dsbench_param_shown(val), val, size - 1);
		return -EINVAL;
	}
	memcpy(names, val, length);
	names[length] = '\0';
	return 0;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_parse_names);

/* Return how many different numbers @val lists, or -1 if it is malformed. */
static int list_numbers(const char *val, u32 *numbers, u32 max)
{
	int count = 0;
	int i;

	for (;;) {
		char word[8] = {};
		size_t length = strcspn(val, ",\n");

		if (count == max || length >= sizeof(word))
			return -1;
		memcpy(word, val, length);
		if (kstrtou32(word, 0, &numbers[count]) || !numbers[count] ||
		    numbers[count] > num_online_cpus())
			return -1;
		for (i = 0; i < count; i++) {
			if (numbers[i] == numbers[count])
				return -1;
		}
		count++;
		if (val[length] != ',')
			return count;
		val += length + 1;
	}
}

/**
 * dsbench_parse_threads() - parse a comma-separated list of numbers of readers
 * @val: the value; "0" for none
 * @kp: the parameter
 * @numbers: room for @max numbers; its content is undefined on error
 * @max: most numbers allowed
 *
 * Context: any.
 *
 * Return: how many numbers there are, or -EINVAL.
 */
int dsbench_parse_threads(const char *val, const struct kernel_param *kp,
			  u32 *numbers, u32 max)
{
	int count = sysfs_streq(val, "0") ? 0 : list_numbers(val, numbers, max);

	if (count < 0) {
		pr_err("%s=%.*s: must be 0, or up to %d different numbers of readers from 1 to %u, the CPUs that are online, with commas between\n",
		       kp->name, dsbench_param_shown(val), val, max,
		       num_online_cpus());
		return -EINVAL;
	}
	return count;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_parse_threads);
