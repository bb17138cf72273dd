// SPDX-License-Identifier: Apache-2.0
//! What a child is given that Start made. It travels in a memory file, as it may be longer than a packet, and the
//! descriptors travel beside it.

use std::ffi::{CStr, CString};

use super::{MOST_DESCRIPTORS, texts};

/// The function that a child runs, and what that is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gift {
    pub(crate) function: CString,
    pub(crate) parameters: CString,
    /// The descriptors' names, in their order.
    pub(crate) names: Vec<CString>,
}

impl Gift {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let texts = [&self.function, &self.parameters].into_iter().chain(&self.names);
        texts.flat_map(|text| text.to_bytes_with_nul()).copied().collect()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut texts = texts(bytes)?.map(CStr::to_owned);
        let (function, parameters) = (texts.next()?, texts.next()?);
        let names: Vec<_> = texts.collect();
        (names.len() <= MOST_DESCRIPTORS).then_some(Self { function, parameters, names })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gift_arrives_as_it_was_sent() {
        let long = CString::new(vec![b'x'; 150 * 1024]).unwrap();
        for (parameters, names) in
            [(c"".to_owned(), vec![]), (long, vec![c"a.b".to_owned(), c"".to_owned(), c"\xff".to_owned()])]
        {
            let gift = Gift { function: c"Main".into(), parameters, names };
            assert_eq!(Gift::from_bytes(&gift.to_bytes()), Some(gift));
        }
    }

    #[test]
    fn what_is_cut_off_or_too_much_means_nothing() {
        for bytes in [b"".as_slice(), b"f", b"f\0", b"f\0p", b"f\0p\0n"] {
            assert_eq!(Gift::from_bytes(bytes), None, "{bytes:?}");
        }
        assert_eq!(Gift::from_bytes(&[0; 2 + MOST_DESCRIPTORS + 1]), None);
    }
}
