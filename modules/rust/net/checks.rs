// SPDX-License-Identifier: GPL-2.0

//! bindgen computes layouts as clang does: do they agree with the kernel's compiler?

use core::mem::{offset_of, size_of};

use super::{bindings, layout};

macro_rules! agrees {
    ($type:ident, $member:ident, $size:ident, $offset:ident) => {
        const _: () = assert!(size_of::<bindings::$type>() == layout::$size);
        const _: () = assert!(offset_of!(bindings::$type, $member) == layout::$offset);
    };
}

agrees!(net_device, priv_, SIZE_OF_net_device, OFFSET_IN_net_device);
agrees!(
    net_device_ops,
    ndo_get_stats64,
    SIZE_OF_net_device_ops,
    OFFSET_IN_net_device_ops
);
agrees!(
    rtnl_link_ops,
    get_link_net,
    SIZE_OF_rtnl_link_ops,
    OFFSET_IN_rtnl_link_ops
);
agrees!(sk_buff, head, SIZE_OF_sk_buff, OFFSET_IN_sk_buff);
agrees!(
    skb_shared_info,
    dataref,
    SIZE_OF_skb_shared_info,
    OFFSET_IN_skb_shared_info
);
agrees!(sock, sk_user_data, SIZE_OF_sock, OFFSET_IN_sock);
agrees!(napi_struct, gro, SIZE_OF_napi_struct, OFFSET_IN_napi_struct);
agrees!(dst_entry, obsolete, SIZE_OF_dst_entry, OFFSET_IN_dst_entry);
agrees!(rtable, rt_gw_family, SIZE_OF_rtable, OFFSET_IN_rtable);
agrees!(
    nla_policy,
    __bindgen_anon_1,
    SIZE_OF_nla_policy,
    OFFSET_IN_nla_policy
);
agrees!(
    netlink_ext_ack,
    bad_attr,
    SIZE_OF_netlink_ext_ack,
    OFFSET_IN_netlink_ext_ack
);
agrees!(nlattr, nla_len, SIZE_OF_nlattr, OFFSET_IN_nlattr);
agrees!(
    pernet_operations,
    exit_rtnl,
    SIZE_OF_pernet_operations,
    OFFSET_IN_pernet_operations
);
agrees!(
    rtnl_newlink_params,
    data,
    SIZE_OF_rtnl_newlink_params,
    OFFSET_IN_rtnl_newlink_params
);
agrees!(
    napi_gro_cb,
    data_offset,
    SIZE_OF_napi_gro_cb,
    OFFSET_IN_napi_gro_cb
);
agrees!(
    net_hotdata,
    max_backlog,
    SIZE_OF_net_hotdata,
    OFFSET_IN_net_hotdata
);
agrees!(
    dsbench_net_flow,
    remote,
    SIZE_OF_dsbench_net_flow,
    OFFSET_IN_dsbench_net_flow
);
agrees!(
    dsbench_net_encap,
    gro_complete,
    SIZE_OF_dsbench_net_encap,
    OFFSET_IN_dsbench_net_encap
);
