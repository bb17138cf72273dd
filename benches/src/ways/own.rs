// SPDX-License-Identifier: Apache-2.0
//! The library itself: a server whose stub does what the measurements need.

use std::ffi::{c_int, c_void};
use std::path::Path;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};

use super::Caller;
use crate::library::{self, CParcel, Proxy, SUCCESS, create_stub, export, functions, whole_buffer};
use crate::measure::now;
use crate::processes::{Child, answer, orders, path_argument};

/// Sends the bytes of the request back.
pub const ECHO: u32 = 1;
/// Makes as many stubs as the request says (an Int32), and passes them; whoever gets them holds them alone.
pub const GIVE_STUBS: u32 = 2;
/// An asynchronous message: its number, from 0 on, and how many there will be, both u64.
pub const REMEMBER_MESSAGE: u32 = 3;
/// Forgets about messages.
pub const START_OF_MESSAGES: u32 = 4;
/// How many messages came, how many of them out of order, and when the last one came: three u64.
pub const MESSAGES_SEEN: u32 = 5;

/// Sends the request back, of 16 bytes or more, of which the first 16 are two times, u64: when this handler began, and when the
/// one before was done.
pub const STAMP: u32 = 6;
pub const STAMPS_BYTES: usize = 16;

/// When the last handler of `STAMP` was done.
static LAST_DONE: AtomicU64 = AtomicU64::new(0);

#[derive(Default)]
struct Messages {
    seen: AtomicU64,
    out_of_order: AtomicU64,
    end: AtomicU64,
}

static MESSAGES: Messages =
    Messages { seen: AtomicU64::new(0), out_of_order: AtomicU64::new(0), end: AtomicU64::new(0) };

impl Messages {
    /// The library calls this for one message at a time.
    fn remember(&self, bytes: &[u8]) -> Option<()> {
        let number = u64::from_le_bytes(*bytes.first_chunk()?);
        let sum = u64::from_le_bytes(*bytes[8..].first_chunk()?);
        let seen = self.seen.load(Ordering::Relaxed);
        if number != seen {
            self.out_of_order.fetch_add(1, Ordering::Relaxed);
        }
        if number + 1 == sum {
            self.end.store(now(), Ordering::Relaxed);
        }
        self.seen.store(seen + 1, Ordering::Release);
        Some(())
    }

    fn reset(&self) {
        for word in [&self.seen, &self.out_of_order, &self.end] {
            word.store(0, Ordering::Release);
        }
    }

    fn to_bytes(&self) -> [u8; 24] {
        let mut bytes = [0; 24];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip([&self.seen, &self.out_of_order, &self.end]) {
            chunk.copy_from_slice(&word.load(Ordering::Acquire).to_le_bytes());
        }
        bytes
    }
}

/// What a handler returns where a request makes no sense.
const NONSENSE: c_int = 1_909_000;

extern "C" fn on_request(code: u32, data: *const CParcel, reply: *mut CParcel, _: *mut c_void) -> c_int {
    let begin = if code == STAMP { now() } else { 0 };
    let functions = functions();
    let write = |bytes: &[u8]| {
        // SAFETY: the library gives the handler a valid reply.
        unsafe { (functions.write_buffer)(reply, bytes.as_ptr(), bytes.len() as i32) }
    };
    match code {
        // SAFETY: the parcels are valid until the handler returns.
        ECHO => write(unsafe { whole_buffer(data) }),
        STAMP => {
            // SAFETY: as above.
            let Some(rest) = (unsafe { whole_buffer(data) }).get(STAMPS_BYTES..) else { return NONSENSE };
            let mut stamps = [0; STAMPS_BYTES];
            stamps[..8].copy_from_slice(&begin.to_le_bytes());
            stamps[8..].copy_from_slice(&LAST_DONE.load(Ordering::Relaxed).to_le_bytes());
            let written = write(&stamps);
            let result = if written == SUCCESS && !rest.is_empty() { write(rest) } else { written };
            LAST_DONE.store(now(), Ordering::Relaxed);
            result
        }
        GIVE_STUBS => {
            let mut count = 0;
            // SAFETY: as above, and there is room for the number.
            if unsafe { (functions.read_int32)(data, &raw mut count) } != SUCCESS {
                return NONSENSE;
            }
            (0..count).map(|_| give_stub(reply)).find(|&result| result != SUCCESS).unwrap_or(SUCCESS)
        }
        REMEMBER_MESSAGE => {
            // SAFETY: as above.
            MESSAGES.remember(unsafe { whole_buffer(data) }).map_or(NONSENSE, |()| SUCCESS)
        }
        START_OF_MESSAGES => {
            MESSAGES.reset();
            SUCCESS
        }
        MESSAGES_SEEN => write(&MESSAGES.to_bytes()),
        _ => NONSENSE,
    }
}

fn give_stub(reply: *mut CParcel) -> c_int {
    let Ok(stub) = create_stub(c"another one", on_request, null_mut()) else { return NONSENSE };
    // SAFETY: both are valid; the wrapper is ours, and the parcel holds the stub.
    unsafe {
        let result = (functions().write_stub)(reply, stub);
        (functions().stub_destroy)(stub);
        result
    }
}

/// The role of a server: library, how many handlers may run at once.
pub fn serve(arguments: &[String]) -> Result<()> {
    let [path, workers] = arguments else { anyhow::bail!("usage: LIBRARY WORKERS") };
    library::load(Path::new(path))?;
    // One thread more than the number is there.
    let workers: c_int = workers.parse()?;
    // SAFETY: takes a number.
    let result = unsafe { (functions().set_max_work_threads)(workers - 1) };
    ensure!(result == SUCCESS, "SetMaxWorkThreadNum({}) returned {result}", workers - 1);
    // A reference serves one process, so each gets a stub of its own.
    for order in orders() {
        ensure!(order == "stub", "unknown order {order:?}");
        answer(library::to_hex(&export(create_stub(c"bench", on_request, null_mut())?)?));
    }
    Ok(())
}

/// Starts a server of the library's. Asked for a "stub" it answers with a reference, as text.
pub fn start_server(library: &Path, workers: usize) -> Result<Child> {
    Child::start("Library", &[path_argument(library), workers.to_string()], &[])
}

struct Own(Proxy);

pub fn start(library: &Path) -> Result<(Box<dyn Caller>, Child)> {
    let mut server = start_server(library, 4)?;
    let reference = library::from_hex(&server.ask("stub")?)?;
    let proxy = Proxy::import(&reference).context("no proxy of the server")?;
    Ok((Box::new(Own(proxy)), server))
}

impl Caller for Own {
    #[inline]
    fn call(&mut self, request: &[u8], see: &mut dyn FnMut(&[u8])) -> Result<()> {
        self.0.call(ECHO, request, see)
    }
}
