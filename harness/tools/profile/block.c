// SPDX-License-Identifier: GPL-2.0
/* Blocks of the guest's code, as QEMU translates them. */

#include <string.h>

#include "block.h"
#include "memory.h"

#define BUCKETS		65536
#define LONGEST_INSN	15
#define PAGE_SIZE	4096

/*
 * Where x86_64 Linux puts its modules: behind the kernel's image, for which it
 * keeps 512 MiB, or 1 GiB with RANDOMIZE_BASE. Without KASLR, as here, no image
 * reaches beyond 512 MiB.
 */
#define MODULES_BEGIN	0xffffffffa0000000ULL
#define MODULES_END	0xffffffffff000000ULL

static struct block *buckets[BUCKETS];
static uint32_t count;

/* Copy the bytes of an instruction. Return their number. */
static size_t bytes_of(const struct qemu_plugin_insn *insn, uint8_t *bytes)
{
	size_t size = qemu_plugin_insn_size(insn);

	if (size > LONGEST_INSN)
		size = LONGEST_INSN;
#if PROFILE_API >= 3
	return qemu_plugin_insn_data(insn, bytes, size);
#else
	memcpy(bytes, qemu_plugin_insn_data(insn), size);
	return size;
#endif
}

static bool is_prefix(uint8_t byte)
{
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
	case 0x66: case 0x67: case 0xf0: case 0xf2: case 0xf3:
		return true;
	default:
		return byte >= 0x40 && byte <= 0x4f;	/* REX */
	}
}

/* Opcodes of the Intel SDM, volume 2, appendix A. */
static enum ending ending_of(const uint8_t *bytes, size_t size)
{
	uint8_t opcode, second;
	size_t i = 0;

	while (i < size && is_prefix(bytes[i]))
		i++;
	if (i == size)
		return ENDS_NEXT;
	opcode = bytes[i];
	second = i + 1 < size ? bytes[i + 1] : 0;

	switch (opcode) {
	case 0xe8:
		return ENDS_CALL;
	case 0xc2: case 0xc3: case 0xca: case 0xcb:
		return ENDS_RETURN;
	case 0xcf:
		return ENDS_INTERRUPT_RETURN;
	case 0xe9: case 0xeb: case 0xe0: case 0xe1: case 0xe2: case 0xe3:
		return ENDS_JUMP;
	case 0x0f:
		/* syscall, sysret, sysenter, sysexit, conditional jumps */
		return second == 0x05 || second == 0x07 || second == 0x34 ||
		       second == 0x35 || (second & 0xf0) == 0x80 ?
		       ENDS_JUMP : ENDS_NEXT;
	case 0xff:
		switch (second >> 3 & 7) {
		case 2: case 3:
			return ENDS_CALL;
		case 4: case 5:
			return ENDS_JUMP;
		default:
			return ENDS_NEXT;
		}
	default:
		return (opcode & 0xf0) == 0x70 ? ENDS_JUMP : ENDS_NEXT;
	}
}

static const struct qemu_plugin_insn *last_of(const struct qemu_plugin_tb *tb)
{
	return qemu_plugin_tb_get_insn(tb, qemu_plugin_tb_n_insns(tb) - 1);
}

static bool is_clock(const struct qemu_plugin_insn *insn)
{
	uint64_t address = qemu_plugin_insn_vaddr(insn);
	uint8_t bytes[LONGEST_INSN];

	if (address < MODULES_BEGIN || address >= MODULES_END)
		return false;
	return bytes_of(insn, bytes) == 2 && bytes[0] == 0x0f && bytes[1] == 0x31;
}

bool reads_clock(const struct qemu_plugin_tb *tb)
{
	return is_clock(last_of(tb));
}

bool may_lack_last(const struct qemu_plugin_tb *tb)
{
	const struct qemu_plugin_insn *last = last_of(tb);
	uint64_t offset = qemu_plugin_insn_vaddr(last) % PAGE_SIZE;

	return qemu_plugin_tb_n_insns(tb) > 1 &&
	       offset + LONGEST_INSN > PAGE_SIZE &&
	       offset + qemu_plugin_insn_size(last) <= PAGE_SIZE;
}

/* FNV-1a. */
static uint32_t hash_of(const struct qemu_plugin_tb *tb, size_t first, size_t end)
{
	uint32_t hash = 2166136261U;
	uint8_t bytes[LONGEST_INSN];
	size_t i, j, size;

	for (i = first; i < end; i++) {
		size = bytes_of(qemu_plugin_tb_get_insn(tb, i), bytes);
		for (j = 0; j < size; j++)
			hash = (hash ^ bytes[j]) * 16777619U;
	}
	return hash;
}

struct block *block_of(const struct qemu_plugin_tb *tb, size_t first, size_t end)
{
	const struct qemu_plugin_insn *last = qemu_plugin_tb_get_insn(tb, end - 1);
	uint64_t last_address = qemu_plugin_insn_vaddr(last);
	uint64_t address;
	uint32_t hash = hash_of(tb, first, end);
	uint8_t bytes[LONGEST_INSN];
	struct block **bucket;
	struct block *block;
	size_t size;

	address = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, first));
	bucket = &buckets[(address ^ address >> 16) % BUCKETS];
	for (block = *bucket; block; block = block->next) {
		if (block->address == address && block->hash == hash &&
		    block->instructions == end - first)
			return block;
	}

	block = allocate(1, sizeof(*block));
	size = bytes_of(last, bytes);
	block->address = address;
	block->instructions = end - first;
	block->bytes = last_address + size - address;
	block->ending = ending_of(bytes, size);
	block->clock = is_clock(last) ? last_address : 0;
	block->hash = hash;
	block->id = count++;
	block->next = *bucket;
	*bucket = block;
	return block;
}

uint32_t block_count(void)
{
	return count;
}
