// SPDX-License-Identifier: Apache-2.0
//! The dynamic loader: what is loaded from where, where it looks, and loading.
#![allow(unsafe_code)] // calls the loader

use std::env;
use std::ffi::{CStr, OsStr, OsString, c_char, c_int, c_void};
use std::fs;
use std::mem::MaybeUninit;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};

use ipckit_threads::fork;

/// The file of the loaded module that the address lies in, as an absolute path; as the loader was told to find it, that is
/// by a symbolic link where there is one.
pub(crate) fn module_at(address: *const c_void) -> Option<PathBuf> {
    let name = loader_name(address)?;
    let path = PathBuf::from(name);
    if path.is_absolute() {
        return Some(path);
    }
    // The main program goes by argv[0], and a relative path may have been relative to another directory: ask the kernel.
    let maps = fs::read("/proc/self/maps").ok();
    maps.and_then(|maps| mapped_file(&maps, address.addr())).or_else(|| fs::canonicalize(path).ok())
}

/// The file of the running program, as an absolute path.
pub(crate) fn executable() -> Option<PathBuf> {
    env::current_exe().ok().or_else(|| {
        // Without /proc: the path that exec was given.
        // SAFETY: the kernel's auxiliary vector holds a text that lives as long as the process, or nothing.
        let path =
            unsafe { (libc::getauxval(libc::AT_EXECFN) as *const c_char).as_ref().map(|text| CStr::from_ptr(text)) };
        path.and_then(|path| fs::canonicalize(OsStr::from_bytes(path.to_bytes())).ok())
    })
}

fn loader_name(address: *const c_void) -> Option<OsString> {
    let mut information = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: any address may be asked about; the name belongs to a module that is loaded, and is copied at once.
    unsafe {
        if libc::dladdr(address, information.as_mut_ptr()) == 0 {
            return None;
        }
        let name = information.assume_init_ref().dli_fname;
        (!name.is_null()).then(|| OsString::from_vec(CStr::from_ptr(name).to_bytes().to_vec()))
    }
}

/// The file that `/proc/self/maps` shows at an address.
fn mapped_file(maps: &[u8], address: usize) -> Option<PathBuf> {
    maps.split(|&byte| byte == b'\n').find_map(|line| {
        let mut range = line.split(|&byte| byte == b' ').next()?.split(|&byte| byte == b'-');
        let mut bound = || usize::from_str_radix(str::from_utf8(range.next()?).ok()?, 16).ok();
        let (start, end) = (bound()?, bound()?);
        let path = line.iter().position(|&byte| byte == b'/').map(|start| &line[start..])?;
        (start..end).contains(&address).then(|| PathBuf::from(OsStr::from_bytes(path)))
    })
}

/// A loaded module.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Module {
    /// The main program.
    Program,
    /// The one that an address lies in.
    At(*const c_void),
}

/// The directories that a module's own RUNPATH or RPATH names. Those with placeholders other than `$ORIGIN` are left out.
pub(crate) fn run_path(module: Module) -> Vec<PathBuf> {
    let file = match module {
        Module::Program => executable(),
        Module::At(address) => module_at(address),
    };
    let (Some(file), Some(text)) = (file, run_path_text(module)) else { return Vec::new() };
    expand_all(&text, &file)
}

/// The directories of a run path, of this file.
fn expand_all(text: &[u8], file: &Path) -> Vec<PathBuf> {
    let origin = file.parent().unwrap_or(Path::new("/")).as_os_str().as_bytes();
    text.split(|&byte| byte == b':').filter_map(|entry| expand(entry, origin)).collect()
}

/// A run path's entry with `$ORIGIN` in its place, where it is an absolute path then.
fn expand(entry: &[u8], origin: &[u8]) -> Option<PathBuf> {
    let mut path = Vec::new();
    let mut rest = entry;
    while let Some(start) = rest.iter().position(|&byte| byte == b'$') {
        path.extend_from_slice(&rest[..start]);
        path.extend_from_slice(origin);
        let name = &rest[start..];
        rest = name.strip_prefix(b"$ORIGIN").or_else(|| name.strip_prefix(b"${ORIGIN}"))?;
    }
    path.extend_from_slice(rest);
    let path = PathBuf::from(OsString::from_vec(path));
    path.is_absolute().then_some(path)
}

