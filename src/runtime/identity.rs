// SPDX-License-Identifier: Apache-2.0
//! Who the calling thread acts for: itself, or the caller of the request that it handles.

use std::cell::RefCell;

use crate::host::mutation::Mutation;
use crate::host::settings::Settings;
use crate::object::Caller;
use crate::sys::lock::Mutex;
use crate::sys::per_thread::{self, PerThread};
use crate::sys::{fork, process};
use crate::transport::wire::{Address, Ancestor};

/// A request that a thread handles.
struct Frame {
    /// The process whose request it is: one that a handler forks acts for itself.
    generation: u32,
    /// Whom the handler sees as its caller; it may have changed that.
    caller: Caller,
    chain: Chain,
}

/// The waiting threads of the chain of calls that a request belongs to, one per process. Empty for an asynchronous one.
#[derive(Default)]
pub(super) struct Chain {
    /// Those before the caller; most requests have none.
    pub(super) before: Vec<Ancestor>,
    pub(super) caller: Option<Ancestor>,
}

impl Chain {
    fn iter(&self) -> impl Iterator<Item = &Ancestor> {
        self.before.iter().chain(&self.caller)
    }
}

thread_local! {
    static FRAMES: PerThread<RefCell<Vec<Frame>>> = const { PerThread::new(RefCell::new(Vec::new())) };
}

/// Who has made the last call that came, for a mutation.
static LAST_CALLER: Mutex<Option<Ancestor>> = Mutex::new(None);

/// Why a text is no identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text is not one that ResetCallingIdentity gives")]
pub struct NoIdentity;

fn with_frame<T>(use_it: impl FnOnce(&mut Frame) -> T) -> Option<T> {
    let is_own = |frame: &&mut Frame| frame.generation == fork::generation();
    if Mutation::OutermostCallerIsTold.is_on() {
        return per_thread::with(&FRAMES, |frames| frames.borrow_mut().first_mut().map(use_it)).flatten();
    }
    per_thread::with(&FRAMES, |frames| frames.borrow_mut().last_mut().filter(is_own).map(use_it)).flatten()
}

/// Runs `handler` as the handler of a request of `caller`. Afterwards the thread acts for whom it acted before.
pub(super) fn handle_for<T>(caller: Caller, chain: Chain, handler: impl FnOnce() -> T) -> T {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            let left = per_thread::with(&FRAMES, |frames| frames.borrow_mut().pop());
            drop(left);
        }
    }
    if Mutation::ChainsAreOfProcesses.is_on() {
        *LAST_CALLER.lock() = chain.caller;
    }
    let generation = fork::generation();
    let entered = per_thread::with(&FRAMES, |frames| frames.borrow_mut().push(Frame { generation, caller, chain }));
    let _leave = (entered.is_some() && !Mutation::IdentityOutlivesItsHandler.is_on()).then_some(Leave);
    let result = handler();
    end_forked_child(generation);
    result
}

/// Runs `handler` as if it were the handler of a request of this very process.
pub fn handle_as_request<T>(handler: impl FnOnce() -> T) -> T {
    handle_for(own(), Chain::default(), handler)
}

/// Ends this process if the user's code has forked it since `generation` and then returned into the library in the child: the request is
/// the parent's to answer, and nothing that this thread would go on to use has been inherited.
pub(super) fn end_forked_child(generation: u32) {
    if fork::generation() != generation {
        ipckit_log::error(format_args!(
            "a child forked in a handler or callback returned from it, and ends here; let the child call exec or _exit instead"
        ));
        process::end_at_once();
    }
}

/// Whether the thread handles a request.
pub fn is_handling() -> bool {
    with_frame(|_| ()).is_some()
}

/// The chain of calls that a call of this thread would belong to.
pub(super) fn chain() -> Vec<Ancestor> {
    with_frame(|frame| frame.chain.iter().copied().collect()).unwrap_or_default()
}

/// The thread of the process at `address` that waits in this thread's chain of calls.
pub(super) fn waiting_thread_of(address: Address) -> Option<u64> {
    let of_last = Mutation::ChainsAreOfProcesses.is_on().then(|| *LAST_CALLER.lock()).flatten();
    with_frame(|frame| frame.chain.iter().find(|ancestor| ancestor.address == address).copied())
        .flatten()
        .or(of_last.filter(|caller| caller.address == address))
        .map(|ancestor| ancestor.thread)
}

/// The process itself.
fn own() -> Caller {
    Caller { process: process::id(), user: process::user(), token_id: Settings::of_process().token_id }
}

fn token_or_user(caller: Caller) -> u64 {
    if caller.token_id != 0 { caller.token_id } else { caller.user.into() }
}

fn caller() -> Caller {
    with_frame(|frame| frame.caller).unwrap_or_else(own)
}

/// The process that this thread acts for; 0 in the handler of an asynchronous request.
pub fn calling_process() -> u64 {
    caller().process.into()
}

/// The user that this thread acts for.
pub fn calling_user() -> u64 {
    u64::from(caller().user) + u64::from(Mutation::AnotherUserIsTold.is_on())
}

