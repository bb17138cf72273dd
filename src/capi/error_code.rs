// SPDX-License-Identifier: Apache-2.0
//! `ipc_error_code.h`: the codes, and the one place where the core's errors become them.

use std::ffi::c_int;

use super::boundary::Failure;
use crate::host::mutation::Mutation;
use crate::parcel::{ReadError, WriteError};
use crate::runtime::CallError;

/// What the C functions return. The values are those of `OH_IPC_ErrorCode` in `ipc_error_code.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum ErrorCode {
    /// `OH_IPC_SUCCESS`: done.
    Success = 0,
    /// `OH_IPC_CHECK_PARAM_ERROR`: an argument is invalid.
    CheckParam = 1_901_000,
    /// `OH_IPC_PARCEL_WRITE_ERROR`: a write to a parcel failed.
    ParcelWrite = 1_901_001,
    /// `OH_IPC_PARCEL_READ_ERROR`: a read from a parcel failed.
    ParcelRead = 1_901_002,
    /// `OH_IPC_MEM_ALLOCATOR_ERROR`: the caller's allocator returned NULL.
    MemAllocator = 1_901_003,
    /// `OH_IPC_CODE_OUT_OF_RANGE`: a request code outside [0x01, 0x00ffffff].
    CodeOutOfRange = 1_901_004,
    /// `OH_IPC_DEAD_REMOTE_OBJECT`: the remote stub is dead.
    DeadRemoteObject = 1_901_005,
    /// `OH_IPC_INVALID_USER_ERROR_CODE`: the handler returned a code outside the allowed ranges.
    InvalidUserErrorCode = 1_901_006,
    /// `OH_IPC_INNER_ERROR`: an internal error.
    Inner = 1_901_007,
}

impl From<ErrorCode> for c_int {
    fn from(code: ErrorCode) -> c_int {
        code as c_int
    }
}

impl From<&Failure> for ErrorCode {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Null(_) if Mutation::MissingArgumentsGetAnotherCode.is_on() => Self::Inner,
            Failure::Null(_)
            | Failure::Argument { .. }
            | Failure::DescriptorLength(_)
            | Failure::DescriptorText(_)
            | Failure::Write(WriteError::TokenLength(_)) => Self::CheckParam,
            Failure::RequestCode(_) => Self::CodeOutOfRange,
            Failure::Call(CallError::Dead) => Self::DeadRemoteObject,
            Failure::Call(
                CallError::Unreachable
                | CallError::NoRoom { .. }
                | CallError::NoRoomToSend { .. }
                | CallError::NoRoomHere { .. }
                | CallError::NoMemory
                | CallError::Malformed
                | CallError::UnalignedObject(_)
                | CallError::Start(_)
                | CallError::System(_),
            )
            | Failure::Start(_)
            | Failure::Death(_)
            | Failure::OwnStub
            | Failure::RequestAfterNotice
            | Failure::Identity(_) => Self::Inner,
            Failure::Write(
                WriteError::ReadOnly
                | WriteError::Full { .. }
                | WriteError::NoMemory(_)
                | WriteError::TokenText(_)
                | WriteError::FileDescriptor(_),
            )
            | Failure::StubGone => Self::ParcelWrite,
            Failure::Read(
                ReadError::TooFew { .. }
                | ReadError::OverlapsObject(_)
                | ReadError::Unterminated(_)
                | ReadError::NoObject(_)
                | ReadError::OtherObject(_)
                | ReadError::TokenText(_)
                | ReadError::NoMemory(_)
                | ReadError::FileDescriptor(_),
            ) => Self::ParcelRead,
            Failure::Rewind(_) | Failure::NoMemory(_) => Self::Inner,
            Failure::Allocator(_) => Self::MemAllocator,
        }
    }
}
