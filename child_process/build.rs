// SPDX-License-Identifier: Apache-2.0
//! Gives `libchild_process.so` its SONAME and makes it need `libipc_capi.so`.
//!
//! cargo links no cdylib to a cdylib. A stand-in that has the SONAME and the private symbols of `libipc_capi.so`, and
//! nothing in them, takes its place while this library is linked; at run time the loader finds the real one beside it.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=link/ipc_capi.c");
    let stand_in = build_stand_in(Path::new("link/ipc_capi.c"));
    // As a file, not as a search directory: cargo puts those on LD_LIBRARY_PATH of all it runs, where the stand-in would
    // hide the real library.
    println!("cargo::rustc-cdylib-link-arg={}", stand_in.display());
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libchild_process.so");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-rpath,$ORIGIN");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}

fn build_stand_in(source: &Path) -> PathBuf {
    let library = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("libipc_capi.so");
    let mut command = cc::Build::new().get_compiler().to_command();
    command.args(["-shared", "-fPIC", "-nostdlib", "-Wl,-soname,libipc_capi.so", "-o"]).arg(&library).arg(source);
    let status = command.status().unwrap_or_else(|error| panic!("the C compiler did not start ({command:?}): {error}"));
    assert!(status.success(), "the C compiler failed ({status}): {command:?}");
    library
}
