//! The table of settings.

/// One setting: its name, environment variable and documentation.
///
/// ```
/// use akv_core::settings::OPTIONS;
///
/// let timeout = OPTIONS.iter().find(|option| option.name == "timeout").expect("it exists");
/// assert_eq!(timeout.env, Some("AKV_TIMEOUT"));
/// assert!(timeout.help.contains("default 10s"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OptionInfo {
    /// The name in an `openssl.cnf` section.
    pub name: &'static str,
    /// The equivalent environment variable.
    pub env: Option<&'static str>,
    /// Meaning, values and default, in one line.
    pub help: &'static str,
    /// The default value; `None` if there is none.
    pub default: Option<&'static str>,
}

const fn option(name: &'static str, env: &'static str, help: &'static str) -> OptionInfo {
    OptionInfo { name, env: Some(env), help, default: None }
}

impl OptionInfo {
    const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }
}

/// Every setting of a configuration file. The ENGINE control command has the same name in upper
/// case with underscores.
///
/// ```
/// // A program's --help.
/// for option in akv_core::settings::OPTIONS {
///     println!("{:24} {:32} {}", option.name, option.env.unwrap_or("-"), option.help);
/// }
/// ```
pub const OPTIONS: &[OptionInfo] = &[
    option(
        "credential",
        "AKV_CREDENTIAL",
        "where access tokens come from: auto (default), access-token, client-secret, \
         client-certificate, workload-identity, managed-identity, azure-cli, azure-developer-cli",
    )
    .or("auto"),
    option(
        "client-id",
        "AZURE_CLIENT_ID",
        "client id of the application or managed identity; a managed identity also by its resource \
         id (/subscriptions/…) or object-id:GUID",
    ),
    option("tenant-id", "AZURE_TENANT_ID", "Microsoft Entra tenant of the application"),
    OptionInfo {
        name: "client-secret-file",
        env: None,
        help: "file with the application's secret (environment: AZURE_CLIENT_SECRET, the secret)",
        default: None,
    },
    option(
        "client-certificate-file",
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "PEM file with the application's certificate and private key \
         (password of an encrypted one: AZURE_CLIENT_CERTIFICATE_PASSWORD)",
    ),
    option(
        "access-token-file",
        "AKV_ACCESS_TOKEN_FILE",
        "file with an access token, read again when it changes \
         (environment: AZURE_CLI_ACCESS_TOKEN, the token itself)",
    ),
    option("cloud", "AKV_CLOUD", "Azure cloud: public (default), usgov, china").or("public"),
    option("dns-suffix", "AKV_DNS_SUFFIX", "more trusted DNS suffixes of vaults, comma-separated"),
    option("endpoint", "AKV_ENDPOINT", "one https URL in place of every vault's own"),
    option("ca-file", "AKV_CA_FILE", "PEM file with more trusted root certificates"),
    option("timeout", "AKV_TIMEOUT", "deadline of one operation with its retries (default 10s)")
        .or("10s"),
    option("max-concurrency", "AKV_MAX_CONCURRENCY", "requests in flight per vault (default 256)")
        .or("256"),
    option(
        "hedge-after",
        "AKV_HEDGE_AFTER",
        "send a request again, on another connection, if there is no response after this time \
         (default: never)",
    ),
    option(
        "verify-signatures",
        "AKV_VERIFY_SIGNATURES",
        "verify each signature locally before it is returned: yes (default), no",
    )
    .or("yes"),
    option(
        "warm",
        "AKV_WARM",
        "start runtime, token and connection in the background at load: no (default), yes",
    )
    .or("no"),
    option(
        "allowed-keys",
        "AKV_ALLOWED_KEYS",
        "the only keys (vault:NAME:KEY) and whole vaults (vault:NAME:) that may be used, \
         comma-separated; every source must allow a key (default: every key)",
    ),
    option(
        "rsa-key-exchange",
        "AKV_RSA_KEY_EXCHANGE",
        "decrypt for the RSA key exchange of TLS 1.2 and older, which may give peers a padding \
         oracle: no (default), yes",
    )
    .or("no"),
    option(
        "fail-fast",
        "AKV_FAIL_FAST",
        "after three consecutive operations of one kind without any response from a vault, fail \
         further ones immediately until a probe, at most one a second, gets a response: yes \
         (default), no",
    )
    .or("yes"),
    option(
        "async",
        "AKV_ASYNC",
        "inside an OpenSSL ASYNC job, pause the job instead of blocking the thread: yes (default), \
         no",
    )
    .or("yes"),
    option(
        "fips",
        "AKV_FIPS",
        "the keys are in a validated HSM, and found under the property fips=yes: no (default), yes",
    )
    .or("no"),
    option(
        "log-level",
        "AKV_LOG_LEVEL",
        "0 to 3 (error, info, debug, trace) or a tracing filter; default: nothing is logged",
    ),
    option("log-file", "AKV_LOG_FILE", "file to append the log to (default: standard error)"),
];
