// SPDX-License-Identifier: Apache-2.0
//! Call slots and late looks as the library has them.

#[path = "../../../src/transport/call_slots.rs"]
mod call_slots_source;
#[path = "../../../src/transport/late_look.rs"]
pub mod late_look;

/// The call slots of a channel.
#[derive(Debug, Default)]
pub struct CallSlots(call_slots_source::CallSlots);

pub use call_slots_source::CallSlot;

impl CallSlots {
    /// As [`call_slots_source`] has it.
    pub fn try_acquire(&self, bell: u16) -> Option<CallSlot> {
        self.0.try_acquire(bell)
    }

    /// As [`call_slots_source`] has it.
    pub fn acquire(&self, bell: u16, given_up: impl Fn() -> bool) -> Option<CallSlot> {
        self.0.acquire(bell, given_up)
    }

    /// As [`call_slots_source`] has it.
    pub fn release(&self, slot: CallSlot) {
        self.0.release(slot);
    }
}
