// SPDX-License-Identifier: Apache-2.0
//! Which messages are wanted.

use crate::environment;
use std::sync::atomic::{AtomicU32, Ordering};

/// How grave a message is; the numbers are those of the C interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum Level {
    /// Helps to find a fault.
    Debug = 3,
    /// Worth knowing.
    Info = 4,
    /// Not as it should be, but it goes on.
    Warn = 5,
    /// Something failed.
    Error = 6,
    /// The program cannot go on.
    Fatal = 7,
}

/// How a level that a program sets combines with the system's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// Nothing is set: the system's level is in force.
    Unset,
    /// The higher of the two is in force: the program can only close.
    Close,
    /// The lower of the two is in force: the program can only open.
    Open,
}

/// The levels that can be loggable at all.
pub const LEVELS: std::ops::RangeInclusive<i32> = 1..=7;
/// Domains from here on are never loggable.
const DOMAIN_END: u32 = 0x0d0f_ffff;
/// The last domain that belongs to applications; levels that a program sets hold up to it.
const LAST_APPLICATION_DOMAIN: u32 = 0xffff;

/// The preference in the upper half, the level in the lower one, so that a reader sees both of one call.
struct Set(AtomicU32);

static SET: Set = Set(AtomicU32::new(0));

impl Set {
    fn store(&self, preference: Preference, level: i32) {
        let level = (level as u32) & 0xffff;
        self.0.store((preference as u32) << 16 | level, Ordering::Relaxed);
    }

    fn lowest(&self, system: i32) -> i32 {
        let word = self.0.load(Ordering::Relaxed);
        let level = (word & 0xffff) as i32;
        match word >> 16 {
            word if word == Preference::Close as u32 => level.max(system),
            word if word == Preference::Open as u32 => level.min(system),
            _ => system,
        }
    }
}

/// Sets the lowest level of the application's domains; `level` is one of [`LEVELS`] and counts for nothing with
/// [`Preference::Unset`].
pub fn set_level(preference: Preference, level: i32) {
    SET.store(preference, level);
}

/// Whether a message with this domain and level is wanted.
pub fn is_loggable(domain: u32, level: i32) -> bool {
    wanted(&SET, environment::system_level(), domain, level)
}

fn wanted(set: &Set, system: i32, domain: u32, level: i32) -> bool {
    let lowest = if domain <= LAST_APPLICATION_DOMAIN { set.lowest(system) } else { system };
    domain < DOMAIN_END && LEVELS.contains(&level) && level >= lowest
}

#[cfg(test)]
mod tests {
    use super::*;

    const APPLICATION: u32 = 0x201;
    const DEBUG: i32 = Level::Debug as i32;
    const WARN: i32 = Level::Warn as i32;

    fn set(preference: Preference, level: i32) -> Set {
        let set = Set(AtomicU32::new(0));
        set.store(preference, level);
        set
    }

    fn levels(set: &Set, system: i32, domain: u32) -> Vec<i32> {
        (-1..10).filter(|&level| wanted(set, system, domain, level)).collect()
    }

    #[test]
    fn without_a_set_level_the_systems_is_in_force() {
        let nothing = Set(AtomicU32::new(0));
        assert_eq!(levels(&nothing, DEBUG, APPLICATION), [3, 4, 5, 6, 7]);
        assert_eq!(levels(&nothing, WARN, APPLICATION), [5, 6, 7]);
    }

    #[test]
    fn close_takes_the_higher_and_open_the_lower() {
        assert_eq!(levels(&set(Preference::Close, 6), WARN, APPLICATION), [6, 7]);
        assert_eq!(levels(&set(Preference::Close, 4), WARN, APPLICATION), [5, 6, 7]);
        assert_eq!(levels(&set(Preference::Open, 6), WARN, APPLICATION), [5, 6, 7]);
        assert_eq!(levels(&set(Preference::Open, 4), WARN, APPLICATION), [4, 5, 6, 7]);
        assert_eq!(levels(&set(Preference::Open, 1), WARN, APPLICATION), [1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn unset_drops_what_was_set() {
        let set = set(Preference::Close, 7);
        set.store(Preference::Unset, 7);
        assert_eq!(levels(&set, DEBUG, APPLICATION), [3, 4, 5, 6, 7]);
    }

    #[test]
    fn a_set_level_is_for_application_domains() {
        let fatal_only = set(Preference::Close, 7);
        assert_eq!(levels(&fatal_only, DEBUG, 0), [7]);
        assert_eq!(levels(&fatal_only, DEBUG, 0xffff), [7]);
        assert_eq!(levels(&fatal_only, DEBUG, 0x10000), [3, 4, 5, 6, 7]);
    }

    #[test]
    fn domains_end() {
        let nothing = Set(AtomicU32::new(0));
        assert_eq!(levels(&nothing, DEBUG, 0x0d0f_fffe), [3, 4, 5, 6, 7]);
        assert!(levels(&nothing, DEBUG, 0x0d0f_ffff).is_empty());
        assert!(levels(&nothing, DEBUG, u32::MAX).is_empty());
    }
}
