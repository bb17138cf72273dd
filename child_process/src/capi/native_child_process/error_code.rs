// SPDX-License-Identifier: Apache-2.0
//! What the functions return, and where errors become codes.

use crate::launch::{Failure, NotGiven, NotStarted, Refusal};

/// `Ability_NativeChildProcess_ErrCode`, as far as this library uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Ability_NativeChildProcess_ErrCode {
    NoError = 0,
    InvalidParam = 401,
    Internal = 16_000_050,
    Timeout = 16_010_002,
    ServiceError = 16_010_003,
    AlreadyInChild = 16_010_005,
    MaxChildProcessesReached = 16_010_006,
    LibLoadingFailed = 16_010_007,
    ConnectionFailed = 16_010_008,
    CallbackNotExist = 16_010_009,
    InvalidPid = 16_010_010,
}

use Ability_NativeChildProcess_ErrCode as ErrorCode;

impl From<Refusal> for ErrorCode {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::TooMany => Self::MaxChildProcessesReached,
            Refusal::Internal => Self::Internal,
        }
    }
}

impl From<Failure> for ErrorCode {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Internal => Self::Internal,
            Failure::Loading => Self::LibLoadingFailed,
            Failure::Connection => Self::ConnectionFailed,
            Failure::Timeout => Self::Timeout,
        }
    }
}

impl From<NotStarted> for ErrorCode {
    fn from(error: NotStarted) -> Self {
        match error {
            NotStarted::Refused(Refusal::TooMany) => Self::MaxChildProcessesReached,
            NotStarted::Failed(Failure::Timeout) => Self::Timeout,
            // Whatever kept the process from coming into being; the log has it.
            NotStarted::Refused(Refusal::Internal) | NotStarted::Failed(_) => Self::ServiceError,
        }
    }
}

impl From<NotGiven> for ErrorCode {
    fn from(error: NotGiven) -> Self {
        match error {
            NotGiven::NoName | NotGiven::LongName(_) | NotGiven::TooManyNames | NotGiven::LongList => {
                Self::InvalidParam
            }
            NotGiven::LongParameters(_) | NotGiven::LongForADevice(_) | NotGiven::NotOpen { .. } => Self::ServiceError,
        }
    }
}
