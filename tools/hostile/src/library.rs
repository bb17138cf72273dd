// SPDX-License-Identifier: Apache-2.0
//! `libipc_capi.so` through its C functions, loaded from a path.
#![allow(unsafe_code, reason = "functions of a C library")]

use std::ffi::{c_char, c_int, c_void};
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

use anyhow::{Result, ensure};

pub enum CParcel {}
pub enum CStub {}
pub enum CProxy {}

pub const SUCCESS: c_int = 0;
/// Among others: the receiver has no room for the message.
pub const INNER_ERROR: c_int = 1_901_007;
/// What a handler of ours answers to what it does not know.
pub const UNKNOWN_CODE: c_int = 1_909_001;
pub const REFERENCE_BYTES: usize = 64;
pub type Reference = [u8; REFERENCE_BYTES];
pub type OnRequest = extern "C" fn(u32, *const CParcel, *mut CParcel, *mut c_void) -> c_int;

/// `OH_IPC_MessageOption`, which the header packs to 4 bytes.
#[repr(C, packed(4))]
pub struct MessageOption {
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
            fn load(library: &libloading::Library) -> Result<Self> {
                // SAFETY: the signatures are those of the project's headers and of src/capi/private_symbols.rs.
                unsafe { Ok(Self { $($field: *library.get(concat!($name, "\0").as_bytes())?,)* }) }
            }
        }
    };
}

functions! {
    parcel_create = "OH_IPCParcel_Create": fn() -> *mut CParcel;
    parcel_destroy = "OH_IPCParcel_Destroy": fn(*mut CParcel);
    data_size = "OH_IPCParcel_GetDataSize": fn(*const CParcel) -> c_int;
    write_int32 = "OH_IPCParcel_WriteInt32": fn(*mut CParcel, i32) -> c_int;
    read_int32 = "OH_IPCParcel_ReadInt32": fn(*const CParcel, *mut i32) -> c_int;
    write_buffer = "OH_IPCParcel_WriteBuffer": fn(*mut CParcel, *const u8, i32) -> c_int;
    read_buffer = "OH_IPCParcel_ReadBuffer": fn(*const CParcel, i32) -> *const u8;
    write_stub = "OH_IPCParcel_WriteRemoteStub": fn(*mut CParcel, *const CStub) -> c_int;
    write_descriptor = "OH_IPCParcel_WriteFileDescriptor": fn(*mut CParcel, i32) -> c_int;
    read_descriptor = "OH_IPCParcel_ReadFileDescriptor": fn(*const CParcel, *mut i32) -> c_int;
    read_proxy = "OH_IPCParcel_ReadRemoteProxy": fn(*const CParcel) -> *mut CProxy;
    stub_create = "OH_IPCRemoteStub_Create":
        fn(*const c_char, OnRequest, Option<extern "C" fn(*mut c_void)>, *mut c_void) -> *mut CStub;
    proxy_destroy = "OH_IPCRemoteProxy_Destroy": fn(*mut CProxy);
    send_request = "OH_IPCRemoteProxy_SendRequest":
        fn(*const CProxy, u32, *const CParcel, *mut CParcel, *const MessageOption) -> c_int;
    reference_export = "ipckit_reference_export": fn(*mut CStub, *mut u8) -> c_int;
    reference_import = "ipckit_reference_import": fn(*const u8) -> *mut CProxy;
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

fn functions() -> &'static Functions {
    FUNCTIONS.get().expect("load() comes first")
}

/// A parcel: one's own, which is destroyed with this value, or one that a handler was given.
pub struct Parcel {
    parcel: *mut CParcel,
    is_own: bool,
}

impl Parcel {
    pub fn new() -> Self {
        // SAFETY: takes nothing.
        let parcel = unsafe { (functions().parcel_create)() };
        assert!(!parcel.is_null(), "memory for a parcel");
        Self { parcel, is_own: true }
    }

