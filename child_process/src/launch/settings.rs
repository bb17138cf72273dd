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
}

impl Settings {
    pub(super) fn from_environment() -> Self {
        Self::from(|name| env::var_os(name))
    }

    fn from(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let number = |name: &str, otherwise: u32| match variable(name) {
            None => otherwise,
            Some(value) => parse(&value).unwrap_or_else(|| {
                ipckit_log::warn(format_args!(
                    "{name}={} is not a number from 0 to {}; {otherwise} is used instead",
                    value.display(),
                    u32::MAX
                ));
                otherwise
            }),
        };
        let milliseconds = |name, otherwise| Duration::from_millis(number(name, otherwise).into());
        Self {
            start_timeout: milliseconds("IPCKIT_CHILD_START_TIMEOUT_MS", 10_000),
            head_start: milliseconds("IPCKIT_CHILD_HEAD_START_MS", 2_000),
            most_connected: number("IPCKIT_MAX_CHILDREN", 50) as usize,
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
        assert_eq!(settings.most_connected, 50);
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
        assert_eq!(settings.most_connected, 50);
    }
}
