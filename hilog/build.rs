// SPDX-License-Identifier: Apache-2.0
//! Compiles the C part, and gives the library its name.

fn main() {
    println!("cargo::rerun-if-changed=src/variadic.c");
    println!("cargo::rerun-if-changed=../include/hilog/log.h");
    cc::Build::new()
        .file("src/variadic.c")
        .include("../include")
        .std("c11")
        .flag("-fvisibility=hidden")
        // An exception of a user's callback can pass through.
        .flag("-fexceptions")
        .warnings_into_errors(true)
        .extra_warnings(true)
        .compile("ipckit_hilog_variadic");

    // A crate's name holds no dot, so the file gets its name when it is installed; the loader goes by this one.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libhilog_ndk.z.so");
    // Other libraries of the project keep the address of one of its functions.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
