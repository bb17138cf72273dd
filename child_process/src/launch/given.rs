// SPDX-License-Identifier: Apache-2.0
//! What the caller of Start gives its child, checked.

use std::ffi::{CStr, CString, c_int};

use super::behaviour::{Difference, as_on_a_device};
use crate::mutation::Mutation;
use crate::protocol::{Gift, MOST_DESCRIPTORS};
use crate::sys::process;

/// Bytes of the text that a child can be given.
const LONGEST_PARAMETERS: usize = 150 * 1024;

/// Characters of the text, as UTF-16 counts them, that a device does not take any more, about.
const TOO_LONG_FOR_A_DEVICE: usize = 102_000;

/// Nodes of the list, names that are repeated among them.
const LONGEST_LIST: usize = 4096;

/// Bytes of a descriptor's name.
const LONGEST_NAME: usize = 20;

/// The function to run and what it gets.
#[derive(Debug)]
pub(crate) struct Given<'a> {
    function: &'a CStr,
    parameters: &'a CStr,
    /// Sorted by name, each name once.
    descriptors: Vec<(&'a CStr, c_int)>,
}

/// Why something cannot be given.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum NotGiven {
    #[error("a node of fdList has no fdName")]
    NoName,
    #[error("the fdName {0:?} is longer than {LONGEST_NAME} bytes")]
    LongName(String),
    #[error("fdList has more than {MOST_DESCRIPTORS} different names")]
    TooManyNames,
    #[error("fdList has more than {LONGEST_LIST} nodes; does it end with NULL?")]
    LongList,
    #[error("entryParams has {0} bytes, more than {LONGEST_PARAMETERS}; pass long data through a file descriptor")]
    LongParameters(usize),
    #[error("entryParams has {0} characters, more than a device takes; pass long data through a file descriptor")]
    LongForADevice(usize),
    #[error("the descriptor {number} of fdName {name:?} is not open")]
    NotOpen { name: String, number: c_int },
}

impl<'a> Given<'a> {
    /// Checks the list, in which names can be missing or repeated, then the rest.
    pub(crate) fn check(
        function: &'a CStr,
        parameters: &'a CStr,
        list: impl Iterator<Item = (Option<&'a CStr>, c_int)>,
    ) -> Result<Self, NotGiven> {
        let mut descriptors: Vec<(&CStr, c_int)> = Vec::new();
        for (index, (name, number)) in list.enumerate() {
            if index == LONGEST_LIST || (index == 1000 && Mutation::LongListsAreRefused.is_on()) {
                return Err(NotGiven::LongList);
            }
            let name = name.ok_or(NotGiven::NoName)?;
            if name.count_bytes() > LONGEST_NAME {
                return Err(NotGiven::LongName(name.to_string_lossy().into()));
            }
            match descriptors.binary_search_by(|(known, _)| (*known).cmp(name)) {
                Ok(place) if Mutation::TheLastOfANameCounts.is_on() => descriptors[place].1 = number,
                Ok(_) => {}
                Err(_) if descriptors.len() == MOST_DESCRIPTORS + usize::from(Mutation::OneNameTooMany.is_on()) => {
                    return Err(NotGiven::TooManyNames);
                }
                Err(_) if Mutation::NamesAreNotSorted.is_on() => descriptors.push((name, number)),
                Err(place) => descriptors.insert(place, (name, number)),
            }
        }
        if parameters.count_bytes() > LONGEST_PARAMETERS {
            return Err(NotGiven::LongParameters(parameters.count_bytes()));
        }
        let characters = parameters.to_string_lossy().encode_utf16().count();
        if characters >= TOO_LONG_FOR_A_DEVICE && as_on_a_device(Difference::LongParameters) {
            return Err(NotGiven::LongForADevice(characters));
        }
        let cannot_be_given = |number| {
            (!process::is_open(number) && !Mutation::ClosedDescriptorsAreNotNoticed.is_on())
                || (Mutation::DirectoriesCannotBeGiven.is_on()
                    && std::fs::metadata(format!("/proc/self/fd/{number}")).is_ok_and(|file| file.is_dir()))
        };
        if let Some((name, number)) = descriptors.iter().find(|(_, number)| cannot_be_given(*number)) {
            return Err(NotGiven::NotOpen { name: name.to_string_lossy().into(), number: *number });
        }
        Ok(Self { function, parameters, descriptors })
    }

    pub(super) fn gift(&self) -> Gift {
        let mut parameters = CString::from(self.parameters);
        if Mutation::LongParametersAreCut.is_on() {
            let cut: Vec<u8> = parameters.into_bytes().into_iter().take(100 * 1024).collect();
            parameters = CString::new(cut).expect("a part of a text");
        }
        Gift {
            function: self.function.into(),
            parameters,
            names: self.descriptors.iter().map(|(name, _)| (*name).into()).collect(),
        }
    }

    /// The descriptors' numbers in the order of their names.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = c_int> {
        self.descriptors.iter().map(|(_, number)| *number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::iter;

    fn check<'a>(parameters: &'a CStr, list: &[(Option<&'a CStr>, c_int)]) -> Result<Given<'a>, NotGiven> {
        Given::check(c"Main", parameters, list.iter().copied())
    }

    #[test]
    fn names_are_sorted_and_the_first_of_each_counts() {
        let list = [(Some(c"b"), 1), (Some(c"\xff"), 0), (Some(c"a.x"), 2), (Some(c"b"), 0), (Some(c""), 2)];
        let given = check(c"text", &list).unwrap();
        assert_eq!(given.gift().names, [c"", c"a.x", c"b", c"\xff"].map(CString::from));
        assert_eq!(given.descriptors().collect::<Vec<_>>(), [2, 2, 1, 0]);
        assert_eq!((given.gift().function, given.gift().parameters), (c"Main".into(), c"text".into()));
    }

    #[test]
    fn names_have_their_bounds() {
        assert!(check(c"", &[(Some(c"exactly_twenty_bytes"), 1)]).is_ok());
        assert!(matches!(check(c"", &[(Some(c"exactly_twenty_1bytes"), 1)]), Err(NotGiven::LongName(_))));
        assert_eq!(check(c"", &[(Some(c"a"), 1), (None, 1)]).unwrap_err(), NotGiven::NoName);
        let names: Vec<_> = (0..17).map(|number| CString::new(format!("name{number}")).unwrap()).collect();
        let mut list: Vec<_> = names.iter().map(|name| (Some(name.as_c_str()), 1)).collect();
        assert_eq!(check(c"", &list).unwrap_err(), NotGiven::TooManyNames);
        let endless = iter::repeat((Some(c"a"), 1));
        assert_eq!(Given::check(c"Main", c"", endless).unwrap_err(), NotGiven::LongList);
        // Sixteen, and some of them again.
        list[16] = list[3];
        assert!(check(c"", &list).is_ok());
    }

    #[test]
    fn the_text_has_its_bound_and_descriptors_must_be_open() {
        let text = |length| CString::new(vec![b'x'; length]).unwrap();
        assert!(check(&text(LONGEST_PARAMETERS), &[]).is_ok());
        let too_long = LONGEST_PARAMETERS + 1;
        assert_eq!(check(&text(too_long), &[]).unwrap_err(), NotGiven::LongParameters(too_long));
        for number in [-1, c_int::MAX] {
            let not_open = NotGiven::NotOpen { name: "a".into(), number };
            assert_eq!(check(c"", &[(Some(c"a"), number)]).unwrap_err(), not_open);
        }
    }
}
