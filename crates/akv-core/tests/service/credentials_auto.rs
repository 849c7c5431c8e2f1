//! `auto`: which credential it finds, that it keeps it, and the error when there is none.

use std::time::{Duration, Instant};

use akv_core::ErrorKind;
use akv_emulator::{Application, Fault, Operation};

use super::{
    credentials_tools::Tool,
    identities::{CLIENT_ID, SECRET, Site, TENANT, open, path, sign},
};

/// The links in the documented order; a service principal is two links, a secret before a
/// certificate.
const ORDER: [&str; 7] = [
    "access-token",
    "client-secret",
    "client-certificate",
    "workload-identity",
    "managed-identity",
    "azure-cli",
    "azure-developer-cli",
];

/// All credentials that a chain could find, with working tools.
struct Everything {
    site: Site,
    az: Tool,
    azd: Tool,
    token: String,
}

impl Everything {
    fn new() -> Self {
        let site = Site::start();
        let tool = |make: fn(&str) -> Tool| make(&site.vault.emulator.token());
        let (az, azd, token) = (tool(Tool::az), tool(Tool::azd), site.vault.emulator.token());
        Self { site, az, azd, token }
    }

    /// An environment in which the links from `first` on would work.
    fn from(&self, first: usize) -> Vec<(String, String)> {
        let nobody = "http://127.0.0.1:9";
        let available = |at: usize| at >= first;
        let mut path_of_tools = Vec::new();
        let mut all = vec![("AKV_TIMEOUT", "20s")];
        let application = [("AZURE_TENANT_ID", TENANT), ("AZURE_CLIENT_ID", CLIENT_ID)];
        if available(0) {
            all.push(("AZURE_CLI_ACCESS_TOKEN", self.token.as_str()));
        }
        if available(1) {
            all.push(("AZURE_CLIENT_SECRET", SECRET));
        }
        if available(2) {
            all.push(("AZURE_CLIENT_CERTIFICATE_PATH", path(&self.site.certificate)));
        }
        if available(3) {
            all.push(("AZURE_FEDERATED_TOKEN_FILE", path(&self.site.federated)));
            all.extend(application);
        }
        let imds = self.site.vault.emulator.imds_endpoint();
        all.push(("IMDS_ENDPOINT", if available(4) { imds } else { nobody }));
        if available(5) {
            path_of_tools.push(self.az.path());
        }
        path_of_tools.push(self.azd.path());
        let path_of_tools = path_of_tools.join(":");
        all.push(("PATH", &path_of_tools));
        self.site.variables("auto", &all)
    }

    /// Makes the link fail from now on, and revokes every token.
    fn break_link(&self, link: &str) {
        let emulator = &self.site.vault.emulator;
        match link {
            "client-secret" | "client-certificate" | "workload-identity" => {
                let mut rest = Application::new(TENANT, CLIENT_ID);
                if link != "client-secret" {
                    rest = rest.secret(SECRET);
                }
                if link != "client-certificate" {
                    rest = rest.certificate(&super::identities::CERTIFICATE.0);
                }
                if link != "workload-identity" {
                    rest = rest.federated_token(super::identities::FEDERATED);
                }
                emulator.register(rest).unwrap();
            }
            "managed-identity" => {
                emulator.fault(Fault::status(400).on(Operation::Token).forever());
            }
            _ => {}
        }
        emulator.revoke_tokens();
    }
}

#[test]
fn the_first_working_credential_is_kept() {
    let expected = [
        (401, "AZURE_CLI_ACCESS_TOKEN, which was read at load, cannot be renewed"),
        (401, "AADSTS7000215"),
        (401, "AADSTS700027"),
        (401, "AADSTS700213"),
        (401, "managed identity at 127.0.0.1"),
        (401, "azure-cli returned the same one again"),
        (401, "azure-developer-cli returned the same one again"),
    ];
    for (at, link) in ORDER.iter().enumerate() {
        let all = Everything::new();
        let key = open(&all.from(at)).unwrap_or_else(|error| panic!("{link}: {error}"));
        sign(&key).unwrap();
        let stats = all.site.vault.emulator.stats();
        let asked = (stats.token_requests, all.az.calls().len(), all.azd.calls().len());
        let only = match *link {
            "access-token" => (0, 0, 0),
            "azure-cli" => (0, 1, 0),
            "azure-developer-cli" => (0, 0, 1),
            _ => (1, 0, 0),
        };
        assert_eq!(asked, only, "{link}");
        // Only the link that returned the token is used for the next one.
        all.break_link(link);
        let error = sign(&key).unwrap_err();
        let (status, text) = expected[at];
        assert_eq!(error.status(), Some(status), "{link}: {error}");
        assert!(error.to_string().contains(text), "{link}: {error}");
    }
}

