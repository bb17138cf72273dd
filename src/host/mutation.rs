// SPDX-License-Identifier: Apache-2.0
//! Faults to be had on purpose: with the feature `mutations`, `IPCKIT_MUTATION=<name>` breaks one property of the library, so that
//! `./run mutants` can see the tests fail that hold it. Without the feature nothing of it is compiled in.

#[cfg(feature = "mutations")]
use crate::sys::per_process::PerProcess;

macro_rules! mutations {
    ({ $($(#[doc = $what:literal])+ $name:ident: $($test:literal),+;)+ }) => {
        /// A fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Mutation {
            $($(#[doc = $what])+ $name,)+
        }

        #[cfg(feature = "mutations")]
        const NAMED: &[(&str, Mutation)] = &[$((stringify!($name), Mutation::$name)),+];
    };
}

include!("mutation_list.rs");

impl Mutation {
    /// Whether the library is to be broken in this way.
    #[cfg(not(feature = "mutations"))]
    #[inline(always)]
    pub const fn is_on(self) -> bool {
        false
    }

    /// Whether the library is to be broken in this way.
    #[cfg(feature = "mutations")]
    pub fn is_on(self) -> bool {
        static CHOSEN: PerProcess<Option<Mutation>> = PerProcess::new();
        let chosen = CHOSEN.find_once(|| {
            let name = std::env::var("IPCKIT_MUTATION").ok().filter(|name| !name.is_empty())?;
            let named = NAMED.iter().find(|(known, _)| *known == name);
            assert!(named.is_some(), "IPCKIT_MUTATION={name} is none of src/host/mutation_list.rs");
            named.map(|(_, mutation)| *mutation)
        });
        chosen == Some(self)
    }
}
