// SPDX-License-Identifier: GPL-2.0

//! Attributes of netlink messages, and the sentence that says why a request is refused.

use core::{marker::PhantomData, ptr, slice};

use kernel::{
    error::{code::EINVAL, to_result, Error, Result},
    str::CStr,
};

use super::bindings;

/// What the kernel accepts as an attribute.
#[repr(transparent)]
pub struct Policy(bindings::nla_policy);

// SAFETY: A policy does not change.
unsafe impl Sync for Policy {}

impl Policy {
    const fn new(kind: u32, check: u32, min: i16, max: i16) -> Self {
        Self(bindings::nla_policy {
            type_: kind as u8,
            validation_type: check as u8,
            len: 0,
            __bindgen_anon_1: bindings::nla_policy__bindgen_ty_1 {
                __bindgen_anon_1: bindings::nla_policy__bindgen_ty_1__bindgen_ty_1 { min, max },
            },
        })
    }

    const fn of_type(kind: u32) -> Self {
        Self::new(
            kind,
            bindings::nla_policy_validation_NLA_VALIDATE_NONE,
            0,
            0,
        )
    }

    /// Anything.
    pub const ANY: Self = Self::of_type(bindings::NLA_UNSPEC);
    /// A byte.
    pub const U8: Self = Self::of_type(bindings::NLA_U8);
    /// 4 bytes in host byte order.
    pub const U32: Self = Self::of_type(bindings::NLA_U32);
    /// 2 bytes in network byte order.
    pub const BE16: Self = Self::of_type(bindings::NLA_BE16);
    /// 4 bytes in network byte order.
    pub const BE32: Self = Self::of_type(bindings::NLA_BE32);

    /// A byte, up to `max`.
    pub const fn u8_up_to(max: u8) -> Self {
        let check = bindings::nla_policy_validation_NLA_VALIDATE_MAX;

        Self::new(bindings::NLA_U8, check, 0, max as i16)
    }

    /// As many bytes.
    pub const fn bytes(len: i16) -> Self {
        let check = bindings::nla_policy_validation_NLA_VALIDATE_RANGE;

        Self::new(bindings::NLA_BINARY, check, len, len)
    }
}

/// An attribute of a request.
///
/// # Invariants
///
/// The pointer is valid for `'a`, and so are as many bytes as the attribute says.
#[derive(Clone, Copy)]
pub struct Attribute<'a> {
    pub(super) raw: *const bindings::nlattr,
    _request: PhantomData<&'a ()>,
}

impl<'a> Attribute<'a> {
    /// Its content.
    ///
    /// Context: any.
    pub fn bytes(&self) -> &'a [u8] {
        // SAFETY: By the invariants all is valid. The length includes that of the header.
        unsafe {
            let header = size_of::<bindings::nlattr>();
            let len = usize::from((*self.raw).nla_len).saturating_sub(header);

            slice::from_raw_parts(self.raw.byte_add(header).cast(), len)
        }
    }

    /// The first bytes of its content. EINVAL if there are fewer.
    ///
    /// Context: any.
    pub fn array<const N: usize>(&self) -> Result<[u8; N]> {
        self.bytes().first_chunk().copied().ok_or(EINVAL)
    }

    /// Its content as a byte. EINVAL if it is empty.
    ///
    /// Context: any.
    pub fn u8(&self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Its content as a number in network byte order. EINVAL if it is shorter.
    ///
    /// Context: any.
    pub fn be16(&self) -> Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// Its content as a number in network byte order. EINVAL if it is shorter.
    ///
    /// Context: any.
    pub fn be32(&self) -> Result<u32> {
        self.array().map(u32::from_be_bytes)
    }
}

/// The attributes of a request by their type, validated against the driver's policies.
///
/// # Invariants
///
/// The pointer is null, or that of `count` pointers, which are null or valid attributes for `'a`.
#[derive(Clone, Copy)]
pub struct Attributes<'a> {
    raw: *mut *mut bindings::nlattr,
    count: usize,
    _request: PhantomData<&'a ()>,
}

impl<'a> Attributes<'a> {
    /// # Safety
    ///
    /// The caller promises the type's invariants.
    pub(super) unsafe fn new(raw: *mut *mut bindings::nlattr, count: usize) -> Self {
        Self {
            raw,
            count,
            _request: PhantomData,
        }
    }

    /// Whether the request has none at all.
    ///
    /// Context: any.
    pub fn is_absent(&self) -> bool {
        self.raw.is_null()
    }

    /// The attribute of a type.
    ///
    /// Context: any.
    pub fn get(&self, kind: u32) -> Option<Attribute<'a>> {
        let index = kind as usize;

        if self.raw.is_null() || index >= self.count {
            return None;
        }
        // SAFETY: By the invariants there are as many pointers.
        let raw = unsafe { *self.raw.add(index) };

        (!raw.is_null()).then_some(Attribute {
            raw,
            _request: PhantomData,
        })
    }
}

/// The place of the sentence that tells the user why a request is refused.
///
/// # Invariants
///
/// The pointer is null or valid for `'a`.
pub struct Extack<'a> {
    pub(super) raw: *mut bindings::netlink_ext_ack,
    _request: PhantomData<&'a mut ()>,
}

impl Extack<'_> {
    /// # Safety
    ///
    /// The caller promises the type's invariants.
    pub(super) unsafe fn new(raw: *mut bindings::netlink_ext_ack) -> Self {
        Self {
            raw,
            _request: PhantomData,
        }
    }

    /// Sets the sentence, and the attribute that it is about. Returns the error.
    ///
    /// Context: process context, under `rtnl_lock()`.
    pub fn refuse(
        &self,
        attribute: Option<Attribute<'_>>,
        sentence: &'static CStr,
        error: Error,
    ) -> Error {
        if !self.raw.is_null() {
            // SAFETY: By the invariants the pointer is valid. The sentence lives forever, and the
            // attribute as long as the request.
            unsafe {
                (*self.raw)._msg = sentence.as_ptr().cast();
                (*self.raw).bad_attr = attribute.map_or(ptr::null(), |attribute| attribute.raw);
            }
        }
        error
    }
}

/// A message to which attributes are added.
///
/// # Invariants
///
/// The pointer is valid for `'a`.
pub struct Message<'a> {
    raw: *mut bindings::sk_buff,
    _message: PhantomData<&'a mut ()>,
}

impl Message<'_> {
    /// # Safety
    ///
    /// The caller promises the type's invariants.
    pub(super) unsafe fn new(raw: *mut bindings::sk_buff) -> Self {
        Self {
            raw,
            _message: PhantomData,
        }
    }

    /// Adds an attribute. EMSGSIZE if it has no room.
    ///
    /// Context: process context, under `rtnl_lock()`.
    pub fn put(&mut self, kind: u32, content: &[u8]) -> Result {
        // SAFETY: By the invariants the message is valid.
        to_result(unsafe {
            bindings::nla_put(
                self.raw,
                kind as i32,
                content.len() as i32,
                content.as_ptr().cast(),
            )
        })
    }
}

/// The room in bytes that an attribute takes in a message.
pub const fn size_of_attribute(content: usize) -> usize {
    (size_of::<bindings::nlattr>() + content).next_multiple_of(4)
}
