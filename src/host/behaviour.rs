// SPDX-License-Identifier: Apache-2.0
//! Where the documentation and a device differ: `IPCKIT_BEHAVIOUR=device` has the library do as the device does. Otherwise it does what is
//! documented, and says once per difference, when a program comes upon it, what a device would have done.

use ipckit_log::Once;

use super::mutation::Mutation;
use crate::sys::lock::Mutex;
use crate::sys::per_process::PerProcess;

/// Something that a device does otherwise than documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// A handler returned an error, and had written to the reply.
    ErrorWithReply,
    /// The reply parcel of a request was not fresh.
    UsedReply,
    /// A stub's process is dead and nobody was told.
    UnnoticedDeath,
    /// A request went to a stub whose death had been told.
    RequestAfterNotice,
    /// The descriptor of a dead stub was asked for, for the first time.
    DescriptorOfDead,
    /// A worker of the pool was stopped.
    StoppedWorker,
    /// A stub was written that the library had passed on to the parent process.
    PassedStub,
}

impl Difference {
    const ALL: [Self; 7] = [
        Self::ErrorWithReply,
        Self::UsedReply,
        Self::UnnoticedDeath,
        Self::RequestAfterNotice,
        Self::DescriptorOfDead,
        Self::StoppedWorker,
        Self::PassedStub,
    ];

    fn on_a_device(self) -> &'static str {
        match self {
            Self::ErrorWithReply => {
                "a handler returned an error after it had written to the reply: on a device the caller gets OH_IPC_SUCCESS and what was \
                 written, and the error is lost"
            }
            Self::UsedReply => {
                "the reply parcel of a request was written to or used before: on a device it keeps its old content and the new reply is \
                 lost, with the room it takes"
            }
            Self::UnnoticedDeath => {
                "a dead stub is reported as dead: on a device that is so only after a death recipient has been told"
            }
            Self::RequestAfterNotice => {
                "a request to a dead stub gives OH_IPC_DEAD_REMOTE_OBJECT: on a device, after a death notice, OH_IPC_INNER_ERROR"
            }
            Self::DescriptorOfDead => {
                "the descriptor of a dead stub gives OH_IPC_DEAD_REMOTE_OBJECT: on a device OH_IPC_SUCCESS and an empty text"
            }
            Self::StoppedWorker => {
                "a worker of the pool was stopped and may be replaced: on a device it never is, and a pool can be stopped empty"
            }
            Self::PassedStub => {
                "the stub that NativeChildProcess_OnConnect returned was written to a parcel: on a device that gives \
                 OH_IPC_PARCEL_WRITE_ERROR"
            }
        }
    }
}

/// The fault of doing as a device does in this one case.
fn fault(difference: Difference) -> Option<Mutation> {
    match difference {
        Difference::ErrorWithReply => Some(Mutation::ErrorsWithAReplyAreLost),
        Difference::UsedReply => Some(Mutation::UsedRepliesAreKept),
        Difference::UnnoticedDeath => Some(Mutation::UnwatchedDeathIsUnknown),
        Difference::RequestAfterNotice => Some(Mutation::ToldDeathIsAnInnerError),
        Difference::DescriptorOfDead => Some(Mutation::DeadHaveNoDescriptor),
        Difference::StoppedWorker => Some(Mutation::StoppedThreadsAreNotReplaced),
        Difference::PassedStub => Some(Mutation::PassedStubsCannotBeWritten),
    }
}

/// Whether to do as a device does.
fn is_device() -> bool {
    static DEVICE: PerProcess<bool> = PerProcess::new();
    let mut unknown = None;
    let is_device = DEVICE.find_once(|| match std::env::var("IPCKIT_BEHAVIOUR") {
        Ok(text) if text == "device" => true,
        Ok(text) if text != "documented" => {
            unknown = Some(text);
            false
        }
        Ok(_) | Err(_) => false,
    });
    // Only now, as the user's callback for it may come here itself.
    if let Some(other) = unknown {
        ipckit_log::warn(format_args!("IPCKIT_BEHAVIOUR={other} is ignored, it must be `device` or `documented`"));
    }
    is_device
}

/// Keeps what a device never gives back. It stays within reach, so that who looks for leaks finds the program's own only.
pub fn keep_for_ever(thing: impl Send + 'static) {
    static KEPT: Mutex<Vec<Box<dyn Send>>> = Mutex::new(Vec::new());
    KEPT.lock().push(Box::new(thing));
}

/// To be asked where a program comes upon a difference: whether to do as a device does.
pub fn as_on_a_device(difference: Difference) -> bool {
    static SAID: [Once; Difference::ALL.len()] = [const { Once::new() }; Difference::ALL.len()];
    if is_device() || fault(difference).is_some_and(Mutation::is_on) {
        return true;
    }
    let said = Difference::ALL.iter().position(|known| *known == difference).and_then(|place| SAID.get(place));
    if (said.is_some_and(Once::first) || Mutation::DifferencesAreToldEachTime.is_on())
        && !Mutation::DifferencesAreNotTold.is_on()
    {
        ipckit_log::warn(format_args!("{} (IPCKIT_BEHAVIOUR=device shows it)", difference.on_a_device()));
    }
    false
}
