//! The host's error queue.

use std::ffi::{CStr, CString};

use super::Host;
use crate::guard::{Entry, ErrorQueue};
use crate::types::VaList;

impl ErrorQueue for Host {
    fn raise(&self, entry: &Entry) {
        let (Some(new_error), Some(vset_error)) = (self.new_error, self.vset_error) else {
            return;
        };
        let format = format_without_arguments(&entry.message);
        // On the known ABIs (x86-64, AArch64, RISC-V, PowerPC, s390x, 32-bit ones) a `va_list`
        // argument is passed as a pointer: to the list's structure, or the list itself. The format
        // has no conversions, so no argument is read; a zeroed list is empty in case something
        // reads it anyway.
        let mut arguments = VaList::empty();
        // SAFETY: the functions are the core's, the strings live until they return (the core copies
        // them), and the format has no conversions.
        unsafe {
            new_error(self.handle);
            if let Some(set_error_debug) = self.set_error_debug {
                let (file, function) = (entry.file.as_ptr(), entry.function.as_ptr());
                set_error_debug(self.handle, file, entry.line, function);
            }
            vset_error(self.handle, entry.reason, format.as_ptr(), &mut arguments);
        }
    }
}

impl Host {
    /// Runs an action whose failure is not an error: drops everything it pushes to the error queue.
    pub fn quietly<T>(&self, action: impl FnOnce() -> T) -> T {
        self.mark_errors();
        let result = action();
        self.pop_errors();
        result
    }

    /// Runs an action that leaves errors in the queue only if it fails: libcrypto may push errors
    /// even when it succeeds.
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

    /// Returns `false` if the queue is empty, since a mark is set on an entry.
    fn mark_errors(&self) -> bool {
        // SAFETY: the function is the core's and takes its handle.
        self.set_error_mark.is_some_and(|mark| unsafe { mark(self.handle) == 1 })
    }

    /// Drops the errors after the mark, or all of them if there is no mark.
    fn pop_errors(&self) {
        // If the core cannot set marks, popping would drop errors of others.
        if let (Some(_), Some(pop)) = (self.set_error_mark, self.pop_error_to_mark) {
            // SAFETY: as above.
            unsafe { pop(self.handle) };
        }
    }
}

/// Escapes the message for use as a format string: doubles every `%`.
fn format_without_arguments(message: &CStr) -> CString {
    let doubled = message.to_bytes().split_inclusive(|byte| *byte == b'%').flat_map(|part| {
        let percent: &[u8] = if part.ends_with(b"%") { b"%" } else { b"" };
        [part, percent].concat()
    });
    CString::new(doubled.collect::<Vec<u8>>()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_a_format_that_takes_no_arguments() {
        let format = format_without_arguments(c"100% of vault:v:k  %s%%");
        assert_eq!(format.to_str(), Ok("100%% of vault:v:k  %%s%%%%"));
    }
}
