// SPDX-License-Identifier: Apache-2.0
//! What the fuzz targets share. `docs/fuzzing.md` says what each of them asserts.

pub mod channel;
pub mod input;
pub mod message_model;
pub mod parcel_model;
pub mod peer;
pub mod raw_memory;
