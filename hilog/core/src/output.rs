// SPDX-License-Identifier: Apache-2.0
//! Where lines go: to the file that the environment names, else to stderr; each whole, with one system call, and never
//! later than a slow reader can be waited for.

use crate::environment::Path;
use crate::filter::Level;
use crate::message::Message;
use crate::system::{self, ErrorNumber, Sink, Undisturbed};
use crate::{Once, environment};
use std::fmt::Arguments;
use std::io::IoSlice;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How long a line waits for a reader of stderr that does not read. The line is then lost, and those after it do not
/// wait at all until one gets through: before it stands a line that says how many were lost.
pub const PATIENCE: Duration = Duration::from_millis(500);

const STDERR: RawFd = 2;

/// Lines that stderr did not take, since one last got through.
static LOST: AtomicUsize = AtomicUsize::new(0);
/// Whether the last of them got through in part, so that what comes next has to begin a line.
static CUT: AtomicBool = AtomicBool::new(false);

/// Writes a message about the log itself, which no level and no callback keeps back.
pub(crate) fn write_own(level: Level, message: Arguments<'_>) {
    Message::own(level, message).print();
}

/// Where the lines of one message go.
///
/// The file is opened for each message, and closed: a descriptor that stayed open would be found by programs that count
/// theirs, and closed by those that close all they do not know, after which its number would lead to a file of the user's.
pub(crate) struct Output {
    file: Option<(OwnedFd, Path)>,
    stderr: Sink,
}

impl Output {
    pub(crate) fn open() -> Self {
        Self { file: environment::log_file().and_then(open_file), stderr: system::sink(STDERR) }
    }

    /// Whether a person looks at it.
    pub(crate) fn is_terminal(&self) -> bool {
        self.file.is_none() && self.stderr == Sink::Terminal
    }

    /// Writes a line, given in parts; returns how many bytes were written.
    pub(crate) fn write_line(&mut self, parts: [&[u8]; 4]) -> usize {
        if let Some((file, path)) = &self.file {
            match write_whole(file.as_raw_fd(), system::sink(file.as_raw_fd()), parts, Duration::ZERO) {
                Ok(count) => return count,
                Err(failure) => warn_of_file(path, "cannot be written", failure.error),
            }
            self.file = None;
        }
        write_to_stderr(self.stderr, parts)
    }
}

fn open_file(path: Path) -> Option<(OwnedFd, Path)> {
    if !path.as_bytes().starts_with(b"/") {
        static WARNED: Once = Once::new();
        if WARNED.first() {
            write_own(
                Level::Warn,
                format_args!(
                    "the log goes to stderr: IPCKIT_LOG_FILE={} is relative, and processes of a program can have different \
                     working directories; give a path that begins with /",
                    path.as_bytes().escape_ascii()
                ),
            );
        }
        return None;
    }
    match system::open_to_append(path.as_c_str()) {
        Ok(file) => Some((file, path)),
        Err(error) => {
            warn_of_file(&path, "cannot be opened", error);
            None
        }
    }
}

/// To stderr, since a message to the file would not get there either.
fn warn_of_file(path: &Path, trouble: &str, error: ErrorNumber) {
    static WARNED: Once = Once::new();
    if !WARNED.first() {
        return;
    }
    let mut buffer = [0; 128];
    let reason = system::error_text(error, &mut buffer).to_bytes().escape_ascii();
    let path = path.as_bytes().escape_ascii();
    let message = Message::own(
        Level::Warn,
        format_args!("the log goes to stderr while IPCKIT_LOG_FILE={path} {trouble}: {reason} (error {error})"),
    );
    message.print_to(&mut Output { file: None, stderr: system::sink(STDERR) });
}

fn write_to_stderr(sink: Sink, line: [&[u8]; 4]) -> usize {
    let lost = LOST.swap(0, Ordering::Relaxed);
    if lost == 0 {
        return write_whole(STDERR, sink, line, PATIENCE).unwrap_or_else(|failure| {
            LOST.fetch_add(1, Ordering::Relaxed);
            CUT.fetch_or(failure.in_part, Ordering::Relaxed);
            0
        });
    }
    // In the same call as the line: there may be room for one of them only, again and again.
    let report = Message::own(
        Level::Warn,
        format_args!("{lost} lines of the log were lost here: stderr took no more (a slow reader, or a full disk)"),
    );
    let was_cut = CUT.swap(false, Ordering::Relaxed);
    let line_end: &[u8] = if was_cut { b"\n" } else { b"" };
    let report_prefix = report.prefix();
    let report = [line_end, report_prefix.as_bytes(), report.text.as_bytes(), b"\n"];
    let parts = [report[0], report[1], report[2], report[3], line[0], line[1], line[2], line[3]];
    match write_whole(STDERR, sink, parts, Duration::ZERO) {
        Ok(count) => count - report.map(<[u8]>::len).iter().sum::<usize>(),
        Err(failure) => {
            LOST.fetch_add(lost + 1, Ordering::Relaxed);
            CUT.fetch_or(was_cut || failure.in_part, Ordering::Relaxed);
            0
        }
    }
}

struct Failure {
    error: ErrorNumber,
    in_part: bool,
}

/// One call writes the whole line, unless there is room for a part of it only.
fn write_whole<const PARTS: usize>(
    fd: RawFd,
    sink: Sink,
    parts: [&[u8]; PARTS],
    patience: Duration,
) -> Result<usize, Failure> {
    let undisturbed = Undisturbed::new();
    let mut slices = parts.map(IoSlice::new);
    let mut rest = &mut slices[..];
    let mut count = 0;
    let mut deadline = None;
    // Takes empty parts off the front.
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        let error = match system::write_now(fd, sink, rest) {
            Ok(written) if written > 0 => {
                count += written;
                IoSlice::advance_slices(&mut rest, written);
                continue;
            }
            Ok(_) => libc::EIO,
            Err(libc::EINTR) => continue,
            Err(error) => error,
        };
        let deadline = *deadline.get_or_insert_with(|| system::steady_time() + patience);
        let left = deadline.saturating_sub(system::steady_time());
        if error != libc::EAGAIN || left.is_zero() {
            undisturbed.forget_signal_of(error);
            return Err(Failure { error, in_part: count > 0 });
        }
        system::wait_until_writable(fd, left);
    }
    Ok(count)
}
