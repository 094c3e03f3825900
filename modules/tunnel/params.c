// SPDX-License-Identifier: GPL-2.0
/*
 * Validation of the attributes together: each rejection has its own extack message.
 * The policy in netlink.c has validated each alone.
 */

#include <linux/inetdevice.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <net/addrconf.h>
#include <net/netlink.h>
#include <net/route.h>

#include "params.h"

/* One request to create or change a device. */
struct udptun_request {
	struct nlattr **data;
	struct netlink_ext_ack *extack;
	struct net *net;
	struct udptun_params *params;
	const struct net_device *lower; /* the underlay, or NULL */
	bool is_new;
};

/* Set the extack message and the attribute that it is about, if any. */
#define REJECT(rq, type, sentence) ({					\
	const struct udptun_request *__rq = (rq);			\
									\
	NL_SET_ERR_MSG_ATTR(__rq->extack, __rq->data[type], sentence);	\
	-EINVAL;							\
})

static bool udptun_is_v4(const struct udptun_request *rq)
{
	return rq->params->family == AF_INET;
}

static void udptun_read_flag(struct udptun_request *rq, int type, bool *flag)
{
	if (rq->data[type])
		*flag = nla_get_u8(rq->data[type]);
}

static int udptun_read_mode(struct udptun_request *rq)
{
	bool external = rq->params->external;

	udptun_read_flag(rq, IFLA_UDPTUN_EXTERNAL, &external);
	if (!rq->is_new && external != rq->params->external)
		return REJECT(rq, IFLA_UDPTUN_EXTERNAL,
			      "The mode of a tunnel, external or not, cannot be changed");
	rq->params->external = external;
	return 0;
}

static int udptun_read_family(struct udptun_request *rq)
{
	bool has_v4 = rq->data[IFLA_UDPTUN_LOCAL] ||
		      rq->data[IFLA_UDPTUN_REMOTE];
	bool has_v6 = rq->data[IFLA_UDPTUN_LOCAL6] ||
		      rq->data[IFLA_UDPTUN_REMOTE6];

	if (has_v4 && has_v6)
		return REJECT(rq, IFLA_UDPTUN_UNSPEC,
			      "The local and remote addresses must be of the same family");
	if (rq->is_new) {
		if (!has_v4 && !has_v6 && rq->params->external)
			return REJECT(rq, IFLA_UDPTUN_UNSPEC,
				      "The local address is missing");
		if (!has_v4 && !has_v6)
			return REJECT(rq, IFLA_UDPTUN_UNSPEC,
				      "The local and remote addresses are missing");
		rq->params->family = has_v4 ? AF_INET : AF_INET6;
	} else if (has_v4 && !udptun_is_v4(rq)) {
		return REJECT(rq, IFLA_UDPTUN_UNSPEC,
			      "The address family of the tunnel, IPv6, cannot be changed");
	} else if (has_v6 && udptun_is_v4(rq)) {
		return REJECT(rq, IFLA_UDPTUN_UNSPEC,
			      "The address family of the tunnel, IPv4, cannot be changed");
	}
	/* With ipv6.disable=1 there are no IPv6 routing tables to look up. */
	if (!udptun_is_v4(rq) && !ipv6_mod_enabled())
		return REJECT(rq, IFLA_UDPTUN_UNSPEC,
			      "This kernel has no IPv6");
	return 0;
}

static int udptun_local_type(const struct udptun_request *rq)
{
	return udptun_is_v4(rq) ? IFLA_UDPTUN_LOCAL : IFLA_UDPTUN_LOCAL6;
}

static int udptun_remote_type(const struct udptun_request *rq)
{
	return udptun_is_v4(rq) ? IFLA_UDPTUN_REMOTE : IFLA_UDPTUN_REMOTE6;
}

static int udptun_read_addresses(struct udptun_request *rq)
{
	struct nlattr *remote = rq->data[udptun_remote_type(rq)];
	struct nlattr *local = rq->data[udptun_local_type(rq)];

	if (rq->is_new && !local)
		return REJECT(rq, IFLA_UDPTUN_UNSPEC,
			      "The local address is missing");
	if (remote && rq->params->external)
		return REJECT(rq, udptun_remote_type(rq),
			      "An external tunnel has no remote address: the metadata of each packet name it");
	if (rq->is_new && !remote && !rq->params->external)
		return REJECT(rq, IFLA_UDPTUN_UNSPEC,
			      "The remote address is missing");
	/* nla_memcpy() zeroes the rest of the union: memcmp() compares addresses. */
	if (local)
		nla_memcpy(&rq->params->local, local, sizeof(rq->params->local));
	if (remote)
		nla_memcpy(&rq->params->remote, remote, sizeof(rq->params->remote));
	return 0;
}

static bool udptun_is_any(const struct udptun_request *rq, const union udptun_addr *addr)
{
	return udptun_is_v4(rq) ? ipv4_is_zeronet(addr->v4) :
			   ipv6_addr_any(&addr->v6);
}

