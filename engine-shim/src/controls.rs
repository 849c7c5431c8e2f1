//! ENGINE control commands: the settings under the names that `ENGINE_ctrl_cmd_string` takes.

use akv_core::settings::OPTIONS;

/// First number that an engine may give to a command of its own (`ENGINE_CMD_BASE`, engine.h).
const CMD_BASE: u32 = 200;

/// One control command (`ENGINE_CMD_DEFN`, engine.h). All take a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// The command's number.
    pub number: u32,
    /// Its name: the setting's in upper case, with underscores.
    pub name: String,
    /// The setting that it sets.
    pub setting: &'static str,
    /// What `openssl engine -vvv` says of it.
    pub help: &'static str,
}

/// Every control command, in the order of the settings.
pub fn controls() -> Vec<Control> {
    (CMD_BASE..)
        .zip(OPTIONS)
        .map(|(number, option)| Control {
            number,
            name: option.name.to_ascii_uppercase().replace('-', "_"),
            setting: option.name,
            help: option.help,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_documented_ones_and_numbers_follow_each_other() {
        let controls = controls();
        for name in ["CREDENTIAL", "ACCESS_TOKEN_FILE", "DNS_SUFFIX", "TIMEOUT", "LOG_LEVEL"] {
            assert!(controls.iter().any(|control| control.name == name), "{name}");
        }
        let numbers: Vec<u32> = controls.iter().map(|control| control.number).collect();
        let expected: Vec<u32> = (CMD_BASE..).take(controls.len()).collect();
        assert_eq!(numbers, expected);
    }
}
