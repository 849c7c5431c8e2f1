//! The messages on the page about troubleshooting are those that programs print.

use akv_emulator::{AccessModel, Fault, FaultKind, NewKey, Operation, Permission, Persona};
use akv_tests::modules;
use anyhow::{Result, ensure};

use crate::scene::Scene;

const SERVE: &str = include_str!("serve.sh");

/// A signature without nginx.
const SIGN: &str = "openssl dgst -sha256 -sign vault:myVault:myKey -out signature data";

/// A fault, the commands that meet it, and what they print.
struct Situation {
    prepare: fn(&Scene) -> Result<()>,
    commands: &'static str,
    prints: &'static [&'static str],
}

fn nothing(_: &Scene) -> Result<()> {
    Ok(())
}

fn on_sign(scene: &Scene, kind: FaultKind) -> Result<()> {
    scene.site.vault().fault(Fault::new(kind).on(Operation::Sign).forever());
    Ok(())
}

const WITHOUT_MODULE: [Situation; 3] = [
    Situation {
        prepare: nothing,
        commands: "certify vault:myVault:myKey site.pem
            akv pem vault:myVault:myKey --out site.key >/dev/null
            export OPENSSL_CONF=/dev/null
            serve site.key site.pem",
        prints: &["PEM_read_bio_PrivateKey() failed (SSL: error:1E08010C:DECODER \
             routines::unsupported:No supported data to decode. Input type: PEM)"],
    },
    Situation {
        prepare: nothing,
        commands: "OPENSSL_CONF=/dev/null openssl pkey -in vault:myVault:myKey -noout",
        prints: &["unregistered scheme", "No store loader found"],
    },
    Situation {
        prepare: nothing,
        commands: "certify vault:myVault:myKey site.pem
            serve engine:e_akv:vault:myVault:myKey site.pem",
        prints: &["ENGINE_load_private_key() failed (SSL:", "engine routines::not initialised)"],
    },
];

const HANDSHAKES: [Situation; 5] = [
    Situation {
        prepare: |scene| {
            let vault = scene.site.vault();
            vault.set_access_model(AccessModel::Roles);
            vault.permit(Permission::of("*").allow([Operation::GetKey]));
            Ok(())
        },
        commands: "akv pem vault:myVault:myKey --out site.key >/dev/null
            serve site.key /etc/akv/localhost.pem",
        prints: &[
            "test is successful",
            "tlsv1 alert internal error",
            "akv_provider::refused by the service:cannot sign (ES256) with vault:myVault:myKey:",
            "ForbiddenByRbac: Caller is not authorized to perform action on resource",
            "internal error) while SSL handshaking",
        ],
    },
    Situation {
        prepare: nothing,
        commands: "certify vault:myVault:myKey site.pem
            akv pem vault:myVault:rsaKey --out rsa.key >/dev/null
            serve rsa.key site.pem",
        prints: &["test is successful", "alert handshake failure"],
    },
    Situation {
        prepare: nothing,
        commands: "certify vault:myVault:myKey site.pem
            akv key rotate vault:myVault:myKey >/dev/null
            akv pem vault:myVault:myKey --out new.key >/dev/null
            serve new.key site.pem",
        prints: &["x509 certificate routines::key values mismatch"],
    },
    Situation {
        prepare: nothing,
        commands: "certify vault:myVault:rsaKey site.pem
            akv pem vault:myVault:rsaKey --out site.key >/dev/null
            connect() {
                openssl s_client -connect localhost:8443 -tls1_2 -cipher AES128-GCM-SHA256 </dev/null
            }
            serve site.key site.pem",
        prints: &[
            "alert decrypt error",
            "not allowed:cannot decrypt (RSA1_5) with vault:myVault:rsaKey:",
            "the RSA key exchange of TLS, which includes decryption without padding, is not \
             allowed by the setting rsa-key-exchange; use ECDHE cipher suites",
        ],
    },
    Situation {
        prepare: nothing,
        commands: "certify vault:myVault:myKey site.pem
            akv pem vault:myVault:myKey --out site.key >/dev/null
            export AKV_CREDENTIAL=access-token
            serve site.key site.pem",
        prints: &[
            "error:40800006:akv_provider::no access token:cannot sign (ES256) with",
            "needs access-token-file (AKV_ACCESS_TOKEN_FILE) or AZURE_CLI_ACCESS_TOKEN",
        ],
    },
];

