// SPDX-License-Identifier: Apache-2.0
//! What the C functions of a parcel add to its core: NULL, codes, widths, the user's memory and callbacks.
#![allow(unsafe_code, reason = "the functions take pointers")]
#![allow(clippy::undocumented_unsafe_blocks, reason = "the pointers live as long as the test, or are NULL on purpose")]

mod c_face;

use std::cell::Cell;
use std::env;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};

use c_face::*;

/// Data size, writable bytes, readable bytes, read position, write position.
fn state(parcel: Parcel) -> [c_int; 5] {
    unsafe {
        [
            OH_IPCParcel_GetDataSize(parcel),
            OH_IPCParcel_GetWritableBytes(parcel),
            OH_IPCParcel_GetReadableBytes(parcel),
            OH_IPCParcel_GetReadPosition(parcel),
            OH_IPCParcel_GetWritePosition(parcel),
        ]
    }
}

#[test]
fn null_for_the_parcel_is_answered_by_every_function() {
    let none: Parcel = null_mut();
    assert_eq!(state(none), [-1; 5]);
    unsafe {
        OH_IPCParcel_Destroy(none);
        let other = OH_IPCParcel_Create();
        let stub = OH_IPCRemoteStub_Create(c"stub".as_ptr(), Some(on_request), None, null_mut());
        let (mut text, mut len) = (null_mut(), 0);
        let codes = [
            OH_IPCParcel_RewindReadPosition(none, 0),
            OH_IPCParcel_RewindWritePosition(none, 0),
            OH_IPCParcel_WriteInt8(none, 1),
            OH_IPCParcel_ReadInt8(none, &mut 0),
            OH_IPCParcel_WriteInt16(none, 1),
            OH_IPCParcel_ReadInt16(none, &mut 0),
            OH_IPCParcel_WriteInt32(none, 1),
            OH_IPCParcel_ReadInt32(none, &mut 0),
            OH_IPCParcel_WriteInt64(none, 1),
            OH_IPCParcel_ReadInt64(none, &mut 0),
            OH_IPCParcel_WriteUint8(none, 1),
            OH_IPCParcel_ReadUint8(none, &mut 0),
            OH_IPCParcel_WriteUint16(none, 1),
            OH_IPCParcel_ReadUint16(none, &mut 0),
            OH_IPCParcel_WriteUint32(none, 1),
            OH_IPCParcel_ReadUint32(none, &mut 0),
            OH_IPCParcel_WriteUint64(none, 1),
            OH_IPCParcel_ReadUint64(none, &mut 0),
            OH_IPCParcel_WriteFloat(none, 1.0),
            OH_IPCParcel_ReadFloat(none, &mut 0.0),
            OH_IPCParcel_WriteDouble(none, 1.0),
            OH_IPCParcel_ReadDouble(none, &mut 0.0),
            OH_IPCParcel_WriteString(none, c"a".as_ptr()),
            OH_IPCParcel_WriteBuffer(none, b"a".as_ptr(), 1),
            OH_IPCParcel_WriteRemoteStub(none, stub),
            OH_IPCParcel_WriteRemoteProxy(none, stub),
            OH_IPCParcel_WriteFileDescriptor(none, 0),
            OH_IPCParcel_ReadFileDescriptor(none, &mut 0),
            OH_IPCParcel_Append(none, other),
            OH_IPCParcel_Append(other, none),
            OH_IPCParcel_Append(none, none),
            OH_IPCParcel_WriteInterfaceToken(none, c"a".as_ptr()),
            OH_IPCParcel_ReadInterfaceToken(none, &mut text, &mut len, Some(allocate)),
        ];
        assert_eq!(codes, [CHECK_PARAM_ERROR; 33]);
        assert!(OH_IPCParcel_ReadString(none).is_null());
        assert!(OH_IPCParcel_ReadBuffer(none, 1).is_null());
        assert!(OH_IPCParcel_ReadRemoteStub(none).is_null());
        assert!(OH_IPCParcel_ReadRemoteProxy(none).is_null());
        OH_IPCRemoteStub_Destroy(stub);
        OH_IPCParcel_Destroy(other);
    }
}

