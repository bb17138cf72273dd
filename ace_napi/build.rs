// SPDX-License-Identifier: Apache-2.0
//! Gives the library its name.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A crate's name holds no dot, so the file gets its name when it is installed; the loader goes by this one.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libace_napi.z.so");
    // Modules keep addresses of its functions, and the log keeps one of its own.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
