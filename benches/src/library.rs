// SPDX-License-Identifier: Apache-2.0
//! `libipc_capi.so` through its public C functions, loaded from a path.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::Path;
use std::ptr::{NonNull, null, null_mut};
use std::sync::OnceLock;

use anyhow::{Result, bail, ensure};

pub enum CParcel {}
pub enum CStub {}
pub enum CProxy {}
pub enum CRecipient {}

pub const SUCCESS: c_int = 0;
/// The receiver has no room for the message.
pub const INNER_ERROR: c_int = 1_901_007;
/// Bytes by which two processes meet without a third.
pub const REFERENCE_BYTES: usize = 64;
pub type Reference = [u8; REFERENCE_BYTES];
/// What a parcel holds at most.
pub const PARCEL_BYTES: usize = 204_800;

pub type OnRequest = extern "C" fn(u32, *const CParcel, *mut CParcel, *mut c_void) -> c_int;
pub type OnDeath = extern "C" fn(*mut c_void);
pub type Allocator = extern "C" fn(i32) -> *mut c_void;

/// `OH_IPC_MessageOption`, which the header packs to 4 bytes.
#[repr(C, packed(4))]
pub struct MessageOption {
    pub mode: c_int,
    pub timeout: u32,
    pub reserved: *mut c_void,
}

pub const ASYNC: MessageOption = MessageOption { mode: 1, timeout: 0, reserved: null_mut() };

macro_rules! functions {
    ($($field:ident = $name:literal: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        pub struct Functions {
            $(pub $field: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Functions {
            fn load(library: &libloading::Library) -> Result<Self> {
                // SAFETY: the signatures are those of the project's headers and of src/capi/private_symbols.rs.
                unsafe { Ok(Self { $($field: *library.get($name)?,)* }) }
            }
        }
    };
}

functions! {
    parcel_create = c"OH_IPCParcel_Create": fn() -> *mut CParcel;
    parcel_destroy = c"OH_IPCParcel_Destroy": fn(*mut CParcel);
    data_size = c"OH_IPCParcel_GetDataSize": fn(*const CParcel) -> c_int;
    write_int32 = c"OH_IPCParcel_WriteInt32": fn(*mut CParcel, i32) -> c_int;
    read_int32 = c"OH_IPCParcel_ReadInt32": fn(*const CParcel, *mut i32) -> c_int;
    write_string = c"OH_IPCParcel_WriteString": fn(*mut CParcel, *const c_char) -> c_int;
    read_string = c"OH_IPCParcel_ReadString": fn(*const CParcel) -> *const c_char;
    write_buffer = c"OH_IPCParcel_WriteBuffer": fn(*mut CParcel, *const u8, i32) -> c_int;
    read_buffer = c"OH_IPCParcel_ReadBuffer": fn(*const CParcel, i32) -> *const u8;
    write_token = c"OH_IPCParcel_WriteInterfaceToken": fn(*mut CParcel, *const c_char) -> c_int;
    read_token = c"OH_IPCParcel_ReadInterfaceToken":
        fn(*const CParcel, *mut *mut c_char, *mut i32, Allocator) -> c_int;
    write_stub = c"OH_IPCParcel_WriteRemoteStub": fn(*mut CParcel, *const CStub) -> c_int;
    read_proxy = c"OH_IPCParcel_ReadRemoteProxy": fn(*const CParcel) -> *mut CProxy;
    stub_create = c"OH_IPCRemoteStub_Create":
        fn(*const c_char, OnRequest, Option<OnDeath>, *mut c_void) -> *mut CStub;
    stub_destroy = c"OH_IPCRemoteStub_Destroy": fn(*mut CStub);
    proxy_destroy = c"OH_IPCRemoteProxy_Destroy": fn(*mut CProxy);
    send_request = c"OH_IPCRemoteProxy_SendRequest":
        fn(*const CProxy, u32, *const CParcel, *mut CParcel, *const MessageOption) -> c_int;
    recipient_create = c"OH_IPCDeathRecipient_Create":
        fn(OnDeath, Option<OnDeath>, *mut c_void) -> *mut CRecipient;
    recipient_destroy = c"OH_IPCDeathRecipient_Destroy": fn(*mut CRecipient);
    add_recipient = c"OH_IPCRemoteProxy_AddDeathRecipient": fn(*mut CProxy, *mut CRecipient) -> c_int;
    set_max_work_threads = c"OH_IPCSkeleton_SetMaxWorkThreadNum": fn(c_int) -> c_int;
    reference_export = c"ipckit_reference_export": fn(*mut CStub, *mut u8) -> c_int;
    reference_import = c"ipckit_reference_import": fn(*const u8) -> *mut CProxy;
}

static FUNCTIONS: OnceLock<Functions> = OnceLock::new();

/// Loads the library, for as long as this process runs.
pub fn load(path: &Path) -> Result<()> {
    // SAFETY: what runs at loading is our own library's.
    let library = unsafe { libloading::Library::new(path)? };
    let functions = Functions::load(&library)?;
    std::mem::forget(library);
    ensure!(FUNCTIONS.set(functions).is_ok(), "the library is loaded twice");
    Ok(())
}

/// The functions. Panics where the library has not been loaded.
pub fn functions() -> &'static Functions {
    FUNCTIONS.get().expect("load() comes first")
}

/// A parcel of one's own, destroyed with this value.
pub struct Parcel(NonNull<CParcel>);

impl Parcel {
    #[inline]
    pub fn new() -> Self {
        // SAFETY: takes nothing.
        let parcel = unsafe { (functions().parcel_create)() };
        Self(NonNull::new(parcel).expect("memory for a parcel"))
    }

    #[inline]
    pub fn as_ptr(&self) -> *mut CParcel {
        self.0.as_ptr()
    }

    #[inline]
    pub fn write_buffer(&self, bytes: &[u8]) -> c_int {
        // SAFETY: `bytes` are readable; the parcel lives as long as `self`.
        unsafe { (functions().write_buffer)(self.as_ptr(), bytes.as_ptr(), bytes.len() as i32) }
    }

    #[inline]
    pub fn write_int32(&self, value: i32) -> c_int {
        // SAFETY: the parcel lives as long as `self`.
        unsafe { (functions().write_int32)(self.as_ptr(), value) }
    }

    /// All the bytes of the parcel, in place.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the bytes lie in the parcel, which lives as long as `self` and is not written to once it is a reply.
        unsafe { whole_buffer(self.as_ptr()) }
    }
}

impl Drop for Parcel {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: ours, and nobody has destroyed it.
        unsafe { (functions().parcel_destroy)(self.as_ptr()) }
    }
}