fn run_path_text(module: Module) -> Option<Vec<u8>> {
    let map = link_map(module)?;
    // SAFETY: the loader's own description of a module that stays loaded: it has code on the caller's stack.
    unsafe { DynamicSection::read(map.dynamic, map.address).run_path() }
}

/// What this library needs of a module's dynamic section.
struct DynamicSection {
    texts: usize,
    run_path: Option<usize>,
    needed: Vec<usize>,
}

impl DynamicSection {
    /// # Safety
    /// `entry` is the dynamic section of a module that is loaded at `address`.
    unsafe fn read(mut entry: *const Dynamic, address: usize) -> Self {
        const DT_NULL: isize = 0;
        const DT_NEEDED: isize = 1;
        const DT_STRTAB: isize = 5;
        const DT_RPATH: isize = 15;
        const DT_RUNPATH: isize = 29;
        let (mut texts, mut rpath, mut runpath, mut needed) = (0, None, None, Vec::new());
        // SAFETY: the section ends with DT_NULL.
        while let Some(Dynamic { tag, value }) = unsafe { entry.as_ref() }.filter(|entry| entry.tag != DT_NULL) {
            match *tag {
                DT_NEEDED => needed.push(*value),
                DT_STRTAB => texts = *value,
                DT_RPATH => rpath = Some(*value),
                DT_RUNPATH => runpath = Some(*value),
                _ => {}
            }
            // SAFETY: as above.
            entry = unsafe { entry.add(1) };
        }
        // Most loaders have made it an absolute address; others leave it relative to the module's.
        let texts = if texts < address { texts + address } else { texts };
        Self { texts, run_path: runpath.or(rpath), needed }
    }

    /// # Safety
    /// The module is loaded, and the offset is one of its dynamic section.
    unsafe fn text(&self, offset: usize) -> &CStr {
        // SAFETY: such offsets lead to terminated texts in the module's text table.
        unsafe { CStr::from_ptr(ptr::with_exposed_provenance(self.texts + offset)) }
    }

    /// # Safety
    /// The module is loaded.
    unsafe fn run_path(&self) -> Option<Vec<u8>> {
        // SAFETY: as the caller says; the offset comes from the section.
        self.run_path.map(|offset| unsafe { self.text(offset) }.to_bytes().to_vec())
    }

    /// # Safety
    /// The module is loaded.
    unsafe fn needs(&self, name: &CStr) -> bool {
        // SAFETY: as the caller says; the offsets come from the section.
        self.needed.iter().any(|offset| unsafe { self.text(*offset) } == name)
    }
}

/// A loaded module that was linked with another.
pub(crate) struct Dependent {
    pub(crate) file: PathBuf,
    pub(crate) run_path: Vec<PathBuf>,
}

/// The loaded modules that were linked with the library of this name, in load order.
pub(crate) fn modules_that_need(library: &CStr) -> Vec<Dependent> {
    struct Search<'a> {
        library: &'a CStr,
        found: Vec<(*const c_void, Option<Vec<u8>>)>,
    }
    unsafe extern "C" fn look(entry: *mut libc::dl_phdr_info, _size: usize, search: *mut c_void) -> c_int {
        // SAFETY: the loader passes a valid entry, of a module that stays loaded during the call, and the pointer that it was given.
        unsafe {
            let (entry, search) = (&*entry, &mut *search.cast::<Search<'_>>());
            let address = entry.dlpi_addr as usize;
            for index in 0..entry.dlpi_phnum {
                let header = &*entry.dlpi_phdr.add(index.into());
                if header.p_type == libc::PT_DYNAMIC {
                    let dynamic = ptr::with_exposed_provenance::<Dynamic>(address + header.p_vaddr as usize);
                    let section = DynamicSection::read(dynamic, address);
                    if section.needs(search.library) {
                        search.found.push((dynamic.cast(), section.run_path()));
                    }
                }
            }
        }
        0
    }
    let mut search = Search { library, found: Vec::new() };
    // SAFETY: the callback takes a search.
    unsafe { look_at_modules(look, &mut search) };
    let dependent = |(address, run_path): (*const c_void, Option<Vec<u8>>)| {
        let file = module_at(address)?;
        let run_path = run_path.map_or_else(Vec::new, |text| expand_all(&text, &file));
        Some(Dependent { file, run_path })
    };
    search.found.into_iter().filter_map(dependent).collect()
}

