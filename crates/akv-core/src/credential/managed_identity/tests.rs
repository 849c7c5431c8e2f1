//! Tests of the Azure Arc agent, whose folder of secrets only these tests can choose.

use std::{ffi::OsString, fs};

use akv_emulator::{Emulator, Fault, Operation};

use super::*;

const SCOPE: &str = "https://vault.azure.net/.default";

/// An Azure Arc server whose agent puts its secrets into `folder`, and the credential that uses it.
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

fn request_token(identity: &ManagedIdentity) -> Result<Token> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(identity.token(SCOPE, Duration::from_secs(10)))
}

#[test]
fn a_readable_secret_file_yields_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let emulator = Emulator::builder().arc_folder(folder.path()).start().unwrap();
    let identity = on_arc_server(&emulator, folder.path().to_owned(), &[]).unwrap();
    let first = request_token(&identity).unwrap();
    emulator.fault(Fault::status(429).on(Operation::Token));
    let second = request_token(&identity).unwrap();
    assert_ne!(first.authorization(), second.authorization());
    // Two for each token, and the one with the fault.
    assert_eq!(emulator.stats().token_requests, 5);
    let life = second.expires().duration_since(std::time::SystemTime::now()).unwrap();
    assert!((86_390..=86_400).contains(&life.as_secs()), "{life:?}");
}

#[test]
fn other_files_are_not_sent_to_the_agent() {
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
        (foreign, "is not a .key file in"),
        (large, "larger than 4096 bytes"),
        (link, "cannot be read"),
        (folder.path().join("missing.key"), "cannot be read"),
    ] {
        emulator.set_arc_challenge(Some(file.clone()));
        emulator.reset_stats();
        let error = request_token(&identity).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Credential, "{text}");
        assert!(text.contains(reason) && text.contains("Azure Arc"), "{file:?}: {text}");
        assert!(!text.contains("s3cret"), "{text}");
        assert_eq!(emulator.stats().token_requests, 1, "{file:?}: nothing was shown");
    }
}

/// The credential in an environment with these variables.
fn of(variables: &[(&str, &str)]) -> Result<ManagedIdentity> {
    let read =
        |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
    let settings = Settings::builder().environment_from(read).build()?;
    ManagedIdentity::new(&settings, &Http::new(&settings, Default::default())?)
}

/// Azure Arc's endpoint has the host name `localhost`.
#[test]
fn an_endpoint_with_a_host_name_is_reached() {
    let emulator = Emulator::builder().start().unwrap();
    let name = |url: &str| url.replace("127.0.0.1", "localhost");
    let endpoint = name(emulator.identity_endpoint());
    let all =
        [("IDENTITY_ENDPOINT", endpoint.as_str()), ("IDENTITY_HEADER", emulator.identity_header())];
    assert!(request_token(&of(&all).unwrap()).is_ok());
}

const CLIENT: &str = "26790ce1-d05c-4de7-ba73-51837152f0bc";
const OBJECT: &str = "5e29463d-71da-4fe0-8e69-999b57db23b0";
const RESOURCE: &str = "/subscriptions/26790ce1-d05c-4de7-ba73-51837152f0bc/resourcegroups/g/\
                        providers/Microsoft.ManagedIdentity/userAssignedIdentities/mine";

/// The request contains the id that the settings have, in the parameter that the endpoint expects.
#[test]
fn identities_are_selected_by_three_kinds_of_id() {
    let emulator = Emulator::builder().start().unwrap();
    emulator.assign_identity(akv_emulator::AssignedIdentity {
        client_id: CLIENT.to_owned(),
        object_id: OBJECT.to_owned(),
        resource_id: RESOURCE.to_owned(),
    });
    let machine = vec![("IMDS_ENDPOINT", emulator.imds_endpoint())];
    let app = vec![
        ("IDENTITY_ENDPOINT", emulator.identity_endpoint()),
        ("IDENTITY_HEADER", emulator.identity_header()),
    ];
    let object = format!("object-id:{OBJECT}");
    let other = object.replace('3', "4");
    for (endpoint, names) in [
        (&machine, ["client_id", "msi_res_id", "object_id"]),
        (&app, ["client_id", "mi_res_id", "principal_id"]),
    ] {
        for (id, name) in [CLIENT, RESOURCE, &object].into_iter().zip(names) {
            let with = |id| of(&[endpoint.as_slice(), &[("AZURE_CLIENT_ID", id)]].concat());
            let identity = with(id).unwrap();
            let url = identity.request(SCOPE).url().clone();
            let requested: Vec<_> = url.query_pairs().skip(2).collect();
            let value = id.trim_start_matches("object-id:");
            assert_eq!(requested, [(name.into(), value.into())], "{url}");
            request_token(&identity).unwrap_or_else(|error| panic!("{name}: {error}"));
            let error = request_token(&with(&other).unwrap()).unwrap_err();
            assert!(error.to_string().contains("Identity not found"), "{error}");
        }
        let own = of(endpoint).unwrap();
        assert_eq!(own.request(SCOPE).url().query_pairs().count(), 2, "the machine's own");
        request_token(&own).unwrap();
    }
    let error = of(&[("AZURE_CLIENT_ID", "/subscriptions/mine")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Settings, "{error}");
    assert!(error.to_string().contains("AZURE_CLIENT_ID"), "{error}");
}

#[test]
fn an_arc_server_has_only_its_system_assigned_identity() {
    let emulator = Emulator::builder().start().unwrap();
    for id in [CLIENT, RESOURCE, &format!("object-id:{OBJECT}")] {
        let client = [("AZURE_CLIENT_ID", id)];
        let error = on_arc_server(&emulator, PathBuf::new(), &client).unwrap_err();
        assert!(error.to_string().contains("unset client-id"), "{error}");
    }
}
