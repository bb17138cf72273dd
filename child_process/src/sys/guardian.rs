// SPDX-License-Identifier: Apache-2.0
//! Starts a program so that it is nobody's child: invisible to the waits of the process that asked, and gone with it.
//!
//! A child without an exit signal is invisible to wait() and raises no SIGCHLD, but only until it executes a program: that
//! makes it an ordinary child again. So a guardian stands between: a process without an exit signal that executes nothing. It
//! shares its creator's memory, starts the program, lets go of everything else, waits for the program's end, notes how it
//! ended in a shared page, and ends. Its creator polls and reaps it through its pid file descriptor.
//!
//! `PR_SET_PDEATHSIG` ties the guardian to the thread that created it, and the program to the guardian.
#![allow(unsafe_code)] // maps the shared page and hands it to the guardian

use std::ffi::{CString, c_char, c_int};
use std::fmt;
use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use ipckit_threads::lock::Mutex;

use super::own_descriptor::OwnDescriptor;
use super::process;
use super::script::{Next, Step, clone_into, runs_on_valgrind};
use super::standard_descriptors;
use crate::mutation::Mutation;

/// Number of the descriptor by which the program finds its channel.
pub(crate) const CHANNEL_NUMBER: c_int = 3;

/// What the guardian executes: a path and complete argument and environment vectors.
pub(crate) struct Program {
    path: CString,
    arguments: Vec<*const c_char>,
    environment: Vec<*const c_char>,
    _texts: Vec<CString>,
}

// SAFETY: the pointers lead into `_texts`, which the value owns and nobody changes.
unsafe impl Send for Program {}

impl Program {
    pub(crate) fn new(path: CString, arguments: Vec<CString>, environment: Vec<CString>) -> Self {
        let vector = |texts: &[CString]| texts.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect();
        Self {
            path,
            arguments: vector(&arguments),
            environment: vector(&environment),
            _texts: arguments.into_iter().chain(environment).collect(),
        }
    }
}

/// How a program ended.
#[derive(Debug)]
pub(crate) enum End {
    /// It ended by itself with this status.
    Exited(c_int),
    /// This signal killed it.
    Killed(c_int),
    /// It was never executed: what was tried, and the error.
    NotStarted(&'static str, io::Error),
}

/// A program and the guardian that watches over it.
pub(crate) struct Guardian {
    page: NonNull<Page>,
    pid: libc::pid_t,
    pidfd: OwnDescriptor,
    program: Mutex<Option<Program>>,
    is_reaped: AtomicBool,
}

// SAFETY: the page is the guardian's to write and ours to read, through atomics, on any thread.
unsafe impl Send for Guardian {}
// SAFETY: as above; the rest is locked or atomic.
unsafe impl Sync for Guardian {}

/// The steps of the guardian and the program, and where they leave results. Shared also where memory is not.
#[repr(C)]
struct Page {
    steps: [Step; STEPS],
    default_disposition: KernelSigaction,
    name: [u8; 16],
    child: AtomicI32,
    wait_status: AtomicI32,
    /// Room for what nobody reads.
    information: MaybeUninit<libc::siginfo_t>,
}

/// The kernel's own `struct sigaction`; all zero is the default disposition.
#[repr(C)]
struct KernelSigaction([u64; 4]);

const STEPS: usize = 17;

// The guardian's steps.
const EXPECT_END: usize = 0;
const DIE_WITH_CREATOR: usize = 1;
const TAKE_NAME: usize = 2;
const START_CHILD: usize = 3;
const LET_GO: usize = 4;
const AWAIT_END: usize = 5;
const REAP: usize = 6;
const LEAVE: usize = 7;
const GIVE_UP: usize = 8;
// The steps of its child, up to the program.
const CHILD_DIE_WITH_GUARDIAN: usize = 9;
const CHILD_TAKE_CHANNEL: usize = 10;
const CHILD_LET_GO: usize = 11;
const CHILD_KEEP_INPUT: usize = 12;
const CHILD_KEEP_OUTPUT: usize = 13;
const CHILD_KEEP_ERROR: usize = 14;
const CHILD_EXECUTE: usize = 15;
const CHILD_GIVE_UP: usize = 16;

/// What each step that can fail was to do.
const PURPOSES: [(usize, &str); 8] = [
    (EXPECT_END, "setting the signal disposition of the guardian process"),
    (DIE_WITH_CREATOR, "tying the guardian process to this process"),
    (START_CHILD, "creating the child process"),
    (LET_GO, "closing the descriptors of the guardian process (close_range)"),
    (CHILD_DIE_WITH_GUARDIAN, "tying the child process to this process"),
    (CHILD_TAKE_CHANNEL, "handing the channel to the child process"),
    (CHILD_LET_GO, "closing this process's descriptors in the child process (close_range)"),
    (CHILD_EXECUTE, "executing the launcher"),
];

impl Guardian {
    /// Starts the program in the calling process's present surroundings: directory, limits, standard descriptors. The
    /// channel becomes descriptor [`CHANNEL_NUMBER`] of the program, which gets no other beyond the standard three, also
    /// where those are marked close-on-exec. The program starts with all signals blocked.
    ///
    /// Must be called on a thread that lives as long as the process: the program is killed when that thread ends.
    pub(crate) fn start(program: Program, channel: BorrowedFd<'_>) -> io::Result<Self> {
        let page = map_page()?;
        // SAFETY: the mapping is ours alone, writable, zeroed and large enough.
        unsafe { page.write(build_page(page, &program, channel)) };
        let first = first_step(page);
        let end_signal = if Mutation::GuardiansAreOrdinaryChildren.is_on() { libc::SIGCHLD } else { 0 };
        let shared_memory = if runs_on_valgrind() { 0 } else { libc::CLONE_VM };
        let result = process::with_signals_blocked(|| {
            // SAFETY: the page stays mapped until the guardian has been reaped, or for ever; the program's texts are kept
            // until the program has been executed or the guardian has ended. Both last steps exit. Signals are blocked.
            match unsafe { clone_into(libc::CLONE_PIDFD | shared_memory | end_signal, first) } {
                // Emulators that know no processes with shared memory; a copy costs more and does as well.
                // SAFETY: as above.
                Err(error) if shared_memory != 0 && error.raw_os_error() == Some(libc::EINVAL) => unsafe {
                    clone_into(libc::CLONE_PIDFD, first)
                },
                result => result,
            }
        });
        match result {
            Ok((pid, pidfd)) => {
                // SAFETY: the clone has just made this descriptor for us.
                let pidfd = OwnDescriptor::new(unsafe { OwnedFd::from_raw_fd(pidfd) });
                Ok(Self { page, pid, pidfd, program: Mutex::new(Some(program)), is_reaped: AtomicBool::new(false) })
            }
            Err(error) => {
                unmap_page(page);
                Err(error)
            }
        }
    }