#[test]
fn null_for_another_argument_is_a_wrong_argument_and_changes_nothing() {
    unsafe {
        let parcel = OH_IPCParcel_Create();
        assert_eq!(OH_IPCParcel_WriteInterfaceToken(parcel, c"abc".as_ptr()), SUCCESS);
        assert_eq!(OH_IPCParcel_WriteInt64(parcel, 1), SUCCESS);
        let before = state(parcel);
        let (mut text, mut len) = (null_mut(), 0);
        let codes = [
            OH_IPCParcel_ReadInt8(parcel, null_mut()),
            OH_IPCParcel_ReadInt16(parcel, null_mut()),
            OH_IPCParcel_ReadInt32(parcel, null_mut()),
            OH_IPCParcel_ReadInt64(parcel, null_mut()),
            OH_IPCParcel_ReadUint8(parcel, null_mut()),
            OH_IPCParcel_ReadUint16(parcel, null_mut()),
            OH_IPCParcel_ReadUint32(parcel, null_mut()),
            OH_IPCParcel_ReadUint64(parcel, null_mut()),
            OH_IPCParcel_ReadFloat(parcel, null_mut()),
            OH_IPCParcel_ReadDouble(parcel, null_mut()),
            OH_IPCParcel_WriteString(parcel, null()),
            OH_IPCParcel_WriteBuffer(parcel, null(), 1),
            OH_IPCParcel_WriteBuffer(parcel, b"a".as_ptr(), 0),
            OH_IPCParcel_WriteBuffer(parcel, b"a".as_ptr(), -1),
            OH_IPCParcel_WriteBuffer(parcel, b"a".as_ptr(), i32::MIN),
            OH_IPCParcel_WriteRemoteStub(parcel, null_mut()),
            OH_IPCParcel_WriteRemoteProxy(parcel, null_mut()),
            OH_IPCParcel_ReadFileDescriptor(parcel, null_mut()),
            OH_IPCParcel_WriteInterfaceToken(parcel, null()),
            OH_IPCParcel_WriteInterfaceToken(parcel, c"".as_ptr()),
            OH_IPCParcel_ReadInterfaceToken(parcel, null_mut(), &mut len, Some(allocate)),
            OH_IPCParcel_ReadInterfaceToken(parcel, &mut text, null_mut(), Some(allocate)),
            OH_IPCParcel_ReadInterfaceToken(parcel, &mut text, &mut len, None),
        ];
        assert_eq!(codes, [CHECK_PARAM_ERROR; 23]);
        for len in [0, -1, i32::MIN, i32::MAX] {
            assert!(OH_IPCParcel_ReadBuffer(parcel, len).is_null());
        }
        assert_eq!(state(parcel), before);
        OH_IPCParcel_Destroy(parcel);
    }
}

#[test]
fn failures_of_the_core_become_the_codes_of_the_header() {
    unsafe {
        let parcel = OH_IPCParcel_Create();
        assert_eq!(OH_IPCParcel_WriteBuffer(parcel, [1; 204_801].as_ptr(), 204_801), PARCEL_WRITE_ERROR);
        assert_eq!(OH_IPCParcel_WriteFileDescriptor(parcel, -1), PARCEL_WRITE_ERROR);
        assert_eq!(OH_IPCParcel_WriteInterfaceToken(parcel, c"a\xc3".as_ptr()), PARCEL_WRITE_ERROR);
        assert_eq!(OH_IPCParcel_RewindReadPosition(parcel, 1), INNER_ERROR);
        assert_eq!(OH_IPCParcel_RewindWritePosition(parcel, u32::MAX), INNER_ERROR);
        let (mut int, mut fd) = (77, 77);
        assert_eq!(OH_IPCParcel_ReadInt32(parcel, &mut int), PARCEL_READ_ERROR);
        assert_eq!(OH_IPCParcel_ReadFileDescriptor(parcel, &mut fd), PARCEL_READ_ERROR);
        assert_eq!((int, fd), (77, 77), "a failed read leaves what was there");
        assert!(OH_IPCParcel_ReadString(parcel).is_null());
        assert!(OH_IPCParcel_ReadRemoteStub(parcel).is_null());
        assert_eq!(state(parcel), [0; 5]);
        OH_IPCParcel_Destroy(parcel);
    }
}