static bool udptun_is_multicast(const struct udptun_request *rq,
				const union udptun_addr *addr)
{
	return udptun_is_v4(rq) ? ipv4_is_multicast(addr->v4) :
			   ipv6_addr_is_multicast(&addr->v6);
}

/* Return the type of an IPv4 address in the VRF of the underlay. */
static unsigned int udptun_type_of4(const struct udptun_request *rq, __be32 addr)
{
	if (rq->lower)
		return inet_addr_type_dev_table(rq->net, rq->lower, addr);
	return inet_addr_type(rq->net, addr);
}

static bool udptun_is_broadcast(const struct udptun_request *rq,
				const union udptun_addr *addr)
{
	return udptun_is_v4(rq) && udptun_type_of4(rq, addr->v4) == RTN_BROADCAST;
}

static bool udptun_is_mapped(const struct udptun_request *rq, const union udptun_addr *addr)
{
	return !udptun_is_v4(rq) && ipv6_addr_v4mapped(&addr->v6);
}

static bool udptun_is_local(const struct udptun_request *rq, const union udptun_addr *addr)
{
	if (udptun_is_v4(rq))
		return udptun_type_of4(rq, addr->v4) == RTN_LOCAL;
	return IS_ENABLED(CONFIG_IPV6) &&
	       (ipv6_addr_loopback(&addr->v6) ||
		ipv6_chk_addr_and_flags(rq->net, &addr->v6, rq->lower, true, 0,
					0));
}

static bool udptun_is_link_local(const struct udptun_request *rq,
				 const union udptun_addr *addr)
{
	return !udptun_is_v4(rq) && ipv6_addr_type(&addr->v6) & IPV6_ADDR_LINKLOCAL;
}

static int udptun_check_local(struct udptun_request *rq)
{
	const union udptun_addr *local = &rq->params->local;

	if (udptun_is_any(rq, local))
		return REJECT(rq, udptun_local_type(rq),
			      "The local address is unspecified");
	if (udptun_is_multicast(rq, local))
		return REJECT(rq, udptun_local_type(rq),
			      "The local address is a multicast address");
	if (udptun_is_broadcast(rq, local))
		return REJECT(rq, udptun_local_type(rq),
			      "The local address is a broadcast address");
	if (udptun_is_mapped(rq, local))
		return REJECT(rq, udptun_local_type(rq),
			      "IPv4-mapped IPv6 addresses are not supported");
	if (!rq->params->link && udptun_is_link_local(rq, local))
		return REJECT(rq, udptun_local_type(rq),
			      "A link-local address needs an underlay device");
	return 0;
}

static int udptun_check_remote(struct udptun_request *rq)
{
	const union udptun_addr *remote = &rq->params->remote;
	const union udptun_addr *local = &rq->params->local;

	if (rq->params->external)
		return 0;
	if (udptun_is_any(rq, remote))
		return REJECT(rq, udptun_remote_type(rq),
			      "The remote address is unspecified");
	if (udptun_is_multicast(rq, remote))
		return REJECT(rq, udptun_remote_type(rq),
			      "The remote address is a multicast address");
	if (udptun_is_broadcast(rq, remote))
		return REJECT(rq, udptun_remote_type(rq),
			      "The remote address is a broadcast address");
	if (udptun_is_mapped(rq, remote))
		return REJECT(rq, udptun_remote_type(rq),
			      "IPv4-mapped IPv6 addresses are not supported");
	if (!memcmp(local, remote, sizeof(*local)))
		return REJECT(rq, udptun_remote_type(rq),
			      "The local and remote addresses are the same");
	if (udptun_is_local(rq, remote))
		return REJECT(rq, udptun_remote_type(rq),
			      "The remote address belongs to this host");
	if (!rq->params->link && udptun_is_link_local(rq, remote))
		return REJECT(rq, udptun_remote_type(rq),
			      "A link-local address needs an underlay device");
	return 0;
}

static int udptun_read_ports(struct udptun_request *rq)
{
	struct nlattr *remote = rq->data[IFLA_UDPTUN_REMOTE_PORT];
	struct nlattr *local = rq->data[IFLA_UDPTUN_LOCAL_PORT];

	if (local)
		rq->params->local_port = nla_get_be16(local);
	else if (rq->is_new)
		return REJECT(rq, IFLA_UDPTUN_UNSPEC,
			      "The local port is missing");
	if (remote)
		rq->params->remote_port = nla_get_be16(remote);
	else if (rq->is_new)
		rq->params->remote_port = rq->params->local_port;
	return 0;
}

static int udptun_read_sport(struct udptun_request *rq)
{
	struct nlattr *attr = rq->data[IFLA_UDPTUN_PORT_RANGE];

	if (attr) {
		const struct udptun_port_range *range = nla_data(attr);

		rq->params->sport_min = ntohs(range->low);
		rq->params->sport_max = ntohs(range->high);
	}
	if (rq->params->sport_max &&
	    rq->params->local_port != rq->params->remote_port)
		return REJECT(rq, IFLA_UDPTUN_PORT_RANGE,
			      "With a range of source ports, the local and the remote port must be the same");
	return 0;
}

