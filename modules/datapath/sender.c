// SPDX-License-Identifier: GPL-2.0
/*
 * The sender's socket, which owns the packets as if a program had sent them. A
 * packet of a connected socket carries the hash of its flow, so a device need not
 * dissect it to choose a source port.
 */

#include <linux/in.h>
#include <linux/module.h>
#include <linux/net.h>
#include <net/sock.h>

#include "sender.h"

/* The same in every run, so that counts repeat. Connected sockets draw a random one. */
#define FLOW_HASH	0x5eed9475

static unsigned int hash = 1;
module_param(hash, uint, 0444);
MODULE_PARM_DESC(hash, "1: a socket owns the packets, and they carry the hash of its flow (default); 0: neither");

static struct socket *sender;

static int configure(struct socket *sock)
{
	struct sockaddr_in any = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_ANY),
	};

	WRITE_ONCE(sock->sk->sk_txhash, FLOW_HASH);
	/* The type of the second argument depends on the kernel version. */
	return kernel_bind(sock, (void *)&any, sizeof(any));
}

/**
 * bench_sender_open() - open the socket that owns the packets, unless hash=0
 * @net: the sender's netns, held by the caller until bench_sender_close()
 *
 * Context: may sleep.
 *
 * Return: 0, or a negative error code after a message in the log.
 */
int bench_sender_open(struct net *net)
{
	int err;

	if (hash > 1) {
		pr_err("hash=%u: must be 0 or 1\n", hash);
		return -EINVAL;
	}
	if (!hash)
		return 0;

	err = sock_create_kern(net, AF_INET, SOCK_DGRAM, IPPROTO_UDP, &sender);
	if (err) {
		pr_err("cannot open the sender's socket: error %d\n", err);
		return err;
	}
	err = configure(sender);
	if (err) {
		pr_err("cannot bind the sender's socket: error %d\n", err);
		bench_sender_close();
	}
	return err;
}

/**
 * bench_sender_close() - undo bench_sender_open()
 *
 * Packets that the socket still owns keep its memory.
 *
 * Context: may sleep.
 */
void bench_sender_close(void)
{
	if (sender)
		sock_release(sender);
	sender = NULL;
}

/**
 * bench_sender_own() - give a packet its socket and the hash of its flow
 * @skb: the packet; unchanged if hash=0
 *
 * Context: any.
 */
void bench_sender_own(struct sk_buff *skb)
{
	if (sender)
		skb_set_owner_w(skb, sender->sk);
}