#[test]
fn narrow_integers_travel_as_four_bytes() {
    unsafe {
        let parcel = OH_IPCParcel_Create();
        assert_eq!(OH_IPCParcel_WriteInt8(parcel, -2), SUCCESS);
        assert_eq!(OH_IPCParcel_WriteUint8(parcel, 0xfe), SUCCESS);
        assert_eq!(OH_IPCParcel_WriteInt16(parcel, -3), SUCCESS);
        assert_eq!(OH_IPCParcel_WriteUint16(parcel, 0xfffd), SUCCESS);
        assert_eq!(OH_IPCParcel_WriteInt32(parcel, i32::MIN), SUCCESS);
        assert_eq!(OH_IPCParcel_WriteUint32(parcel, u32::MAX), SUCCESS);
        assert_eq!(OH_IPCParcel_WriteInt64(parcel, i64::MIN), SUCCESS);
        assert_eq!(OH_IPCParcel_WriteUint64(parcel, u64::MAX), SUCCESS);
        assert_eq!(OH_IPCParcel_WriteFloat(parcel, -0.5), SUCCESS);
        assert_eq!(OH_IPCParcel_WriteDouble(parcel, 0.1), SUCCESS);
        assert_eq!(OH_IPCParcel_GetDataSize(parcel), 6 * 4 + 2 * 8 + 4 + 8);
        let bytes = std::slice::from_raw_parts(OH_IPCParcel_ReadBuffer(parcel, 16), 16);
        assert_eq!(bytes, b"\xfe\xff\xff\xff\xfe\0\0\0\xfd\xff\xff\xff\xfd\xff\0\0");
        assert_eq!(OH_IPCParcel_RewindReadPosition(parcel, 0), SUCCESS);
        macro_rules! assert_read {
            ($read:ident, $value:expr) => {
                let mut value = Default::default();
                assert_eq!($read(parcel, &mut value), SUCCESS);
                assert_eq!(value, $value);
            };
        }
        assert_read!(OH_IPCParcel_ReadUint8, 0xfe);
        assert_read!(OH_IPCParcel_ReadInt8, -2);
        assert_read!(OH_IPCParcel_ReadUint16, 0xfffd);
        assert_read!(OH_IPCParcel_ReadInt16, -3);
        assert_read!(OH_IPCParcel_ReadInt32, i32::MIN);
        assert_read!(OH_IPCParcel_ReadUint32, u32::MAX);
        assert_read!(OH_IPCParcel_ReadInt64, i64::MIN);
        assert_read!(OH_IPCParcel_ReadUint64, u64::MAX);
        assert_read!(OH_IPCParcel_ReadFloat, -0.5);
        assert_read!(OH_IPCParcel_ReadDouble, 0.1);
        OH_IPCParcel_Destroy(parcel);
    }
}

#[test]
fn a_value_may_lie_unaligned() {
    unsafe {
        let parcel = OH_IPCParcel_Create();
        assert_eq!(OH_IPCParcel_WriteInt64(parcel, 0x0102_0304_0506_0708), SUCCESS);
        let mut bytes = [0u8; 17];
        let odd = bytes.as_mut_ptr().add(usize::from(bytes.as_ptr().addr() % 2 == 0));
        assert_eq!(OH_IPCParcel_ReadInt64(parcel, odd.cast()), SUCCESS);
        assert_eq!(odd.cast::<i64>().read_unaligned(), 0x0102_0304_0506_0708);
        OH_IPCParcel_Destroy(parcel);
    }
}

