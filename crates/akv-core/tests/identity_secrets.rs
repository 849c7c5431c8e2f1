//! No secret of an identity is ever logged or in an error, whatever the level, whatever goes wrong.

use std::{ffi::OsString, fs, os::unix::fs::PermissionsExt as _, path::Path};

use akv_core::{Settings, SignatureAlgorithm::Es256, blocking::Client};
use akv_emulator::{Application, Curve, Emulator, Fault, FaultKind, NewKey, Operation};

const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const CLIENT_ID: &str = "26790ce1-d05c-4de7-ba73-51837152f0bc";
const SECRET: &str = "a-s3cret~of&the=application";
const PASSWORD: &str = "p4ssw0rd";
const FEDERATED: &str = "f3derated.t0ken.s1gnature";

/// The emulator, and the files that applications and tools read.
struct Site {
    emulator: Emulator,
    folder: tempfile::TempDir,
    tool_token: String,
}

impl Site {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let params = rcgen::CertificateParams::new(vec!["app.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        let application = Application::new(TENANT, CLIENT_ID)
            .secret(SECRET)
            .certificate(&certificate)
            .federated_token(FEDERATED);
        let emulator = Emulator::builder().application(application).start().unwrap();
        emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
        let site = Self { tool_token: emulator.token(), emulator, folder };
        fs::write(site.path("ca.pem"), site.emulator.ca_pem()).unwrap();
        fs::write(site.path("app.pem"), certificate + &key.serialize_pem()).unwrap();
        fs::write(site.path("federated"), FEDERATED).unwrap();
        let expires = "2099-01-02T03:04:05Z";
        let answer = format!(r#"{{"token":"{}","expiresOn":"{expires}"}}"#, site.tool_token);
        fs::write(site.path("azd"), format!("#!/bin/sh\necho '{answer}'\n")).unwrap();
        fs::set_permissions(site.path("azd"), fs::Permissions::from_mode(0o755)).unwrap();
        site
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn settings(&self, credential: &str, more: &[(&str, &str)]) -> Settings {
        let mut all: Vec<(String, String)> = [
            ("AKV_CREDENTIAL", credential),
            ("AKV_ENDPOINT", self.emulator.endpoint()),
            ("AKV_CA_FILE", &self.path("ca.pem")),
            ("AKV_TIMEOUT", "5s"),
            ("AZURE_AUTHORITY_HOST", self.emulator.authority()),
            ("AZURE_TENANT_ID", TENANT),
            ("AZURE_CLIENT_ID", CLIENT_ID),
            ("AZURE_CLIENT_SECRET", SECRET),
            ("AZURE_CLIENT_CERTIFICATE_PATH", &self.path("app.pem")),
            ("AZURE_CLIENT_CERTIFICATE_PASSWORD", PASSWORD),
            ("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", "true"),
            ("AZURE_FEDERATED_TOKEN_FILE", &self.path("federated")),
            ("PATH", self.folder.path().to_str().unwrap()),
            // All log output, of our code and of every library.
            ("AKV_LOG_LEVEL", "trace,akv_core=trace"),
            ("AKV_LOG_FILE", &self.path("log")),
        ]
        .iter()
        .chain(more)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
        all.reverse();
        let read = |name: &str| all.iter().find(|(n, _)| n == name).map(|(_, v)| OsString::from(v));
        Settings::builder().environment_from(read).build().unwrap()
    }

    /// Signs, or returns the error.
    fn sign(&self, settings: Settings) -> Result<(), String> {
        let client = Client::new(settings);
        let key = client.key(&client.reference("vault:myVault:ec").unwrap());
        let signed = key.and_then(|key| key.sign(Es256, &[7; 32]));
        signed.map(|_| ()).map_err(|error| format!("{error} {error:?}"))
    }
}

#[test]
fn every_level_of_the_log_and_every_error_is_free_of_secrets() {
    let site = Site::start();
    akv_core::logging::init(&site.settings("auto", &[])).unwrap();
    let header = site.emulator.identity_header();
    let imds = [("IMDS_ENDPOINT", site.emulator.imds_endpoint())];
    let app_service =
        [("IDENTITY_ENDPOINT", site.emulator.identity_endpoint()), ("IDENTITY_HEADER", header)];
    let ways: [(&str, &[(&str, &str)]); 7] = [
        ("client-secret", &[]),
        ("client-certificate", &[]),
        ("workload-identity", &[]),
        ("managed-identity", &imds),
        ("managed-identity", &app_service),
        ("azure-developer-cli", &[]),
        ("auto", &[]),
    ];
    let mut errors = Vec::new();
    for (credential, more) in ways {
        let settings = || site.settings(credential, more);
        site.sign(settings()).unwrap_or_else(|error| panic!("{credential}: {error}"));
        for fault in [FaultKind::NotJson, FaultKind::ResetAfterRequest] {
            site.emulator.fault(Fault::new(fault).on(Operation::Token));
        }
        let _ = site.sign(settings());
        site.emulator.clear_faults();
        site.emulator.fault(Fault::status(400).on(Operation::Token).forever());
        errors.extend(site.sign(settings()).err());
        site.emulator.clear_faults();
        errors.push(format!("{:?}", settings()));
    }
    // These are not accepted.
    site.emulator.register(Application::new(TENANT, CLIENT_ID)).unwrap();
    for credential in ["client-secret", "client-certificate", "workload-identity"] {
        errors.push(site.sign(site.settings(credential, &[])).unwrap_err());
    }
    site.emulator.revoke_tokens();
    errors.push(site.sign(site.settings("azure-developer-cli", &[])).unwrap_err());

    let log = fs::read_to_string(Path::new(&site.path("log"))).unwrap();
    assert!(
        log.contains("new access token") && log.contains("attempt failed; retrying"),
        "our own lines"
    );
    assert!(log.contains("hyper") && log.lines().count() > 200, "the libraries' lines");
    assert!(errors.len() >= 15, "{errors:#?}");
    let secrets = [SECRET, "s3cret", PASSWORD, FEDERATED, "f3derated", header, "PRIVATE KEY"];
    // All tokens and assertions of this test have this prefix.
    for secret in secrets.into_iter().chain(["eyJ", "client_assertion=", site.tool_token.as_str()])
    {
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret} is in the log: {line:?}");
        let error = errors.iter().find(|error| error.contains(secret));
        assert!(error.is_none(), "{secret} is in an error: {error:?}");
    }
}
