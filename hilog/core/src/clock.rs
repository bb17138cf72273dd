// SPDX-License-Identifier: Apache-2.0
//! Local time, without a lock: the C library's own calendar functions all share one, which a thread that no longer
//! exists can hold in a forked child.

use crate::system;
use std::sync::atomic::{AtomicI64, Ordering};

/// A moment as a line of the log shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) month: u32,
    pub(crate) day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
    pub(crate) millisecond: u32,
}

/// Local time now.
pub(crate) fn now() -> Moment {
    let (seconds, nanoseconds) = system::real_time();
    moment(seconds + i64::from(offset(seconds)), nanoseconds / 1_000_000)
}

/// Finds out the offset from UTC while it is safe to; for a child that is about to be forked.
pub(crate) fn prepare_for_fork() {
    offset(system::real_time().0);
}

/// Offsets from UTC change only at full quarters of an hour, so one is good for the quarter it was found in.
const QUARTER: i64 = 900;

/// Seconds east of UTC. A forked child goes on with what its parent last knew.
fn offset(seconds: i64) -> i32 {
    /// The quarter since 1970 above 32 bits of the offset in it; 0 is for not known.
    static KNOWN: AtomicI64 = AtomicI64::new(0);
    let quarter = seconds.div_euclid(QUARTER);
    let known = KNOWN.load(Ordering::Relaxed);
    if known >> 32 == quarter || system::is_forked_child() {
        return known as i32;
    }
    let offset = system::offset_from_utc(seconds);
    KNOWN.store(quarter << 32 | i64::from(offset as u32), Ordering::Relaxed);
    offset
}

/// The Gregorian calendar, years from March to February so that the leap day comes last.
fn moment(seconds: i64, millisecond: u32) -> Moment {
    const DAYS_OF_400_YEARS: i64 = 146_097;
    const FROM_MARCH_OF_YEAR_0_TO_1970: i64 = 719_468;
    let days = seconds.div_euclid(86_400) + FROM_MARCH_OF_YEAR_0_TO_1970;
    let day = days.rem_euclid(DAYS_OF_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let second = seconds.rem_euclid(86_400) as u32;
    Moment {
        month: (if month < 10 { month + 3 } else { month - 9 }) as u32,
        day: (day - (153 * month + 2) / 5 + 1) as u32,
        hour: second / 3_600,
        minute: second / 60 % 60,
        second: second % 60,
        millisecond,
    }
}

#[cfg(test)]
mod tests {
    use super::{Moment, moment};

    #[test]
    fn agrees_with_the_c_library_on_every_day_of_four_centuries() {
        for day in -10_000..146_097 {
            let seconds = day * 86_400 + 45_296;
            let Moment { month, day, .. } = moment(seconds, 0);
            assert_eq!((month, day), crate::system::utc_month_and_day(seconds), "at {seconds}");
        }
    }

    #[test]
    fn splits_the_day() {
        let expected = Moment { month: 2, day: 29, hour: 23, minute: 59, second: 58, millisecond: 7 };
        assert_eq!(moment(951_868_798, 7), expected);
        let expected = Moment { month: 12, day: 31, hour: 23, minute: 59, second: 59, millisecond: 0 };
        assert_eq!(moment(-1, 0), expected);
    }
}
