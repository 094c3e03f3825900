// SPDX-License-Identifier: GPL-2.0
/*
 * Stands in for QEMU around the profile plugin: replays recorded events from
 * standard input, a line each.
 *
 *   t BLOCK ADDRESS BYTES...	a translation; the hexadecimal bytes of each of
 *				its instructions
 *   x CPU BLOCK [cut]		it runs; cut: without its last instruction
 *   l CPU BLOCK INSN ADDRESS BYTES	instruction number INSN loads
 *   s CPU BLOCK INSN ADDRESS BYTES	it stores
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tools/profile/main.h"

#define INSNS_MAX	16
#define BLOCKS_MAX	64

struct qemu_plugin_insn {
	uint64_t address;
	uint8_t bytes[16];
	size_t size;
	qemu_plugin_vcpu_udata_cb_t runs;
	void *runs_data;
	qemu_plugin_vcpu_mem_cb_t accesses;
	void *accesses_data;
};

struct qemu_plugin_tb {
	struct qemu_plugin_insn insns[INSNS_MAX];
	size_t n;
	bool translated;
	qemu_plugin_vcpu_udata_cb_t runs;
	void *runs_data;
};

static struct qemu_plugin_tb blocks[BLOCKS_MAX];
static qemu_plugin_vcpu_tb_trans_cb_t on_translation;
static qemu_plugin_udata_cb_t at_exit;
static qemu_plugin_simple_cb_t after_reset;

void qemu_plugin_reset(qemu_plugin_id_t id, qemu_plugin_simple_cb_t cb)
{
	(void)id;
	after_reset = cb;
}

void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id,
				    qemu_plugin_udata_cb_t cb, void *data)
{
	(void)id;
	(void)data;
	at_exit = cb;
}

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   qemu_plugin_vcpu_tb_trans_cb_t cb)
{
	(void)id;
	on_translation = cb;
}

void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  qemu_plugin_vcpu_udata_cb_t cb,
					  enum qemu_plugin_cb_flags flags,
					  void *data)
{
	(void)flags;
	tb->runs = cb;
	tb->runs_data = data;
}

void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    qemu_plugin_vcpu_udata_cb_t cb,
					    enum qemu_plugin_cb_flags flags,
					    void *data)
{
	(void)flags;
	insn->runs = cb;
	insn->runs_data = data;
}

void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      qemu_plugin_vcpu_mem_cb_t cb,
				      enum qemu_plugin_cb_flags flags,
				      enum qemu_plugin_mem_rw rw, void *data)
{
	(void)flags;
	(void)rw;
	insn->accesses = cb;
	insn->accesses_data = data;
}

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb)
{
	return tb->n;
}

struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index)
{
	return (struct qemu_plugin_insn *)&tb->insns[index];
}

uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn)
{
	return insn->address;
}

size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn)
{
	return insn->size;
}

#if PROFILE_API >= 3
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to,
			     size_t length)
{
	memcpy(to, insn->bytes, length);
	return length;
}
#else
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn)
{
	return insn->bytes;
}
#endif

/* The meminfo of this program: the logarithm of the bytes, and 16 for a store. */
unsigned int qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info)
{
	return info & 15;
}

bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info)
{
	return info & 16;
}

static void define(char *words)
{
	unsigned long address;
	unsigned int block;
	int length;
	char *word;

	if (sscanf(words, "%u %lx%n", &block, &address, &length) != 2)
		exit(2);
	for (word = strtok(words + length, " \n"); word; word = strtok(NULL, " \n")) {
		struct qemu_plugin_insn *insn;

		insn = &blocks[block].insns[blocks[block].n++];
		insn->address = address;
		for (insn->size = 0; word[2 * insn->size]; insn->size++)
			sscanf(word + 2 * insn->size, "%2hhx",
			       &insn->bytes[insn->size]);
		address += insn->size;
	}
}

static void forget_all(void)
{
	size_t i, j;

	for (i = 0; i < BLOCKS_MAX; i++) {
		blocks[i].translated = false;
		blocks[i].runs = NULL;
		for (j = 0; j < INSNS_MAX; j++) {
			blocks[i].insns[j].runs = NULL;
			blocks[i].insns[j].accesses = NULL;
		}
	}
}

static void run(const char *words)
{
	unsigned int cpu, block;
	struct qemu_plugin_tb *tb;
	size_t i, end;

	if (sscanf(words, "%u %u", &cpu, &block) != 2)
		exit(2);
	tb = &blocks[block];
	if (!tb->translated) {
		tb->translated = true;
		on_translation(1, tb);
	}
	if (tb->runs)
		tb->runs(cpu, tb->runs_data);
	end = strstr(words, "cut") ? tb->n - 1 : tb->n;
	for (i = 0; i < end; i++) {
		if (tb->insns[i].runs)
			tb->insns[i].runs(cpu, tb->insns[i].runs_data);
	}
	if (after_reset) {
		qemu_plugin_simple_cb_t cb = after_reset;

		after_reset = NULL;
		forget_all();
		cb(1);
	}
}

static void access_memory(const char *words, bool store)
{
	unsigned int cpu, block, index, bytes, shift = 0;
	struct qemu_plugin_insn *insn;
	unsigned long address;

	if (sscanf(words, "%u %u %u %lx %u", &cpu, &block, &index, &address,
		   &bytes) != 5)
		exit(2);
	while (1U << shift < bytes)
		shift++;
	insn = &blocks[block].insns[index];
	if (insn->accesses)
		insn->accesses(cpu, shift | (store ? 16 : 0), address,
			       insn->accesses_data);
}

int main(int argc, char **argv)
{
	struct qemu_info info = {
		.target_name = "x86_64",
		.system_emulation = true,
	};
	char line[1024];

	if (qemu_plugin_version != PROFILE_API ||
	    qemu_plugin_install(1, &info, argc - 1, argv + 1))
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		switch (line[0]) {
		case 't':
			define(line + 2);
			break;
		case 'x':
			run(line + 2);
			break;
		case 'l':
		case 's':
			access_memory(line + 2, line[0] == 's');
			break;
		}
	}
	at_exit(1, NULL);
	return 0;
}
