// SPDX-License-Identifier: Apache-2.0
//! Why a parcel refuses a call.

use std::io;

use crate::sys::shortage::Explained;

use super::{MAX_CAPACITY, MAX_TEXT, TextError};

/// Why a write failed. Nothing that a getter shows has changed, but for the two calls that say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The parcel was received.
    #[error("the parcel was received and is read-only; write to a parcel of your own")]
    ReadOnly,
    /// The data would exceed [`MAX_CAPACITY`].
    #[error("{need} bytes would be in the parcel, which holds at most {MAX_CAPACITY}; send less at a time")]
    Full {
        /// Bytes that the parcel would have to hold.
        need: usize,
    },
    /// The system gave no memory.
    #[error("out of memory: no {0} bytes for the parcel")]
    NoMemory(usize),
    /// A text of no bytes or of more than [`MAX_TEXT`].
    #[error("an interface token has 1 to {MAX_TEXT} bytes, not {0}")]
    TokenLength(usize),
    /// A text that cannot be converted.
    #[error("the interface token cannot be written: {0}")]
    TokenText(#[from] TextError),
    /// The file descriptor could not be duplicated; the `errno` of the attempt.
    #[error("the file descriptor cannot be duplicated: {}", Explained(&io::Error::from_raw_os_error(*.0)))]
    FileDescriptor(i32),
}

/// Why a read failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Fewer bytes are readable than the read needs.
    #[error("{wanted} bytes are to be read at position {position}, and the data ends at {data_size}")]
    TooFew {
        /// Bytes that the read needs.
        wanted: usize,
        /// The read cursor.
        position: usize,
        /// Bytes of data in the parcel.
        data_size: usize,
    },
    /// Some of the bytes belong to a stub, a proxy or a file descriptor.
    #[error("a stub, proxy or file descriptor lies at position {0}; read it with its own call")]
    OverlapsObject(usize),
    /// No NUL in the readable bytes.
    #[error("no string ends between position {0} and the end of the data")]
    Unterminated(usize),
    /// No object begins at the read cursor.
    #[error("no stub, proxy or file descriptor begins at position {0}")]
    NoObject(usize),
    /// The object at the read cursor is of the other kind.
    #[error("the object at position {0} is of another kind: a file descriptor is not a stub or proxy")]
    OtherObject(usize),
    /// The token there cannot be converted.
    #[error("the interface token at position {0} has no character that UTF-8 can express")]
    TokenText(usize),
    /// The system gave no memory.
    #[error("out of memory: no {0} bytes to convert the interface token")]
    NoMemory(usize),
    /// The file descriptor could not be duplicated; the `errno` of the attempt.
    #[error("the file descriptor cannot be duplicated: {}", Explained(&io::Error::from_raw_os_error(*.0)))]
    FileDescriptor(i32),
}

/// A cursor was to be set beyond the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("position {position} lies beyond the {data_size} bytes of data")]
pub struct RewindError {
    /// Where the cursor was to be.
    pub position: usize,
    /// Bytes of data in the parcel.
    pub data_size: usize,
}

/// The objects of a message do not fit its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the object at offset {offset} overlaps another or does not lie within the {data_size} bytes of the message")]
pub struct MalformedObjects {
    /// Offset of the first object that does not fit.
    pub offset: u32,
    /// Bytes of the message.
    pub data_size: usize,
}
