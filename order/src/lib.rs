// SPDX-License-Identifier: Apache-2.0
//! What a thread sanitizer is told where one is loaded: which of the user's steps happen before which others, and which code is the
//! library's own, whose locks it does not see. Without one each function costs a load. See `docs/decisions/0020`.
//!
//! Each library has a copy of this crate. Its functions may be called on any thread, and allocate nothing.
#![allow(unsafe_code)] // calls what the dynamic loader finds

use std::ffi::{CStr, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A function of the sanitizer's; 0 where there is no sanitizer.
struct Function {
    name: &'static CStr,
    /// What does the same where there is none of that name.
    otherwise: Option<&'static CStr>,
    address: AtomicUsize,
}

impl Function {
    const fn new(name: &'static CStr) -> Self {
        Self { name, otherwise: None, address: AtomicUsize::new(0) }
    }

    const fn new_or(name: &'static CStr, otherwise: &'static CStr) -> Self {
        Self { name, otherwise: Some(otherwise), address: AtomicUsize::new(0) }
    }

    fn find(&self) {
        // SAFETY: a terminated name.
        let find = |name: &CStr| unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }.addr();
        let found = match find(self.name) {
            0 => self.otherwise.map_or(0, find),
            found => found,
        };
        self.address.store(found, Ordering::Relaxed);
    }

    #[inline]
    fn address(&self) -> usize {
        self.address.load(Ordering::Relaxed)
    }
}

static ACQUIRE: Function = Function::new(c"__tsan_acquire");
static RELEASE: Function = Function::new(c"__tsan_release");
static READ_RANGE: Function = Function::new(c"__tsan_read_range");
static WRITE_RANGE: Function = Function::new(c"__tsan_write_range");
// A runtime that clang links into the program shows these under their older names only; they ignore writes too.
static IGNORE_BEGIN: Function = Function::new_or(c"__tsan_ignore_thread_begin", c"AnnotateIgnoreReadsBegin");
static IGNORE_END: Function = Function::new_or(c"__tsan_ignore_thread_end", c"AnnotateIgnoreReadsEnd");

/// Before any other function of the library can be called, and so before any fork: a sanitizer is loaded first of all or not at all.
#[used]
#[unsafe(link_section = ".init_array")]
static FIND_ALL: extern "C" fn() = {
    extern "C" fn find_all() {
        [&ACQUIRE, &RELEASE, &READ_RANGE, &WRITE_RANGE, &IGNORE_BEGIN, &IGNORE_END]
            .into_iter()
            .for_each(Function::find);
        // What was not found must not come out as an error of the user's next question.
        // SAFETY: takes nothing; the text is not used.
        unsafe { libc::dlerror() };
    }
    find_all
};

/// A place of its own for one ordering of a thing, where the thing has several.
#[derive(Debug, Default)]
pub struct Mark {
    // An address needs a byte.
    _place: u8,
}

/// All that the calling thread has done happens before what a thread does that takes the same thing over. The thing must not move
/// between the two.
#[inline]
pub fn hand_over<T>(thing: &T) {
    on_thing(&RELEASE, thing);
}

/// All that was done before the thing was handed over, however often and by whom, has happened.
#[inline]
pub fn take_over<T>(thing: &T) {
    on_thing(&ACQUIRE, thing);
}

/// As [`take_over`], for what lay there when it was handed over, and has moved since.
#[inline]
pub fn take_over_from<T>(place: *const T) {
    on_place(&ACQUIRE, place);
}

/// As [`hand_over`], for what is the library's own affair: it counts only where the library itself is looked at, and orders something
/// by means that are not seen, which are another process or the standard library's compiled code.
#[inline]
pub fn hand_over_inside<T>(thing: &T) {
    if cfg!(ipckit_thread_sanitizer) {
        hand_over(thing);
    }
}

/// As [`take_over`], for what [`hand_over_inside`] hands over.
#[inline]
pub fn take_over_inside<T>(thing: &T) {
    if cfg!(ipckit_thread_sanitizer) {
        take_over(thing);
    }
}

#[inline]
fn on_thing<T>(function: &Function, thing: &T) {
    on_place(function, ptr::from_ref(thing));
}

