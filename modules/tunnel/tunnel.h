/* SPDX-License-Identifier: GPL-2.0 */
/* The private data of a udptun network device, and its configuration. */
#ifndef _UDPTUN_TUNNEL_H
#define _UDPTUN_TUNNEL_H

#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <net/net_namespace.h>

#include "header.h"
#include "params.h"

/* Limit of the headroom in bytes, as in ip_tunnel.c: stacked tunnels add up. */
#define UDPTUN_MAX_HEADROOM	512U

struct dst_cache;
struct dst_entry;
struct udptun_device;
struct udptun_queue;
struct udptun_route;
struct udptun_sock;

/**
 * struct udptun_conf - the configuration of a device
 * @node: entry in a bucket of lookup.c while packets from the peer are accepted
 * @sock_node: entry in udptun_sock.confs during that time
 * @demux_node: entry in a bucket of demux.c while several peers use the port
 * @tun: the device
 * @sk: the UDP socket of @sock
 * @params: addresses, ports and options
 * @header: template of the outer headers
 * @overhead: length of the outer headers in bytes
 * @csum: packets are sent with a UDP checksum
 * @adapts: a source port or a mark must be written into each packet
 * @route: cached route to the peer
 * @input: the input route of the peer's last packet, held, or NULL; see demux.c
 * @input_iif: the device that it came from, as the stack sees it
 * @dst_cache: cache of the metadata of an external tunnel's packet, or NULL
 * @sock: the socket of the local port; its reference is gone if @detached
 * @detached: udptun_conf_detach() was called
 * @rcu: frees a replaced configuration after a grace period
 *
 * A configuration is immutable: changelink replaces it by a new one. A new one
 * starts with an empty route cache, so it never uses a route of the old one.
 */
struct udptun_conf {
	struct hlist_node node;
	struct list_head sock_node;
	struct hlist_node demux_node;
	struct udptun_device *tun;
	struct sock *sk;
	struct udptun_params params;
	union udptun_header header;
	u8 overhead;
	bool csum;
	bool adapts;
	struct udptun_route __rcu *route;
	struct dst_entry __rcu *input;
	int input_iif;
	struct dst_cache *dst_cache;
	struct udptun_sock *sock;
	bool detached;
	struct rcu_head rcu;
};

/**
 * struct udptun_device - private data of a network device
 * @conf: the configuration; changelink replaces it as a whole
 * @queues: decapsulated packets, before their delivery
 * @dev: the network device
 * @net: namespace of the socket; @dev may have moved to another one
 * @node: in udptun_net.devices, until the device is queued for unregistration
 * @lower: the underlay that @dev is linked to as its upper device, or NULL
 * @mtu_is_set: the user has set the MTU; else it follows the underlay
 */
struct udptun_device {
	struct udptun_conf __rcu *conf;
	struct udptun_queue __percpu *queues;
	struct net_device *dev;
	struct net *net;
	struct list_head node;
	struct net_device *lower;
	bool mtu_is_set;
};

#endif /* _UDPTUN_TUNNEL_H */
