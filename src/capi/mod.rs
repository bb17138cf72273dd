// SPDX-License-Identifier: Apache-2.0
//! The C face: one file per public header. It checks pointers, maps errors and stops panics; nothing else.

mod boundary;
mod callback;
mod cparcel;
mod cremote_object;
mod cskeleton;
mod error_code;
mod handle;
mod private_symbols;

pub use error_code::ErrorCode;