/// The bytes of a parcel, in place.
///
/// # Safety
/// `parcel` is valid, and outlives what is returned.
#[inline]
pub unsafe fn whole_buffer<'a>(parcel: *const CParcel) -> &'a [u8] {
    // SAFETY: as the caller says; where ReadBuffer gives a pointer, `size` bytes are behind it.
    unsafe {
        let size = (functions().data_size)(parcel);
        let bytes = (functions().read_buffer)(parcel, size);
        if bytes.is_null() { &[] } else { std::slice::from_raw_parts(bytes, size as usize) }
    }
}

/// A proxy, destroyed with this value. Requests may be sent through it from several threads.
pub struct Proxy(NonNull<CProxy>);

// SAFETY: the library's proxies may be used by any thread, and by several at once.
unsafe impl Send for Proxy {}
// SAFETY: as above.
unsafe impl Sync for Proxy {}

impl Proxy {
    pub fn import(reference: &Reference) -> Result<Self> {
        // SAFETY: REFERENCE_BYTES are readable.
        let proxy = unsafe { (functions().reference_import)(reference.as_ptr()) };
        Self::from_raw(proxy)
    }

    /// The next object in a parcel.
    pub fn read(parcel: &Parcel) -> Result<Self> {
        // SAFETY: the parcel is valid.
        Self::from_raw(unsafe { (functions().read_proxy)(parcel.as_ptr()) })
    }

    fn from_raw(proxy: *mut CProxy) -> Result<Self> {
        let Some(proxy) = NonNull::new(proxy) else { bail!("the library gave no proxy") };
        Ok(Self(proxy))
    }

    pub fn as_ptr(&self) -> *mut CProxy {
        self.0.as_ptr()
    }

    #[inline]
    pub fn send(&self, code: u32, data: &Parcel, reply: &Parcel) -> c_int {
        // SAFETY: all three are valid for the time of the call.
        unsafe { (functions().send_request)(self.as_ptr(), code, data.as_ptr(), reply.as_ptr(), null()) }
    }

    #[inline]
    pub fn send_async(&self, code: u32, data: &Parcel) -> c_int {
        // SAFETY: as above; an asynchronous request has no reply.
        unsafe { (functions().send_request)(self.as_ptr(), code, data.as_ptr(), null_mut(), &ASYNC) }
    }

    /// A request as every way makes it: parcels made, written, read in place and destroyed.
    #[inline]
    pub fn call(&self, code: u32, request: &[u8], see: impl FnOnce(&[u8])) -> Result<()> {
        let data = Parcel::new();
        let reply = Parcel::new();
        let written = data.write_buffer(request);
        ensure!(written == SUCCESS, "WriteBuffer returned {written}");
        let result = self.send(code, &data, &reply);
        ensure!(result == SUCCESS, "SendRequest returned {result}");
        see(reply.bytes());
        Ok(())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // SAFETY: ours, and nobody has destroyed it.
        unsafe { (functions().proxy_destroy)(self.as_ptr()) }
    }
}

/// A stub with this handler, which the caller is to hand on or destroy.
pub fn create_stub(descriptor: &CStr, handler: OnRequest, user_data: *mut c_void) -> Result<*mut CStub> {
    // SAFETY: the text ends with NUL; the handlers of this program cope with the user data they are given.
    let stub = unsafe { (functions().stub_create)(descriptor.as_ptr(), handler, None, user_data) };
    ensure!(!stub.is_null(), "the library made no stub");
    Ok(stub)
}

/// Gives a stub away, as bytes by which another process gets a proxy.
pub fn export(stub: *mut CStub) -> Result<Reference> {
    let mut reference = [0; REFERENCE_BYTES];
    // SAFETY: the stub is valid, and there is room for the reference.
    let result = unsafe { (functions().reference_export)(stub, reference.as_mut_ptr()) };
    ensure!(result == SUCCESS, "the library exported no reference: {result}");
    Ok(reference)
}

pub fn to_hex(reference: &Reference) -> String {
    reference.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn from_hex(text: &str) -> Result<Reference> {
    ensure!(text.is_ascii() && text.len() == 2 * REFERENCE_BYTES, "no reference: {text:?}");
    let mut reference = [0; REFERENCE_BYTES];
    for (index, byte) in reference.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16)?;
    }
    Ok(reference)
}