#[test]
fn a_failing_credential_is_skipped() {
    let all = Everything::new();
    all.break_link("client-secret");
    let key = open(&all.from(1)).unwrap();
    sign(&key).unwrap();
    assert_eq!(
        all.site.vault.emulator.stats().token_requests,
        2,
        "the secret, then the pod's token"
    );
}

#[test]
fn every_reason_is_reported_if_all_fail() {
    let all = Everything::new();
    let emulator = &all.site.vault.emulator;
    emulator.register(Application::new(TENANT, CLIENT_ID)).unwrap();
    let az = Tool::new("az", "echo \"Please run 'az login' to setup account.\" >&2; exit 1");
    emulator.fault(Fault::status(400).on(Operation::Token).times(1));
    let variables = all.site.variables(
        "auto",
        &[
            ("AZURE_TENANT_ID", TENANT),
            ("AZURE_CLIENT_ID", CLIENT_ID),
            ("AZURE_CLIENT_SECRET", SECRET),
            ("AZURE_FEDERATED_TOKEN_FILE", path(&all.site.federated)),
            ("IMDS_ENDPOINT", "http://127.0.0.1:9"),
            ("PATH", az.path()),
        ],
    );
    // The fault affects the first request, to the authority.
    let error = open(&variables).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credential);
    let text = error.to_string();
    let reasons = [
        " access-token: needs access-token-file",
        "; client-secret: AADSTS90033: ",
        "; workload-identity: AADSTS700213: ",
        "; managed-identity: managed identity at 127.0.0.1:9: cannot connect",
        "; azure-cli: Please run 'az login'",
        "; azure-developer-cli: azd not found on PATH",
    ];
    let places: Vec<_> = reasons
        .iter()
        .map(|reason| text.find(reason).unwrap_or_else(|| panic!("{reason} is not in {text}")))
        .collect();
    assert!(places.is_sorted(), "{text}");
    assert!(text.len() <= 1000 && !text.contains(SECRET), "{text}");
}

#[test]
fn an_invalid_certificate_does_not_stop_the_chain() {
    let site = Site::start();
    let bad = super::file("no certificate");
    let application = [
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_CLIENT_ID", CLIENT_ID),
        ("AZURE_CLIENT_CERTIFICATE_PATH", path(&bad)),
        ("PATH", "/nonexistent"),
    ];
    let nobody = [("IMDS_ENDPOINT", "http://127.0.0.1:9")];
    let all: Vec<_> = application.iter().chain(&nobody).copied().collect();
    let text = site.key("auto", &all).unwrap_err().to_string();
    assert!(text.contains("; client-certificate: invalid setting"), "{text}");
    let imds = [("IMDS_ENDPOINT", site.vault.emulator.imds_endpoint())];
    let all: Vec<_> = application.iter().chain(&imds).copied().collect();
    sign(&site.key("auto", &all).unwrap()).unwrap();
}

/// A machine outside Azure, where packets to the metadata service are dropped.
#[test]
fn a_silent_metadata_service_leaves_time_for_the_tools() {
    let all = Everything::new();
    // Python is slow to start.
    let answer = format!("/bin/sleep 1.5; exec {}/az \"$@\"", all.az.path());
    let slow = Tool::new("az", &answer);
    let silent = Silent::new();
    let start = Instant::now();
    let more = [("IMDS_ENDPOINT", silent.url.as_str()), ("PATH", slow.path())];
    sign(&all.site.key("auto", &more).unwrap()).unwrap();
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert_eq!(slow.calls().len(), 1);
}

/// A listener whose backlog is full: further connections get no response.
struct Silent {
    url: String,
    _held: (std::net::TcpListener, Vec<std::net::TcpStream>),
}

impl Silent {
    fn new() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut held = Vec::new();
        // The standard library requests a backlog of 128 or 4096.
        while let Ok(stream) =
            std::net::TcpStream::connect_timeout(&address, Duration::from_millis(300))
        {
            held.push(stream);
        }
        Self { url: format!("http://{address}"), _held: (listener, held) }
    }
}
