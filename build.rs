// SPDX-License-Identifier: Apache-2.0
//! The library's name for the loader, and that it is never unloaded: its threads run its code until the process ends.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libipc_capi.so");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
