// SPDX-License-Identifier: Apache-2.0
//! What travels, as bytes: references, the objects of a message, and the small messages on the socket.

use crate::shm::layout::VERSION;
use crate::sys::fault_point::FaultPoint;

/// The unguessable part of the name of a process's listening socket.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(pub [u8; 16]);

impl Address {
    /// The name of the listening socket, in the abstract namespace.
    pub fn socket_name(&self) -> Vec<u8> {
        let mut name = b"ipckit-".to_vec();
        for byte in self.0 {
            name.extend_from_slice(format!("{byte:02x}").as_bytes());
        }
        name
    }
}

impl std::fmt::Debug for Address {
    /// Only the beginning: whoever reads a log is not to learn the name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02x}{:02x}…", self.0[0], self.0[1])
    }
}

/// A reference to a stub, as it travels: holding one is the right to call the stub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// The process of the stub.
    pub address: Address,
    /// The stub's number in its process.
    pub object: u64,
    /// What proves that the number was not guessed.
    pub secret: u64,
}

/// Reads the `N` bytes at `offset`; a wire form is always long enough for its own fields.
fn bytes_at<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&bytes[offset..offset + N]);
    field
}

fn number_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_ne_bytes(bytes_at(bytes, offset))
}

impl Reference {
    /// Bytes of a reference.
    pub const BYTES: usize = 32;

    /// As bytes.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..16].copy_from_slice(&self.address.0);
        bytes[16..24].copy_from_slice(&self.object.to_ne_bytes());
        bytes[24..].copy_from_slice(&self.secret.to_ne_bytes());
        bytes
    }

    /// From bytes.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        Self { address: Address(bytes_at(bytes, 0)), object: number_at(bytes, 16), secret: number_at(bytes, 24) }
    }
}

/// What an object among a message's data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectContent {
    /// A file descriptor; they travel on the socket, in the order of the objects.
    FileDescriptor,
    /// A remote object.
    Remote {
        /// Where it lives.
        reference: Reference,
        /// Whether it was written as a stub rather than as a proxy.
        as_stub: bool,
        /// Whether the receiver, whose stub it is, keeps the stub until it has this: see [`Control::Lend`].
        kept: bool,
    },
}

/// An object among a message's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectRecord {
    /// Where in the data.
    pub offset: u32,
    /// What it is.
    pub content: ObjectContent,
    /// Under which number the message's descriptors have been sent.
    pub transfer: u64,
}

impl ObjectRecord {
    /// Bytes of a record.
    pub const BYTES: usize = 48;
    const FILE_DESCRIPTOR: u32 = 1;
    const STUB: u32 = 2;
    const PROXY: u32 = 3;
    const KEPT_STUB: u32 = 4;
    const KEPT_PROXY: u32 = 5;

    /// As bytes.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let (kind, reference) = match self.content {
            ObjectContent::FileDescriptor => (Self::FILE_DESCRIPTOR, [0; Reference::BYTES]),
            ObjectContent::Remote { reference, as_stub, kept } => {
                let kind = match (as_stub, kept) {
                    (true, false) => Self::STUB,
                    (false, false) => Self::PROXY,
                    (true, true) => Self::KEPT_STUB,
                    (false, true) => Self::KEPT_PROXY,
                };
                (kind, reference.to_bytes())
            }
        };
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&self.offset.to_ne_bytes());
        bytes[4..8].copy_from_slice(&kind.to_ne_bytes());
        bytes[8..16].copy_from_slice(&self.transfer.to_ne_bytes());
        bytes[16..].copy_from_slice(&reference);
        bytes
    }

    /// From bytes; `None` where they are of no kind.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let remote = |as_stub, kept| {
            let reference = Reference::from_bytes(&bytes_at(bytes, 16));
            ObjectContent::Remote { reference, as_stub, kept }
        };
        let content = match u32::from_ne_bytes(bytes_at(bytes, 4)) {
            Self::FILE_DESCRIPTOR => ObjectContent::FileDescriptor,
            Self::STUB => remote(true, false),
            Self::PROXY => remote(false, false),
            Self::KEPT_STUB => remote(true, true),
            Self::KEPT_PROXY => remote(false, true),
            _ => return None,
        };
        Some(Self { offset: u32::from_ne_bytes(bytes_at(bytes, 0)), content, transfer: number_at(bytes, 8) })
    }
}

/// The transfer of a message's descriptors and how many they are, if it has any.
pub fn descriptors_of(records: &[ObjectRecord]) -> Option<(u64, usize)> {
    let is_descriptor = |record: &&ObjectRecord| record.content == ObjectContent::FileDescriptor;
    let first = records.iter().find(is_descriptor)?;
    Some((first.transfer, records.iter().filter(is_descriptor).count()))
}

/// A process in a chain of calls, and its thread that waits in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ancestor {
    /// The process.
    pub address: Address,
    /// Its waiting thread's token.
    pub thread: u64,
}

impl Ancestor {
    /// Bytes of an ancestor.
    pub const BYTES: usize = 24;

