//! ENGINE control commands: the settings under the names that `ENGINE_ctrl_cmd_string` takes.

use akv_core::settings::OPTIONS;
use legacy_abi::libcrypto::constants::command;
use legacy_abi::libcrypto::types::CommandDefinition;
use std::ffi::{CString, c_uint};
use std::ptr;

/// What a control command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// Sets this setting to the text that comes with it.
    Setting(&'static str),
    /// The predecessor's: 0 is off, every other number logs what is done.
    Debug,
}

/// The predecessor's command, after those of the settings.
const DEBUG: (&str, &str) = ("debug", "0 is off, anything else logs what is done (as LOG_LEVEL 2)");

fn number(index: usize) -> c_uint {
    command::BASE.saturating_add(c_uint::try_from(index).unwrap_or(c_uint::MAX))
}

impl Control {
    /// The command with this number.
    pub(crate) fn from_number(wanted: c_uint) -> Option<Self> {
        if wanted == number(OPTIONS.len()) {
            return Some(Self::Debug);
        }
        let index = usize::try_from(wanted.checked_sub(command::BASE)?).ok()?;
        OPTIONS.get(index).map(|option| Self::Setting(option.name))
    }
}

/// Every command as libcrypto wants it: in ascending order, with an empty one at the end. libcrypto
/// keeps the pointer.
pub(crate) fn definitions() -> &'static [CommandDefinition] {
    let text = |text: &str| CString::new(text).unwrap_or_default().into_raw().cast_const();
    let settings = OPTIONS.iter().enumerate().map(|(index, option)| CommandDefinition {
        number: number(index),
        name: text(&option.name.to_ascii_uppercase().replace('-', "_")),
        description: text(option.help),
        flags: command::STRING,
    });
    let debug = CommandDefinition {
        number: number(OPTIONS.len()),
        name: text(DEBUG.0),
        description: text(DEBUG.1),
        flags: command::NUMERIC,
    };
    let end =
        CommandDefinition { number: 0, name: ptr::null(), description: ptr::null(), flags: 0 };
    settings.chain([debug, end]).collect::<Vec<_>>().leak()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    #[test]
    fn names_are_the_documented_ones_and_numbers_follow_each_other() {
        let definitions = definitions();
        let (end, commands) = definitions.split_last().expect("an end");
        assert!(end.number == 0 && end.name.is_null());
        let names: Vec<&str> = commands
            .iter()
            // SAFETY: each command has a name.
            .map(|command| unsafe { CStr::from_ptr(command.name) }.to_str().expect("ASCII"))
            .collect();
        for name in ["CREDENTIAL", "ACCESS_TOKEN_FILE", "DNS_SUFFIX", "TIMEOUT", "LOG_LEVEL"] {
            assert!(names.contains(&name), "{name}");
        }
        assert_eq!(names.last(), Some(&"debug"));
        for (index, definition) in commands.iter().enumerate() {
            assert_eq!(definition.number, 200 + c_uint::try_from(index).expect("few"));
            let control = Control::from_number(definition.number).expect("known");
            assert_eq!(control == Control::Debug, definition.flags == command::NUMERIC);
        }
        assert_eq!(Control::from_number(commands.last().expect("one").number + 1), None);
        assert_eq!(Control::from_number(11), None);
    }
}
