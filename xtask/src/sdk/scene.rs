//! The embedded vault with an application, and the data that the programs need.

use std::{fs, path::Path};

use akv_emulator::{Application, Emulator};
use akv_tests::{Task, namespace};
use anyhow::{Result, ensure};
use serde_json::json;
use tempfile::TempDir;

const CLIENT: &str = "11111111-2222-4333-8444-555555555555";
const SECRET: &str = "secret of the application";
const FEDERATED: &str = "token of another identity provider";
const PASSWORD: &str = "password of the file";

/// The address of a virtual machine's metadata service.
const METADATA: &str = "169.254.169.254:80";

/// Where the clients expect the secret files of an Azure Arc server's agent.
const ARC: &str = "/var/opt/azcmagent/tokens";

pub(super) struct Scene {
    variables: Vec<(&'static str, String)>,
    _vault: Emulator,
    _folder: TempDir,
}

impl Scene {
    /// Starts the vault, creates certificates, and writes the programs' input.
    pub(super) fn set() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name).display().to_string();
        let vault = Emulator::builder()
            .listen(namespace::HTTPS)
            .identity_listen(METADATA.parse()?)
            .arc_folder(Path::new(ARC))
            .control_interface(true)
            .start()?;
        // Tokens of other tenants are refused from now on.
        let tenant = vault.tenant();
        vault.set_tenant(Some(tenant.clone()));
        certificate(folder.path(), "application", "rsa:2048")?;
        certificate(folder.path(), "rsa", "rsa:2048")?;
        certificate(folder.path(), "ec", "ec")?;
        let certificate = fs::read_to_string(path("application.pem"))?;
        vault.register(
            Application::new(&tenant, CLIENT)
                .secret(SECRET)
                .certificate(certificate)
                .federated_token(FEDERATED),
        )?;
        fs::write(path("federated-token"), FEDERATED)?;
        fs::write(path("ca.pem"), vault.ca_pem())?;
        let scene = json!({
            "vault": "https://myvault.vault.azure.net",
            "hsm": "https://myhsm.managedhsm.azure.net",
            "control": "https://myvault.vault.azure.net/__emulator",
            "application": {
                "tenant": tenant,
                "client": CLIENT,
                "secret": SECRET,
                "federatedTokenFile": path("federated-token"),
            },
            "appService": {
                "IDENTITY_ENDPOINT": vault.identity_endpoint(),
                "IDENTITY_HEADER": vault.identity_header(),
            },
            "arc": {
                "IDENTITY_ENDPOINT": vault.arc_endpoint(),
                "IMDS_ENDPOINT": vault.imds_endpoint(),
            },
            // `NAME.pem` and `NAME.pfx` for application, rsa and ec, each with its private key.
            "certificates": folder.path(),
            "password": PASSWORD,
        });
        fs::write(path("scene.json"), scene.to_string())?;
        let variables = vec![
            ("AKV_SDK_SCENE", path("scene.json")),
            ("HOME", folder.path().display().to_string()),
            ("SSL_CERT_FILE", path("ca.pem")),
            ("REQUESTS_CA_BUNDLE", path("ca.pem")),
            ("NODE_EXTRA_CA_CERTS", path("ca.pem")),
        ];
        Ok(Self { variables, _vault: vault, _folder: folder })
    }

    pub(super) fn variables(&self) -> &[(&'static str, String)] {
        &self.variables
    }
}

/// Creates a certificate with its private key, in PEM and in PKCS#12.
fn certificate(folder: &Path, name: &str, key: &str) -> Result<()> {
    let openssl = |line: &str| {
        let task = Task::new("openssl").dir(folder).args(line.split_whitespace());
        task.env("AKV_PASSWORD", PASSWORD).ok()
    };
    let curve = if key == "ec" { "-pkeyopt ec_paramgen_curve:P-256" } else { "" };
    let made = openssl(&format!(
        "req -x509 -newkey {key} {curve} -noenc -days 30 -subj /CN={name}.example \
         -keyout /dev/stdout"
    ))?;
    let pem = made.text();
    ensure!(pem.contains("PRIVATE KEY") && pem.contains("CERTIFICATE"), "{}", made.describe());
    fs::write(folder.join(format!("{name}.pem")), pem)?;
    openssl(&format!("pkcs12 -export -in {name}.pem -out {name}.pfx -passout env:AKV_PASSWORD"))?;
    Ok(())
}