/// Has the loader show `look` its modules one after the other, with a pointer to `found`.
///
/// # Safety
/// `look` takes a pointer to a `T`, which it uses during its calls only.
unsafe fn look_at_modules<T>(
    look: unsafe extern "C" fn(*mut libc::dl_phdr_info, usize, *mut c_void) -> c_int,
    found: &mut T,
) {
    // A forked process would find the lock of this call as it was.
    let _no_fork = fork::hold_off();
    // SAFETY: by the caller; the value is borrowed for as long as the call takes.
    unsafe { libc::dl_iterate_phdr(Some(look), ptr::from_mut(found).cast()) };
}

/// An entry of a module's dynamic section, `ElfW(Dyn)`.
#[repr(C)]
struct Dynamic {
    tag: isize,
    value: usize,
}

/// The public part of the loader's `struct link_map`.
#[repr(C)]
struct LinkMap {
    address: usize,
    _name: *const c_char,
    dynamic: *const Dynamic,
}

fn link_map(module: Module) -> Option<&'static LinkMap> {
    const RTLD_DL_LINKMAP: c_int = 2;
    const RTLD_DI_LINKMAP: c_int = 2;
    let mut map: *const LinkMap = ptr::null();
    // SAFETY: the loader writes one pointer, to its own description of a module that stays loaded.
    unsafe {
        match module {
            Module::Program => {
                let handle = libc::dlopen(ptr::null(), libc::RTLD_LAZY);
                dlinfo(handle, RTLD_DI_LINKMAP, (&raw mut map).cast());
            }
            Module::At(address) => {
                let mut information = MaybeUninit::<libc::Dl_info>::zeroed();
                dladdr1(address, information.as_mut_ptr(), (&raw mut map).cast(), RTLD_DL_LINKMAP);
            }
        }
        map.as_ref()
    }
}

unsafe extern "C" {
    fn dladdr1(address: *const c_void, information: *mut libc::Dl_info, extra: *mut *mut c_void, flags: c_int)
    -> c_int;
    fn dlinfo(handle: *mut c_void, request: c_int, information: *mut c_void) -> c_int;
}

/// The files of all loaded modules in load order, without the main program.
pub(crate) fn loaded_modules() -> Vec<PathBuf> {
    unsafe extern "C" fn collect(entry: *mut libc::dl_phdr_info, _size: usize, modules: *mut c_void) -> c_int {
        // SAFETY: the loader passes a valid entry and the pointer that `loaded_modules` gave it.
        unsafe {
            let name = (*entry).dlpi_name;
            if !name.is_null() && *name != 0 {
                (*modules.cast::<Vec<PathBuf>>()).push(OsStr::from_bytes(CStr::from_ptr(name).to_bytes()).into());
            }
        }
        0
    }
    let mut modules = Vec::new();
    // SAFETY: the callback takes a vector of paths.
    unsafe { look_at_modules(collect, &mut modules) };
    modules
}

/// The file of the loaded module, or the main program, that shows the loader a symbol of this name.
pub(crate) fn module_that_defines(symbol: &CStr) -> Option<PathBuf> {
    // SAFETY: a terminated name; the address is only asked about.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, symbol.as_ptr()) };
    // What was not found must not come out as an error of the user's next question.
    // SAFETY: takes nothing; the text is not used.
    unsafe { libc::dlerror() };
    if address.is_null() { None } else { module_at(address) }
}

