// SPDX-License-Identifier: Apache-2.0
//! Faults to be had on purpose, as in `src/host/mutation.rs` of the library `ipc_capi`. Read where it is asked for: starts are rare.

macro_rules! mutations {
    ({ $($(#[doc = $what:literal])+ $name:ident: $($test:literal),+;)+ }) => {
        #[derive(Debug, Clone, Copy)]
        #[allow(dead_code, reason = "most are the other library's")]
        pub(crate) enum Mutation {
            $($(#[doc = $what])+ $name,)+
        }
    };
}

include!("../../src/host/mutation_list.rs");

impl Mutation {
    /// Whether the library is to be broken in this way.
    #[cfg(not(feature = "mutations"))]
    #[inline(always)]
    pub(crate) const fn is_on(self) -> bool {
        false
    }

    /// Whether the library is to be broken in this way.
    #[cfg(feature = "mutations")]
    pub(crate) fn is_on(self) -> bool {
        std::env::var("IPCKIT_MUTATION").is_ok_and(|name| name == format!("{self:?}"))
    }
}
