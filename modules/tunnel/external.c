// SPDX-License-Identifier: GPL-2.0
/* External tunnels: the metadata of each packet name its receiver. */

#include <linux/skbuff.h>
#include <net/dst_metadata.h>
#include <net/inet_ecn.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>

#include <dsbench/compat.h>

#include "conf.h"
#include "external.h"
#include "tunnel.h"

/*
 * Read the receiver's address. Return false if it is not a unicast address, or if the
 * metadata require another source address than that of the socket.
 */
static bool udptun_external_addresses(struct udptun_params *params,
				      const struct ip_tunnel_key *key)
{
	if (params->family == AF_INET) {
		params->remote.v4 = key->u.ipv4.dst;
		return !ipv4_is_zeronet(key->u.ipv4.dst) &&
		       !ipv4_is_multicast(key->u.ipv4.dst) &&
		       !ipv4_is_lbcast(key->u.ipv4.dst) &&
		       (!key->u.ipv4.src ||
			key->u.ipv4.src == params->local.v4);
	}
	params->remote.v6 = key->u.ipv6.dst;
	return !ipv6_addr_any(&key->u.ipv6.dst) &&
	       !ipv6_addr_is_multicast(&key->u.ipv6.dst) &&
	       (ipv6_addr_any(&key->u.ipv6.src) ||
		ipv6_addr_equal(&key->u.ipv6.src, &params->local.v6));
}

/* Read the fields that the metadata set. A zero field takes the value of the device. */
static void udptun_external_fields(struct udptun_params *params,
				   const struct ip_tunnel_key *key)
{
	if (key->tp_src) {
		params->local_port = key->tp_src;
		params->sport_max = 0;
	}
	if (key->tp_dst)
		params->remote_port = key->tp_dst;
	if (key->ttl)
		params->ttl = key->ttl;
	if (key->tos & ~INET_ECN_MASK)
		params->tos = key->tos & ~INET_ECN_MASK;
	if (key->label) {
		params->flowlabel = key->label & IPV6_FLOWLABEL_MASK;
		params->flowlabel_inherit = false;
	}
	if (DSBENCH_TUNNEL_FLAG(key, CSUM)) {
		params->csum = true;
		params->zero_csum6_tx = false;
	}
	if (DSBENCH_TUNNEL_FLAG(key, DONT_FRAGMENT))
		params->df = UDPTUN_DF_SET;
}

/*
 * Return true if the route in the metadata's cache depends on the metadata and the
 * local address alone. The other parameters of the device may change while the
 * metadata live: a route that depends on them is looked up for each packet.
 */
static bool udptun_external_has_cache(const struct udptun_params *params,
				      const struct ip_tunnel_info *info,
				      const struct sk_buff *skb)
{
	return ip_tunnel_dst_cache_usable(skb, info) && !params->link &&
	       !params->tos && !params->mark;
}

/**
 * udptun_external_conf() - make the configuration of one packet
 * @once: receives the configuration, valid as long as @skb has its metadata
 * @conf: the configuration of the external tunnel
 * @skb: the packet
 *
 * Context: RCU is held.
 * Return: true; false if the packet has no metadata, or if the tunnel cannot use them.
 */
bool udptun_external_conf(struct udptun_conf *once,
			  const struct udptun_conf *conf, struct sk_buff *skb)
{
	struct ip_tunnel_info *info = skb_tunnel_info(skb);

	if (!info || !(info->mode & IP_TUNNEL_INFO_TX) ||
	    ip_tunnel_info_af(info) != conf->params.family)
		return false;

	*once = (struct udptun_conf) {
		.tun = conf->tun,
		.sk = conf->sk,
		.params = conf->params,
	};
	if (!udptun_external_addresses(&once->params, &info->key))
		return false;
	udptun_external_fields(&once->params, &info->key);
	udptun_conf_derive(once);
	if (udptun_external_has_cache(&conf->params, info, skb))
		once->dst_cache = &info->dst_cache;
	return true;
}
