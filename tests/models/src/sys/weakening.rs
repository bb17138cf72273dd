// SPDX-License-Identifier: Apache-2.0
//! loom's atomics, in which a model can have a step done with less than what the code asks for: a model that holds without something
//! says nothing about it.

use std::cell::Cell;

pub use loom::sync::atomic::Ordering;

/// What is left out of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// The fence with this number, from 0, does nothing.
    NoFence(usize),
    /// Every access is relaxed.
    Relaxed,
    /// Nothing: before each access that is sequentially consistent there is a fence, for the one order of all such accesses, which
    /// loom does not know. A step that says so does without fences of its own, where they cost on each call.
    OneOrder,
}

loom::thread_local! {
    static WEAKNESS: Cell<Option<Weakness>> = Cell::new(None);
    static FENCES: Cell<usize> = Cell::new(0);
}

/// Runs a step of a model's thread with that weakness, or as it is.
pub fn step<T>(weakness: Option<Weakness>, step: impl FnOnce() -> T) -> T {
    let before = WEAKNESS.with(|now| now.replace(weakness));
    FENCES.with(|fences| fences.set(0));
    let result = step();
    WEAKNESS.with(|now| now.set(before));
    result
}

loom::lazy_static! {
    static ref TURN: loom::sync::atomic::AtomicUsize = loom::sync::atomic::AtomicUsize::new(0);
}

/// Before every access: of the accesses to an atomic loom remembers only the last one, and so misses orders in which a thread comes between
/// two of another's where it has made one of its own since. All threads come to this one.
fn take_turn() {
    TURN.fetch_add(1, Ordering::Relaxed);
}

fn order(order: Ordering) -> Ordering {
    take_turn();
    match WEAKNESS.with(Cell::get) {
        Some(Weakness::Relaxed) => return Ordering::Relaxed,
        Some(Weakness::OneOrder) if order == Ordering::SeqCst => loom::sync::atomic::fence(Ordering::SeqCst),
        _ => {}
    }
    order
}

/// A fence.
pub fn fence(order: Ordering) {
    take_turn();
    let number = FENCES.with(|fences| fences.replace(fences.get() + 1));
    if WEAKNESS.with(Cell::get) != Some(Weakness::NoFence(number)) {
        loom::sync::atomic::fence(order);
    }
}

macro_rules! atomics {
    ($($name:ident: $value:ty),*) => { $(
        /// The atomic of that name.
        #[derive(Debug, Default)]
        pub struct $name(loom::sync::atomic::$name);

        impl $name {
            pub fn new(value: $value) -> Self {
                Self(loom::sync::atomic::$name::new(value))
            }

            pub fn load(&self, with: Ordering) -> $value {
                self.0.load(order(with))
            }

            pub fn store(&self, value: $value, with: Ordering) {
                self.0.store(value, order(with));
            }

            pub fn swap(&self, value: $value, with: Ordering) -> $value {
                self.0.swap(value, order(with))
            }

            pub fn compare_exchange(&self, from: $value, to: $value, with: Ordering, failed: Ordering) -> Result<$value, $value> {
                self.0.compare_exchange(from, to, order(with), failed)
            }

            pub fn compare_exchange_weak(&self, from: $value, to: $value, with: Ordering, failed: Ordering) -> Result<$value, $value> {
                self.compare_exchange(from, to, with, failed)
            }
        }
    )* };
}

macro_rules! arithmetic {
    ($($name:ident: $value:ty),*) => { $(
        impl $name {
            pub fn fetch_add(&self, value: $value, with: Ordering) -> $value {
                self.0.fetch_add(value, order(with))
            }

            pub fn fetch_sub(&self, value: $value, with: Ordering) -> $value {
                self.0.fetch_sub(value, order(with))
            }

            pub fn fetch_or(&self, value: $value, with: Ordering) -> $value {
                self.0.fetch_or(value, order(with))
            }

            pub fn fetch_and(&self, value: $value, with: Ordering) -> $value {
                self.0.fetch_and(value, order(with))
            }
        }
    )* };
}

atomics!(AtomicBool: bool, AtomicU16: u16, AtomicU32: u32, AtomicU64: u64);
arithmetic!(AtomicU16: u16, AtomicU32: u32, AtomicU64: u64);
