// SPDX-License-Identifier: GPL-2.0
/* A UDP socket in the receiver's netns, where packets arrive as at any user's. */

#include <linux/delay.h>
#include <linux/in.h>
#include <linux/jiffies.h>
#include <linux/net.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/sock.h>

#include "packet.h"
#include "sink.h"

/* No batch of packets fills this many bytes of socket buffer. */
#define SOCKET_BYTES	(64 * 1024 * 1024)

/* The most that GRO makes of several packets. */
#define RECEIVE_MAX	65535U

/* A device that hands packets to other threads gets this long. */
#define WAIT_MS		200

static struct socket *sink;
static atomic64_t arrived;

/* The packet that has just been queued is the last one, or one before it. */
static void count_arrival(struct sock *sk)
{
	struct sk_buff *skb;
	unsigned long flags;

	spin_lock_irqsave(&sk->sk_receive_queue.lock, flags);
	skb = skb_peek_tail(&sk->sk_receive_queue);
	if (skb)
		atomic64_add(skb->len, &arrived);
	spin_unlock_irqrestore(&sk->sk_receive_queue.lock, flags);
}

/* Take GSO packets whole, as a receiver that cares about speed does. */
static int accept_gso(struct socket *sock)
{
	int one = 1;

	return sock->ops->setsockopt(sock, SOL_UDP, UDP_GRO,
				     KERNEL_SOCKPTR(&one), sizeof(one));
}

static int configure(struct socket *sock)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(BENCH_PORT),
		.sin_addr.s_addr = htonl(INADDR_ANY),
	};
	struct sock *sk = sock->sk;
	int err;

	WRITE_ONCE(sk->sk_rcvbuf, SOCKET_BYTES);
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = count_arrival;
	write_unlock_bh(&sk->sk_callback_lock);

	err = accept_gso(sock);
	if (err)
		return err;

	/* The type of the second argument is not the same in every kernel. */
	return kernel_bind(sock, (void *)&address, sizeof(address));
}

/**
 * bench_sink_open() - open the receiver's socket
 * @net: the receiver's netns, held by the caller until bench_sink_close()
 *
 * Context: may sleep.
 *
 * Return: 0 or a negative error code.
 */
int bench_sink_open(struct net *net)
{
	int err;

	err = sock_create_kern(net, AF_INET, SOCK_DGRAM, IPPROTO_UDP, &sink);
	if (err)
		return err;

	err = configure(sink);
	if (err)
		sock_release(sink);
	return err;
}

/**
 * bench_sink_close() - close it
 *
 * Context: may sleep.
 */
void bench_sink_close(void)
{
	sock_release(sink);
}

/**
 * bench_sink_wait() - wait until all has arrived
 * @bytes: how much that is, payload alone
 *
 * Nearly always it is there already: packets are received where they were
 * sent, before the sender goes on. Only what encrypts in other threads takes
 * its time.
 *
 * Context: may sleep.
 */
void bench_sink_wait(u64 bytes)
{
	unsigned long end = jiffies + msecs_to_jiffies(WAIT_MS);

	while (atomic64_read(&arrived) < bytes && time_before(jiffies, end))
		usleep_range(10, 20);	/* leave it the CPU */
}

static int receive(void *buffer, size_t size)
{
	struct kvec vec = { .iov_base = buffer, .iov_len = size };
	struct msghdr msg = { };

	return kernel_recvmsg(sink, &msg, &vec, 1, size, MSG_DONTWAIT);
}

/**
 * bench_sink_check() - is all there that was sent, and intact?
 * @packets: how many were sent
 * @payload: bytes of each
 *
 * Empties the socket.
 *
 * Context: may sleep.
 *
 * Return: 0; -EUCLEAN where something is missing or wrong; -ENOMEM.
 */
int bench_sink_check(u32 packets, u32 payload)
{
	void *buffer = kvmalloc(RECEIVE_MAX, GFP_KERNEL | __GFP_NOWARN);
	__wsum each = bench_packet_sum(payload);
	__wsum want = 0;
	__wsum sum = 0;
	u64 bytes = 0;
	int got;
	u32 i;

	if (!buffer)
		return -ENOMEM;

	for (i = 0; i < packets; i++)
		want = csum_block_add(want, each, i * payload);
	while ((got = receive(buffer, RECEIVE_MAX)) > 0) {
		sum = csum_block_add(sum, csum_partial(buffer, got, 0), bytes);
		bytes += got;
	}
	atomic64_set(&arrived, 0);
	kvfree(buffer);

	if (bytes != (u64)packets * payload)
		return -EUCLEAN;
	return csum_fold(sum) == csum_fold(want) ? 0 : -EUCLEAN;
}

/**
 * bench_sink_drain() - throw away what has arrived
 *
 * Context: may sleep.
 */
void bench_sink_drain(void)
{
	char byte;

	while (receive(&byte, sizeof(byte)) > 0)
		;
	atomic64_set(&arrived, 0);
}
