// SPDX-License-Identifier: Apache-2.0
//! From the SIGKILL of a process to the callback that tells its death, beside the wake-up of a thread that waits for a
//! robust mutex of a process that is killed.

use std::ffi::c_void;
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::Path;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use memmap2::{MmapOptions, MmapRaw};
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::{Setting, micro};
use crate::library::{self, CParcel, CRecipient, Proxy, SUCCESS, create_stub, export, functions};
use crate::measure::{median, now};
use crate::processes::{Child, answer, numbers, orders, path_argument};
use crate::report::{Report, Target};

const TOUCHED: [usize; 2] = [0, 256];
const LIMIT: f64 = 3.0;
/// Nobody waits longer than this for the news.
const PATIENCE: Duration = Duration::from_secs(10);

pub fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let trials = setting.plan.deaths / TOUCHED.len();
    let (mut within, mut bare_within, mut all) = (0, 0, 0);
    for mebibytes in TOUCHED {
        let (mut times, mut bare_times) = (Vec::new(), Vec::new());
        for _ in 0..trials {
            bare_times.push(bare_death(mebibytes)?);
            times.push(told_death(&setting.library, mebibytes)?);
        }
        let (middle, bare) = (median(&times), median(&bare_times));
        let worst = |times: &[f64]| times.iter().copied().fold(0.0, f64::max);
        let name = format!("to the callback, {mebibytes} MiB touched");
        let detail = format!(
            "{} to {} (robust mutex); worst {} and {}",
            micro(middle),
            micro(bare),
            micro(worst(&times)),
            micro(worst(&bare_times))
        );
        report.add("death", name.clone(), Target::AtMost(LIMIT), middle / bare, "times", detail);
        let count = |times: &[f64]| times.iter().filter(|&&time| time <= LIMIT * bare).count();
        within += count(&times);
        bare_within += count(&bare_times);
        all += trials;
        report.keep_rounds(name, &times);
        report.keep_rounds(format!("robust mutex, {mebibytes} MiB touched"), &bare_times);
    }
    let detail = format!("of {all}, at most 3 times the median of the robust mutex; of its own wake-ups {bare_within}");
    report.add("death", "trials within that", Target::AtLeast(all as f64), within as f64, "", detail);
    Ok(())
}

extern "C" fn on_death(user_data: *mut c_void) {
    let time = now();
    // SAFETY: told_death gave it, and frees it only after the callback.
    let told = unsafe { &*user_data.cast::<Sender<u64>>() };
    let _ = told.send(time);
}

struct Recipient(*mut CRecipient);

impl Drop for Recipient {
    fn drop(&mut self) {
        // SAFETY: ours.
        unsafe { (functions().recipient_destroy)(self.0) }
    }
}

/// Nanoseconds from the signal to the callback.
fn told_death(library: &Path, mebibytes: usize) -> Result<f64> {
    let mut victim = Child::start("Victim", &[path_argument(library), mebibytes.to_string()], &[])?;
    let proxy = Proxy::import(&library::from_hex(&victim.hear()?)?)?;
    let (sender, told) = channel::<u64>();
    // Leaked where the callback fails to come.
    let sender = Box::into_raw(Box::new(sender));
    // SAFETY: the sender lives until the callback has been.
    let recipient = Recipient(unsafe { (functions().recipient_create)(on_death, None, sender.cast()) });
    // SAFETY: both are valid.
    let result = unsafe { (functions().add_recipient)(proxy.as_ptr(), recipient.0) };
    ensure!(result == SUCCESS, "AddDeathRecipient returned {result}");
    let start = now();
    victim.kill()?;
    let time = told.recv_timeout(PATIENCE).context("no news of a death")?;
    // SAFETY: its callback has been, and there is no other.
    drop(unsafe { Box::from_raw(sender) });
    Ok((time - start) as f64)
}

/// The role: library, MiB to touch.
pub fn die(arguments: &[String]) -> Result<()> {
    extern "C" fn nothing(_: u32, _: *const CParcel, _: *mut CParcel, _: *mut c_void) -> i32 {
        SUCCESS
    }
    let [path, mebibytes] = arguments else { bail!("usage: LIBRARY MIB") };
    library::load(Path::new(path))?;
    let _memory = touch(mebibytes)?;
    answer(library::to_hex(&export(create_stub(c"victim", nothing, null_mut())?)?));
    orders().last();
    Ok(())
}

