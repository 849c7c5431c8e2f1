//! Whether the kernel marked this process as secure-execution (`AT_SECURE`, getauxval(3)).

use nix::unistd::{getegid, geteuid, getgid, getuid};
use std::{fs, io};

/// The entry of the auxiliary vector (elf.h).
const AT_SECURE: usize = 23;

/// True for set-user-ID programs, programs with file capabilities and the like, whose environment
/// comes from somebody with less privilege.
pub(super) fn is_secure_execution() -> bool {
    match fs::read("/proc/self/auxv") {
        Ok(vector) => at_secure(&vector),
        // A process may not read its own vector when it is not dumpable, which is what the kernel
        // makes of secure-execution programs.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => true,
        Err(_) => getuid() != geteuid() || getgid() != getegid(),
    }
}

fn at_secure(vector: &[u8]) -> bool {
    const WORD: usize = size_of::<usize>();
    let word = |bytes: &[u8]| bytes.try_into().map_or(0, usize::from_ne_bytes);
    vector
        .chunks_exact(2 * WORD)
        .any(|entry| word(&entry[..WORD]) == AT_SECURE && word(&entry[WORD..]) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_mark() {
        let vector = |mark: usize| -> Vec<u8> {
            [6, 4096, AT_SECURE, mark, 0, 0].iter().flat_map(|w: &usize| w.to_ne_bytes()).collect()
        };
        assert!(at_secure(&vector(1)));
        assert!(!at_secure(&vector(0)));
        assert!(!at_secure(&[]));
        assert!(!is_secure_execution(), "a test runner is an ordinary program");
    }
}
