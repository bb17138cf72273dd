// SPDX-License-Identifier: Apache-2.0
//! Between processes: channels, the handshake, file descriptors, and the room that received messages take.
//!
//! This layer moves messages. What an object number means, and who may use it, is for the layers above.

mod answers_due;
mod async_messages;
mod call_slots;
mod channel;
mod descriptors;
mod late_look;
mod latency;
mod outbox;
mod posts;
mod questions;
pub mod room;
mod taken_times;
pub mod wire;

pub use call_slots::CallSlot;
pub use channel::{Channel, ChannelError, Ends, MOST_DATA, Message, Own, PreparedReply, RoomTaken, is_hang_up};
pub use late_look::{FIRST_LOOK, LateLook};
pub use latency::{Latency, SameCore};
pub use outbox::{Backlog, MOST_WAITING};
pub use posts::Post;
