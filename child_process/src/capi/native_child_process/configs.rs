// SPDX-License-Identifier: Apache-2.0
//! The configuration of children as C has it.

use std::ffi::{CStr, c_char};

use super::arguments::NativeChildProcess_IsolationMode;
use super::error_code::Ability_NativeChildProcess_ErrCode;
use super::{ErrorCode, IsolationMode, enter, refuse};
use crate::launch::Configuration;
use crate::mutation::Mutation;

/// Bytes of a process name.
const LONGEST_NAME: usize = 64;

/// An opaque configuration, owned by the user.
pub struct Ability_ChildProcessConfigs(pub(super) Configuration);

/// Makes a configuration; `native_child_process.h` has the whole contract.
#[unsafe(no_mangle)]
pub extern "C" fn OH_Ability_CreateChildProcessConfigs() -> *mut Ability_ChildProcessConfigs {
    Box::into_raw(Box::new(Ability_ChildProcessConfigs(Configuration::default())))
}

/// Destroys a configuration; `native_child_process.h` has the whole contract.
///
/// # Safety
/// `configs` is NULL or a configuration that nobody uses any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_Ability_DestroyChildProcessConfigs(
    configs: *mut Ability_ChildProcessConfigs,
) -> Ability_NativeChildProcess_ErrCode {
    const NAME: &str = "OH_Ability_DestroyChildProcessConfigs";
    enter(NAME, || {
        if configs.is_null() {
            return refuse(NAME, "configs is NULL");
        }
        // SAFETY: `OH_Ability_CreateChildProcessConfigs` made it and the caller gives it back.
        drop(unsafe { Box::from_raw(configs) });
        ErrorCode::NoError
    })
}

/// Sets what children can reach; `native_child_process.h` has the whole contract.
///
/// # Safety
/// `configs` is NULL or a configuration that no other thread uses meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_Ability_ChildProcessConfigs_SetIsolationMode(
    configs: *mut Ability_ChildProcessConfigs,
    isolationMode: NativeChildProcess_IsolationMode,
) -> Ability_NativeChildProcess_ErrCode {
    const NAME: &str = "OH_Ability_ChildProcessConfigs_SetIsolationMode";
    enter(NAME, || {
        // SAFETY: the caller vouches for it.
        let Some(configs) = (unsafe { configs.as_mut() }) else { return refuse(NAME, "configs is NULL") };
        let Some(mode) = IsolationMode::from_number(isolationMode) else {
            return refuse(NAME, &format!("isolationMode {isolationMode} is none of the modes"));
        };
        configs.0.is_isolated = mode == IsolationMode::Isolated;
        ErrorCode::NoError
    })
}

/// Sets whether isolated children are another user; `native_child_process.h` has the whole contract.
///
/// # Safety
/// `configs` is NULL or a configuration that no other thread uses meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_Ability_ChildProcessConfigs_SetIsolationUid(
    configs: *mut Ability_ChildProcessConfigs,
    isolationUid: bool,
) -> Ability_NativeChildProcess_ErrCode {
    const NAME: &str = "OH_Ability_ChildProcessConfigs_SetIsolationUid";
    enter(NAME, || {
        // SAFETY: the caller vouches for it.
        let Some(configs) = (unsafe { configs.as_mut() }) else {
            return if Mutation::NullConfigsAreTaken.is_on() {
                ErrorCode::NoError
            } else {
                refuse(NAME, "configs is NULL")
            };
        };
        configs.0.other_user = isolationUid;
        ErrorCode::NoError
    })
}

/// Sets the name of children; `native_child_process.h` has the whole contract.
///
/// # Safety
/// `configs` is NULL or a configuration that no other thread uses meanwhile; `process_name` is NULL or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_Ability_ChildProcessConfigs_SetProcessName(
    configs: *mut Ability_ChildProcessConfigs,
    processName: *const c_char,
) -> Ability_NativeChildProcess_ErrCode {
    const NAME: &str = "OH_Ability_ChildProcessConfigs_SetProcessName";
    enter(NAME, || {
        // SAFETY: the caller vouches for both.
        let (configs, name) =
            unsafe { (configs.as_mut(), (!processName.is_null()).then(|| CStr::from_ptr(processName))) };
        let Some(configs) = configs else { return refuse(NAME, "configs is NULL") };
        let Some(name) = name else { return refuse(NAME, "processName is NULL") };
        if !is_name(name.to_bytes()) {
            return refuse(
                NAME,
                &format!("processName is not 1 to {LONGEST_NAME} letters, digits and underscores: {name:?}"),
            );
        }
        configs.0.process_name = Some(name.into());
        ErrorCode::NoError
    })
}

fn is_name(name: &[u8]) -> bool {
    let is_allowed =
        |&byte: &u8| byte.is_ascii_alphanumeric() || byte == b'_' || Mutation::AnyProcessNameIsTaken.is_on();
    (1..=LONGEST_NAME).contains(&name.len()) && name.iter().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_letters_digits_and_underscores() {
        for name in [b"a".as_slice(), b"Reader_1", b"_", &[b'z'; LONGEST_NAME]] {
            assert!(is_name(name), "{name:?}");
        }
        for name in [b"".as_slice(), b"a b", b"a-b", b"a.b", b"\xc3\xa4", b"a:b", &[b'z'; LONGEST_NAME + 1]] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
