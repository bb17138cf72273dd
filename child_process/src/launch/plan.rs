// SPDX-License-Identifier: Apache-2.0
//! All that a child is started with, as things stand on the thread that asks for it.

use std::env;
use std::ffi::{CStr, CString, OsStr, c_void};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::environment;
use super::given::Given;
use super::isolation;
use super::launcher;
use super::search::{Found, SearchPath};
use super::start::Failure;
use super::starter::explain;
use crate::mutation::Mutation;
use crate::protocol::{self, Isolation, Order, Surroundings, Task};
use crate::sys::channel::Channel;
use crate::sys::guardian::Program;
use crate::sys::{ipc, loader, memory_file, process};

/// What a user asks for.
#[derive(Debug)]
pub(super) struct Wish<'a> {
    pub(super) library: &'a CStr,
    /// An address in the module that asks.
    pub(super) caller: *const c_void,
    /// What the child is given, where it is to run a function.
    pub(super) given: Option<&'a Given<'a>>,
    pub(super) configuration: &'a Configuration,
}

/// How a child is to be started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Configuration {
    pub(crate) is_isolated: bool,
    /// Whether an isolated child sees itself as another user.
    pub(crate) other_user: bool,
    /// What stands behind the parent's name in the child's.
    pub(crate) process_name: Option<CString>,
}

/// A child to be started.
pub(super) struct Plan {
    /// The launcher and its arguments and environment.
    pub(super) program: Program,
    /// This process's end, and the child's, in which lies what it is told first.
    pub(super) channel: (Channel, Channel),
    /// Where the library was looked for.
    pub(super) found: Found,
}

impl Plan {
    /// Plans a child as things stand now; it is the process's child of this number.
    pub(super) fn gather(wish: &Wish<'_>, number: usize) -> Result<Self, (Failure, String)> {
        let name = OsStr::from_bytes(wish.library.to_bytes());
        let search_path = SearchPath::of_caller(wish.caller);
        let mut found = search_path.find(name);
        if found.load.as_bytes().len() >= libc::PATH_MAX as usize {
            if wish.given.is_none() {
                return Err((Failure::Loading, format!("the path is longer than {} bytes", libc::PATH_MAX - 1)));
            }
            // Start makes a process all the same, which has to find out by itself: cut, it is still too long.
            let cut = found.load.as_bytes()[..libc::PATH_MAX as usize].to_vec();
            found.load = CString::new(cut).expect("a part of a text");
        }
        if Mutation::NobodyStartsOneself.is_on()
            && loader::module_at(wish.caller).and_then(c_path) == Some(found.load.clone())
        {
            return Err((Failure::Loading, "it is loaded already".into()));
        }
        let internal = |text: &str| (Failure::Internal, text.to_owned());
        let unknown = || internal("where libipc_capi.so and libchild_process.so were loaded from cannot be told");
        let own_library = loader::module_at(own_address()).ok_or_else(unknown)?;
        let ipc_library = loader::module_at(ipc::library_address()).and_then(c_path).ok_or_else(unknown)?;
        let launcher = launcher::find(Some(&own_library)).map_err(|text| internal(&text))?;
        let launcher = c_path(launcher).ok_or_else(|| internal("the launcher's path holds a NUL"))?;
        let process_name = wish.configuration.process_name.as_deref();
        let argv0 = launcher::process_name(env::args_os().next(), process_name, name, number);
        environment::advise_on_sanitizers_once();
        let environment = environment::for_child(&search_path, own_library.parent());
        let own_library = c_path(own_library).ok_or_else(unknown)?;
        let needed = [&found.load, &launcher, &own_library, &ipc_library];
        let is_isolated = wish.configuration.is_isolated && !Mutation::IsolationIsForgotten.is_on();
        let isolation = is_isolated.then(|| Isolation {
            other_user: wish.configuration.other_user && !Mutation::OtherUserIsForgotten.is_on(),
            hidden: isolation::hidden_directories(&search_path, &needed.map(CString::as_c_str)),
        });
        let order = Order::Begin {
            task: if wish.given.is_some() { Task::Run } else { Task::Connect },
            library: found.load.clone(),
            surroundings: Surroundings { nice: process::nice(), isolation },
        };
        let channel = fill_channel(&protocol::launch_packet(&ipc_library, &own_library), &order, wish.given)
            .map_err(|(what, error)| internal(&format!("{what} failed: {}", explain(&error))))?;
        Ok(Self { program: Program::new(launcher, vec![argv0], environment), channel, found })
    }
}

/// A channel in whose far end lies what the child is told first.
fn fill_channel(
    launch: &[u8],
    order: &Order,
    given: Option<&Given<'_>>,
) -> Result<(Channel, Channel), (&'static str, io::Error)> {
    let while_doing = |what| move |error| (what, error);
    let channel = Channel::pair().map_err(while_doing("making a socket pair"))?;
    channel.0.send(launch).map_err(while_doing("writing to a socket pair"))?;
    let mut descriptors = Vec::new();
    let file = match given {
        None => None,
        Some(given) => {
            let file = memory_file::with_content(&given.gift().to_bytes());
            let file = file.map_err(while_doing("making a file in memory for the arguments"))?;
            descriptors.push(file.as_raw_fd());
            descriptors.extend(given.descriptors());
            Some(file)
        }
    };
    let sent = channel.0.send_with(&order.to_packet(), &descriptors);
    drop(file);
    sent.map_err(while_doing("passing the arguments and descriptors on"))?;
    Ok(channel)
}

fn own_address() -> *const c_void {
    own_address as *const c_void
}

fn c_path(path: PathBuf) -> Option<CString> {
    CString::new(path.into_os_string().into_encoded_bytes()).ok()
}
