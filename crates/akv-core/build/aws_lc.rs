//! What a build of AWS-LC does that hangs programs that fork.

use std::{fmt, fs, io, path::Path};

use object::{Object as _, ObjectSection as _, ObjectSymbol as _, read::archive::ArchiveFile};

/// Why processes that fork may hang with a build of AWS-LC.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Hazard {
    /// Code at exit waits for the random generators of all threads. Those that a thread of the
    /// parent used during the fork stay locked.
    RunsAtExit,
    /// The first random bytes of a process take milliseconds under a lock of the whole process.
    CpuJitter,
}

impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RunsAtExit => "it wipes the random generators of all threads at exit",
            Self::CpuJitter => "it gathers entropy from CPU jitter, under a lock of the process",
        })
    }
}

/// The hazards of a static library.
///
/// # Errors
/// It cannot be read, or is no library of this kind.
pub(crate) fn hazards(library: &Path) -> io::Result<Vec<Hazard>> {
    let content = fs::read(library)?;
    let archive = ArchiveFile::parse(&*content).map_err(invalid)?;
    let (mut runs_at_exit, mut jitter, mut objects) = (false, false, 0);
    for member in archive.members() {
        let member = member.map_err(invalid)?.data(&*content).map_err(invalid)?;
        let object = object::File::parse(member).map_err(invalid)?;
        objects += 1;
        runs_at_exit |= object.sections().any(|section| {
            let name = section.name().unwrap_or_default();
            section.size() > 0 && (name.starts_with(".fini_array") || name.starts_with(".dtors"))
        });
        // The names have a prefix, which tells versions of AWS-LC apart.
        jitter |= object.symbols().any(|symbol| {
            let name = symbol.name().unwrap_or_default();
            symbol.is_definition() && name.ends_with("jent_entropy_collector_alloc")
        });
    }
    if objects == 0 {
        return Err(invalid("it is empty"));
    }
    let found = [(runs_at_exit, Hazard::RunsAtExit), (jitter, Hazard::CpuJitter)];
    Ok(found.into_iter().filter_map(|(there, hazard)| there.then_some(hazard)).collect())
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
