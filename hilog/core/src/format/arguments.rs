// SPDX-License-Identifier: Apache-2.0
//! The arguments of a format, and which of them belong to which directive.

use super::parse::{Directive, Kind, POSITIONS, Piece, Pieces, Size};
use std::ffi::{CStr, c_void};

/// The bytes of a C `long double`. Rust has no such type.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub struct LongDouble(pub [u8; 16]);

/// An argument.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// `int`, and what is promoted to it.
    Int(i32),
    /// An integer of 64 bits.
    Long(i64),
    /// `double`.
    Double(f64),
    /// `long double`.
    LongDouble(LongDouble),
    /// A pointer.
    Pointer(*const c_void),
}

/// Arguments that are taken one after the other, such as a C `va_list`.
pub trait Arguments {
    /// Takes the next argument, which is a value of this kind.
    ///
    /// # Safety
    /// The next argument is there and of this kind.
    unsafe fn next(&mut self, kind: Kind) -> Value;

    /// `snprintf(buffer, …, directive, value)`, with its result.
    ///
    /// # Safety
    /// `directive` is one directive that converts one `long double`.
    unsafe fn print_long_double(&self, value: LongDouble, directive: &CStr, buffer: &mut [u8]) -> i32;
}

/// What one directive works on.
pub(super) struct Operands {
    pub(super) width: Option<i32>,
    pub(super) precision: Option<i32>,
    /// `None` for a directive that converts nothing.
    pub(super) value: Option<Value>,
}

/// Gives each directive its arguments.
pub(super) struct Supply<'a> {
    arguments: &'a mut dyn Arguments,
    /// All of them, where the format names them by position.
    by_position: Option<[Option<Value>; POSITIONS]>,
}

impl<'a> Supply<'a> {
    /// The first directive that takes an argument says which way it is.
    ///
    /// # Safety
    /// As for [`super::format`].
    pub(super) unsafe fn new(format: &[u8], arguments: &'a mut dyn Arguments) -> Self {
        if directives(format).find_map(|directive| directive.by_position()) != Some(true) {
            return Self { arguments, by_position: None };
        }
        let kinds = kinds_by_position(format);
        // What no directive names is passed over as an int, as the C library does.
        let count = kinds.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let mut values = [None; POSITIONS];
        for (value, kind) in values.iter_mut().zip(kinds).take(count) {
            // SAFETY: the arguments up to the last that a directive names are there, of the kind it says.
            *value = Some(unsafe { arguments.next(kind.unwrap_or(Kind::Int)) });
        }
        Self { arguments, by_position: Some(values) }
    }

    pub(super) fn arguments(&self) -> &dyn Arguments {
        self.arguments
    }

    /// The arguments of the next directive of the format; `None` if it names them in another way than the first one did,
    /// or as another kind than an earlier one.
    ///
    /// # Safety
    /// Every directive before this one took its arguments.
    pub(super) unsafe fn take(&mut self, directive: &Directive) -> Option<Operands> {
        if directive.by_position().is_some_and(|needed| needed != self.by_position.is_some()) {
            return None;
        }
        // SAFETY: the caller's, for all three; this is the order in which C passes them.
        unsafe {
            let width = self.size(directive.width)?;
            let precision = self.size(directive.precision)?;
            let value = match directive.kind() {
                None => None,
                Some(kind) => Some(self.value(directive.position, kind)?),
            };
            Some(Operands { width, precision, value })
        }
    }

    /// # Safety
    /// As for [`Self::take`].
    unsafe fn size(&mut self, size: Size) -> Option<Option<i32>> {
        let position = match size {
            Size::Absent => return Some(None),
            Size::Number(number) => return Some(Some(number)),
            Size::Next => None,
            Size::At(position) => Some(position),
        };
        // SAFETY: the caller's.
        match unsafe { self.value(position, Kind::Int) }? {
            Value::Int(number) => Some(Some(number)),
            _ => None,
        }
    }

    /// # Safety
    /// As for [`Self::take`].
    unsafe fn value(&mut self, position: Option<usize>, kind: Kind) -> Option<Value> {
        match &self.by_position {
            // SAFETY: the caller's.
            None => Some(unsafe { self.arguments.next(kind) }),
            Some(values) => values[position? - 1].filter(|value| value.kind() == kind),
        }
    }
}

impl Value {
    fn kind(&self) -> Kind {
        match self {
            Self::Int(_) => Kind::Int,
            Self::Long(_) => Kind::Long,
            Self::Double(_) => Kind::Double,
            Self::LongDouble(_) => Kind::LongDouble,
            Self::Pointer(_) => Kind::Pointer,
        }
    }
}

fn directives(format: &[u8]) -> impl Iterator<Item = Directive> {
    Pieces::of(format).filter_map(|piece| match piece {
        Piece::Directive(directive, _) => Some(directive),
        Piece::Text(_) => None,
    })
}

/// The kind of each argument as the first directive that names it has it.
fn kinds_by_position(format: &[u8]) -> [Option<Kind>; POSITIONS] {
    let mut kinds = [None; POSITIONS];
    let mut note = |position: usize, kind: Kind| {
        kinds[position - 1].get_or_insert(kind);
    };
    for directive in directives(format) {
        for size in [directive.width, directive.precision] {
            if let Size::At(position) = size {
                note(position, Kind::Int);
            }
        }
        if let (Some(position), Some(kind)) = (directive.position, directive.kind()) {
            note(position, kind);
        }
    }
    kinds
}