    /// As bytes.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..16].copy_from_slice(&self.address.0);
        bytes[16..].copy_from_slice(&self.thread.to_ne_bytes());
        bytes
    }

    /// From bytes.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        Self { address: Address(bytes_at(bytes, 0)), thread: number_at(bytes, 16) }
    }
}

/// Who a process says it is in the handshake. What must not be forged, the kernel says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Introduction {
    /// [`VERSION`] of the speaker.
    pub version: u32,
    /// Which bit of the speaker's pending words stands for this channel.
    pub channel: u16,
    /// Where the speaker listens.
    pub address: Address,
    /// The token id that a test gave the speaker, 0 for none.
    pub token_id: u64,
}

impl Introduction {
    /// Of this build of the library.
    pub fn new(channel: u16, address: Address, token_id: u64) -> Self {
        Self { version: VERSION, channel, address, token_id }
    }
}

/// Why a handshake was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The two processes use different versions of the library.
    Version,
    /// The two processes belong to different users.
    User,
    /// The other process is connecting to us at this moment: that connection is the one to use.
    Crossed,
    /// The address that was given is somebody else's.
    Address,
    /// Memory, descriptors or the like are short.
    Resources,
}

impl Refusal {
    const ALL: [Self; 5] = [Self::Version, Self::User, Self::Crossed, Self::Address, Self::Resources];
}

/// A message on a channel's socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// The first message of who connects; with the descriptors of its segment, its status and its doorbells.
    Hello(Introduction),
    /// The answer, with the same descriptors.
    Welcome(Introduction),
    /// The answer in place of a welcome.
    Refused(Refusal),
    /// Asks for a share in the stub.
    Acquire {
        /// The stub's number.
        object: u64,
        /// Its secret.
        secret: u64,
        /// The process that the reference came from; zeroes where it came by other means than a message.
        from: Address,
    },
    /// The answer: the share is counted, or there is no such stub.
    Acquired {
        /// The stub's number.
        object: u64,
        /// Whether the share is counted.
        granted: bool,
    },
    /// Gives back shares in the stub.
    Release {
        /// The stub's number.
        object: u64,
        /// How many.
        count: u64,
        /// The ticket of the first asynchronous message after it: those before it still count on the shares.
        after: u32,
    },
    /// A reference to the stub is about to go from the speaker, who has a share, to another process: the stub is to live until that
    /// process has asked for a share of its own, or has died.
    Lend {
        /// The stub's number.
        object: u64,
        /// The other process.
        to: Address,
    },
    /// The answer: the stub is kept, or the speaker has no share in it.
    Lent,
    /// A process that has passed references to the speaker's stubs on to the receiver is dead: has the receiver all that it will ever
    /// have of it?
    Settle {
        /// The dead process.
        of: Address,
    },
    /// The answer, as soon as that is so.
    Settled {
        /// The dead process.
        of: Address,
    },
    /// The reference did not go out after all.
    Unlend {
        /// The stub's number.
        object: u64,
        /// The other process.
        to: Address,
    },
    /// Asks how much room is in use, what has been sent and not taken in among it.
    AskRoom,
    /// The answer.
    RoomInUse {
        /// Bytes of asynchronous messages.
        asynchronous: u64,
        /// Bytes of all messages.
        all: u64,
    },
    /// Some descriptors of the message with this number.
    Descriptors {
        /// The number.
        transfer: u64,
    },
}

impl Control {
    /// Bytes of a message.
    pub const BYTES: usize = 48;

    /// What sending it is among the steps that others can see.
    pub fn fault_point(&self) -> FaultPoint {
        match self {
            Self::Hello(_) => FaultPoint::HelloSent,
            Self::Welcome(_) => FaultPoint::WelcomeSent,
            Self::Refused(_) => FaultPoint::RefusedSent,
            Self::Acquire { .. } => FaultPoint::AcquireSent,
            Self::Acquired { .. } => FaultPoint::AcquiredSent,
            Self::Release { .. } => FaultPoint::ReleaseSent,
            Self::Lend { .. } => FaultPoint::LendSent,
            Self::Lent => FaultPoint::LentSent,
            Self::Settle { .. } => FaultPoint::SettleSent,
            Self::Settled { .. } => FaultPoint::SettledSent,
            Self::Unlend { .. } => FaultPoint::UnlendSent,
            Self::AskRoom => FaultPoint::AskRoomSent,
            Self::RoomInUse { .. } => FaultPoint::RoomInUseSent,
            Self::Descriptors { .. } => FaultPoint::DescriptorsSent,
        }
    }

