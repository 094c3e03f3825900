// SPDX-License-Identifier: GPL-2.0
/*
 * Sizes and offsets by the kernel's compiler. The build makes layout.rs of them, and
 * checks.rs compares them with those of bindgen.
 */

#include <linux/kbuild.h>

#include "bindings.h"

#define LAYOUT(type, member) do {					\
	DEFINE(SIZE_OF_##type, sizeof(struct type));			\
	DEFINE(OFFSET_IN_##type, offsetof(struct type, member));	\
} while (0)

int main(void)
{
	LAYOUT(net_device, priv);
	LAYOUT(net_device_ops, ndo_get_stats64);
	LAYOUT(rtnl_link_ops, get_link_net);
	LAYOUT(sk_buff, head);
	LAYOUT(skb_shared_info, dataref);
	LAYOUT(sock, sk_user_data);
	LAYOUT(napi_struct, gro);
	LAYOUT(dst_entry, obsolete);
	LAYOUT(rtable, rt_gw_family);
	LAYOUT(net, ipv4.rt_genid);
	LAYOUT(nla_policy, validate);
	LAYOUT(netlink_ext_ack, bad_attr);
	LAYOUT(nlattr, nla_len);
	LAYOUT(pernet_operations, exit_rtnl);
	LAYOUT(rtnl_newlink_params, data);
	LAYOUT(napi_gro_cb, data_offset);
	LAYOUT(net_hotdata, max_backlog);
	LAYOUT(dsbench_net_flow, remote);
	LAYOUT(dsbench_net_encap, gro_complete);
	return 0;
}