fn touch(mebibytes: &str) -> Result<Vec<u8>> {
    Ok(std::hint::black_box(vec![1; mebibytes.parse::<usize>()? << 20]))
}

/// A robust mutex in shared memory.
struct Mutex(MmapRaw);

impl Mutex {
    fn map(descriptor: &OwnedFd) -> Result<Self> {
        Ok(Self(MmapOptions::new().len(size_of::<libc::pthread_mutex_t>()).map_raw(descriptor)?))
    }

    fn raw(&self) -> *mut libc::pthread_mutex_t {
        self.0.as_mut_ptr().cast()
    }

    fn init(&self) {
        // SAFETY: the attributes are ours; the mapping has room for a mutex, which nobody uses yet.
        unsafe {
            let mut attributes = std::mem::zeroed::<libc::pthread_mutexattr_t>();
            libc::pthread_mutexattr_init(&raw mut attributes);
            libc::pthread_mutexattr_setpshared(&raw mut attributes, libc::PTHREAD_PROCESS_SHARED);
            libc::pthread_mutexattr_setrobust(&raw mut attributes, libc::PTHREAD_MUTEX_ROBUST);
            libc::pthread_mutex_init(self.raw(), &raw const attributes);
        }
    }

    /// Takes the mutex; whether its owner had died with it.
    fn lock(&self) -> bool {
        // SAFETY: the mutex is initialised, and mapped as long as `self` is.
        unsafe { libc::pthread_mutex_lock(self.raw()) == libc::EOWNERDEAD }
    }

    /// Whether somebody sleeps on it: the kernel's bit in its futex word, which comes first.
    fn is_waited_for(&self) -> bool {
        // SAFETY: an aligned word of the mapping.
        let word = unsafe { AtomicU32::from_ptr(self.raw().cast()) };
        word.load(Ordering::Relaxed) & libc::FUTEX_WAITERS != 0
    }
}

/// Has the kernel run this thread soon after it wakes, as far as it can: the yardstick is to be as good as it gets.
fn ask_for_a_short_slice() {
    const SLICE: u64 = 100_000;
    // SAFETY: a plain structure, of which zeros are a valid value.
    let mut attributes = unsafe { std::mem::zeroed::<libc::sched_attr>() };
    attributes.size = size_of::<libc::sched_attr>() as u32;
    attributes.sched_runtime = SLICE;
    // SAFETY: the structure is valid. A kernel that refuses goes on as before.
    unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
}

/// Nanoseconds from the signal until a thread of this process wakes.
fn bare_death(mebibytes: usize) -> Result<f64> {
    let descriptor = memfd_create(c"ipckit-bench", MFdFlags::MFD_CLOEXEC)?;
    nix::unistd::ftruncate(&descriptor, size_of::<libc::pthread_mutex_t>() as i64)?;
    let mutex = Mutex::map(&descriptor)?;
    mutex.init();
    let mut arguments = numbers(&[&descriptor]);
    arguments.push(mebibytes.to_string());
    let mut victim = Child::start("BareVictim", &arguments, &[&descriptor])?;
    victim.hear()?;
    let (start, (was_dead, time)) = std::thread::scope(|scope| -> Result<_> {
        let waiter = scope.spawn(|| {
            ask_for_a_short_slice();
            (mutex.lock(), now())
        });
        while !mutex.is_waited_for() {
            std::thread::yield_now();
        }
        // The bit is there just before the thread sleeps.
        std::thread::sleep(Duration::from_micros(200));
        let start = now();
        victim.kill()?;
        Ok((start, waiter.join().expect("it does not panic")))
    })?;
    ensure!(was_dead, "the mutex of a killed process was free");
    Ok((time - start) as f64)
}

/// The role: the descriptor of the mutex, MiB to touch.
pub fn die_with_mutex(arguments: &[String]) -> Result<()> {
    let [descriptor, mebibytes] = arguments else { bail!("usage: DESCRIPTOR MIB") };
    // SAFETY: the caller of this program hands the descriptor over.
    let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor.parse()?) };
    let mutex = Mutex::map(&descriptor)?;
    let _memory = touch(mebibytes)?;
    mutex.lock();
    answer("locked");
    orders().last();
    Ok(())
}
