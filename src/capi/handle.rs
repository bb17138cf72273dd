// SPDX-License-Identifier: Apache-2.0
//! The opaque types of the C face, what their pointers point to, and how they come and go.
#![allow(unsafe_code, reason = "the user's pointers become references here")]

use std::alloc::{Layout, alloc};
use std::sync::{Arc, Weak};

use crate::sys::lock::Mutex;

use super::boundary::Failure;
use crate::host::behaviour::{Difference, as_on_a_device};
use crate::host::mutation::Mutation;
use crate::object::{DeathRecipient, Parcel, Proxy, RemoteObject, Stub};
use crate::sys::{order, reserve};

/// `OHIPCParcel`: what a user's parcel pointer points to.
#[repr(transparent)]
pub struct OHIPCParcel(pub(super) Parcel);

impl OHIPCParcel {
    /// The parcel behind a pointer that is only read through.
    ///
    /// # Safety
    /// The pointer is NULL or a parcel that lives, and that nobody writes to, while the result is in use.
    #[inline]
    pub(super) unsafe fn get<'a>(parcel: *const Self) -> Result<&'a Parcel, Failure> {
        order::library_reads_for_user(parcel, 1);
        // SAFETY: the caller vouches for it.
        unsafe { parcel.as_ref() }.map(|parcel| &parcel.0).ok_or(Failure::Null("parcel"))
    }

    /// The parcel behind a pointer that is written through.
    ///
    /// # Safety
    /// The pointer is NULL or a parcel that lives, and that nobody else uses, while the result is in use.
    #[inline]
    pub(super) unsafe fn get_mut<'a>(parcel: *mut Self) -> Result<&'a mut Parcel, Failure> {
        order::library_writes_for_user(parcel, 1);
        // SAFETY: the caller vouches for it.
        unsafe { parcel.as_mut() }.map(|parcel| &mut parcel.0).ok_or(Failure::Null("parcel"))
    }
}

/// `OHIPCRemoteStub`: opaque; behind the pointer lies a [`Wrapper`].
#[repr(C)]
pub struct OHIPCRemoteStub {
    _opaque: [u8; 0],
}

/// `OHIPCRemoteProxy`: opaque; behind the pointer lies a [`Wrapper`].
#[repr(C)]
pub struct OHIPCRemoteProxy {
    _opaque: [u8; 0],
}

/// `OHIPCDeathRecipient`: one reference to a death recipient.
pub struct OHIPCDeathRecipient(pub(super) Arc<DeathRecipient>);

impl Drop for OHIPCDeathRecipient {
    fn drop(&mut self) {
        self.0.note_used();
    }
}

/// What both a stub's and a proxy's pointer point to: on a device either kind of wrapper works where the other is expected,
/// and programs cast one to the other.
pub(super) enum Wrapper {
    Proxy(Arc<Proxy>),
    Stub(Mutex<Held>),
}

pub(super) enum Held {
    Strong(RemoteObject),
    /// The strong reference went to the parent of a native child; the wrapper only remembers the stub.
    Passed(Weak<Stub>),
}

impl Wrapper {
    /// A new wrapper that the user owns, as the pointer type that the user expects.
    pub(super) fn give<P>(object: RemoteObject) -> Result<*mut P, Failure> {
        if let RemoteObject::Stub(stub) = &object
            && Mutation::ReadStubsAreNotHeld.is_on()
        {
            return give(|| Self::Stub(Mutex::new(Held::Passed(Arc::downgrade(stub))))).map(<*mut Self>::cast);
        }
        Self::give_new(|| object)
    }

    /// The same, of an object that is made only where there is memory for it.
    pub(super) fn give_new<P>(object: impl FnOnce() -> RemoteObject) -> Result<*mut P, Failure> {
        let wrapper = || {
            let object = object();
            match &object {
                RemoteObject::Proxy(proxy) => Self::Proxy(Arc::clone(proxy)),
                RemoteObject::Stub(_) => Self::Stub(Mutex::new(Held::Strong(object))),
            }
        };
        give(wrapper).map(<*mut Self>::cast)
    }