    /// Frees what was needed only until the program was executed. To be called when the program has been heard of.
    pub(crate) fn program_has_begun(&self) {
        *self.program.lock() = None;
    }

    /// Whether the program that uses this library has let [`Self::ended`] be.
    pub(crate) fn is_ours(&self) -> bool {
        self.pidfd.is_ours()
    }

    /// Readable once the program has ended.
    pub(crate) fn ended(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// The program's process id; `None` before it exists.
    pub(crate) fn child(&self) -> Option<libc::pid_t> {
        match self.page().child.load(Ordering::Acquire) {
            0 => None,
            pid => Some(pid),
        }
    }

    /// Kills the program; nobody else, even where its process id has been given to another process. `false` where it has
    /// ended already.
    pub(crate) fn kill(&self) -> bool {
        let Some(child) = self.child() else {
            // The program, should it come into being just now, sees its channel hang up.
            if !self.has_ended() {
                process::kill(self.pid);
            }
            return true;
        };
        let pidfd = process::open_pidfd(child);
        if self.page().steps[AWAIT_END].is_done() || self.has_ended() {
            return false;
        }
        match pidfd {
            // Not awaited after the descriptor was opened means not reaped when it was: it is the program's.
            Ok(pidfd) => process::send_signal(pidfd.as_fd(), libc::SIGKILL),
            // No descriptor is to be had. Not awaited means not reaped an instant ago, and its id is nobody else's.
            Err(_) => process::kill(child),
        }
        true
    }

    /// Whether the guardian has ended, and the program with it.
    pub(crate) fn has_ended(&self) -> bool {
        self.is_reaped.load(Ordering::Acquire) || process::child_has_ended(self.pid)
    }

    /// Reaps the guardian, which has ended as [`Self::ended`] or [`Self::has_ended`] says, and tells how the program ended.
    pub(crate) fn reap(&self) -> End {
        process::reap(self.pid);
        self.is_reaped.store(true, Ordering::Release);
        for (index, purpose) in PURPOSES {
            if let Some(error) = self.page().steps[index].error() {
                return End::NotStarted(purpose, error);
            }
        }
        let status = self.page().wait_status.load(Ordering::Acquire);
        if !self.page().steps[REAP].is_done() {
            // Somebody killed the guardian, and so its child.
            End::Killed(libc::SIGKILL)
        } else if libc::WIFSIGNALED(status) {
            End::Killed(libc::WTERMSIG(status))
        } else {
            End::Exited(libc::WEXITSTATUS(status))
        }
    }

    fn page(&self) -> &Page {
        // SAFETY: mapped and initialised since `start`, and unmapped only when the value is dropped.
        unsafe { self.page.as_ref() }
    }
}

impl fmt::Debug for Guardian {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Guardian").field("child", &self.child()).finish_non_exhaustive()
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        if *self.is_reaped.get_mut() {
            unmap_page(self.page);
        } else {
            // It may still run and use them.
            mem::forget(self.program.get_mut().take());
        }
    }
}

fn map_page() -> io::Result<NonNull<Page>> {
    // SAFETY: a new mapping at an address of the kernel's choice.
    let address = unsafe {
        libc::mmap(
            ptr::null_mut(),
            mem::size_of::<Page>(),
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if address == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(address.cast()).ok_or_else(|| io::Error::other("the kernel mapped address 0"))
}

fn unmap_page(page: NonNull<Page>) {
    // SAFETY: `map_page` made it with this length; the guardian that used it has ended or never was.
    unsafe { libc::munmap(page.as_ptr().cast(), mem::size_of::<Page>()) };
}

fn first_step(page: NonNull<Page>) -> *const Step {
    step_in(page, EXPECT_END)
}

fn step_in(page: NonNull<Page>, index: usize) -> *const Step {
    assert!(index < STEPS);
    // SAFETY: in bounds of the mapping; only the address is computed.
    unsafe { (&raw const (*page.as_ptr()).steps).cast::<Step>().add(index) }
}

fn build_page(page: NonNull<Page>, program: &Program, channel: BorrowedFd<'_>) -> Page {
    let at = |index| step_in(page, index);
    let then = |index| Next::after(at(index), at(GIVE_UP));
    let child_then = |index| Next::after(at(index), at(CHILD_GIVE_UP));
    // SAFETY: in bounds of the mapping; only addresses are computed.
    let (disposition, name, child, status, information) = unsafe {
        let page = page.as_ptr();
        (
            (&raw const (*page).default_disposition).expose_provenance(),
            (&raw const (*page).name).expose_provenance(),
            (&raw const (*page).child).expose_provenance(),
            (&raw const (*page).wait_status).expose_provenance(),
            (&raw const (*page).information).expose_provenance(),
        )
    };
    let all_from = |first: c_int| [first as usize, u32::MAX as usize, 0];
    let death = if Mutation::ChildrenOutliveTheirParent.is_on() { 0 } else { libc::SIGKILL };
    let die_with_parent = [libc::PR_SET_PDEATHSIG as usize, death as usize, 0, 0, 0];
    let first_to_close = if Mutation::DescriptorsAreInherited.is_on() { c_int::MAX } else { CHANNEL_NUMBER + 1 };
    let child_flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PARENT_SETTID | libc::SIGCHLD;
    // Some programs mark their standard descriptors to be closed in whatever they execute: Node.js does.
    let keep = |number, next| {
        let command = if standard_descriptors::is_the_programs(number) { libc::F_SETFD } else { libc::F_GETFD };
        Step::new(libc::SYS_fcntl, &[number as usize, command as usize, 0], Next::after(at(next), at(next)))
    };
    let [input, output, error] = standard_descriptors::NUMBERS;
    let wait_without_reaping = (libc::WEXITED | libc::WNOWAIT | libc::__WALL) as usize;
    let steps = [
        // An ignored SIGCHLD would take the program's status away.
        Step::new(
            libc::SYS_rt_sigaction,
            &[libc::SIGCHLD as usize, disposition, 0, KERNEL_SIGSET_SIZE],
            then(DIE_WITH_CREATOR),
        ),
        Step::new(libc::SYS_prctl, &die_with_parent, then(TAKE_NAME)),
        Step::new(libc::SYS_prctl, &[libc::PR_SET_NAME as usize, name], Next::after(at(START_CHILD), at(START_CHILD))),
        Step::new(
            libc::SYS_clone,
            &[child_flags as usize, 0, child],
            Next { on_error: at(GIVE_UP), on_zero: at(CHILD_DIE_WITH_GUARDIAN), on_positive: at(LET_GO) },
        ),
        Step::new(libc::SYS_close_range, &all_from(0), then(AWAIT_END)),
        Step::new(libc::SYS_waitid, &[libc::P_ALL as usize, 0, information, wait_without_reaping, 0], then(REAP)),
        Step::new(libc::SYS_wait4, &[-1_isize as usize, status, libc::__WALL as usize, 0], then(LEAVE)),
        Step::new(libc::SYS_exit_group, &[0], then(LEAVE)),
        Step::new(libc::SYS_exit_group, &[1], then(GIVE_UP)),
        Step::new(libc::SYS_prctl, &die_with_parent, child_then(CHILD_TAKE_CHANNEL)),
        Step::new(
            libc::SYS_dup3,
            &[channel.as_raw_fd() as usize, CHANNEL_NUMBER as usize, 0],
            child_then(CHILD_LET_GO),
        ),
        Step::new(libc::SYS_close_range, &all_from(first_to_close), child_then(CHILD_KEEP_INPUT)),
        keep(input, CHILD_KEEP_OUTPUT),
        keep(output, CHILD_KEEP_ERROR),
        keep(error, CHILD_EXECUTE),
        Step::new(
            libc::SYS_execve,
            &[
                program.path.as_ptr().expose_provenance(),
                program.arguments.as_ptr().expose_provenance(),
                program.environment.as_ptr().expose_provenance(),
            ],
            child_then(CHILD_GIVE_UP),
        ),
        Step::new(libc::SYS_exit_group, &[127], child_then(CHILD_GIVE_UP)),
    ];
    Page {
        steps,
        default_disposition: KernelSigaction([0; 4]),
        name: *b"ipckit_guardian\0",
        child: AtomicI32::new(0),
        wait_status: AtomicI32::new(0),
        information: MaybeUninit::zeroed(),
    }
}

const KERNEL_SIGSET_SIZE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::channel::{Channel, Received};
    use crate::sys::poll::{self, Interest};

    fn shell(script: &str, channel: &Channel) -> Guardian {
        let arguments = [c"name", c"-c"].map(CString::from).into_iter().chain([CString::new(script).unwrap()]);
        let program = Program::new(c"/bin/sh".into(), arguments.collect(), vec![c"KEY=value".into()]);
        Guardian::start(program, channel.as_fd()).unwrap()
    }

    fn end(guardian: &Guardian) -> End {
        poll::wait(&[(guardian.ended(), Interest::Readable)], None);
        guardian.reap()
    }

    fn packet(channel: &Channel) -> Vec<u8> {
        let mut buffer = [0; 256];
        poll::wait(&[(channel.as_fd(), Interest::Readable)], None);
        match channel.receive(&mut buffer).unwrap() {
            Received::Packet(length) => buffer[..length].to_vec(),
            other => panic!("no packet but {other:?}"),
        }
    }

    #[test]
    fn the_program_gets_its_arguments_environment_and_channel_and_its_status_comes_back() {
        let (ours, childs) = Channel::pair().unwrap();
        let guardian = shell("printf '%s %s' \"$0\" \"$KEY\" >&3; exit 7", &childs);
        assert!(matches!(end(&guardian), End::Exited(7)));
        assert_eq!(packet(&ours), b"name value");
    }

    #[test]
    fn the_program_has_no_descriptor_but_the_standard_ones_and_its_channel() {
        let (ours, childs) = Channel::pair().unwrap();
        let inherited = process::duplicate_for_children(childs.as_fd());
        let guardian =
            shell("for n in 3 4 5 6 7 8 9 $(seq 10 40); do [ -e /proc/self/fd/$n ] && echo $n; done >&3", &childs);
        assert!(matches!(end(&guardian), End::Exited(_)));
        assert_eq!(packet(&ours), b"3\n");
        drop(inherited);
    }

    #[test]
    fn nobody_waits_for_the_program_and_a_kill_kills_it_alone() {
        let (ours, childs) = Channel::pair().unwrap();
        let guardian = shell("echo up >&3; exec sleep 1000", &childs);
        assert_eq!(packet(&ours), b"up\n");
        let child = guardian.child().unwrap();
        assert_eq!(process::wait_for(child), Err(libc::ECHILD));
        assert!(guardian.kill());
        assert!(matches!(end(&guardian), End::Killed(libc::SIGKILL)));
        assert_eq!(process::wait_for(child), Err(libc::ECHILD));
        // Its number may be another's by now; nobody is harmed.
        assert!(!guardian.kill());
    }

    #[test]
    fn a_program_that_cannot_be_executed_is_told_apart() {
        let (_ours, childs) = Channel::pair().unwrap();
        let program = Program::new(c"/nowhere/program".into(), vec![], vec![]);
        let guardian = Guardian::start(program, childs.as_fd()).unwrap();
        match end(&guardian) {
            End::NotStarted(purpose, error) => {
                assert_eq!((purpose, error.raw_os_error()), ("executing the launcher", Some(libc::ENOENT)));
            }
            other => panic!("{other:?}"),
        }
    }
}
