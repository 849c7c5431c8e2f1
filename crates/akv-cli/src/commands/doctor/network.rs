//! Checks DNS, TCP, TLS, and a request without a token.

use std::{io, time::SystemTime};

use akv_core::{
    Error, ErrorKind, Settings,
    probe::{CertificateFacts, CertificateProblem, ServerProbe, TlsFacts},
    settings::Origin,
};
use serde_json::json;

use super::{
    Known, SKEW_LIMIT, Skew,
    report::{Cause, Check, Report},
    settings::origin_of,
};
use crate::text::{duration, moment, span};

/// Reports the steps of the probe; `true` if the server responded.
pub(super) fn examine(
    report: &mut Report,
    settings: &Settings,
    server: &ServerProbe,
    known: &mut Known,
) -> io::Result<bool> {
    let host = server.url.authority().to_owned();
    let Some(dns) = &server.dns else { return Ok(false) };
    match &dns.outcome {
        Ok(addresses) => {
            let all: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            let text = format!("{} ({})", all.join(", "), duration(dns.took));
            report.add(Check::good("dns", text).fact("addresses", json!(all)))?;
        }
        Err(error) => report.add(no_name(settings, server, error))?,
    }
    let via = server.proxy.as_deref().map(|proxy| format!(" through the proxy {proxy}"));
    let via = via.unwrap_or_default();
    let Some(tcp) = &server.tcp else { return Ok(false) };
    match &tcp.outcome {
        Ok(address) => {
            let text = format!("connected to {address}{via} ({})", duration(tcp.took));
            report.add(Check::good("tcp", text))?;
        }
        Err(error) => report.add(no_connection(settings, server, error))?,
    }
    let Some(tls) = &server.tls else { return Ok(false) };
    let certificate = server.certificate.as_ref();
    match &tls.outcome {
        Ok(facts) => report.add(good_tls(facts, certificate, duration(tls.took)))?,
        Err(error) => report.add(no_tls(&host, certificate, error))?,
    }
    let Some(answer) = &server.answer else { return Ok(false) };
    match &answer.outcome {
        Ok(facts) => {
            known.tenant = facts.tenant.clone();
            let mut text = format!("the server responds ({})", duration(answer.took));
            if let Some(region) = &facts.region {
                text += &format!(", region {region}");
            }
            let tenant = facts.tenant.as_deref();
            let check = Check::good("service", text)
                .fact("status", json!(facts.status))
                .fact("tenant", json!(tenant));
            report.add(check.lines(tenant.map(|tenant| format!("its tenant is {tenant}"))))?;
            report.add(clock(facts.date, known))?;
            Ok(true)
        }
        Err(error) => {
            let text = error.message().to_owned();
            let advice =
                "check the firewalls and proxies on the path: one breaks connections after TLS";
            let cause = Cause::new("network", format!("{host}: {text}"), advice);
            report.add(Check::bad("service", text, cause))?;
            Ok(false)
        }
    }
}

/// A configured endpoint is the cause if that endpoint does not respond.
fn endpoint_cause(settings: &Settings, what: &str) -> Option<Cause> {
    let origin = origin_of(settings, "endpoint")?;
    let name = match origin {
        Origin::Environment(variable) => format!("{variable} in the environment"),
        _ => "the setting endpoint".to_owned(),
    };
    let id = if matches!(origin, Origin::Environment(_)) { "environment" } else { "network" };
    let endpoint = settings.in_force().into_iter().find(|set| set.name == "endpoint");
    let endpoint = endpoint.and_then(|set| set.value).unwrap_or_default();
    let text = format!("{name} sends all requests to {endpoint}, and {what}");
    let advice = match id {
        "environment" => {
            "if it is left over from an emulator or a test, unset AKV_ENDPOINT; otherwise start the \
             server there"
        }
        _ => "correct it, or start the server there",
    };
    Some(Cause::new(id, text, advice))
}

fn no_name(settings: &Settings, server: &ServerProbe, error: &Error) -> Check {
    let text = error.message().to_owned();
    let host = server.url.host_str().unwrap_or_default();
    let cause = if error.kind() == ErrorKind::Settings {
        Cause::new("settings", text.clone(), "correct the variable")
    } else if let Some(proxy) = &server.proxy {
        let what = format!("the proxy {proxy} in HTTPS_PROXY cannot be resolved: {text}");
        Cause::new("proxy", what, "correct or unset HTTPS_PROXY")
    } else if let Some(cause) = endpoint_cause(settings, &text) {
        cause
    } else if error.kind() == ErrorKind::Reference {
        let vault = host.split('.').next().unwrap_or_default();
        Cause::new(
            "vault-name",
            format!("there is no vault {vault}: the host {host} does not exist"),
            "check the vault's name (`az keyvault list`, `az keyvault list-hsms`), whether it is a \
             vault or a Managed HSM, and the cloud; a vault with only a private endpoint resolves \
             only in its own network",
        )
    } else {
        Cause::new(
            "dns",
            format!("DNS does not work on this machine, so {host} cannot be resolved: {text}"),
            "check this machine's network and /etc/resolv.conf",
        )
    };
    Check::bad("dns", text, cause)
}

