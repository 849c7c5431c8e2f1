//! The service's rules for names. Valid names are safe in a host name and in a URL path.

/// Why a name is refused.
pub(super) type Reason = String;

pub(super) fn check_vault(name: &str) -> Result<(), Reason> {
    check_letters(name, 3, 24)?;
    if name.starts_with('-') || name.ends_with('-') {
        return Err("it must not begin or end with a hyphen".to_owned());
    }
    // Forbidden by the service; a double hyphen can also mark an encoded foreign name.
    if name.contains("--") {
        return Err("it must not have two hyphens in a row".to_owned());
    }
    Ok(())
}

pub(super) fn check_key(name: &str) -> Result<(), Reason> {
    check_letters(name, 1, 127)
}

pub(super) fn check_version(version: &str) -> Result<(), Reason> {
    if version.len() == 32 && version.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err("it must be 32 hexadecimal digits".to_owned())
}

fn check_letters(name: &str, min: usize, max: usize) -> Result<(), Reason> {
    if name.is_empty() {
        return Err("it is empty".to_owned());
    }
    if let Some(wrong) = name.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-') {
        return Err(format!("{wrong:?} is not a letter, digit or hyphen"));
    }
    if !(min..=max).contains(&name.len()) {
        return Err(format!("it has {} characters, {min} to {max} are allowed", name.len()));
    }
    Ok(())
}
