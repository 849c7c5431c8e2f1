//! ENGINE control commands: the settings under the names that `ENGINE_ctrl_cmd_string` takes.

use akv_core::settings::OPTIONS;
use legacy_abi::libcrypto::constants::command;
use legacy_abi::libcrypto::types::CommandDefinition;
use std::ffi::{CStr, CString, c_uint};
use std::ptr;

/// What a control command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// Sets this setting to the text that comes with it.
    Setting(&'static str),
    /// The predecessor's: 0 is off, every other number logs what is done.
    Debug,
    /// One of libp11's, for which there is nothing to do.
    Ignored,
}

/// The predecessor's command, after those of the settings.
const DEBUG: (&str, &str) = ("debug", "0 is off, anything else logs what is done (as LOG_LEVEL 2)");

/// The id of libp11's engine, for programs that take no other.
const PKCS11: &CStr = c"pkcs11";

/// What programs send to an engine of that id before they ask for a key: where the PKCS#11 module is,
/// and how to log in to a token. There is neither here.
const LIBP11: [(&str, c_uint); 9] = [
    ("MODULE_PATH", command::STRING),
    ("PIN", command::STRING),
    ("INIT_ARGS", command::STRING),
    ("VERBOSE", command::NO_INPUT),
    ("QUIET", command::NO_INPUT),
    ("FORCE_LOGIN", command::NO_INPUT),
    ("RE_ENUMERATE", command::NO_INPUT),
    ("SET_USER_INTERFACE", command::INTERNAL),
    ("SET_CALLBACK_DATA", command::INTERNAL),
];

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
        match index.checked_sub(OPTIONS.len() + 1) {
            Some(index) => LIBP11.get(index).map(|_| Self::Ignored),
            None => OPTIONS.get(index).map(|option| Self::Setting(option.name)),
        }
    }
}

/// Every command as libcrypto wants it: in ascending order, with an empty one at the end. libcrypto
/// keeps the pointer.
pub(crate) struct Definitions {
    own: &'static [CommandDefinition],
    with_libp11s: &'static [CommandDefinition],
}

impl Definitions {
    pub(crate) fn new() -> Self {
        Self { own: definitions(&[]), with_libp11s: definitions(&LIBP11) }
    }

    /// The commands of an engine that is bound under this id.
    pub(crate) fn of(&self, id: &CStr) -> &'static [CommandDefinition] {
        if id == PKCS11 { self.with_libp11s } else { self.own }
    }
}

fn definitions(ignored: &[(&str, c_uint)]) -> &'static [CommandDefinition] {
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
    let ignored = ignored.iter().enumerate().map(|(index, (name, flags))| CommandDefinition {
        number: number(OPTIONS.len() + 1 + index),
        name: text(name),
        description: text("accepted and ignored, as there is no PKCS#11 module"),
        flags: *flags,
    });
    let end =
        CommandDefinition { number: 0, name: ptr::null(), description: ptr::null(), flags: 0 };
    settings.chain([debug]).chain(ignored).chain([end]).collect::<Vec<_>>().leak()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_documented_ones_and_numbers_follow_each_other() {
        let definitions = Definitions::new().of(c"e_akv");
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
        assert_eq!(Control::from_number(11), None);
    }

    #[test]
    fn an_engine_called_pkcs11_has_the_commands_of_libp11_too() {
        let all = Definitions::new();
        let (own, more) = (all.of(c"e_akv"), all.of(c"pkcs11"));
        assert_eq!(own.len() + LIBP11.len(), more.len());
        for (index, definition) in more.iter().enumerate().take(more.len() - 1).skip(own.len() - 1)
        {
            assert_eq!(definition.number, number(index));
            assert_eq!(Control::from_number(definition.number), Some(Control::Ignored));
        }
        assert_eq!(Control::from_number(number(more.len() - 1)), None);
    }
}