    /// # Safety
    /// The parcel outlives this value.
    pub unsafe fn of_handler(parcel: *mut CParcel) -> Self {
        Self { parcel, is_own: false }
    }

    pub fn write_int32(&self, value: i32) -> c_int {
        // SAFETY: the parcel is valid as long as `self`.
        unsafe { (functions().write_int32)(self.parcel, value) }
    }

    pub fn read_int32(&self) -> Option<i32> {
        let mut value = 0;
        // SAFETY: as above; the value is a local.
        (unsafe { (functions().read_int32)(self.parcel, &mut value) } == SUCCESS).then_some(value)
    }

    pub fn write_bytes(&self, bytes: &[u8]) -> c_int {
        // SAFETY: as above; the bytes are readable.
        unsafe { (functions().write_buffer)(self.parcel, bytes.as_ptr(), bytes.len() as i32) }
    }

    /// All of them from the first on.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: where ReadBuffer gives a pointer, `size` bytes are behind it, as long as the parcel is not written to.
        unsafe {
            let size = (functions().data_size)(self.parcel);
            let bytes = if size == 0 { null() } else { (functions().read_buffer)(self.parcel, size) };
            if bytes.is_null() { &[] } else { std::slice::from_raw_parts(bytes, size as usize) }
        }
    }

    pub fn write_stub(&self, stub: *mut CStub) -> c_int {
        // SAFETY: the stubs of this program are never destroyed.
        unsafe { (functions().write_stub)(self.parcel, stub) }
    }

    pub fn write_descriptor(&self, descriptor: i32) -> c_int {
        // SAFETY: the library checks the number.
        unsafe { (functions().write_descriptor)(self.parcel, descriptor) }
    }

    pub fn read_descriptor(&self) -> Option<i32> {
        let mut descriptor = -1;
        // SAFETY: the number is a local.
        (unsafe { (functions().read_descriptor)(self.parcel, &mut descriptor) } == SUCCESS).then_some(descriptor)
    }

    pub fn read_proxy(&self) -> Option<Proxy> {
        // SAFETY: the parcel is valid.
        Proxy::from_raw(unsafe { (functions().read_proxy)(self.parcel) })
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        if self.is_own {
            // SAFETY: ours, and nobody has destroyed it.
            unsafe { (functions().parcel_destroy)(self.parcel) }
        }
    }
}

/// A proxy, destroyed with this value.
pub struct Proxy(*mut CProxy);

// SAFETY: the library's proxies may be used by any thread, and by several at once.
unsafe impl Send for Proxy {}
// SAFETY: as above.
unsafe impl Sync for Proxy {}

impl Proxy {
    pub fn import(reference: &Reference) -> Option<Self> {
        // SAFETY: REFERENCE_BYTES are readable.
        Self::from_raw(unsafe { (functions().reference_import)(reference.as_ptr()) })
    }

    fn from_raw(proxy: *mut CProxy) -> Option<Self> {
        (!proxy.is_null()).then_some(Self(proxy))
    }

    pub fn call(&self, code: u32, data: &Parcel, reply: &Parcel) -> c_int {
        // SAFETY: all three are valid for the time of the call.
        unsafe { (functions().send_request)(self.0, code, data.parcel, reply.parcel, null()) }
    }

    pub fn post(&self, code: u32, data: &Parcel) -> c_int {
        // SAFETY: as above; an asynchronous request has no reply.
        unsafe { (functions().send_request)(self.0, code, data.parcel, null_mut(), &ASYNC) }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // SAFETY: ours, and nobody has destroyed it.
        unsafe { (functions().proxy_destroy)(self.0) }
    }
}

/// A stub with this handler.
pub fn create_stub(handler: OnRequest) -> Result<*mut CStub> {
    // SAFETY: the text ends with NUL, and the handlers of this program use no user data.
    let stub = unsafe { (functions().stub_create)(c"hostile".as_ptr(), handler, None, null_mut()) };
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
