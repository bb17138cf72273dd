# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the commands need of the machine: installed with apt-get where there is one, named where there is none.
# Read by ./run, which sets $root.

die() {
    echo "run: $*" >&2
    exit 1
}

# version_at_least HAVE WANT
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

has() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

can_install() { has apt-get && { [ "$(id -u)" = 0 ] || has sudo; }; }

apt_lists_are_new=
update_apt_lists() {
    can_install || return 1
    [ -n "$apt_lists_are_new" ] || as_root apt-get update -qq >&2 || return 1
    apt_lists_are_new=1
}

# install PACKAGE...: nothing that is installed is removed for it.
install() {
    update_apt_lists || return 1
    echo "run: installing $* with apt-get" >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends --no-remove "$@" >&2 || return 1
    hash -r
}

# install_or_name PACKAGE...: the packages' Debian names; elsewhere they go by similar ones.
install_or_name() {
    [ $# = 0 ] || install "$@" || die "please install (by their Debian names): $*"
}

rust_version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")

# Whether the cargo and the rustc that would be called are new enough, here, where rust-toolchain.toml has a say.
rust_is_new_enough() {
    local tool version
    for tool in cargo rustc; do
        version=$(cd "$root" && "$tool" --version 2>/dev/null) || return 1
        version_at_least "$(echo "$version" | cut -d ' ' -f 2)" "$rust_version" || return 1
    done
}

# apt_offers PACKAGE VERSION: whether apt-get would install this version or a newer one.
apt_offers() {
    local candidate
    candidate=$(apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p')
    [ -n "$candidate" ] && [ "$candidate" != "(none)" ] && dpkg --compare-versions "$candidate" ge "$2"
}

install_rust() {
    update_apt_lists || return 1
    # Debian 12 has a current Rust, for its browsers, under the names that end in -web.
    if apt_offers rustc "$rust_version"; then
        install cargo rustc
    elif apt_offers rustc-web "$rust_version"; then
        install cargo-web rustc-web
    elif apt_offers rustup 1; then
        install rustup && rustup toolchain install stable >&2
    else
        return 1
    fi
}

require_rust() {
    rust_is_new_enough && return
    if [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
        PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
        rust_is_new_enough && return
    fi
    if has rustup; then
        die "cargo and rustc $rust_version or newer are needed; please run: rustup toolchain install stable"
    fi
    install_rust && rust_is_new_enough && return
    die "cargo and rustc $rust_version or newer are needed; please install rustup (https://rustup.rs) and run:" \
        "rustup toolchain install stable"
}

# What it takes to build the libraries and a project that uses them.
require_build_tools() {
    local missing=()
    has cmake || missing+=(cmake)
    has c++ && has cc || missing+=(g++)
    [ -n "${CMAKE_GENERATOR:-}" ] || has make || missing+=(make)
    # cargo downloads over TLS.
    has apt-get && [ ! -e /etc/ssl/certs/ca-certificates.crt ] && missing+=(ca-certificates)
    install_or_name "${missing[@]}"
    local version
    version=$(cmake --version | sed -n 's/^cmake version //p')
    version_at_least "$version" 3.22 || die "cmake 3.22 or newer is needed, this is $version; please install a newer one"
    require_rust
}

# rustup's toolchains come with the runtime that a Rust program is linked with; distributions' may not.
rust_has_address_sanitizer() { compgen -G "$(rustc --print sysroot)/lib/rustlib/*/lib/librustc*rt.asan.a" >/dev/null; }