#[inline]
fn on_place<T>(function: &Function, place: *const T) {
    const { assert!(size_of::<T>() != 0, "a thing has an address of its own") };
    let address = function.address();
    if address != 0 {
        // SAFETY: the sanitizer defines its functions with this type. It takes the address as a name, and reads nothing there.
        unsafe {
            let function = mem::transmute::<usize, unsafe extern "C" fn(*mut c_void)>(address);
            function(place.cast_mut().cast());
        }
    }
}

/// Something has been sent to another process: what the calling thread has done happens before all that may follow from it. What
/// happens over there nobody can tell, so it counts as one thing, whichever process it is.
#[inline]
pub fn sent() {
    hand_over(&OTHER_PROCESSES);
}

/// Something has come from another process, or of its death: it may follow from all that was sent before.
#[inline]
pub fn received() {
    take_over(&OTHER_PROCESSES);
}

static OTHER_PROCESSES: Mark = Mark { _place: 0 };

/// The user has the calling thread, outside [`LibraryCode`], read `count` things.
#[inline]
pub fn user_reads<T>(things: *const T, count: usize) {
    on_range(&READ_RANGE, things, count);
}

/// The user has the calling thread, outside [`LibraryCode`], change `count` things.
#[inline]
pub fn user_writes<T>(things: *const T, count: usize) {
    on_range(&WRITE_RANGE, things, count);
}

/// As [`user_reads`], within [`LibraryCode`].
#[inline]
pub fn library_reads_for_user<T>(things: *const T, count: usize) {
    if READ_RANGE.address() != 0 {
        let _users = UsersCode::begin();
        user_reads(things, count);
    }
}

/// As [`user_writes`], within [`LibraryCode`].
#[inline]
pub fn library_writes_for_user<T>(things: *const T, count: usize) {
    if WRITE_RANGE.address() != 0 {
        let _users = UsersCode::begin();
        user_writes(things, count);
    }
}

#[inline]
fn on_range<T>(function: &Function, thing: *const T, count: usize) {
    // A library that is itself looked at needs no telling.
    let address = if cfg!(ipckit_thread_sanitizer) { 0 } else { function.address() };
    if address != 0 && !thing.is_null() {
        // SAFETY: as above. The sanitizer notes the addresses, and does not read there.
        unsafe {
            let function = mem::transmute::<usize, unsafe extern "C" fn(*mut c_void, usize)>(address);
            function(thing.cast_mut().cast(), count * size_of::<T>());
        }
    }
}

/// While it lives, the calling thread runs the library's own code: what that does is not to be looked at.
///
/// It would be looked at in part only: the C library's functions are, but not the locks and counters that order what they do.
#[derive(Debug)]
pub struct LibraryCode(PhantomData<*const ()>);

impl LibraryCode {
    /// The user's code has called the library, or a thread of the library's begins.
    #[inline]
    pub fn begin() -> Self {
        switch(&IGNORE_BEGIN);
        Self(PhantomData)
    }
}

impl Drop for LibraryCode {
    #[inline]
    fn drop(&mut self) {
        switch(&IGNORE_END);
    }
}

/// While it lives, the calling thread runs the user's code, called from the library's own.
#[derive(Debug)]
pub struct UsersCode(PhantomData<*const ()>);

impl UsersCode {
    /// The library, within [`LibraryCode`], calls the user's code.
    #[inline]
    pub fn begin() -> Self {
        switch(&IGNORE_END);
        Self(PhantomData)
    }
}

impl Drop for UsersCode {
    #[inline]
    fn drop(&mut self) {
        switch(&IGNORE_BEGIN);
    }
}

#[inline]
fn switch(function: &Function) {
    // A library that is itself built for the sanitizer is what is to be looked at.
    if cfg!(ipckit_thread_sanitizer) {
        return;
    }
    let address = function.address();
    if address != 0 {
        // SAFETY: the sanitizer defines the older functions with this type, to be told a place in the source, and the others without
        // arguments, which then are not looked at.
        unsafe { mem::transmute::<usize, unsafe extern "C" fn(*const c_char, c_int)>(address)(ptr::null(), 0) };
    }
}
