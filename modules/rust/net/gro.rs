// SPDX-License-Identifier: GPL-2.0

//! GRO of packets that are still encapsulated.

use core::{mem::offset_of, ptr};

use super::{bindings, ip::Protocol};

type Control = bindings::napi_gro_cb;

/// The protocol of a packet by its first byte; None if it is not IP.
#[inline]
pub(super) const fn protocol_of(first: u8) -> Option<Protocol> {
    match first >> 4 {
        4 => Some(Protocol::IPV4),
        6 => Some(Protocol::IPV6),
        _ => None,
    }
}

/// # Safety
///
/// `skb` is valid, and in GRO.
#[inline]
unsafe fn control(skb: *mut bindings::sk_buff) -> *mut Control {
    // SAFETY: The caller promises it.
    unsafe { (&raw mut (*skb).cb).cast() }
}

/// Inner IPv4 and IPv6 packets of one tunnel belong to different flows.
///
/// # Safety
///
/// `head` is the list of the packets that GRO holds; each has a byte at `offset`.
unsafe fn separate_versions(head: *mut bindings::list_head, offset: usize, first: u8) {
    // SAFETY: The caller promises a valid list. Its links are those of packets.
    unsafe {
        let mut link = (*head).next;

        while !ptr::eq(link, head) {
            let skb: *mut bindings::sk_buff = link
                .byte_sub(offset_of!(bindings::sk_buff, __bindgen_anon_1))
                .cast();
            let flow = &raw mut (*control(skb)).__bindgen_anon_2.__bindgen_anon_1;

            if (*flow).same_flow() != 0 && (*(*skb).data.add(offset) ^ first) & 0xf0 != 0 {
                (*flow).set_same_flow(0);
            }
            link = (*link).next;
        }
    }
}

/// # Safety
///
/// The caller is GRO: `skb` is a packet of a tunnel's socket, and `head` has those that GRO holds.
pub(super) unsafe extern "C" fn receive(
    _sk: *mut bindings::sock,
    head: *mut bindings::list_head,
    skb: *mut bindings::sk_buff,
) -> *mut bindings::sk_buff {
    // SAFETY: The caller promises it. GRO holds packets with as many linear bytes as were compared,
    // which includes the headers before the inner packet.
    unsafe {
        let first: *const u8 = bindings::dsbench_net_gro_header(skb, 1).cast();
        let protocol = (!first.is_null()).then(|| protocol_of(*first)).flatten();
        let mut offload = ptr::null_mut();

        if let Some(protocol) = protocol {
            let offset = (*control(skb)).data_offset as usize;

            separate_versions(head, offset, *first);
            offload = bindings::gro_find_receive_by_type(protocol.0);
        }
        bindings::dsbench_net_gro_receive(offload, head, skb)
    }
}

/// # Safety
///
/// The caller is GRO: `skb` is a merged packet whose inner packet begins at `offset`.
pub(super) unsafe extern "C" fn complete(
    _sk: *mut bindings::sock,
    skb: *mut bindings::sk_buff,
    offset: i32,
) -> i32 {
    // SAFETY: The caller promises it.
    unsafe { bindings::dsbench_net_gro_complete(skb, offset) }
}
