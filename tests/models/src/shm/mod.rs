// SPDX-License-Identifier: Apache-2.0
//! Rings, doorbells and wake-ups as the library has them, in a smaller layout.

#[path = "../../../../src/shm/atomics.rs"]
pub mod atomics;
#[path = "../../../../src/shm/doorbell.rs"]
pub mod doorbell;
pub mod layout;
#[path = "../../../../src/shm/ring.rs"]
pub mod ring;
pub mod segment;
#[path = "../../../../src/shm/wakeups.rs"]
pub mod wakeups;