    /// The wrapper behind a pointer to a stub or a proxy; `name` is the argument's.
    ///
    /// # Safety
    /// The pointer is NULL or came from [`Self::give`] and was not destroyed, nor will be while the result is in use.
    pub(super) unsafe fn get<'a, P>(pointer: *const P, name: &'static str) -> Result<&'a Self, Failure> {
        order::library_reads_for_user(pointer.cast::<Self>(), 1);
        // SAFETY: the caller vouches for it; what `give` gives is a wrapper, whatever the pointer's type says.
        unsafe { pointer.cast::<Self>().as_ref() }.ok_or(Failure::Null(name))
    }

    /// Destroys the wrapper and lets go of its object.
    ///
    /// # Safety
    /// The pointer is NULL or came from [`Self::give`] and was not destroyed, and nobody uses it.
    pub(super) unsafe fn destroy<P>(pointer: *mut P) {
        // SAFETY: the caller vouches for it.
        unsafe { destroy(pointer.cast::<Self>()) }
    }

    /// The object behind the wrapper, `None` once it was passed on and has died.
    #[inline]
    pub(super) fn object(&self) -> Option<RemoteObject> {
        match self {
            Self::Proxy(proxy) => Some(RemoteObject::Proxy(Arc::clone(proxy))),
            Self::Stub(held) => match &*held.lock() {
                Held::Strong(object) => Some(object.clone()),
                Held::Passed(stub) => stub.upgrade().map(RemoteObject::Stub),
            },
        }
    }

    /// The proxy behind the wrapper, where it is of one.
    #[inline]
    pub(super) fn proxy(&self) -> Option<&Proxy> {
        match self {
            Self::Proxy(proxy) => Some(proxy),
            Self::Stub(_) => None,
        }
    }

    /// The object behind the wrapper, where it may be written to a parcel.
    pub(super) fn writable_object(&self) -> Option<RemoteObject> {
        let is_passed = matches!(self, Self::Stub(held) if matches!(*held.lock(), Held::Passed(_)));
        if is_passed && as_on_a_device(Difference::PassedStub) { None } else { self.object() }
    }

    /// Takes the strong reference to a stub out; the wrapper stays. `None` where it holds none.
    pub(super) fn take_stub(&self) -> Option<Arc<Stub>> {
        let Self::Stub(held) = self else { return None };
        let mut held = held.lock();
        let Held::Strong(RemoteObject::Stub(stub)) = &*held else { return None };
        let stub = Arc::clone(stub);
        *held = Held::Passed(Arc::downgrade(&stub));
        Some(stub)
    }
}

/// Puts a new value into memory of its own, to be given to the user as a pointer and to be ended by [`destroy`].
#[inline]
pub(super) fn give<T>(value: impl FnOnce() -> T) -> Result<*mut T, Failure> {
    let layout = Layout::new::<T>();
    if reserve::is_low() {
        return Err(Failure::NoMemory(layout.size()));
    }
    const { assert!(size_of::<T>() != 0, "a handle has an address of its own") };
    // SAFETY: the layout has a size.
    let pointer = unsafe { alloc(layout) }.cast::<T>();
    if pointer.is_null() {
        return Err(Failure::NoMemory(layout.size()));
    }
    // SAFETY: freshly allocated for a `T`.
    unsafe { pointer.write(value()) };
    Ok(pointer)
}

/// Ends what [`give`] gave.
///
/// # Safety
/// The pointer is NULL or came from [`give`] and was not destroyed, and nobody uses it.
#[inline]
pub(super) unsafe fn destroy<T>(pointer: *mut T) {
    if !pointer.is_null() {
        order::library_writes_for_user(pointer, 1);
        // SAFETY: `give` allocates as a box does; the caller vouches for the rest.
        drop(unsafe { Box::from_raw(pointer) });
    }
}
