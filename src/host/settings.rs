// SPDX-License-Identifier: Apache-2.0
//! Settings from the environment, as it was when the first of them was needed: what a program sets later is for its children.

use std::str::FromStr;

use super::mutation::Mutation;
use crate::sys::per_process::PerProcess;

/// What a device gives a process for received messages, in bytes.
const DEVICE_ROOM: usize = 1_040_384;

/// What the environment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// `IPCKIT_RECEIVE_BUFFER`: bytes of received messages that a process may hold, of which half may be asynchronous.
    pub receive_room: usize,
    /// `IPCKIT_TOKEN_ID`: the token id of this process, 0 for none.
    pub token_id: u64,
    /// `IPCKIT_LATE_LOOKS`: whether who waits looks now and then after what nobody has told it of.
    pub late_looks: LateLooks,
}

/// Looks after what nobody has told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LateLooks {
    /// There are none.
    Never,
    /// They help.
    Help,
    /// They count what they find, after some time, and help only then.
    Count,
}

impl Settings {
    /// What the environment said when this was first asked for; what made no sense there was named in the log and is at its default.
    pub fn of_process() -> Self {
        static OF_PROCESS: PerProcess<Settings> = PerProcess::new();
        let mut complaints = Vec::new();
        let settings = OF_PROCESS
            .find_once(|| Self::from_lookup(|name| std::env::var(name).ok(), |complaint| complaints.push(complaint)));
        // Only now, as the user's callback for it may ask for the settings.
        for complaint in complaints {
            ipckit_log::warn(format_args!("{complaint}"));
        }
        settings
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>, mut complain: impl FnMut(String)) -> Self {
        let mut number = |name| {
            let text = lookup(name)?;
            let number = u64::from_str(text.trim());
            number
                .inspect_err(|error| {
                    complain(format!("{name}={text} is ignored, it must be a decimal number: {error}"));
                })
                .ok()
        };
        let room = number("IPCKIT_RECEIVE_BUFFER")
            .filter(|_| !Mutation::RoomCannotBeRaised.is_on())
            .and_then(|bytes| usize::try_from(bytes).ok());
        Self {
            receive_room: room.map_or(DEVICE_ROOM, |bytes| bytes.max(DEVICE_ROOM)),
            token_id: number("IPCKIT_TOKEN_ID").filter(|_| !Mutation::TokenIdIsIgnored.is_on()).unwrap_or(0),
            late_looks: match number("IPCKIT_LATE_LOOKS") {
                Some(0) => LateLooks::Never,
                Some(2) => LateLooks::Count,
                _ => LateLooks::Help,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &'static str) -> Settings {
        Settings::from_lookup(|asked| (asked == name).then(|| value.to_owned()), drop)
    }

    #[test]
    fn without_an_environment_everything_is_as_on_a_device() {
        assert_eq!(
            Settings::from_lookup(|_| None, drop),
            Settings { receive_room: 1_040_384, token_id: 0, late_looks: LateLooks::Help }
        );
    }

    #[test]
    fn the_room_can_be_raised_and_not_lowered() {
        assert_eq!(with("IPCKIT_RECEIVE_BUFFER", "8000000").receive_room, 8_000_000);
        assert_eq!(with("IPCKIT_RECEIVE_BUFFER", "1").receive_room, DEVICE_ROOM);
        assert_eq!(with("IPCKIT_RECEIVE_BUFFER", "much").receive_room, DEVICE_ROOM);
    }

    #[test]
    fn only_a_zero_turns_late_looks_off() {
        assert_eq!(with("IPCKIT_LATE_LOOKS", "0").late_looks, LateLooks::Never);
        assert_eq!(with("IPCKIT_LATE_LOOKS", "1").late_looks, LateLooks::Help);
        assert_eq!(with("IPCKIT_LATE_LOOKS", "2").late_looks, LateLooks::Count);
        assert_eq!(with("IPCKIT_LATE_LOOKS", "no").late_looks, LateLooks::Help);
    }

    #[test]
    fn a_token_id_is_a_decimal_number() {
        assert_eq!(with("IPCKIT_TOKEN_ID", " 18446744073709551615 ").token_id, u64::MAX);
        assert_eq!(with("IPCKIT_TOKEN_ID", "-1").token_id, 0);
    }
}
