//! Checks which credential returns a token, and why the others do not.

use std::io;

use akv_core::{
    Client, Error, KeyReference,
    probe::{CredentialProbe, TokenFacts},
};
use serde_json::json;

use super::{
    Known,
    report::{Cause, Check, Report},
};
use crate::text::{duration, moment};

/// Tries the credentials; returns the one with a token.
pub(super) async fn examine(
    report: &mut Report,
    client: &Client,
    reference: &KeyReference,
    connected: bool,
    known: &mut Known,
) -> io::Result<Option<CredentialProbe>> {
    // A broken network also prevents the credentials from responding.
    if !connected {
        report.add(Check::skipped("credential", "the vault cannot be reached"))?;
        return Ok(None);
    }
    let probes = match client.probe_credentials(reference).await {
        Ok(probes) => probes,
        Err(error) => {
            let text = error.to_string();
            let cause = Cause::new("settings", text.clone(), "correct the setting");
            report.add(Check::bad("credential", text, cause))?;
            return Ok(None);
        }
    };
    let failed: Vec<(&CredentialProbe, &Error)> = probes
        .iter()
        .filter_map(|probe| Some((probe, probe.step.outcome.as_ref().err()?)))
        .collect();
    let lines = failed.iter().map(|(probe, error)| {
        format!(
            "{} returned no token ({}): {}",
            probe.kind.name(),
            duration(probe.step.took),
            why(error)
        )
    });
    let facts: Vec<_> = probes
        .iter()
        .map(|probe| {
            let error = probe.step.outcome.as_ref().err().map(why);
            let ms = probe.step.took.as_secs_f64() * 1e3;
            json!({ "name": probe.kind.name(), "error": error, "milliseconds": ms })
        })
        .collect();
    let given = probes.iter().find_map(|probe| Some((probe, probe.step.outcome.as_ref().ok()?)));
    let check = match given {
        Some((probe, token)) => {
            known.token = Some(token.clone());
            let took = duration(probe.step.took);
            let text = format!("{} returned a token ({took})", probe.kind.name());
            Check::good("credential", text).lines(identity(token))
        }
        None => Check::bad("credential", "no credential returned a token", cause(&failed, known)),
    };
    report.add(check.lines(lines).fact("credentials", json!(facts)))?;
    Ok(given.map(|(probe, _)| probe.clone()))
}

/// The identity in the token.
fn identity(token: &TokenFacts) -> Vec<String> {
    let mut lines = Vec::new();
    let mut add = |name: &str, value: Option<&str>| {
        lines.extend(value.map(|value| format!("{name} {value}")));
    };
    add("user", token.user.as_deref());
    add("application", token.application.as_deref());
    add("object id (for role assignments)", token.object.as_deref());
    add("tenant", token.tenant.as_deref());
    add("expires", token.expires.map(moment).as_deref());
    lines
}

fn why(error: &Error) -> String {
    let code = error.code().map(|code| format!("{code}: ")).unwrap_or_default();
    format!("{code}{}", error.message())
}

/// Why there is no token. If an identity service responded, its error is the cause: such a
/// credential is not configured by accident.
fn cause(failed: &[(&CredentialProbe, &Error)], known: &Known) -> Cause {
    let answered =
        failed.iter().find(|(_, error)| error.code().is_some() || error.status().is_some());
    let Some((probe, error)) = answered.or(failed.first().filter(|_| failed.len() == 1)) else {
        let names: Vec<_> = failed.iter().map(|(probe, _)| probe.kind.name()).collect();
        return Cause::new(
            "no-token",
            format!("there is no access token: none of {} returned one", names.join(", ")),
            "in Azure, assign a managed identity to the machine; elsewhere, run `az login`, set \
             AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET for an application, or set \
             AZURE_CLI_ACCESS_TOKEN to a token",
        );
    };
    let (name, text) = (probe.kind.name(), why(error));
    let code = error.code().unwrap_or_default();
    match code {
        "AADSTS700024" | "AADSTS500133" if known.skew.is_some_and(super::Skew::wrong) => {
            Cause::new(
                "clock",
                format!(
                    "this machine's clock is wrong, so Microsoft Entra ID refuses {name}: {text}"
                ),
                "set the clock (NTP)",
            )
        }
        "AADSTS90002" | "AADSTS700016" | "AADSTS900021" | "AADSTS90023" | "AADSTS50020" => {
            let vault = match &known.tenant {
                Some(tenant) => format!(" (the vault's tenant is {tenant})"),
                None => String::new(),
            };
            Cause::new(
                "tenant",
                format!("the tenant or the application of {name} is wrong: {text}{vault}"),
                "correct tenant-id (AZURE_TENANT_ID) and client-id (AZURE_CLIENT_ID)",
            )
        }
        _ => Cause::new(
            "no-token",
            format!("{name} returns no access token: {text}"),
            match code {
                "AADSTS7000215" | "AADSTS7000222" => {
                    "create a new secret for the application, and set AZURE_CLIENT_SECRET or \
                     client-secret-file to its value (not its id)"
                }
                _ => {
                    "correct this credential's settings, or choose another one with credential \
                      (AKV_CREDENTIAL)"
                }
            },
        ),
    }
}