#[test]
fn what_lies_in_a_parcel_can_be_written_to_it_again_while_it_grows() {
    unsafe {
        let parcel = OH_IPCParcel_Create();
        let sixty = CString::new([b'x'; 60]).unwrap();
        assert_eq!(OH_IPCParcel_WriteString(parcel, sixty.as_ptr()), SUCCESS);
        for _ in 0..100 {
            let string = OH_IPCParcel_ReadString(parcel);
            assert_eq!(OH_IPCParcel_WriteString(parcel, string), SUCCESS);
        }
        assert_eq!(CStr::from_ptr(OH_IPCParcel_ReadString(parcel)), &*sixty);
        assert_eq!(OH_IPCParcel_RewindReadPosition(parcel, 0), SUCCESS);
        let all = OH_IPCParcel_GetDataSize(parcel);
        let buffer = OH_IPCParcel_ReadBuffer(parcel, all);
        assert_eq!(OH_IPCParcel_WriteBuffer(parcel, buffer, all), SUCCESS);
        assert_eq!(OH_IPCParcel_WriteInterfaceToken(parcel, OH_IPCParcel_ReadString(parcel)), SUCCESS);
        assert_eq!(OH_IPCParcel_GetDataSize(parcel), 2 * all + 12 + 2 * 62);
        OH_IPCParcel_Destroy(parcel);
    }
}

extern "C-unwind" fn allocate_and_grow_the_parcel(len: i32) -> *mut c_void {
    PARCEL.with(|parcel| unsafe {
        for value in 0..1000 {
            assert_eq!(OH_IPCParcel_WriteInt32(parcel.get(), value), SUCCESS);
        }
    });
    allocate(len)
}

thread_local! {
    /// What [`allocate_and_grow_the_parcel`] grows.
    static PARCEL: Cell<Parcel> = const { Cell::new(null_mut()) };
}

#[test]
fn a_token_is_given_in_the_users_memory() {
    unsafe {
        let parcel = OH_IPCParcel_Create();
        assert_eq!(OH_IPCParcel_WriteInterfaceToken(parcel, c"caf\xc3\xa9".as_ptr()), SUCCESS);
        let (mut text, mut len) = (null_mut::<c_char>(), -7);
        PARCEL.set(parcel);
        let code = OH_IPCParcel_ReadInterfaceToken(parcel, &mut text, &mut len, Some(allocate_and_grow_the_parcel));
        assert_eq!((code, len, CStr::from_ptr(text)), (SUCCESS, 6, c"caf\xc3\xa9"));
        libc::free(text.cast());
        assert_eq!(OH_IPCParcel_GetReadPosition(parcel), 24);
        OH_IPCParcel_Destroy(parcel);
    }
}

#[test]
fn without_memory_for_a_token_the_cursor_is_put_back() {
    unsafe {
        let parcel = OH_IPCParcel_Create();
        assert_eq!(OH_IPCParcel_WriteInt32(parcel, 1), SUCCESS);
        assert_eq!(OH_IPCParcel_WriteInterfaceToken(parcel, c"abc".as_ptr()), SUCCESS);
        assert_eq!(OH_IPCParcel_RewindReadPosition(parcel, 4), SUCCESS);
        let (mut text, mut len) = (std::ptr::dangling_mut::<c_char>(), -7);
        let code = OH_IPCParcel_ReadInterfaceToken(parcel, &mut text, &mut len, Some(allocate_nothing));
        assert_eq!((code, text, len), (MEM_ALLOCATOR_ERROR, null_mut(), -7));
        assert_eq!(OH_IPCParcel_GetReadPosition(parcel), 4);
        OH_IPCParcel_Destroy(parcel);
    }
}

