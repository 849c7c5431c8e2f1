//! ENGINE control commands: the settings under the names passed to `ENGINE_ctrl_cmd_string`.

use std::ffi::{CStr, CString, c_uint};
use std::ptr;

use akv_core::settings::OPTIONS;
use legacy_abi::libcrypto::constants::command;
use legacy_abi::libcrypto::types::CommandDefinition;

/// The effect of a control command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// Sets this setting to the command's string.
    Setting(&'static str),
    /// The predecessor's command: 0 turns logging off, any other number on.
    Debug,
    /// A command of libp11 that has no effect.
    Ignored,
}

/// The predecessor's command, numbered after those of the settings.
const DEBUG: (&str, &str) = ("debug", "0 turns logging off, any other number sets LOG_LEVEL 2");

/// The id of libp11's engine, for programs that accept no other.
const PKCS11: &CStr = c"pkcs11";

/// The commands that programs send to an engine with that id before they load a key: the path of
/// the PKCS#11 module, and how to log in to a token. Neither exists here.
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

/// All commands in the form that libcrypto expects: in ascending order and terminated by an empty
/// one. libcrypto keeps the pointer.
pub(crate) struct Definitions {
    own: &'static [CommandDefinition],
    with_libp11s: &'static [CommandDefinition],
}

impl Definitions {
    pub(crate) fn new() -> Self {
        Self { own: definitions(&[]), with_libp11s: definitions(&LIBP11) }
    }

    /// The commands of an engine that is bound with this id.
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
        description: text("ignored: there is no PKCS#11 module"),
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
