// SPDX-License-Identifier: Apache-2.0
//! What a user sets through the environment.

use std::env;
use std::ffi::{OsStr, OsString};
use std::time::Duration;

/// Read anew for every child, so that a program can change them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    /// How long a child may take until its main procedure runs.
    pub(super) start_timeout: Duration,
    /// How long Create waits for the callback to return.
    pub(super) head_start: Duration,
    /// How many children made by Create may live at once.
    pub(super) most_connected: usize,
    /// How many children of any kind may.
    pub(super) most: usize,
}

impl Settings {
    pub(super) fn from_environment() -> Self {
        Self::from(|name| env::var_os(name))
    }

    fn from(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let number = |name: &str, otherwise: &str| {
            let value = variable(name)?;
            let number = parse(&value);
            if number.is_none() {
                let (value, most) = (value.display(), u32::MAX);
                ipckit_log::warn(format_args!(
                    "{name}={value} is not a number from 0 to {most}; {otherwise} is used instead"
                ));
            }
            number
        };
        let milliseconds = |name, otherwise: u32| {
            Duration::from_millis(number(name, &otherwise.to_string()).unwrap_or(otherwise).into())
        };
        let most = number("IPCKIT_MAX_CHILDREN", "50 (512 of any kind)").map(|most| most as usize);
        Self {
            start_timeout: milliseconds("IPCKIT_CHILD_START_TIMEOUT_MS", 10_000),
            head_start: milliseconds("IPCKIT_CHILD_HEAD_START_MS", 2_000),
            most_connected: most.unwrap_or(50),
            most: most.unwrap_or(512),
        }
    }
}

fn parse(value: &OsStr) -> Option<u32> {
    value.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_variables_the_documented_values_hold() {
        let settings = Settings::from(|_| None);
        assert_eq!(settings.start_timeout, Duration::from_secs(10));
        assert_eq!(settings.head_start, Duration::from_secs(2));
        assert_eq!((settings.most_connected, settings.most), (50, 512));
    }

    #[test]
    fn one_variable_sets_both_limits() {
        let settings = Settings::from(|name| (name == "IPCKIT_MAX_CHILDREN").then(|| "7".into()));
        assert_eq!((settings.most_connected, settings.most), (7, 7));
    }

    #[test]
    fn numbers_are_taken_and_nonsense_is_not() {
        let settings = Settings::from(|name| {
            Some(match name {
                "IPCKIT_CHILD_START_TIMEOUT_MS" => "250".into(),
                "IPCKIT_CHILD_HEAD_START_MS" => "0".into(),
                _ => "-1".into(),
            })
        });
        assert_eq!(settings.start_timeout, Duration::from_millis(250));
        assert_eq!(settings.head_start, Duration::ZERO);
        assert_eq!((settings.most_connected, settings.most), (50, 512));
    }
}
