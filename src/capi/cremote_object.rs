// SPDX-License-Identifier: Apache-2.0
//! `ipc_cremote_object.h`, which says what each function does and what it asks of its caller.
#![allow(unsafe_code, reason = "exported functions take the user's pointers and call the user's functions")]
#![allow(non_snake_case, non_camel_case_types, reason = "the names in the header")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ops::RangeInclusive;
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;

use super::boundary::{self, Failure, enter, status, value_or};
use super::callback::{self, OH_IPC_MemAllocator};
use super::error_code::ErrorCode;
use super::handle::{OHIPCDeathRecipient, OHIPCParcel, OHIPCRemoteProxy, OHIPCRemoteStub, Wrapper, destroy, give};
use crate::host::behaviour::{Difference, as_on_a_device, keep_for_ever};
use crate::host::mutation::Mutation;
use crate::object::{DeathHandler, DeathRecipient, Parcel, Proxy, RemoteObject, RequestHandler, Stub};
use crate::parcel::{MAX_TEXT, TextError, through_utf16};
use crate::runtime::{CallError, Process, call, death, identity};
use crate::sys::lock::Mutex;
use crate::sys::order;

/// Codes that a request may have.
const REQUEST_CODES: RangeInclusive<u32> = 0x01..=0x00ff_ffff;

/// Codes that a handler may return: the library's own, and the user's.
const ERROR_CODES: RangeInclusive<c_int> = ErrorCode::CheckParam as c_int..=ErrorCode::Inner as c_int;
const USER_ERROR_CODES: RangeInclusive<c_int> = 1_909_000..=1_909_999;

const SUCCESS: c_int = ErrorCode::Success as c_int;

const OH_IPC_REQUEST_MODE_SYNC: c_int = 0;
const OH_IPC_REQUEST_MODE_ASYNC: c_int = 1;

/// How a request is sent.
#[repr(C, packed(4))]
#[derive(Clone, Copy)]
pub struct OH_IPC_MessageOption {
    mode: c_int,
    timeout: u32,
    reserved: *mut c_void,
}

/// Is told of a death.
pub type OH_OnDeathRecipientCallback = Option<unsafe extern "C-unwind" fn(userData: *mut c_void)>;

/// Is told that a death recipient is gone.
pub type OH_OnDeathRecipientDestroyCallback = Option<unsafe extern "C-unwind" fn(userData: *mut c_void)>;

/// Handles a request.
pub type OH_OnRemoteRequestCallback = Option<
    unsafe extern "C-unwind" fn(
        code: u32,
        data: *const OHIPCParcel,
        reply: *mut OHIPCParcel,
        userData: *mut c_void,
    ) -> c_int,
>;