/// A library that was loaded, never to be unloaded.
#[derive(Debug)]
pub(crate) struct Library(NonNull<c_void>);

impl Library {
    /// Loads a library by path or by a name that the loader looks for; its functions are bound when first called. The error
    /// is the loader's own words.
    pub(crate) fn load(name: &CStr) -> Result<Self, String> {
        // SAFETY: a terminated name. What the library's constructors do is the library's affair.
        NonNull::new(unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_LAZY) }).map(Self).ok_or_else(last_error)
    }

    /// The address of a function.
    pub(super) fn function(&self, name: &CStr) -> Result<NonNull<c_void>, String> {
        // SAFETY: the handle came from the loader and was never closed.
        NonNull::new(unsafe { libc::dlsym(self.0.as_ptr(), name.as_ptr()) }).ok_or_else(last_error)
    }
}

fn last_error() -> String {
    // SAFETY: the loader keeps a text for this thread until its next call on it, and we copy it first.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() {
            "the loader does not say why".into()
        } else {
            CStr::from_ptr(text).to_string_lossy().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_of_a_function_of_the_program_is_the_program() {
        let here = the_module_of_a_function_of_the_program_is_the_program as fn();
        assert_eq!(module_at(here as *const c_void), executable());
    }

    #[test]
    fn the_module_of_a_libc_function_is_libc() {
        let path = module_at(libc::getpid as *const c_void).unwrap();
        assert!(path.is_absolute() && path.to_string_lossy().contains("libc"), "{path:?}");
        assert!(loaded_modules().contains(&path));
    }

    #[test]
    fn no_module_is_at_address_one() {
        assert_eq!(module_at(ptr::without_provenance(1)), None);
    }

    #[test]
    fn maps_lines_are_taken_apart() {
        let maps = b"1000-2000 r-xp 00000000 fe:00 77   /opt/a library.so\n2000-3000 rw-p 00000000 00:00 0 \n";
        assert_eq!(mapped_file(maps, 0x1000), Some("/opt/a library.so".into()));
        assert_eq!(mapped_file(maps, 0x1fff), Some("/opt/a library.so".into()));
        assert_eq!(mapped_file(maps, 0x2000), None);
        assert_eq!(mapped_file(b"nonsense\n-\n", 0), None);
    }

    #[test]
    fn origin_is_put_in_its_place_and_nothing_else_is_guessed() {
        let expanded = |entry: &str| expand(entry.as_bytes(), b"/o").map(|path| path.to_string_lossy().into_owned());
        assert_eq!(expanded("$ORIGIN").as_deref(), Some("/o"));
        assert_eq!(expanded("${ORIGIN}/../lib").as_deref(), Some("/o/../lib"));
        assert_eq!(expanded("/opt/lib").as_deref(), Some("/opt/lib"));
        for entry in ["", "relative", "$LIB/x", "/opt/$PLATFORM", "/opt/${ORIGIN", "$"] {
            assert_eq!(expanded(entry), None, "{entry}");
        }
    }

    #[test]
    fn any_modules_run_path_can_be_read() {
        for module in [Module::Program, Module::At(libc::getpid as *const c_void)] {
            assert!(link_map(module).is_some());
            assert!(run_path(module).iter().all(|path| path.is_absolute()));
        }
        assert!(run_path(Module::At(ptr::without_provenance(1))).is_empty());
    }

    #[test]
    fn modules_are_found_by_what_they_need() {
        let dependents = modules_that_need(c"libc.so.6");
        assert!(dependents.iter().any(|dependent| Some(&dependent.file) == executable().as_ref()));
        assert!(dependents.iter().all(|dependent| dependent.file.is_absolute()));
        assert!(modules_that_need(c"libthere_is_no_such_thing.so").is_empty());
    }

    #[test]
    fn a_missing_library_gives_the_loaders_words() {
        let error = Library::load(c"libthere_is_no_such_thing.so").unwrap_err();
        assert!(error.contains("libthere_is_no_such_thing.so"), "{error}");
    }
}
