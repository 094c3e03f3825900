// SPDX-License-Identifier: GPL-2.0
/*
 * A TCG plugin of QEMU: counts the blocks, loads, stores and cache lines of each
 * window between two reads of the clock in a module.
 *
 * usage: -plugin file=profile.so,out=FILE[,brief=on][,calls=on]
 *	[,cache=SIZE:WAYS[:SIZE:WAYS...]][,warm=on]
 *
 * Nothing is counted until a module reads the clock, so the guest boots at its
 * full speed. Then all translated code is dropped and translated anew. That
 * cannot be undone: QEMU 7.2 may abort when callbacks for memory are dropped.
 *
 * QEMU must run with icount: then a block ends at rdtsc, and one thread runs all
 * CPUs, so nothing here needs a lock.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "block.h"
#include "cache.h"
#include "main.h"
#include "qemu_plugin.h"
#include "stream.h"
#include "window.h"

/* The upper half of the address space is the kernel's. */
#define KERNEL_BEGIN	0x8000000000000000ULL

int qemu_plugin_version = PROFILE_API;

static struct window_options options;
static bool armed;

static void block_runs(unsigned int cpu, void *data)
{
	window_block(cpu, data);
}

static void accesses(unsigned int cpu, qemu_plugin_meminfo_t info,
		     uint64_t address, void *data)
{
	window_access(cpu, data, address, 1U << qemu_plugin_mem_size_shift(info),
		      qemu_plugin_mem_is_store(info));
}

/*
 * What user space accesses is not watched: operations run in the kernel, and the
 * guest's scripts would take twice as long.
 */
static void watch(struct qemu_plugin_insn *insn, struct block *block)
{
	if (block->address < KERNEL_BEGIN)
		return;
	qemu_plugin_register_vcpu_mem_cb(insn, accesses, QEMU_PLUGIN_CB_NO_REGS,
					 QEMU_PLUGIN_MEM_RW, block);
}

/*
 * An instruction that may be missing is a block of its own, which runs when the
 * instruction does.
 */
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	bool split = may_lack_last(tb);
	struct qemu_plugin_insn *last = qemu_plugin_tb_get_insn(tb, n - 1);
	struct block *block;
	size_t i;

	(void)id;
	if (split) {
		block = block_of(tb, n - 1, n);
		qemu_plugin_register_vcpu_insn_exec_cb(last, block_runs,
						       QEMU_PLUGIN_CB_NO_REGS,
						       block);
		watch(last, block);
		n--;
	}
	block = block_of(tb, 0, n);
	qemu_plugin_register_vcpu_tb_exec_cb(tb, block_runs,
					     QEMU_PLUGIN_CB_NO_REGS, block);
	for (i = 0; i < n; i++)
		watch(qemu_plugin_tb_get_insn(tb, i), block);
}

static void quit(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	stream_close();
}

/* QEMU has dropped all code and callbacks. */
static void begin(qemu_plugin_id_t id)
{
	qemu_plugin_register_atexit_cb(id, quit, NULL);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
}

static void look_for_clock(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	if (armed || !reads_clock(tb))
		return;

	armed = true;
	qemu_plugin_reset(id, begin);
}

static bool is_on(const char *value)
{
	return !strcmp(value, "on") || !strcmp(value, "true");
}

static bool is_option(const char *option, const char *name)
{
	size_t length = strlen(name);

	return !strncmp(option, name, length) && option[length] == '=';
}

/* Return false after a message. */
static bool take_option(const char *option, const char **out)
{
	const char *equals = strchr(option, '=');
	const char *value = equals ? equals + 1 : "";

	if (is_option(option, "out")) {
		*out = value;
	} else if (is_option(option, "brief")) {
		options.brief = is_on(value);
	} else if (is_option(option, "calls")) {
		options.calls = is_on(value);
	} else if (is_option(option, "warm")) {
		options.warm = is_on(value);
	} else if (!is_option(option, "cache")) {
		fprintf(stderr, "profile plugin: there is no option %s\n", option);
		return false;
	} else if (!cache_parse(value, &options.cache)) {
		fprintf(stderr, "profile plugin: %s is not SIZE:WAYS, such as 32k:8\n",
			option);
		return false;
	}
	return true;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info,
			int argc, char **argv)
{
	const char *out = NULL;
	int i;

	if (strcmp(info->target_name, "x86_64") || !info->system_emulation) {
		fputs("profile plugin: it needs qemu-system-x86_64\n", stderr);
		return -1;
	}
	for (i = 0; i < argc; i++) {
		if (!take_option(argv[i], &out))
			return -1;
	}
	if (!out || !stream_open(out)) {
		fprintf(stderr, "profile plugin: out=%s: %s\n", out ? out : "",
			out ? strerror(errno) : "name a file");
		return -1;
	}
	window_setup(&options);
	qemu_plugin_register_atexit_cb(id, quit, NULL);
	qemu_plugin_register_vcpu_tb_trans_cb(id, look_for_clock);
	return 0;
}