/// Is told that a stub has died.
pub type OH_OnRemoteDestroyCallback = Option<unsafe extern "C-unwind" fn(userData: *mut c_void)>;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCRemoteStub_Create(
    descriptor: *const c_char,
    requestCallback: OH_OnRemoteRequestCallback,
    destroyCallback: OH_OnRemoteDestroyCallback,
    userData: *mut c_void,
) -> *mut OHIPCRemoteStub {
    value_or("OH_IPCRemoteStub_Create", null_mut(), || {
        let request = requestCallback.ok_or(Failure::Null("requestCallback"))?;
        // SAFETY: the caller keeps the header's promise.
        let descriptor = unsafe { descriptor_of(descriptor) }?;
        if Mutation::StubsStartThreads.is_on() {
            Process::current()?;
        }
        let callbacks = Callbacks { request, destroy: destroyCallback, user_data: userData };
        Wrapper::give_new(|| RemoteObject::Stub(Stub::new(descriptor, Box::new(callbacks))))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCRemoteStub_Destroy(stub: *mut OHIPCRemoteStub) {
    enter("OH_IPCRemoteStub_Destroy", (), || {
        if Mutation::DestroyedStubsAreGone.is_on()
            && let Some(process) = Process::started()
        {
            // SAFETY: the caller has not given it up yet.
            let wrapper = unsafe { Wrapper::get(stub, "stub") };
            if let Some(RemoteObject::Stub(stub)) = &wrapper.ok().and_then(Wrapper::object) {
                process.take_back_from_all(stub);
            }
        }
        // SAFETY: the caller gives the stub up.
        unsafe { Wrapper::destroy(stub) };
    });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCRemoteProxy_Destroy(proxy: *mut OHIPCRemoteProxy) {
    enter("OH_IPCRemoteProxy_Destroy", (), || {
        if (Mutation::DestroyedWrappersEndTheObject.is_on() || Mutation::WrappersTakeEntriesAlong.is_on())
            // SAFETY: the caller has not given it up yet.
            && let Some(proxy) = unsafe { Wrapper::get(proxy, "proxy") }.ok().and_then(Wrapper::proxy)
        {
            if Mutation::WrappersTakeEntriesAlong.is_on() { proxy.lose_recipients() } else { proxy.lose_hold() }
        }
        // SAFETY: the caller gives the proxy up.
        unsafe { Wrapper::destroy(proxy) };
    });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCRemoteProxy_SendRequest(
    proxy: *const OHIPCRemoteProxy,
    code: u32,
    data: *const OHIPCParcel,
    reply: *mut OHIPCParcel,
    option: *const OH_IPC_MessageOption,
) -> c_int {
    boundary::code("OH_IPCRemoteProxy_SendRequest", || {
        // Declared first, so that its end is the last thing before the caller goes on.
        let _post;
        // SAFETY: the caller keeps the header's promise for all four pointers.
        let (wrapper, mode) = unsafe {
            OHIPCParcel::get(data).map_err(|_| Failure::Null("data"))?;
            (Wrapper::get(proxy, "proxy")?, mode_of(option)?)
        };
        let is_code = (REQUEST_CODES.contains(&code) && !(code == 0x00ff_ffff && Mutation::OneCodeTooFew.is_on()))
            || (code == 0x0100_0000 && Mutation::OneCodeTooMany.is_on())
            || (reply.is_null() && Mutation::NullReplyIsLookedAtFirst.is_on());
        if !is_code {
            return Err(Failure::RequestCode(code));
        }
        if reply.is_null() && mode == OH_IPC_REQUEST_MODE_SYNC {
            return Err(Failure::Null("reply"));
        }
        let mode = if Mutation::AsyncRequestsWait.is_on() { OH_IPC_REQUEST_MODE_SYNC } else { mode };
        if mode == OH_IPC_REQUEST_MODE_ASYNC
            && let Some(proxy) = wrapper.proxy()
        {
            _post = call::begin_post(proxy);
            // SAFETY: as above.
            return unsafe { post(proxy, code, data) };
        }
        // The user's code may destroy the wrapper while the call waits.
        match &wrapper.object().ok_or(CallError::Dead)? {
            // SAFETY: as above.
            RemoteObject::Stub(stub) => Ok(unsafe { call_directly(stub, code, data, reply) }),
            // SAFETY: as above.
            RemoteObject::Proxy(proxy) => unsafe { call(proxy, code, data, reply) },
        }
    })
}

/// The mode of a request.
///
/// # Safety
/// The pointer is NULL or to an option that nobody changes meanwhile.
unsafe fn mode_of(option: *const OH_IPC_MessageOption) -> Result<c_int, Failure> {
    if option.is_null() {
        return Ok(if Mutation::NoOptionIsAsync.is_on() {
            OH_IPC_REQUEST_MODE_ASYNC
        } else {
            OH_IPC_REQUEST_MODE_SYNC
        });
    }
    // SAFETY: the caller vouches for it. The structure is packed, so a reference to a field could be unaligned.
    let option = unsafe { option.read_unaligned() };
    let (reserved, timeout) = (option.reserved, option.timeout);
    if timeout > i32::MAX.unsigned_abs() && Mutation::LongTimeoutsAreOver.is_on() {
        return Err(Failure::Argument { name: "option.timeout", value: timeout.into(), expected: "less" });
    }
    if reserved.is_null() || Mutation::ReservedIsIgnored.is_on() {
        Ok(if Mutation::UnknownModesAreAsync.is_on() { option.mode.min(1) } else { option.mode })
    } else {
        Err(Failure::Argument { name: "option.reserved", value: reserved as i64, expected: "NULL" })
    }
}

/// Calls a stub of this very process: its handler gets the caller's own parcels.
///
/// # Safety
/// `data` is a parcel, `reply` one or NULL; nobody else uses them until the call returns.
unsafe fn call_directly(stub: &Stub, code: u32, data: *const OHIPCParcel, reply: *mut OHIPCParcel) -> c_int {
    let mut unwanted = Parcel::new();
    let reply = if Mutation::DirectRepliesAreLost.is_on() { null_mut() } else { reply };
    let reply = NonNull::new(reply.cast()).unwrap_or(NonNull::from(&mut unwanted));
    // SAFETY: not NULL by the caller's promise.
    let data = unsafe { NonNull::new_unchecked(data.cast_mut().cast()) };
    let handle = || mapped(stub.handle(code, data, reply));
    let result = if Mutation::DirectCallsAreRequests.is_on() {
        identity::handle_as_request(handle)
    } else if Mutation::DirectCallsRunElsewhere.is_on() {
        on_another_thread(handle)
    } else {
        handle()
    };
    if Mutation::UnwantedDirectRepliesStay.is_on() {
        std::mem::forget(unwanted);
    }
    if Mutation::DirectErrorsAreLost.is_on() { SUCCESS } else { result }
}

/// Where a mutation has a direct call run.
fn on_another_thread<T: Send>(handle: impl FnOnce() -> T) -> T {
    struct Sent<F>(F);
    // SAFETY: the thread that sends it waits until it has run.
    unsafe impl<F> Send for Sent<F> {}
    impl<T, F: FnOnce() -> T> Sent<F> {
        fn run(self) -> T {
            (self.0)()
        }
    }
    let sent = Sent(handle);
    std::thread::scope(|scope| scope.spawn(|| sent.run()).join()).expect("handlers do not panic")
}

/// Sends an asynchronous request.
///
/// # Safety
/// `data` is a parcel that nobody else uses until the call returns.
unsafe fn post(proxy: &Proxy, code: u32, data: *const OHIPCParcel) -> Result<c_int, Failure> {
    let told = proxy.death_told();
    // SAFETY: the caller vouches for it.
    call::post(proxy, code, unsafe { OHIPCParcel::get(data) }?).map_err(|error| request_failure(told, error))?;
    // SAFETY: as above; the reference before has ended.
    unsafe { note_forwarded(data) };
    Ok(SUCCESS)
}

/// Sends a synchronous request.
///
/// # Safety
/// `data` is a parcel, `reply` one or NULL; nobody else uses them until the call returns. They may be the same.
unsafe fn call(proxy: &Proxy, code: u32, data: *const OHIPCParcel, reply: *mut OHIPCParcel) -> Result<c_int, Failure> {
    let told = proxy.death_told();
    // SAFETY: the caller vouches for it.
    let answer = call::call(proxy, code, unsafe { OHIPCParcel::get(data) }?);
    let answer = answer.map_err(|error| request_failure(told, error))?;
    // SAFETY: as above; the reference before has ended.
    unsafe { note_forwarded(data) };
    let wrote = answer.reply.data_size() > 0;
    let result = match mapped(answer.code) {
        SUCCESS => SUCCESS,
        _ if wrote && as_on_a_device(Difference::ErrorWithReply) => SUCCESS,
        error => error,
    };
    let received = if result == SUCCESS || Mutation::ErrorsBringTheReply.is_on() {
        answer.reply
    } else if Mutation::ErrorsSpendTheReply.is_on() {
        Parcel::received(Vec::new(), Vec::new(), None).unwrap_or_default()
    } else {
        Parcel::new()
    };
    // SAFETY: as above.
    if let Ok(reply) = unsafe { OHIPCParcel::get_mut(reply) } {
        // What the content that goes ends may run the user's code, which may use the reply.
        let is_spent = reply.is_read_only() && reply.data_size() == 0 && Mutation::ErrorsSpendTheReply.is_on();
        let gone = if is_spent || (wrote && !reply.is_fresh() && as_on_a_device(Difference::UsedReply)) {
            reply.close_to_writes();
            keep_for_ever(received);
            None
        } else {
            Some(std::mem::replace(reply, received))
        };
        if Mutation::ReplacedRepliesStay.is_on() {
            std::mem::forget(gone);
            return Ok(result);
        }
        drop(gone);
    }
    Ok(result)
}

/// Why a request failed that began when the death `was_told` or not: one that is under way then ends as one before the notice.
fn request_failure(was_told: bool, error: CallError) -> Failure {
    match error {
        CallError::Dead if was_told && as_on_a_device(Difference::RequestAfterNotice) => Failure::RequestAfterNotice,
        error => error.into(),
    }
}

/// A received parcel can be passed on once.
///
/// # Safety
/// `data` is a parcel that nobody else uses until the call returns.
unsafe fn note_forwarded(data: *const OHIPCParcel) {
    // SAFETY: the caller vouches for it; the header's `const` means the content that a user sees, which is emptied here on purpose.
    unsafe {
        // Others may send a parcel that is not changed here at the same time.
        if OHIPCParcel::get(data).is_ok_and(|data| data.is_read_only() || Mutation::SentDataIsEmptied.is_on())
            && !Mutation::PassedOnDataStays.is_on()
            && let Ok(data) = OHIPCParcel::get_mut(data.cast_mut())
        {
            data.clear_forwarded();
        }
    }
}

/// What a caller gets of what a handler returned.
fn mapped(code: i32) -> c_int {
    let code = if code == 1_909_999 && Mutation::LastUserCodeIsMapped.is_on() { code + 1 } else { code };
    let allowed = code == SUCCESS || ERROR_CODES.contains(&code) || USER_ERROR_CODES.contains(&code);
    if allowed {
        return code;
    }
    ipckit_log::warn_once_a_second(format_args!(
        "a request handler returned {code}; only 0, {ERROR_CODES:?} and {USER_ERROR_CODES:?} reach the caller as they are"
    ));
    ErrorCode::InvalidUserErrorCode.into()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCRemoteProxy_GetInterfaceDescriptor(
    proxy: *mut OHIPCRemoteProxy,
    descriptor: *mut *mut c_char,
    len: *mut i32,
    allocator: OH_IPC_MemAllocator,
) -> c_int {
    status("OH_IPCRemoteProxy_GetInterfaceDescriptor", || {
        // SAFETY: the caller keeps the header's promise.
        let wrapper = unsafe { Wrapper::get(proxy, "proxy") }?;
        let descriptor = NonNull::new(descriptor).ok_or(Failure::Null("descriptor"))?;
        let len = NonNull::new(len).ok_or(Failure::Null("len"))?;
        let allocator = allocator.ok_or(Failure::Null("allocator"))?;
        let object = wrapper.object().ok_or(CallError::Dead)?;
        let text = match &object {
            RemoteObject::Stub(stub) => stub.descriptor(),
            RemoteObject::Proxy(proxy) => match call::descriptor(proxy) {
                Err(CallError::Dead) if as_on_a_device(Difference::DescriptorOfDead) => "",
                descriptor => descriptor?,
            },
        };
        // SAFETY: as above.
        unsafe { callback::give_text(text, descriptor, len, allocator) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCDeathRecipient_Create(
    deathRecipientCallback: OH_OnDeathRecipientCallback,
    destroyCallback: OH_OnDeathRecipientDestroyCallback,
    userData: *mut c_void,
) -> *mut OHIPCDeathRecipient {
    value_or("OH_IPCDeathRecipient_Create", null_mut(), || {
        let death = deathRecipientCallback.ok_or(Failure::Null("deathRecipientCallback"))?;
        let callbacks = DeathCallbacks { death, destroy: destroyCallback, user_data: userData };
        give(|| OHIPCDeathRecipient(DeathRecipient::new(Box::new(callbacks))))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCDeathRecipient_Destroy(recipient: *mut OHIPCDeathRecipient) {
    enter("OH_IPCDeathRecipient_Destroy", (), || {
        // SAFETY: the caller gives the recipient up.
        unsafe { destroy(recipient) };
    });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCRemoteProxy_AddDeathRecipient(
    proxy: *mut OHIPCRemoteProxy,
    recipient: *mut OHIPCDeathRecipient,
) -> c_int {
    status("OH_IPCRemoteProxy_AddDeathRecipient", || {
        // SAFETY: the caller keeps the header's promise.
        let both = match unsafe { proxy_and_recipient(proxy, recipient) } {
            Err(Failure::OwnStub) if Mutation::OwnStubsTakeRecipients.is_on() => return Ok(()),
            both => both,
        };
        let (proxy, recipient) = both?;
        Ok(death::add_recipient(&proxy, recipient)?)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCRemoteProxy_RemoveDeathRecipient(
    proxy: *mut OHIPCRemoteProxy,
    recipient: *mut OHIPCDeathRecipient,
) -> c_int {
    status("OH_IPCRemoteProxy_RemoveDeathRecipient", || {
        // SAFETY: the caller keeps the header's promise.
        let (proxy, recipient) = unsafe { proxy_and_recipient(proxy, recipient) }?;
        Ok(proxy.remove_recipient(&recipient)?)
    })
}

/// The proxy behind a wrapper, which must not be of a stub of this process, and the recipient.
///
/// # Safety
/// The pointers are NULL, or a wrapper and a recipient that nobody destroys meanwhile.
unsafe fn proxy_and_recipient(
    proxy: *mut OHIPCRemoteProxy,
    recipient: *mut OHIPCDeathRecipient,
) -> Result<(Arc<Proxy>, Arc<DeathRecipient>), Failure> {
    // SAFETY: the caller vouches for both.
    let (wrapper, recipient) = unsafe { (Wrapper::get(proxy, "proxy")?, recipient.as_ref()) };
    let recipient = recipient.ok_or(Failure::Null("recipient"))?;
    drop(Mutation::CallbacksHoldALock.is_on().then(|| HELD_BY_CALLBACKS.lock()));
    match &wrapper.object() {
        Some(RemoteObject::Proxy(proxy)) => Ok((Arc::clone(proxy), Arc::clone(&recipient.0))),
        Some(RemoteObject::Stub(_)) | None => Err(Failure::OwnStub),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCRemoteProxy_IsRemoteDead(proxy: *const OHIPCRemoteProxy) -> c_int {
    const DEAD: c_int = 1;
    let otherwise = if Mutation::NullIsNotDead.is_on() { 0 } else { DEAD };
    value_or("OH_IPCRemoteProxy_IsRemoteDead", otherwise, || {
        // SAFETY: the caller keeps the header's promise.
        let wrapper = unsafe { Wrapper::get(proxy, "proxy") }?;
        Ok(match &wrapper.object() {
            Some(RemoteObject::Stub(_)) => 0,
            Some(RemoteObject::Proxy(proxy)) => {
                let is_dead = proxy.is_dead();
                if is_dead {
                    order::received();
                }
                let told = proxy.death_told();
                (is_dead && (told || !as_on_a_device(Difference::UnnoticedDeath))).into()
            }
            None => DEAD,
        })
    })
}

/// The descriptor as every proxy will report it.
///
/// # Safety
/// The pointer is NULL or a string that ends and that nobody changes meanwhile.
unsafe fn descriptor_of(descriptor: *const c_char) -> Result<String, Failure> {
    if descriptor.is_null() {
        return Err(Failure::Null("descriptor"));
    }
    // SAFETY: the caller vouches for it.
    let text = unsafe { CStr::from_ptr(descriptor) }.to_bytes();
    if text.is_empty() || text.len() > MAX_TEXT {
        return Err(Failure::DescriptorLength(text.len()));
    }
    if Mutation::DescriptorsAreNotChecked.is_on() {
        return Ok(String::from_utf8_lossy(text).into_owned());
    }
    through_utf16(text).map_err(|error| match error {
        TextError::NoMemory => Failure::NoMemory(text.len()),
        TextError::CutShort | TextError::Empty => Failure::DescriptorText(error),
    })
}

/// What a user gave for a stub.
struct Callbacks {
    request: unsafe extern "C-unwind" fn(u32, *const OHIPCParcel, *mut OHIPCParcel, *mut c_void) -> c_int,
    destroy: OH_OnRemoteDestroyCallback,
    user_data: *mut c_void,
}

// SAFETY: the header tells users that their callbacks run on any thread, and so where `userData` goes.
unsafe impl Send for Callbacks {}
// SAFETY: and that several can run at once.
unsafe impl Sync for Callbacks {}

impl RequestHandler for Callbacks {
    fn handle(&self, code: u32, data: NonNull<Parcel>, reply: NonNull<Parcel>) -> i32 {
        let (data, reply) = (data.cast::<OHIPCParcel>(), reply.cast::<OHIPCParcel>());
        // SAFETY: the user's function takes parcels that are valid for the call, which the caller vouches for, and its own userData.
        callback::run("request callback of a stub", || unsafe {
            (self.request)(code, data.as_ptr(), reply.as_ptr(), self.user_data)
        })
    }
}

impl Drop for Callbacks {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy.filter(|_| !Mutation::StubsAreNotDestroyed.is_on()) {
            // SAFETY: the user's function takes its own userData, and is called this once.
            callback::run("destroy callback of a stub", || unsafe {
                if Mutation::StubsAreDestroyedTwice.is_on() {
                    destroy(self.user_data);
                }
                destroy(self.user_data);
            });
        }
    }
}

/// What a user gave for a death recipient.
struct DeathCallbacks {
    death: unsafe extern "C-unwind" fn(*mut c_void),
    destroy: OH_OnDeathRecipientDestroyCallback,
    user_data: *mut c_void,
}

// SAFETY: the header tells users that their callbacks run on any thread, and so where `userData` goes.
unsafe impl Send for DeathCallbacks {}
// SAFETY: and that several can run at once.
unsafe impl Sync for DeathCallbacks {}

/// What a mutation holds while a callback runs.
static HELD_BY_CALLBACKS: Mutex<()> = Mutex::new(());

impl DeathHandler for DeathCallbacks {
    fn on_death(&self) {
        let _held = Mutation::CallbacksHoldALock.is_on().then(|| HELD_BY_CALLBACKS.lock());
        // SAFETY: the user's function takes its own userData.
        callback::run("callback of a death recipient", || unsafe { (self.death)(self.user_data) });
    }
}

impl Drop for DeathCallbacks {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy.filter(|_| !Mutation::RecipientsAreNotDestroyed.is_on()) {
            // SAFETY: the user's function takes its own userData, and is called this once.
            callback::run("destroy callback of a death recipient", || unsafe { destroy(self.user_data) });
        }
    }
}
