// SPDX-License-Identifier: Apache-2.0
//! `ipc_cskeleton.h`, which says what each function does and what it asks of its caller.
#![allow(unsafe_code, reason = "exported functions take the user's pointers and call the user's functions")]
#![allow(non_snake_case, reason = "the names in the header")]

use std::ffi::{CStr, c_char, c_int};
use std::ptr::NonNull;

use super::boundary::{Failure, enter_plain, status, value_or};
use super::callback::{self, OH_IPC_MemAllocator};
use crate::host::mutation::Mutation;
use crate::runtime::{self, Process, identity};

/// The numbers of workers that a user may ask for.
const WORKERS: std::ops::RangeInclusive<c_int> = 1..=32;

#[unsafe(no_mangle)]
pub extern "C" fn OH_IPCSkeleton_JoinWorkThread() {
    value_or("OH_IPCSkeleton_JoinWorkThread", (), || {
        runtime::join(Process::current()?);
        Ok(())
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn OH_IPCSkeleton_StopWorkThread() {
    enter_plain("OH_IPCSkeleton_StopWorkThread", (), runtime::stop);
}

#[unsafe(no_mangle)]
pub extern "C" fn OH_IPCSkeleton_GetCallingTokenId() -> u64 {
    enter_plain("OH_IPCSkeleton_GetCallingTokenId", 0, identity::calling_token_id)
}

#[unsafe(no_mangle)]
pub extern "C" fn OH_IPCSkeleton_GetFirstTokenId() -> u64 {
    enter_plain("OH_IPCSkeleton_GetFirstTokenId", 0, identity::first_token_id)
}

#[unsafe(no_mangle)]
pub extern "C" fn OH_IPCSkeleton_GetSelfTokenId() -> u64 {
    enter_plain("OH_IPCSkeleton_GetSelfTokenId", 0, identity::self_token_id)
}

#[unsafe(no_mangle)]
pub extern "C" fn OH_IPCSkeleton_GetCallingPid() -> u64 {
    enter_plain("OH_IPCSkeleton_GetCallingPid", 0, identity::calling_process)
}

#[unsafe(no_mangle)]
pub extern "C" fn OH_IPCSkeleton_GetCallingUid() -> u64 {
    enter_plain("OH_IPCSkeleton_GetCallingUid", 0, identity::calling_user)
}

#[unsafe(no_mangle)]
pub extern "C" fn OH_IPCSkeleton_IsLocalCalling() -> c_int {
    // Callers on other devices are out of a workstation's reach.
    1
}

#[unsafe(no_mangle)]
pub extern "C" fn OH_IPCSkeleton_SetMaxWorkThreadNum(maxThreadNum: c_int) -> c_int {
    status("OH_IPCSkeleton_SetMaxWorkThreadNum", || {
        if !(WORKERS.contains(&maxThreadNum) || (maxThreadNum == 33 && Mutation::SetMaxTakesThirtyThree.is_on())) {
            let value = maxThreadNum.into();
            return Err(Failure::Argument { name: "maxThreadNum", value, expected: "1 to 32" });
        }
        if Mutation::SkeletonCallsStartNobody.is_on() && Process::started().is_none() {
            return Ok(());
        }
        // One worker is there beyond those that are asked for.
        Process::current()?.set_most_workers(maxThreadNum.unsigned_abs() as usize + 1);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCSkeleton_ResetCallingIdentity(
    identity: *mut *mut c_char,
    len: *mut i32,
    allocator: OH_IPC_MemAllocator,
) -> c_int {
    status("OH_IPCSkeleton_ResetCallingIdentity", || {
        let identity = NonNull::new(identity).ok_or(Failure::Null("identity"))?;
        let len = NonNull::new(len).ok_or(Failure::Null("len"))?;
        let allocator = allocator.ok_or(Failure::Null("allocator"))?;
        let before = identity::reset();
        // SAFETY: the caller keeps the header's promise.
        unsafe { callback::give_text(&before, identity, len, allocator) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCSkeleton_SetCallingIdentity(identity: *const c_char) -> c_int {
    status("OH_IPCSkeleton_SetCallingIdentity", || {
        if identity.is_null() {
            return Err(Failure::Null("identity"));
        }
        // SAFETY: the caller keeps the header's promise.
        let text = unsafe { CStr::from_ptr(identity) };
        Ok(identity::set(text.to_bytes())?)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn OH_IPCSkeleton_IsHandlingTransaction() -> c_int {
    enter_plain("OH_IPCSkeleton_IsHandlingTransaction", 0, || identity::is_handling().into())
}
