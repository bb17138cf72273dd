// SPDX-License-Identifier: Apache-2.0
//! The library's name for the loader, and that it is never unloaded: its threads run its code until the process ends.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libipc_capi.so");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    // The C library's function takes the loader's lock, which a thread holds that loads a library: where that library's constructors use
    // this one and wait for a thread of it, both would wait for ever. Without it Rust has the ends of threads told by a pthread key.
    println!("cargo::rustc-cdylib-link-arg=-Wl,--defsym=__cxa_thread_atexit_impl=0");
}
