/* SPDX-License-Identifier: GPL-2.0 */
/* Blocks of the guest's code, as QEMU translates them. */
#ifndef BLOCK_H
#define BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qemu_plugin.h"

/* How a block ends. */
enum ending {
	ENDS_NEXT,		/* with any other instruction */
	ENDS_JUMP,
	ENDS_CALL,
	ENDS_RETURN,
	ENDS_INTERRUPT_RETURN,
};

/**
 * struct block - consecutive instructions that run one after the other
 * @address: of its first instruction
 * @instructions: number of instructions
 * @bytes: their length
 * @ending: kind of its last instruction
 * @clock: address of its last instruction if that is the rdtsc of a module;
 *	otherwise 0
 * @id: number of the block
 * @hash: hash of its bytes
 * @named: the block was described in the stream
 * @next: next block in the same bucket
 */
struct block {
	uint64_t address;
	uint32_t instructions;
	uint32_t bytes;
	enum ending ending;
	uint64_t clock;
	uint32_t id;
	uint32_t hash;
	bool named;
	struct block *next;
};

/*
 * Return the block of the instructions from @first to before @end of a
 * translation. The same instructions at the same address are the same block,
 * however often QEMU translates them.
 */
struct block *block_of(const struct qemu_plugin_tb *tb, size_t first, size_t end);

/*
 * Return whether the last instruction may be missing when the translation runs.
 * QEMU ends a translation before an instruction that reaches into the next page,
 * unless it is the first, but up to 8.1 shows it to plugins, without the operand
 * that the page's end cuts. So its size does not tell: any instruction this close
 * to the end may be missing.
 */
bool may_lack_last(const struct qemu_plugin_tb *tb);

/* Return whether a translation ends with the rdtsc of a module. */
bool reads_clock(const struct qemu_plugin_tb *tb);

/* Return the address behind the block. */
static inline uint64_t block_end(const struct block *block)
{
	return block->address + block->bytes;
}

/* Number of blocks so far. Their ids are below it. */
uint32_t block_count(void);

#endif /* BLOCK_H */
