//! The host's error queue.

use super::Host;
use crate::guard::ErrorQueue;
use crate::types::VaList;
use std::ffi::{CString, c_int};
use std::panic::Location;

/// Longest message of an entry in bytes: the core cuts at 1 024.
const MAX_MESSAGE: usize = 1000;

impl ErrorQueue for Host {
    fn raise(&self, reason: u32, message: &str, function: &str, place: &Location<'_>) {
        let (Some(new_error), Some(vset_error)) = (self.new_error, self.vset_error) else {
            return;
        };
        let format = format_without_arguments(message);
        let file = c_text(place.file());
        let function = c_text(function);
        let line = c_int::try_from(place.line()).unwrap_or(0);
        // A C function that takes a `va_list` gets, on the ABIs that we know (x86-64, AArch64,
        // RISC-V, PowerPC, s390x, 32-bit ones), a pointer: to the list's structure, or the list
        // itself. The format has no conversions, so nothing is ever taken from it; zeros are a
        // list without arguments in case something looks.
        let mut arguments = VaList::empty();
        // SAFETY: the functions are the core's, the strings live until they return (the core
        // copies them), and the format takes no argument.
        unsafe {
            new_error(self.handle);
            if let Some(set_error_debug) = self.set_error_debug {
                set_error_debug(self.handle, file.as_ptr(), line, function.as_ptr());
            }
            vset_error(self.handle, reason, format.as_ptr(), &mut arguments);
        }
    }
}

impl Host {
    /// Runs something whose failure is no failure: what it pushes to the error queue is dropped.
    pub fn quietly<T>(&self, action: impl FnOnce() -> T) -> T {
        self.mark_errors();
        let result = action();
        self.pop_errors();
        result
    }

    /// Runs something that leaves entries in the error queue when it fails, and none when it
    /// succeeds: libcrypto pushes some on its way to a success.
    pub fn attempt(&self, action: impl FnOnce() -> bool) -> bool {
        let marked = self.mark_errors();
        let done = action();
        match self.clear_last_error_mark {
            _ if done => self.pop_errors(),
            // SAFETY: the function is the core's and takes its handle.
            Some(clear) if marked => _ = unsafe { clear(self.handle) },
            _ => {}
        }
        done
    }

    /// `false` when the queue is empty: marks are put on entries.
    fn mark_errors(&self) -> bool {
        // SAFETY: the function is the core's and takes its handle.
        self.set_error_mark.is_some_and(|mark| unsafe { mark(self.handle) == 1 })
    }

    /// Drops what came after the mark, and everything when there is none.
    fn pop_errors(&self) {
        // Without the function that marks, there may be entries of others.
        if let (Some(_), Some(pop)) = (self.set_error_mark, self.pop_error_to_mark) {
            // SAFETY: as above.
            unsafe { pop(self.handle) };
        }
    }
}

/// The message as a format string: no control characters, cut, every `%` doubled.
fn format_without_arguments(message: &str) -> CString {
    let line: String =
        message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let cut = &line[..line.floor_char_boundary(MAX_MESSAGE)];
    c_text(&cut.replace('%', "%%"))
}

fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', " ")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_a_format_that_takes_no_arguments() {
        let format = format_without_arguments("100% of\nvault:v:k\0 %s");
        assert_eq!(format.to_str(), Ok("100%% of vault:v:k  %%s"));
    }

    #[test]
    fn long_messages_are_cut_at_a_character() {
        let format = format_without_arguments(&"ü%".repeat(900));
        let text = format.to_str().expect("valid text").replace("%%", "%");
        assert!(text.len() <= MAX_MESSAGE && text.len() > MAX_MESSAGE - 3, "{}", text.len());
    }
}
