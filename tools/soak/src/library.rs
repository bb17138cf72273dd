// SPDX-License-Identifier: Apache-2.0
//! `libipc_capi.so` through its public C functions, loaded from a path.
#![allow(unsafe_code)] // foreign functions and their pointers

use std::ffi::{CStr, c_char, c_int, c_void};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::ptr::{NonNull, null, null_mut};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) enum CParcel {}
pub(crate) enum CStub {}
pub(crate) enum CProxy {}
pub(crate) enum CRecipient {}

pub(crate) const SUCCESS: c_int = 0;
pub(crate) const DEAD: c_int = 1_901_005;
pub(crate) const INNER_ERROR: c_int = 1_901_007;
/// What a handler here returns where a process that it called was dead.
pub(crate) const DEAD_BEHIND: c_int = 1_909_001;
/// What a handler here returns where something was not as it has to be.
pub(crate) const WRONG: c_int = 1_909_002;

/// Bytes by which two processes meet without a third.
pub(crate) const REFERENCE_BYTES: usize = 64;
/// How many of them are the process's address.
pub(crate) const ADDRESS_BYTES: usize = 16;
pub(crate) type Reference = [u8; REFERENCE_BYTES];

type OnRequest = extern "C" fn(u32, *const CParcel, *mut CParcel, *mut c_void) -> c_int;
type OnEnd = extern "C" fn(*mut c_void);
type Allocator = extern "C" fn(i32) -> *mut c_void;

/// `OH_IPC_MessageOption`, which the header packs to 4 bytes.
#[repr(C, packed(4))]
struct MessageOption {
    mode: c_int,
    timeout: u32,
    reserved: *mut c_void,
}

const ASYNC: MessageOption = MessageOption { mode: 1, timeout: 0, reserved: null_mut() };

