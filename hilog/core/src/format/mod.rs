// SPDX-License-Identifier: Apache-2.0
//! The format engine: C's printf with `{public}` and `{private}`.
//!
//! What is the caller's fault in C (an argument that does not fit its directive) is so here. A format string by itself
//! can do no harm: what is no directive is printed as text, and `%n` too.
#![allow(unsafe_code)] // Takes arguments from a list and reads C strings, as printf does.

mod arguments;
mod parse;
mod render;

pub use arguments::{Arguments, LongDouble, Value};
pub use parse::Kind;

use crate::Once;
use crate::message::MessageText;
use arguments::Supply;
use parse::{Conversion, Directive, Piece, Pieces, Privacy};

/// How to format.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether private arguments are printed as `<private>`.
    pub hide_private: bool,
    /// The number of `errno` that `%m` prints.
    pub errno: i32,
}

/// Formats a message.
///
/// # Safety
/// `arguments` holds what the directives of `format` need, as printf's would, and gives each argument in turn.
pub unsafe fn format(format: &[u8], arguments: &mut dyn Arguments, options: Options) -> MessageText {
    let mut text = MessageText::new();
    // SAFETY: the caller's.
    let mut supply = unsafe { Supply::new(format, arguments) };
    for piece in Pieces::of(format) {
        match piece {
            Piece::Text(literal) => text.push(literal),
            Piece::Directive(directive, raw) => {
                // SAFETY: the caller's; the supply gives each directive the arguments that belong to it.
                unsafe { convert(&directive, raw, &mut supply, options, &mut text) };
            }
        }
        if text.is_cut() {
            break;
        }
    }
    text.finish();
    text
}

/// # Safety
/// As for [`format`].
unsafe fn convert(
    directive: &Directive,
    raw: &[u8],
    supply: &mut Supply<'_>,
    options: Options,
    text: &mut MessageText,
) {
    static SAID_WORD: Once = Once::new();
    static SAID_COUNT: Once = Once::new();
    static SAID_POSITION: Once = Once::new();
    let written = raw.escape_ascii();
    if directive.privacy == Privacy::Unknown && SAID_WORD.first() {
        crate::warn(format_args!(
            "{written} in the format of a log message: only {{public}} and {{private}} are known; taken for private"
        ));
    }
    // SAFETY: the caller's.
    let Some(operands) = (unsafe { supply.take(directive) }) else {
        if SAID_POSITION.first() {
            crate::warn(format_args!(
                "{written} in the format of a log message is printed as it stands: a format names all its arguments by \
                 position or none, and each of them with one type"
            ));
        }
        return text.push(raw);
    };
    if directive.conversion == Conversion::Count {
        if SAID_COUNT.first() {
            crate::warn(format_args!(
                "{written} in the format of a log message is printed as it stands: a log does not write into the program's \
                 memory"
            ));
        }
        return text.push(raw);
    }
    if options.hide_private && directive.privacy != Privacy::Public && operands.value.is_some() {
        return text.push(b"<private>");
    }
    // SAFETY: the operands are what the directive needs.
    unsafe { render::render(directive, &operands, supply, options.errno, text) };
}

#[cfg(test)]
mod tests;
