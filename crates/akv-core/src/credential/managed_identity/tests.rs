//! The agent of Azure Arc, whose folder of secrets only these tests can choose.

use super::*;
use akv_emulator::{Emulator, Fault, Operation};
use std::{ffi::OsString, fs};

const SCOPE: &str = "https://vault.azure.net/.default";

/// An Azure Arc server whose agent puts its secrets into `folder`, and the credential on it.
fn on_arc_server(
    emulator: &Emulator,
    secrets: PathBuf,
    more: &[(&str, &str)],
) -> Result<ManagedIdentity> {
    let all = [
        ("IDENTITY_ENDPOINT", emulator.arc_endpoint()),
        ("IMDS_ENDPOINT", emulator.imds_endpoint()),
    ];
    let all: Vec<_> = all.iter().chain(more).copied().collect();
    let read = |name: &str| all.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
    let settings = Settings::builder().environment_from(read).build()?;
    let http = Http::new(&settings, Default::default())?;
    let identity = ManagedIdentity::new(&settings, &http)?;
    assert!(
        matches!(&identity.source, Source::Arc { secrets } if secrets == &PathBuf::from(arc::FOLDER))
    );
    Ok(ManagedIdentity { source: Source::Arc { secrets }, ..identity })
}

fn ask(identity: &ManagedIdentity) -> Result<Token> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(identity.token(SCOPE, Duration::from_secs(10)))
}

#[test]
fn a_readable_secret_file_gives_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let emulator = Emulator::builder().arc_folder(folder.path()).start().unwrap();
    let identity = on_arc_server(&emulator, folder.path().to_owned(), &[]).unwrap();
    let first = ask(&identity).unwrap();
    emulator.fault(Fault::status(429).on(Operation::Token));
    let second = ask(&identity).unwrap();
    assert_ne!(first.authorization(), second.authorization());
    // Two for each token, and the one that was struck.
    assert_eq!(emulator.stats().token_requests, 5);
    let life = second.expires().duration_since(std::time::SystemTime::now()).unwrap();
    assert!((86_390..=86_400).contains(&life.as_secs()), "{life:?}");
}

#[test]
fn a_file_that_is_not_the_agents_is_not_shown_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let emulator = Emulator::builder().arc_folder(folder.path()).start().unwrap();
    let identity = on_arc_server(&emulator, folder.path().to_owned(), &[]).unwrap();
    let foreign = elsewhere.path().join("foreign.key");
    let large = folder.path().join("large.key");
    let link = folder.path().join("link.key");
    fs::write(&foreign, "s3cret").unwrap();
    fs::write(&large, "s3cret".repeat(1000)).unwrap();
    std::os::unix::fs::symlink(&foreign, &link).unwrap();
    for (file, reason) in [
        (foreign, "is no .key file in"),
        (large, "larger than 4096 bytes"),
        (link, "cannot be read"),
        (folder.path().join("missing.key"), "cannot be read"),
    ] {
        emulator.set_arc_challenge(Some(file.clone()));
        emulator.reset_stats();
        let error = ask(&identity).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Credential, "{text}");
        assert!(text.contains(reason) && text.contains("Azure Arc"), "{file:?}: {text}");
        assert!(!text.contains("s3cret"), "{text}");
        assert_eq!(emulator.stats().token_requests, 1, "{file:?}: nothing was shown");
    }
}

/// Azure Arc names its endpoint `localhost`.
#[test]
fn an_endpoint_that_is_named_is_found() {
    let emulator = Emulator::builder().start().unwrap();
    let name = |url: &str| url.replace("127.0.0.1", "localhost");
    let endpoint = name(emulator.identity_endpoint());
    let all =
        [("IDENTITY_ENDPOINT", endpoint.as_str()), ("IDENTITY_HEADER", emulator.identity_header())];
    let read = |name: &str| all.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
    let settings = Settings::builder().environment_from(read).build().unwrap();
    let identity =
        ManagedIdentity::new(&settings, &Http::new(&settings, Default::default()).unwrap())
            .unwrap();
    assert!(ask(&identity).is_ok());
}

#[test]
fn an_arc_server_has_no_other_identity_than_its_own() {
    let emulator = Emulator::builder().start().unwrap();
    let client = [("AZURE_CLIENT_ID", "some-identity")];
    let error = on_arc_server(&emulator, PathBuf::new(), &client).unwrap_err();
    assert!(error.to_string().contains("unset client-id"), "{error}");
}