extern "C-unwind" fn count(user_data: *mut c_void) {
    unsafe { &*user_data.cast::<AtomicU32>() }.fetch_add(1, Ordering::Relaxed);
}

fn counting_stub(destroyed: &AtomicU32) -> Wrapper {
    let counter: *const AtomicU32 = destroyed;
    let stub = unsafe {
        OH_IPCRemoteStub_Create(c"counting".as_ptr(), Some(on_request), Some(count), counter.cast_mut().cast())
    };
    assert!(!stub.is_null());
    stub
}

#[test]
fn a_stub_that_nobody_else_holds_is_destroyed_before_its_destroy_returns() {
    let destroyed = AtomicU32::new(0);
    unsafe { OH_IPCRemoteStub_Destroy(counting_stub(&destroyed)) };
    assert_eq!(destroyed.load(Ordering::Relaxed), 1);
    unsafe {
        OH_IPCRemoteStub_Destroy(OH_IPCRemoteStub_Create(c"a".as_ptr(), Some(on_request), None, null_mut()));
        OH_IPCRemoteStub_Destroy(null_mut());
        OH_IPCRemoteProxy_Destroy(null_mut());
    }
}

#[test]
fn a_stub_lives_as_long_as_any_wrapper_or_parcel_holds_it() {
    let destroyed = AtomicU32::new(0);
    let stub = counting_stub(&destroyed);
    unsafe {
        let (first, second) = (OH_IPCParcel_Create(), OH_IPCParcel_Create());
        assert_eq!(OH_IPCParcel_WriteRemoteStub(first, stub), SUCCESS);
        assert_eq!(OH_IPCParcel_WriteRemoteStub(second, stub), SUCCESS);
        OH_IPCRemoteStub_Destroy(stub);
        let as_stub = OH_IPCParcel_ReadRemoteStub(first);
        assert_eq!(OH_IPCParcel_RewindReadPosition(first, 0), SUCCESS);
        let as_proxy = OH_IPCParcel_ReadRemoteProxy(first);
        assert!(!as_stub.is_null() && !as_proxy.is_null() && as_stub != as_proxy);
        OH_IPCParcel_Destroy(first);
        assert_eq!(OH_IPCParcel_WriteRemoteProxy(second, as_proxy), SUCCESS);
        OH_IPCRemoteProxy_Destroy(as_proxy);
        OH_IPCRemoteStub_Destroy(as_stub);
        assert_eq!(destroyed.load(Ordering::Relaxed), 0);
        OH_IPCParcel_Destroy(second);
    }
    assert_eq!(destroyed.load(Ordering::Relaxed), 1);
}

#[test]
fn a_stub_cut_off_a_parcel_is_held_until_the_parcel_is_destroyed() {
    let destroyed = AtomicU32::new(0);
    let stub = counting_stub(&destroyed);
    unsafe {
        let parcel = OH_IPCParcel_Create();
        assert_eq!(OH_IPCParcel_WriteRemoteStub(parcel, stub), SUCCESS);
        OH_IPCRemoteStub_Destroy(stub);
        assert_eq!(OH_IPCParcel_RewindWritePosition(parcel, 0), SUCCESS);
        assert_eq!(destroyed.load(Ordering::Relaxed), 0);
        OH_IPCParcel_Destroy(parcel);
    }
    assert_eq!(destroyed.load(Ordering::Relaxed), 1);
}

