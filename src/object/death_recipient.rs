// SPDX-License-Identifier: Apache-2.0
//! Who is told of a death.

use std::sync::Arc;

use crate::sys::order::{self, Mark};

/// What is called at a death, and is told when the recipient is gone by being dropped.
pub trait DeathHandler: Send + Sync {
    /// The stub of a proxy that the recipient was added to is dead.
    fn on_death(&self);
}

/// A death recipient. Its handler is dropped with its last [`std::sync::Arc`].
pub struct DeathRecipient {
    added: Mark,
    used: Mark,
    handler: Box<dyn DeathHandler>,
}

impl DeathRecipient {
    /// A recipient that tells `handler`.
    pub fn new(handler: Box<dyn DeathHandler>) -> Arc<Self> {
        let recipient = Arc::new(Self { added: Mark::default(), used: Mark::default(), handler });
        recipient.note_added();
        recipient
    }

    /// What the calling thread has done happens before the recipient is told of a death.
    pub(super) fn note_added(&self) {
        order::hand_over(&self.added);
    }

    /// What the calling thread has done happens before the recipient's end.
    pub fn note_used(&self) {
        order::hand_over(&self.used);
    }

    /// Tells it of a death.
    pub fn tell(&self) {
        order::received();
        order::take_over(&self.added);
        self.handler.on_death();
        self.note_used();
    }
}

impl Drop for DeathRecipient {
    fn drop(&mut self) {
        // It may have been the death of a process that ended it.
        order::received();
        order::take_over(&self.added);
        order::take_over(&self.used);
    }
}
