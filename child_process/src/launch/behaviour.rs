// SPDX-License-Identifier: Apache-2.0
//! Where the documentation and a device differ in this library, as `src/host/behaviour.rs` is for `libipc_capi.so`.

use std::env;

use ipckit_log::Once;

/// Something that a device does otherwise than documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Difference {
    /// A text that is within the documented bound and too long for a device.
    LongParameters,
}

impl Difference {
    fn on_a_device(self) -> &'static str {
        match self {
            Self::LongParameters => {
                "entryParams has more than about 102000 characters: on a device that gives NCP_ERR_SERVICE_ERROR"
            }
        }
    }

    fn said(self) -> &'static Once {
        static LONG_PARAMETERS: Once = Once::new();
        match self {
            Self::LongParameters => &LONG_PARAMETERS,
        }
    }
}

/// To be asked where a program comes upon a difference: whether to do as a device does. The log says once what that is. A value of
/// the variable that makes no sense is `libipc_capi.so`'s to complain of.
pub(super) fn as_on_a_device(difference: Difference) -> bool {
    if env::var_os("IPCKIT_BEHAVIOUR").is_some_and(|value| value == "device") {
        return true;
    }
    if difference.said().first() {
        ipckit_log::warn(format_args!("{} (IPCKIT_BEHAVIOUR=device shows it)", difference.on_a_device()));
    }
    false
}