#[test]
fn a_stub_needs_a_usable_descriptor_and_a_request_callback() {
    let destroyed = AtomicU32::new(0);
    let create = |descriptor: *const c_char, request: OnRequest| unsafe {
        OH_IPCRemoteStub_Create(descriptor, request, Some(count), (&raw const destroyed).cast_mut().cast())
    };
    assert!(create(null(), Some(on_request)).is_null());
    assert!(create(c"a".as_ptr(), None).is_null());
    assert!(create(c"".as_ptr(), Some(on_request)).is_null());
    assert!(create(c"\xff".as_ptr(), Some(on_request)).is_null());
    let longest = CString::new(vec![b'd'; 204_800]).unwrap();
    let too_long = CString::new(vec![b'd'; 204_801]).unwrap();
    assert!(create(too_long.as_ptr(), Some(on_request)).is_null());
    assert_eq!(destroyed.load(Ordering::Relaxed), 0, "what was never made is not destroyed");
    let stub = create(longest.as_ptr(), Some(on_request));
    assert!(!stub.is_null());
    unsafe { OH_IPCRemoteStub_Destroy(stub) };
    assert_eq!(destroyed.load(Ordering::Relaxed), 1);
}

/// Runs one of these tests alone, in a process of its own; `None` in that process.
fn alone(test: &str) -> Option<Output> {
    const ALONE: &str = "IPCKIT_TEST_ALONE";
    if env::var_os(ALONE).is_some() {
        limit(libc::RLIMIT_CORE, 0);
        return None;
    }
    let program = env::current_exe().unwrap();
    Some(Command::new(program).args(["--exact", test, "--nocapture"]).env(ALONE, "1").output().unwrap())
}

fn limit(resource: libc::__rlimit_resource_t, most: libc::rlim_t) {
    let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
    assert_eq!(unsafe { libc::setrlimit(resource, &limit) }, 0);
}

fn assert_ended_by_a_callback(output: &Output, callback: &str) {
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{log}");
    assert!(log.contains(&format!("the {callback} was left by an exception")), "{log}");
}

#[test]
fn a_destroy_callback_that_unwinds_ends_the_process_with_a_message() {
    extern "C-unwind" fn unwind(_: *mut c_void) {
        panic!("out of a callback");
    }
    match alone("a_destroy_callback_that_unwinds_ends_the_process_with_a_message") {
        Some(output) => assert_ended_by_a_callback(&output, "destroy callback of a stub"),
        None => unsafe {
            OH_IPCRemoteStub_Destroy(OH_IPCRemoteStub_Create(
                c"a".as_ptr(),
                Some(on_request),
                Some(unwind),
                null_mut(),
            ));
        },
    }
}

#[test]
fn an_allocator_that_unwinds_ends_the_process_with_a_message() {
    extern "C-unwind" fn unwind(_: i32) -> *mut c_void {
        panic!("out of an allocator");
    }
    match alone("an_allocator_that_unwinds_ends_the_process_with_a_message") {
        Some(output) => assert_ended_by_a_callback(&output, "memory allocator"),
        None => unsafe {
            OH_IPCParcel_ReadInterfaceToken(OH_IPCParcel_Create(), &mut null_mut(), &mut 0, Some(unwind));
        },
    }
}

#[test]
fn without_free_descriptors_writing_and_reading_one_are_errors() {
    if let Some(output) = alone("without_free_descriptors_writing_and_reading_one_are_errors") {
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{log}");
        for function in ["OH_IPCParcel_WriteFileDescriptor", "OH_IPCParcel_ReadFileDescriptor"] {
            assert!(log.contains(&format!("{function}: the file descriptor cannot be duplicated: Too many")), "{log}");
        }
        return;
    }
    unsafe {
        let parcel = OH_IPCParcel_Create();
        assert_eq!(OH_IPCParcel_WriteFileDescriptor(parcel, 0), SUCCESS);
        let before = state(parcel);
        limit(libc::RLIMIT_NOFILE, 3);
        assert_eq!(OH_IPCParcel_WriteFileDescriptor(parcel, 0), PARCEL_WRITE_ERROR);
        assert_eq!(OH_IPCParcel_ReadFileDescriptor(parcel, &mut 0), PARCEL_READ_ERROR);
        assert_eq!(OH_IPCParcel_Append(parcel, parcel), PARCEL_WRITE_ERROR);
        assert_eq!(state(parcel), before);
        OH_IPCParcel_Destroy(parcel);
    }
}
