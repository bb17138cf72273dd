// SPDX-License-Identifier: Apache-2.0
//! Who is told of a death.

/// What is called at a death, and is told when the recipient is gone by being dropped.
pub trait DeathHandler: Send + Sync {
    /// The stub of a proxy that the recipient was added to is dead.
    fn on_death(&self);
}

/// A death recipient. Its handler is dropped with its last [`std::sync::Arc`].
pub struct DeathRecipient {
    handler: Box<dyn DeathHandler>,
}

impl DeathRecipient {
    /// A recipient that tells `handler`.
    pub fn new(handler: Box<dyn DeathHandler>) -> Self {
        Self { handler }
    }

    /// Tells it of a death.
    pub fn tell(&self) {
        self.handler.on_death();
    }
}
