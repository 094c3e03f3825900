// SPDX-License-Identifier: GPL-2.0
/*
 * The receiver's UDP socket, an ordinary socket in the receiver's netns. TCP
 * segments have a receiver of their own.
 */

#include <linux/delay.h>
#include <linux/in.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/sock.h>

#include "packet.h"
#include "segments.h"
#include "sink.h"

/* Size of the receive buffer, in bytes: larger than the packets of a try. */
#define SOCKET_BYTES	(64 * 1024 * 1024)

/* Largest packet that GRO can build, in bytes. */
#define RECEIVE_MAX	65535U

/* Time limit for devices that hand packets to other threads. */
#define WAIT_MS		200

static unsigned int sink_gro = 1;
module_param(sink_gro, uint, 0444);
MODULE_PARM_DESC(sink_gro, "1: the receiver's socket asks for UDP_GRO (default); 0: it does not");

static struct socket *sink;
static atomic64_t arrived;

/* The packet just queued is the last one, unless another CPU has queued more. */
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

/* Receive GSO packets whole, as a fast receiver does. */
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

	err = sink_gro ? accept_gso(sock) : 0;
	if (err)
		return err;

	/* The type of the second argument depends on the kernel version. */
	return kernel_bind(sock, (void *)&address, sizeof(address));
}

static int open_socket(struct net *net)
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
 * bench_sink_open() - open the receiver
 * @net: the receiver's netns, held by the caller until bench_sink_close()
 *
 * Context: may sleep.
 *
 * Return: 0, or a negative error code after a message in the log.
 */
int bench_sink_open(struct net *net)
{
	int err;

	if (sink_gro > 1) {
		pr_err("sink_gro=%u: must be 0 or 1\n", sink_gro);
		return -EINVAL;
	}
	err = bench_packet_is_tcp() ? bench_segments_open(net, &arrived) :
				      open_socket(net);
	if (err)
		pr_err("cannot open the receiver on port %u: error %d\n",
		       BENCH_PORT, err);
	return err;
}

/**
 * bench_sink_close() - close the receiver
 * @net: the receiver's netns
 *
 * Context: may sleep.
 */
void bench_sink_close(struct net *net)
{
	if (bench_packet_is_tcp())
		bench_segments_close(net);
	else
		sock_release(sink);
}

/**
 * bench_sink_wait() - wait until all packets have arrived
 * @bytes: their payload, in bytes
 *
 * Usually returns at once: packets are received on the CPU that sends them,
 * before the sender continues. Only devices that hand packets to other threads
 * take longer. Gives up after WAIT_MS.
 *
 * Context: may sleep.
 */
void bench_sink_wait(u64 bytes)
{
	unsigned long end = jiffies + msecs_to_jiffies(WAIT_MS);

	while (atomic64_read(&arrived) < bytes && time_before(jiffies, end))
		usleep_range(10, 20);	/* yield the CPU to those threads */
}

static int receive(void *buffer, size_t size)
{
	struct kvec vec = { .iov_base = buffer, .iov_len = size };
	struct msghdr msg = { };

	return kernel_recvmsg(sink, &msg, &vec, 1, size, MSG_DONTWAIT);
}

/* Empty the socket. Return the bytes received, and their sum; -ENOMEM. */
static s64 take_datagrams(__wsum *sum)
{
	void *buffer = kvmalloc(RECEIVE_MAX, GFP_KERNEL | __GFP_NOWARN);
	s64 bytes = 0;
	int got;

	if (!buffer)
		return -ENOMEM;

	*sum = 0;
	while ((got = receive(buffer, RECEIVE_MAX)) > 0) {
		*sum = csum_block_add(*sum, csum_partial(buffer, got, 0),
				      bytes);
		bytes += got;
	}
	kvfree(buffer);
	return bytes;
}

/**
 * bench_sink_check() - check that all packets have arrived intact
 * @packets: number of packets sent
 * @payload: payload of each packet, in bytes
 *
 * Empties the receiver.
 *
 * Context: may sleep.
 *
 * Return: 0; -EUCLEAN if data is missing or wrong; -ENOMEM.
 */
int bench_sink_check(u32 packets, u32 payload)
{
	__wsum each = bench_packet_sum(payload);
	__wsum want = 0;
	__wsum sum = 0;
	s64 bytes;
	u32 i;

	for (i = 0; i < packets; i++)
		want = csum_block_add(want, each, i * payload);
	bytes = bench_packet_is_tcp() ? bench_segments_take(&sum) :
					take_datagrams(&sum);
	atomic64_set(&arrived, 0);
	if (bytes < 0)
		return bytes;

	if (bytes != (u64)packets * payload)
		return -EUCLEAN;
	return csum_fold(sum) == csum_fold(want) ? 0 : -EUCLEAN;
}

/**
 * bench_sink_drain() - discard all received packets
 *
 * Context: may sleep.
 */
void bench_sink_drain(void)
{
	__wsum sum;
	char byte;

	if (bench_packet_is_tcp())
		bench_segments_take(&sum);
	else
		while (receive(&byte, sizeof(byte)) > 0)
			;
	atomic64_set(&arrived, 0);
}