    /// As bytes.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let introduced = |kind: u8, who: Introduction| {
            (kind, u64::from(who.version) << 16 | u64::from(who.channel), who.token_id, who.address.0)
        };
        let mut third = 0;
        let (kind, first, second, address) = match self {
            Self::Hello(who) => introduced(1, who),
            Self::Welcome(who) => introduced(2, who),
            Self::Refused(why) => (3, why as u64, 0, [0; 16]),
            Self::Acquire { object, secret, from } => (4, object, secret, from.0),
            Self::Acquired { object, granted } => (5, object, granted.into(), [0; 16]),
            Self::Release { object, count, after } => {
                third = after.into();
                (6, object, count, [0; 16])
            }
            Self::Lend { object, to } => (7, object, 0, to.0),
            Self::Lent => (11, 0, 0, [0; 16]),
            Self::Unlend { object, to } => (12, object, 0, to.0),
            Self::Settle { of } => (13, 0, 0, of.0),
            Self::Settled { of } => (14, 0, 0, of.0),
            Self::Descriptors { transfer } => (8, transfer, 0, [0; 16]),
            Self::AskRoom => (9, 0, 0, [0; 16]),
            Self::RoomInUse { asynchronous, all } => (10, asynchronous, all, [0; 16]),
        };
        let mut bytes = [0; Self::BYTES];
        bytes[0] = kind;
        bytes[8..16].copy_from_slice(&first.to_ne_bytes());
        bytes[16..24].copy_from_slice(&second.to_ne_bytes());
        bytes[24..40].copy_from_slice(&address);
        bytes[40..].copy_from_slice(&u64::to_ne_bytes(third));
        bytes
    }

    /// From bytes; `None` where they are no message.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::BYTES] = bytes.try_into().ok()?;
        let (first, second) = (number_at(bytes, 8), number_at(bytes, 16));
        let who = || Introduction {
            version: (first >> 16) as u32,
            channel: first as u16,
            address: Address(bytes_at(bytes, 24)),
            token_id: second,
        };
        Some(match bytes[0] {
            1 => Self::Hello(who()),
            2 => Self::Welcome(who()),
            3 => Self::Refused(*Refusal::ALL.get(usize::try_from(first).ok()?)?),
            4 => Self::Acquire { object: first, secret: second, from: Address(bytes_at(bytes, 24)) },
            5 => Self::Acquired { object: first, granted: second == 1 },
            6 => Self::Release { object: first, count: second, after: number_at(bytes, 40) as u32 },
            7 => Self::Lend { object: first, to: Address(bytes_at(bytes, 24)) },
            11 => Self::Lent,
            12 => Self::Unlend { object: first, to: Address(bytes_at(bytes, 24)) },
            13 => Self::Settle { of: Address(bytes_at(bytes, 24)) },
            14 => Self::Settled { of: Address(bytes_at(bytes, 24)) },
            8 => Self::Descriptors { transfer: first },
            9 => Self::AskRoom,
            10 => Self::RoomInUse { asynchronous: first, all: second },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERENCE: Reference = Reference { address: Address([7; 16]), object: 1 << 40, secret: u64::MAX };

    #[test]
    fn every_control_message_survives_the_journey() {
        let who = Introduction::new(513, Address([9; 16]), 1 << 63);
        let messages = [
            Control::Hello(who),
            Control::Welcome(who),
            Control::Acquire { object: 5, secret: 6, from: Address([4; 16]) },
            Control::Acquired { object: 5, granted: true },
            Control::Acquired { object: 5, granted: false },
            Control::Release { object: 5, count: 7, after: u32::MAX },
            Control::Lend { object: 8, to: Address([5; 16]) },
            Control::Lent,
            Control::Unlend { object: 8, to: Address([6; 16]) },
            Control::Settle { of: Address([7; 16]) },
            Control::Settled { of: Address([8; 16]) },
            Control::Descriptors { transfer: 9 },
            Control::AskRoom,
            Control::RoomInUse { asynchronous: 10, all: u64::MAX },
        ];
        let refusals = Refusal::ALL.into_iter().map(Control::Refused);
        for message in messages.into_iter().chain(refusals) {
            assert_eq!(Control::from_bytes(&message.to_bytes()), Some(message));
        }
    }

    #[test]
    fn what_is_no_control_message_is_refused() {
        assert_eq!(Control::from_bytes(&[]), None);
        assert_eq!(Control::from_bytes(&[1; Control::BYTES + 1]), None);
        let mut bytes = [0; Control::BYTES];
        assert_eq!(Control::from_bytes(&bytes), None);
        bytes[0] = 15;
        assert_eq!(Control::from_bytes(&bytes), None);
        bytes[0] = 3;
        bytes[8] = 5;
        assert_eq!(Control::from_bytes(&bytes), None);
    }

    #[test]
    fn objects_and_ancestors_survive_the_journey() {
        let remote = |as_stub, kept| ObjectContent::Remote { reference: REFERENCE, as_stub, kept };
        for content in [
            ObjectContent::FileDescriptor,
            remote(true, false),
            remote(false, false),
            remote(true, true),
            remote(false, true),
        ] {
            let record = ObjectRecord { offset: 204_776, content, transfer: 77 };
            assert_eq!(ObjectRecord::from_bytes(&record.to_bytes()), Some(record));
        }
        assert_eq!(ObjectRecord::from_bytes(&[0; ObjectRecord::BYTES]), None);
        let ancestor = Ancestor { address: Address([3; 16]), thread: 1 << 50 };
        assert_eq!(Ancestor::from_bytes(&ancestor.to_bytes()), ancestor);
    }

    #[test]
    fn a_log_shows_no_address() {
        assert_eq!(format!("{:?}", Address([0xab; 16])), "abab…");
    }
}