static int udptun_read_mark(struct udptun_request *rq)
{
	struct nlattr *mark = rq->data[IFLA_UDPTUN_FWMARK];
	struct nlattr *mask = rq->data[IFLA_UDPTUN_FWMASK];

	if (mask && !mark)
		return REJECT(rq, IFLA_UDPTUN_FWMASK,
			      "A mask of the mark needs a mark");
	if (!mark)
		return 0;
	rq->params->mark = nla_get_u32(mark);
	rq->params->mark_inherit = mask ? ~nla_get_u32(mask) : 0;
	if (rq->params->mark & rq->params->mark_inherit)
		return REJECT(rq, IFLA_UDPTUN_FWMARK,
			      "The mark has bits that its mask leaves out");
	return 0;
}

static int udptun_read_link(struct udptun_request *rq)
{
	struct nlattr *attr = rq->data[IFLA_UDPTUN_LINK];
	u32 link = attr ? nla_get_u32(attr) : rq->params->link;

	rq->params->link = link;
	if (!link)
		return 0;

	rq->lower = __dev_get_by_index(rq->net, link);
	if (!rq->lower) {
		NL_SET_ERR_MSG_ATTR(rq->extack, attr,
				    "The underlay device does not exist");
		return -ENODEV;
	}
	return 0;
}

static int udptun_read_checksum(struct udptun_request *rq)
{
	if (!udptun_is_v4(rq) && rq->data[IFLA_UDPTUN_UDP_CSUM])
		return REJECT(rq, IFLA_UDPTUN_UDP_CSUM,
			      "Over IPv6, the zero checksum attributes select the UDP checksum");
	if (udptun_is_v4(rq) &&
	    (rq->data[IFLA_UDPTUN_UDP_ZERO_CSUM6_TX] ||
	     rq->data[IFLA_UDPTUN_UDP_ZERO_CSUM6_RX]))
		return REJECT(rq, IFLA_UDPTUN_UNSPEC,
			      "The zero checksum attributes apply to IPv6 only");

	udptun_read_flag(rq, IFLA_UDPTUN_UDP_CSUM, &rq->params->csum);
	udptun_read_flag(rq, IFLA_UDPTUN_UDP_ZERO_CSUM6_TX,
			 &rq->params->zero_csum6_tx);
	udptun_read_flag(rq, IFLA_UDPTUN_UDP_ZERO_CSUM6_RX,
			 &rq->params->zero_csum6_rx);
	return 0;
}

static int udptun_read_flowlabel(struct udptun_request *rq)
{
	struct nlattr *inherit = rq->data[IFLA_UDPTUN_FLOWLABEL_INHERIT];
	struct nlattr *label = rq->data[IFLA_UDPTUN_FLOWLABEL];

	if (udptun_is_v4(rq) && (inherit || label))
		return REJECT(rq, IFLA_UDPTUN_UNSPEC,
			      "The flow label attributes apply to IPv6 only");

	udptun_read_flag(rq, IFLA_UDPTUN_FLOWLABEL_INHERIT,
			 &rq->params->flowlabel_inherit);
	if (label) {
		rq->params->flowlabel = nla_get_be32(label);
		/* A label replaces inheritance, and inheritance replaces a label. */
		if (!inherit)
			rq->params->flowlabel_inherit = false;
	} else if (rq->params->flowlabel_inherit) {
		rq->params->flowlabel = 0;
	}
	if (rq->params->flowlabel && rq->params->flowlabel_inherit)
		return REJECT(rq, IFLA_UDPTUN_FLOWLABEL,
			      "The flow label cannot be both given and inherited");
	return 0;
}

static int udptun_read_ip_fields(struct udptun_request *rq)
{
	if (rq->data[IFLA_UDPTUN_TTL])
		rq->params->ttl = nla_get_u8(rq->data[IFLA_UDPTUN_TTL]);
	if (rq->data[IFLA_UDPTUN_TOS])
		rq->params->tos = nla_get_u8(rq->data[IFLA_UDPTUN_TOS]);
	if (rq->data[IFLA_UDPTUN_DF])
		rq->params->df = nla_get_u8(rq->data[IFLA_UDPTUN_DF]);
	return udptun_read_flowlabel(rq);
}

int udptun_params_read(struct udptun_params *params, bool is_new, struct net *net,
		       struct nlattr *data[], struct netlink_ext_ack *extack)
{
	struct udptun_request request = {
		.data = data,
		.extack = extack,
		.net = net,
		.params = params,
		.is_new = is_new,
	};
	struct udptun_request *rq = &request;

	return udptun_read_mode(rq) ?: udptun_read_family(rq) ?:
	       udptun_read_link(rq) ?: udptun_read_addresses(rq) ?:
	       udptun_check_local(rq) ?: udptun_check_remote(rq) ?:
	       udptun_read_ports(rq) ?: udptun_read_sport(rq) ?:
	       udptun_read_checksum(rq) ?: udptun_read_ip_fields(rq) ?:
	       udptun_read_mark(rq);
}