/// The token id that this thread acts for, or the user where there is none.
pub fn calling_token_id() -> u64 {
    token_or_user(caller())
}

/// The first token id: none is passed on from process to process.
pub fn first_token_id() -> u64 {
    if is_handling() && !Mutation::FirstTokenIsTold.is_on() { 0 } else { self_token_id() }
}

/// This process's own token id, or its user where it has none.
pub fn self_token_id() -> u64 {
    token_or_user(own())
}

/// Makes the thread act for its own process until the handler ends, and returns how it acted before; "" outside a handler.
pub fn reset() -> String {
    with_frame(|frame| {
        let text = to_text(frame.caller);
        let own = own();
        if !Mutation::ResetChangesNothing.is_on() {
            frame.caller = Caller { token_id: token_or_user(own), ..own };
        }
        text
    })
    .unwrap_or_default()
}

/// Makes the thread act for whom the text says until the handler ends. Outside a handler nothing happens.
pub fn set(text: &[u8]) -> Result<(), NoIdentity> {
    with_frame(|frame| {
        let caller =
            if Mutation::AnyTextIsAnIdentity.is_on() { from_text(text).or(Some(own())) } else { from_text(text) };
        frame.caller = caller.ok_or(NoIdentity)?;
        Ok(())
    })
    .unwrap_or(if Mutation::TextsAreReadOutsideOfHandlers.is_on() {
        from_text(text).map(drop).ok_or(NoIdentity)
    } else {
        Ok(())
    })
}

fn to_text(caller: Caller) -> String {
    let caller = Caller { token_id: if Mutation::TextHasNoTokenId.is_on() { 0 } else { caller.token_id }, ..caller };
    let both = u64::from(caller.user) << 32 | u64::from(caller.process);
    format!("<{:020}{:020}{both}", caller.token_id, caller.process)
}

fn from_text(text: &[u8]) -> Option<Caller> {
    let start = text.iter().position(|byte| *byte == b'<')? + 1;
    let (token_id, rest) = text[start..].split_at_checked(20)?;
    let (process, both) = rest.split_at_checked(20)?;
    i32::try_from(number(process)?).ok()?;
    let both = number(both)?;
    let user = i32::try_from(both >> 32).ok()?.cast_unsigned();
    let process = i32::try_from(both & u64::from(u32::MAX)).ok()?.cast_unsigned();
    Some(Caller { process, user, token_id: number(token_id)? })
}

/// A decimal number, blanks before it allowed.
fn number(text: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text).ok()?.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLER: Caller = Caller { process: 186, user: 1000, token_id: 0 };

    #[test]
    fn outside_a_handler_the_thread_acts_for_its_process() {
        assert!(!is_handling());
        assert_eq!(calling_process(), u64::from(std::process::id()));
        assert_eq!(reset(), "");
        assert_eq!(set(b"x"), Ok(()));
    }

    #[test]
    fn the_text_has_token_process_and_both_numbers() {
        assert_eq!(to_text(CALLER), "<00000000000000000000000000000000000001864294967296186");
        assert_eq!(from_text(to_text(CALLER).as_bytes()), Some(CALLER));
    }

    #[test]
    fn only_such_texts_are_taken() {
        let caller = |process, user, token_id| Some(Caller { process, user, token_id });
        for (text, expected) in [
            ("", None),
            ("x", None),
            ("<", None),
            ("00000000000000000000", None),
            ("<000000000000000000000000000000000000000000", caller(0, 0, 0)),
            ("<0000000000000000000000000000000000000000", None),
            ("<00000000000000000007000000000000000000081234", caller(1234, 0, 7)),
            ("<00000000000000000000000000000000000000055", caller(5, 0, 0)),
            ("<0000000000000000000000000000000000000005x", None),
            ("<000000000000000000000000000000000000000-1", None),
            ("sid<00000000000000000009000000000000000000124294967299", caller(3, 1, 9)),
            ("<00000000000000000000-00000000000000000055", None),
            ("<0000000000000000000x000000000000000000055", None),
            ("<00000000000000000000000000000000000000000099999999999999999999999", None),
            ("<0000000000000000000000000000000000000000-5", None),
            ("no separator but quite long, longer than twenty", None),
            ("<000000000000000000000000000000000000000018446744073709551615", None),
            ("<00000000000000000000000000000000000000009223372036854775807", None),
            ("< 0000000000000000000                   55", caller(5, 0, 0)),
        ] {
            assert_eq!(from_text(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn a_change_ends_with_the_handler() {
        handle_for(CALLER, Chain::default(), || {
            assert_eq!((calling_process(), calling_user(), calling_token_id()), (186, 1000, 1000));
            let text = reset();
            assert_eq!(calling_process(), u64::from(std::process::id()));
            handle_for(Caller { process: 5, user: 6, token_id: 7 }, Chain::default(), || {
                assert_eq!((calling_process(), calling_user(), calling_token_id()), (5, 6, 7));
            });
            assert_eq!(calling_process(), u64::from(std::process::id()));
            set(text.as_bytes()).expect("its own text");
            assert_eq!(calling_process(), 186);
        });
        assert!(!is_handling());
    }
}