fn no_connection(settings: &Settings, server: &ServerProbe, error: &Error) -> Check {
    let text = error.message().to_owned();
    let host = server.url.authority();
    let cause = if let Some(proxy) = &server.proxy {
        let what = format!("the connection through the proxy {proxy} in HTTPS_PROXY fails: {text}");
        Cause::new("proxy", what, "correct or unset HTTPS_PROXY, or allow the host in the proxy")
    } else if !error.is_connection_reset()
        && let Some(cause) = endpoint_cause(settings, &format!("the connection fails: {text}"))
    {
        cause
    } else {
        Cause::new(
            "network",
            format!("the network to {host} is blocked: {text}"),
            "allow this machine to connect to port 443 there (firewalls, security groups, \
             routes); if a proxy is required, set HTTPS_PROXY",
        )
    };
    Check::bad("tcp", text, cause)
}

fn good_tls(facts: &TlsFacts, certificate: Option<&CertificateFacts>, took: String) -> Check {
    let quantum = if facts.post_quantum { "post-quantum" } else { "not post-quantum" };
    let text = format!("{}, key exchange {} ({quantum}) ({took})", facts.version, facts.group);
    let mut check = Check::good("tls", text)
        .fact("version", json!(facts.version))
        .fact("group", json!(facts.group))
        .fact("postQuantum", json!(facts.post_quantum))
        .fact("cipher", json!(facts.cipher))
        .fact("protocol", json!(facts.protocol));
    let protocol = facts.protocol.as_deref().unwrap_or("http/1.1");
    check = check.line(format!("{}, {protocol}", facts.cipher));
    match certificate {
        Some(certificate) => {
            check.line(format!("certificate of {}", certificate.subject)).line(format!(
                "signed by {}, valid until {}",
                certificate.issuer,
                moment(certificate.not_after)
            ))
        }
        None => check,
    }
}

fn no_tls(host: &str, certificate: Option<&CertificateFacts>, error: &Error) -> Check {
    let text = error.message().to_owned();
    let problem = certificate.and_then(|certificate| Some((certificate.problem?, certificate)));
    let cause = match (error.kind(), problem) {
        (ErrorKind::Tls, Some((CertificateProblem::OutsideValidity, certificate))) => Cause::new(
            "clock",
            format!(
                "the certificate of {host} is valid from {} to {}, and this machine's clock says {}",
                moment(certificate.not_before),
                moment(certificate.not_after),
                moment(SystemTime::now())
            ),
            "set the clock (NTP); if it is right, the server needs a new certificate",
        ),
        (ErrorKind::Tls, Some((CertificateProblem::UnknownIssuer, certificate))) => {
            distrusted(host, certificate, "")
        }
        // A certificate that is recreated at each start keeps its name.
        (ErrorKind::Tls, Some((CertificateProblem::BadSignature, certificate))) => {
            let differs = ": the trusted certificate of that name has another key";
            distrusted(host, certificate, differs)
        }
        (ErrorKind::Tls, _) => Cause::new(
            "ca",
            format!("the TLS handshake with {host} fails: {text}"),
            "check that this is the right server: its name, its certificate, its TLS versions",
        ),
        _ => Cause::new(
            "network",
            format!(
                "the network to {host} is blocked: the connection succeeds, but the TLS \
                 handshake fails: {text}"
            ),
            "a firewall or proxy on the path stalls or resets the connection: allow TLS from this \
             machine to port 443 there; if a proxy is required, set HTTPS_PROXY",
        ),
    };
    let check = Check::bad("tls", text, cause);
    check.lines(certificate.map(|certificate| format!("its issuer is {}", certificate.issuer)))
}

fn distrusted(host: &str, certificate: &CertificateFacts, how: &str) -> Cause {
    Cause::new(
        "ca",
        format!(
            "the certificate of {host} is signed by {}, which this machine does not trust{how}",
            certificate.issuer
        ),
        "if you run the server, or your proxy intercepts TLS, set ca-file (AKV_CA_FILE, \
         --ca-file) to its current root certificate; otherwise install the package \
         ca-certificates, and do not trust the server until you know who runs it",
    )
}

/// Compares the clocks. The server's time is in whole seconds and slightly old.
fn clock(date: Option<SystemTime>, known: &mut Known) -> Check {
    let Some(date) = date else {
        return Check::note("clock", "the server does not report its time");
    };
    let now = SystemTime::now();
    let skew = match now.duration_since(date) {
        Ok(by) => Skew { by, ahead: true },
        Err(error) => Skew { by: error.duration(), ahead: false },
    };
    known.skew = Some(skew);
    let seconds = i64::try_from(skew.by.as_secs()).unwrap_or(i64::MAX);
    let signed = if skew.ahead { seconds } else { -seconds };
    let check = if skew.by < SKEW_LIMIT {
        Check::good("clock", format!("within {} of the server's", span(skew.by)))
    } else {
        let text = skew.words();
        Check::bad("clock", text.clone(), skew.cause())
    };
    check.fact("aheadSeconds", json!(signed))
}

impl Skew {
    pub(super) fn wrong(self) -> bool {
        self.by >= SKEW_LIMIT
    }

    fn words(self) -> String {
        let direction = if self.ahead { "ahead of" } else { "behind" };
        format!("this machine's clock is {} {direction} the server's", span(self.by))
    }

    fn cause(self) -> Cause {
        let advice = "set the clock (NTP): the validity of tokens and certificates depends on it";
        Cause::new("clock", self.words(), advice)
    }
}