const REFUSALS: [Situation; 9] = [
    Situation {
        prepare: |scene| on_sign(scene, FaultKind::Forbidden),
        commands: SIGN,
        prints: &["ForbiddenByPolicy", "does not have keys sign permission on key vault"],
    },
    Situation {
        prepare: |scene| on_sign(scene, FaultKind::ForbiddenByFirewall),
        commands: SIGN,
        prints: &["ForbiddenByFirewall: Client address is not authorized"],
    },
    Situation {
        prepare: |scene| Ok(scene.site.vault().set_key_enabled("myKey", false).map(drop)?),
        commands: SIGN,
        prints: &["KeyDisabled"],
    },
    Situation {
        prepare: nothing,
        commands: "AKV_CREDENTIAL=access-token AZURE_CLI_ACCESS_TOKEN=wrong \
            openssl pkey -in vault:myVault:myKey -noout",
        prints: &[
            "the access token was refused, and AZURE_CLI_ACCESS_TOKEN, which was read at load, \
             cannot be renewed",
            "AKV10046",
        ],
    },
    Situation {
        prepare: nothing,
        commands: "openssl pkey -in vault:myVault:noKey -noout",
        prints: &["HTTP 404 KeyNotFound", "check the names and the version in the key reference"],
    },
    Situation {
        prepare: nothing,
        commands: "openssl pkey -in vault:myVault:my_key -noout",
        prints: &[
            "invalid key reference \"vault:myVault:my_key\": the key name \"my_key\": '_' is not \
             a letter, digit or hyphen",
        ],
    },
    Situation {
        prepare: nothing,
        commands: "openssl pkey -in vault:myVault: -noout",
        prints: &["names a vault's list of keys, where one key is expected"],
    },
    Situation {
        prepare: nothing,
        commands: "AKV_ALLOWED_KEYS=vault:other: openssl pkey -in vault:myVault:myKey -noout",
        prints: &[
            "vault:myVault:myKey is not allowed by the setting allowed-keys (AKV_ALLOWED_KEYS); \
             add the key or its vault to allowed-keys",
        ],
    },
    Situation {
        prepare: nothing,
        commands: "AKV_TIMEOUT=soon openssl pkey -in vault:myVault:myKey -noout",
        prints: &[
            "invalid setting AKV_TIMEOUT = \"soon\": expected a duration such as 500ms, 3s, 1m or \
             a number of seconds",
        ],
    },
];

const NETWORKS: [Situation; 5] = [
    Situation {
        prepare: |scene| on_sign(scene, FaultKind::Status { status: 429, retry_after: None }),
        commands: "export AKV_TIMEOUT=1s
            openssl dgst -sha256 -sign vault:myVault:myKey -out signature data",
        prints: &["HTTP 429 Throttled: timed out after", "Reason: VaultRequestTypeLimitReached"],
    },
    Situation {
        prepare: |scene| on_sign(scene, FaultKind::Hang),
        commands: "export AKV_TIMEOUT=1s
            openssl dgst -sha256 -sign vault:myVault:myKey -out signature data",
        prints: &["timed out after 1s (1 attempt); last error: the server did not respond"],
    },
    Situation {
        prepare: nothing,
        commands: "export AKV_TIMEOUT=1s AKV_ENDPOINT=https://127.0.0.1:1
            openssl pkey -in vault:myVault:myKey -noout",
        prints: &["cannot connect: tcp connect error: Connection refused (os error 111)"],
    },
    Situation {
        prepare: nothing,
        commands: "export AKV_TIMEOUT=1s HTTPS_PROXY=http://127.0.0.1:1 NO_PROXY=
            openssl pkey -in vault:myVault:myKey -noout",
        prints: &["cannot open a tunnel through the proxy in HTTPS_PROXY"],
    },
    Situation {
        prepare: nothing,
        commands: "unset AKV_CA_FILE
            openssl pkey -in vault:myVault:myKey -noout",
        prints: &[
            "is not trusted: UnknownIssuer; if you trust the server, set ca-file (AKV_CA_FILE) to \
             its root certificate",
        ],
    },
];

/// Text with single blanks, so that line breaks do not matter.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn check(situations: &[Situation]) -> Result<()> {
    let page = std::fs::read_to_string(modules::workspace().join("docs/troubleshooting.md"))?;
    let page = flat(&page);
    for Situation { prepare, commands, prints } in situations {
        let scene = Scene::open(Persona::Vault, false)?;
        scene.configure(&crate::scene::block("docs/install.md", "ini", 0)?)?;
        scene.site.vault().create_key(NewKey::rsa("rsaKey", 2048))?;
        scene.run(&format!("{SERVE}\ncertify vault:myVault:myKey /etc/akv/localhost.pem"))?;
        prepare(&scene)?;
        let script = format!("{SERVE}\nexec 2>&1\nset +e\n{commands}\ntrue");
        let printed = flat(&scene.run(&script)?.text());
        for part in *prints {
            ensure!(printed.contains(part), "{commands}\ndoes not print {part:?}, but:\n{printed}");
            // Names of keys may differ.
            let quoted = part.replace("rsaKey", "myKey");
            ensure!(page.contains(quoted.trim_end_matches(':')), "the page lacks {part:?}");
        }
    }
    Ok(())
}

#[test]
fn a_module_that_is_not_loaded() -> Result<()> {
    check(&WITHOUT_MODULE)
}

#[test]
fn handshakes_that_fail() -> Result<()> {
    check(&HANDSHAKES)
}

#[test]
fn refusals_of_the_service_and_of_settings() -> Result<()> {
    check(&REFUSALS)
}

#[test]
fn networks_that_do_not_respond() -> Result<()> {
    check(&NETWORKS)
}