macro_rules! functions {
    ($($field:ident = $name:literal: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        struct Functions {
            $($field: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Functions {
            fn load(library: &libloading::Library) -> Result<Self, libloading::Error> {
                // SAFETY: the signatures are those of the project's headers and of src/capi/private_symbols.rs.
                unsafe { Ok(Self { $($field: *library.get($name)?,)* }) }
            }
        }
    };
}

functions! {
    parcel_create = c"OH_IPCParcel_Create": fn() -> *mut CParcel;
    parcel_destroy = c"OH_IPCParcel_Destroy": fn(*mut CParcel);
    readable_bytes = c"OH_IPCParcel_GetReadableBytes": fn(*const CParcel) -> c_int;
    rewind_write = c"OH_IPCParcel_RewindWritePosition": fn(*mut CParcel, u32) -> c_int;
    write_int64 = c"OH_IPCParcel_WriteInt64": fn(*mut CParcel, i64) -> c_int;
    read_int64 = c"OH_IPCParcel_ReadInt64": fn(*const CParcel, *mut i64) -> c_int;
    write_buffer = c"OH_IPCParcel_WriteBuffer": fn(*mut CParcel, *const u8, i32) -> c_int;
    read_buffer = c"OH_IPCParcel_ReadBuffer": fn(*const CParcel, i32) -> *const u8;
    write_stub = c"OH_IPCParcel_WriteRemoteStub": fn(*mut CParcel, *const CStub) -> c_int;
    write_proxy = c"OH_IPCParcel_WriteRemoteProxy": fn(*mut CParcel, *const CProxy) -> c_int;
    read_proxy = c"OH_IPCParcel_ReadRemoteProxy": fn(*const CParcel) -> *mut CProxy;
    write_descriptor = c"OH_IPCParcel_WriteFileDescriptor": fn(*mut CParcel, i32) -> c_int;
    read_descriptor = c"OH_IPCParcel_ReadFileDescriptor": fn(*const CParcel, *mut i32) -> c_int;
    stub_create = c"OH_IPCRemoteStub_Create":
        fn(*const c_char, OnRequest, Option<OnEnd>, *mut c_void) -> *mut CStub;
    stub_destroy = c"OH_IPCRemoteStub_Destroy": fn(*mut CStub);
    proxy_destroy = c"OH_IPCRemoteProxy_Destroy": fn(*mut CProxy);
    send_request = c"OH_IPCRemoteProxy_SendRequest":
        fn(*const CProxy, u32, *const CParcel, *mut CParcel, *const MessageOption) -> c_int;
    interface_descriptor = c"OH_IPCRemoteProxy_GetInterfaceDescriptor":
        fn(*mut CProxy, *mut *mut c_char, *mut i32, Allocator) -> c_int;
    recipient_create = c"OH_IPCDeathRecipient_Create": fn(OnEnd, Option<OnEnd>, *mut c_void) -> *mut CRecipient;
    recipient_destroy = c"OH_IPCDeathRecipient_Destroy": fn(*mut CRecipient);
    add_recipient = c"OH_IPCRemoteProxy_AddDeathRecipient": fn(*mut CProxy, *mut CRecipient) -> c_int;
    remove_recipient = c"OH_IPCRemoteProxy_RemoveDeathRecipient": fn(*mut CProxy, *mut CRecipient) -> c_int;
    is_dead = c"OH_IPCRemoteProxy_IsRemoteDead": fn(*const CProxy) -> c_int;
    set_max_work_threads = c"OH_IPCSkeleton_SetMaxWorkThreadNum": fn(c_int) -> c_int;
    reference_export = c"ipckit_reference_export": fn(*mut CStub, *mut u8) -> c_int;
    reference_import = c"ipckit_reference_import": fn(*const u8) -> *mut CProxy;
}

static FUNCTIONS: OnceLock<Functions> = OnceLock::new();

/// Loads the library, for as long as this process runs.
pub(crate) fn load(path: &Path) -> Result<(), libloading::Error> {
    // SAFETY: what runs at loading is our own library's.
    let library = unsafe { libloading::Library::new(path)? };
    let functions = Functions::load(&library)?;
    std::mem::forget(library);
    FUNCTIONS.get_or_init(|| functions);
    Ok(())
}

fn functions() -> &'static Functions {
    FUNCTIONS.get().expect("load() comes first")
}

/// Starts the library's runtime, with so many workers at the most.
pub(crate) fn start(workers: c_int) -> c_int {
    // SAFETY: takes a number.
    unsafe { (functions().set_max_work_threads)(workers) }
}

/// A parcel: one's own, or one that a handler has been given.
pub(crate) struct Parcel {
    parcel: NonNull<CParcel>,
    is_own: bool,
}

impl Parcel {
    pub(crate) fn new() -> Self {
        // SAFETY: takes nothing.
        let parcel = unsafe { (functions().parcel_create)() };
        Self { parcel: NonNull::new(parcel).expect("memory for a parcel"), is_own: true }
    }

    fn of_handler(parcel: *mut CParcel) -> Self {
        Self { parcel: NonNull::new(parcel).expect("a handler's parcel"), is_own: false }
    }

    fn as_ptr(&self) -> *mut CParcel {
        self.parcel.as_ptr()
    }

    pub(crate) fn write_number(&self, value: u64) -> &Self {
        // SAFETY: the parcel lives as long as `self`.
        let result = unsafe { (functions().write_int64)(self.as_ptr(), value.cast_signed()) };
        assert_eq!(result, SUCCESS, "WriteInt64");
        self
    }

    pub(crate) fn read_number(&self) -> Option<u64> {
        let mut value = 0;
        // SAFETY: the parcel lives as long as `self`, the number as this function.
        let result = unsafe { (functions().read_int64)(self.as_ptr(), &mut value) };
        (result == SUCCESS).then_some(value.cast_unsigned())
    }

    pub(crate) fn write_bytes(&self, bytes: &[u8]) -> &Self {
        // SAFETY: `bytes` are readable; the parcel lives as long as `self`.
        let result = unsafe { (functions().write_buffer)(self.as_ptr(), bytes.as_ptr(), bytes.len() as i32) };
        assert_eq!(result, SUCCESS, "WriteBuffer");
        self
    }

    /// All bytes behind the read cursor, in place.
    pub(crate) fn read_rest(&self) -> &[u8] {
        // SAFETY: the bytes lie in the parcel, which lives as long as `self` and is not written to while it is read.
        unsafe {
            let size = (functions().readable_bytes)(self.as_ptr());
            if size == 0 {
                return &[];
            }
            let bytes = (functions().read_buffer)(self.as_ptr(), size);
            if bytes.is_null() { &[] } else { std::slice::from_raw_parts(bytes, size as usize) }
        }
    }

    /// The next thing is written at this offset, which lies in a number that is written for that.
    pub(crate) fn go_on_at(&self, offset: u32) -> &Self {
        self.write_number(0);
        // SAFETY: the parcel lives as long as `self`.
        assert_eq!(unsafe { (functions().rewind_write)(self.as_ptr(), offset) }, SUCCESS, "RewindWritePosition");
        self
    }

    pub(crate) fn write_stub(&self, stub: &Stub) -> &Self {
        // SAFETY: both live as long as their borrows.
        assert_eq!(unsafe { (functions().write_stub)(self.as_ptr(), stub.0.as_ptr()) }, SUCCESS, "WriteRemoteStub");
        self
    }

    pub(crate) fn write_proxy(&self, proxy: &Proxy) -> &Self {
        // SAFETY: both live as long as their borrows.
        assert_eq!(unsafe { (functions().write_proxy)(self.as_ptr(), proxy.0.as_ptr()) }, SUCCESS, "WriteRemoteProxy");
        self
    }

    pub(crate) fn read_proxy(&self) -> Option<Proxy> {
        // SAFETY: the parcel lives as long as `self`.
        NonNull::new(unsafe { (functions().read_proxy)(self.as_ptr()) }).map(Proxy)
    }

    pub(crate) fn write_descriptor(&self, descriptor: BorrowedFd<'_>) -> &Self {
        // SAFETY: the parcel lives as long as `self`.
        let result = unsafe { (functions().write_descriptor)(self.as_ptr(), descriptor.as_raw_fd()) };
        assert_eq!(result, SUCCESS, "WriteFileDescriptor");
        self
    }

    pub(crate) fn read_descriptor(&self) -> Option<OwnedFd> {
        let mut descriptor = -1;
        // SAFETY: the parcel lives as long as `self`, the number as this function; what is read is the caller's own.
        unsafe {
            let result = (functions().read_descriptor)(self.as_ptr(), &mut descriptor);
            (result == SUCCESS).then(|| OwnedFd::from_raw_fd(descriptor))
        }
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        if self.is_own {
            // SAFETY: ours, and nobody has destroyed it.
            unsafe { (functions().parcel_destroy)(self.as_ptr()) }
        }
    }
}

/// A proxy, destroyed with this value.
pub(crate) struct Proxy(NonNull<CProxy>);

// SAFETY: the library's proxies may be used by any thread, and by several at once.
unsafe impl Send for Proxy {}
// SAFETY: as above.
unsafe impl Sync for Proxy {}

impl Proxy {
    pub(crate) fn import(reference: &Reference) -> Option<Self> {
        // SAFETY: REFERENCE_BYTES are readable.
        NonNull::new(unsafe { (functions().reference_import)(reference.as_ptr()) }).map(Self)
    }

    pub(crate) fn call(&self, code: u32, data: &Parcel, reply: &Parcel) -> c_int {
        // SAFETY: all three are valid for the time of the call.
        unsafe { (functions().send_request)(self.0.as_ptr(), code, data.as_ptr(), reply.as_ptr(), null()) }
    }

    pub(crate) fn post(&self, code: u32, data: &Parcel) -> c_int {
        // SAFETY: as above; an asynchronous request has no reply.
        unsafe { (functions().send_request)(self.0.as_ptr(), code, data.as_ptr(), null_mut(), &ASYNC) }
    }

    /// Asks for the interface descriptor.
    pub(crate) fn ask_descriptor(&self) -> (c_int, Vec<u8>) {
        extern "C" fn allocate(size: i32) -> *mut c_void {
            // SAFETY: takes a size; freed below.
            unsafe { libc::malloc(size as usize) }
        }
        let (mut text, mut len) = (null_mut(), 0);
        // SAFETY: the pointers are to locals; a text that comes is malloc's, of `len` bytes with the NUL.
        unsafe {
            let result = (functions().interface_descriptor)(self.0.as_ptr(), &mut text, &mut len, allocate);
            let bytes = if text.is_null() { Vec::new() } else { CStr::from_ptr(text).to_bytes().to_vec() };
            libc::free(text.cast());
            (result, bytes)
        }
    }

    pub(crate) fn is_dead(&self) -> bool {
        // SAFETY: the proxy is valid.
        unsafe { (functions().is_dead)(self.0.as_ptr()) != 0 }
    }

    pub(crate) fn add_recipient(&self, recipient: &Recipient) -> c_int {
        // SAFETY: both live as long as their borrows.
        unsafe { (functions().add_recipient)(self.0.as_ptr(), recipient.0.as_ptr()) }
    }

    pub(crate) fn remove_recipient(&self, recipient: &Recipient) -> c_int {
        // SAFETY: both live as long as their borrows.
        unsafe { (functions().remove_recipient)(self.0.as_ptr(), recipient.0.as_ptr()) }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // SAFETY: ours, and nobody has destroyed it.
        unsafe { (functions().proxy_destroy)(self.0.as_ptr()) }
    }
}

/// What a stub does with a request.
pub(crate) type Handler = fn(u32, &Parcel, &Parcel) -> c_int;

/// A stub of this process, destroyed with this value; others may hold it longer.
pub(crate) struct Stub(NonNull<CStub>);

// SAFETY: the library's stubs may be used by any thread.
unsafe impl Send for Stub {}
// SAFETY: as above.
unsafe impl Sync for Stub {}

/// Stubs that nobody has let go of yet.
static STUBS: AtomicU64 = AtomicU64::new(0);

/// How many stubs of this process live.
pub(crate) fn living_stubs() -> u64 {
    STUBS.load(Ordering::SeqCst)
}

/// What all stubs here say they are.
pub(crate) const INTERFACE: &CStr = c"soak";

impl Stub {
    pub(crate) fn new(handler: Handler) -> Self {
        extern "C" fn on_request(
            code: u32,
            data: *const CParcel,
            reply: *mut CParcel,
            user_data: *mut c_void,
        ) -> c_int {
            // SAFETY: the user data is the handler that `new` has boxed, which lives until `on_end`.
            let handler = unsafe { *user_data.cast::<Handler>() };
            handler(code, &Parcel::of_handler(data.cast_mut()), &Parcel::of_handler(reply))
        }
        extern "C" fn on_end(user_data: *mut c_void) {
            // SAFETY: as above; this is called once.
            drop(unsafe { Box::from_raw(user_data.cast::<Handler>()) });
            STUBS.fetch_sub(1, Ordering::SeqCst);
        }
        STUBS.fetch_add(1, Ordering::SeqCst);
        let user_data = Box::into_raw(Box::new(handler)).cast();
        // SAFETY: the text ends with NUL, and the functions expect this user data.
        let stub = unsafe { (functions().stub_create)(INTERFACE.as_ptr(), on_request, Some(on_end), user_data) };
        Self(NonNull::new(stub).expect("a stub"))
    }

    /// Bytes by which another process gets a proxy, once. The stub lives until that process has let go of it.
    pub(crate) fn export(self) -> Reference {
        let mut reference = [0; REFERENCE_BYTES];
        // SAFETY: the stub is valid, and there is room for the reference.
        let result = unsafe { (functions().reference_export)(self.0.as_ptr(), reference.as_mut_ptr()) };
        assert_eq!(result, SUCCESS, "ipckit_reference_export");
        reference
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        // SAFETY: ours, and nobody has destroyed it.
        unsafe { (functions().stub_destroy)(self.0.as_ptr()) }
    }
}

/// How often a recipient was told, and whether it is gone.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) times: AtomicU64,
    pub(crate) ended: AtomicU64,
}

/// A death recipient, destroyed with this value; entries may keep it longer.
pub(crate) struct Recipient(NonNull<CRecipient>);

// SAFETY: the library's recipients may be used by any thread.
unsafe impl Send for Recipient {}
// SAFETY: as above.
unsafe impl Sync for Recipient {}

impl Recipient {
    pub(crate) fn new(told: &std::sync::Arc<Told>) -> Self {
        extern "C" fn on_death(user_data: *mut c_void) {
            // SAFETY: the user data is what `new` has taken of an Arc, which lives until `on_end`.
            unsafe { &*user_data.cast::<Told>() }.times.fetch_add(1, Ordering::SeqCst);
        }
        extern "C" fn on_end(user_data: *mut c_void) {
            // SAFETY: as above; this is called once.
            let told = unsafe { std::sync::Arc::from_raw(user_data.cast_const().cast::<Told>()) };
            told.ended.fetch_add(1, Ordering::SeqCst);
        }
        let user_data = std::sync::Arc::into_raw(std::sync::Arc::clone(told)).cast_mut().cast();
        // SAFETY: the functions expect this user data.
        let recipient = unsafe { (functions().recipient_create)(on_death, Some(on_end), user_data) };
        Self(NonNull::new(recipient).expect("a recipient"))
    }
}

impl Drop for Recipient {
    fn drop(&mut self) {
        // SAFETY: ours, and nobody has destroyed it.
        unsafe { (functions().recipient_destroy)(self.0.as_ptr()) }
    }
}

pub(crate) fn to_hex(reference: &[u8]) -> String {
    reference.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn from_hex(text: &str) -> Option<Reference> {
    if !text.is_ascii() || text.len() != 2 * REFERENCE_BYTES {
        return None;
    }
    let mut reference = [0; REFERENCE_BYTES];
    for (index, byte) in reference.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(reference)
}
