//! Each fault as seen by a client, over HTTP/1.1 and HTTP/2.

mod common;

use std::time::{Duration, Instant};

use akv_emulator::{Curve, Emulator, Fault, FaultKind, NewKey, Operation, Persona};
use aws_lc_rs::signature;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use common::{Client, chain};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const GET: &str = "/keys/ec?api-version=7.4";
const SIGN: &str = "/keys/ec/sign?api-version=7.4";

/// A vault (HTTP/2) and a Managed HSM (HTTP/1.1), each with an EC key and a client.
fn both() -> [(Emulator, Client); 2] {
    [Persona::Vault, Persona::ManagedHsm].map(|persona| {
        let emulator = Emulator::builder().persona(persona).start().unwrap();
        emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
        let client = Client::new(&emulator);
        (emulator, client)
    })
}

async fn fails(client: &Client) -> String {
    let sent = client.request(Method::GET, GET, &Value::Null).send().await;
    match sent {
        Err(error) => chain(&error),
        Ok(response) => chain(&response.bytes().await.unwrap_err()),
    }
}

#[tokio::test]
async fn statuses_apply_to_their_operation_as_often_as_configured() {
    for (emulator, client) in both() {
        emulator.fault(Fault::throttled().on(Operation::GetKey));
        emulator.fault(Fault::retry_after(429, 7).on(Operation::GetKey));
        emulator.fault(Fault::status(503).times(2));
        let sign = json!({ "alg": "ES256", "value": URL_SAFE_NO_PAD.encode([1; 32]) });
        assert_eq!(client.post(SIGN, sign.clone()).await.status, 503);
        let first = client.get(GET).await;
        assert_eq!((first.status.as_u16(), first.error_code().as_str()), (429, "Throttled"));
        assert!(!first.headers.contains_key("retry-after"));
        let second = client.get(GET).await;
        assert_eq!(
            (second.status.as_u16(), &second.headers["retry-after"]),
            (429, &"7".parse().unwrap())
        );
        assert_eq!(client.get(GET).await.status, 503);
        assert_eq!(client.get(GET).await.status, 200);
        assert_eq!(client.post(SIGN, sign).await.status, 200);
        assert_eq!(emulator.stats().faults, 4);
    }
}

#[tokio::test]
async fn faults_refuse_valid_callers() {
    for (emulator, client) in both() {
        emulator.fault(Fault::new(FaultKind::Unauthorized));
        emulator.fault(Fault::new(FaultKind::Forbidden));
        emulator.fault(Fault::redirect("https://127.0.0.1:9/keys/ec"));
        let answer = client.get(GET).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer "));
        let answer = client.get(GET).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        // The codes of the vault and of the Managed HSM.
        let codes = (answer.error_code(), answer.inner_code());
        let codes = (codes.0.as_str(), codes.1.as_str());
        assert!([("Forbidden", "ForbiddenByPolicy"), ("AccessDenied", "")].contains(&codes));
        let answer = client.get(GET).await;
        assert_eq!(answer.status, StatusCode::FOUND);
        assert_eq!(answer.headers["location"], "https://127.0.0.1:9/keys/ec");
        assert_eq!(emulator.stats().unauthorized, 1);
    }
}

#[tokio::test]
async fn connections_break_and_the_next_one_works() {
    let cases =
        [FaultKind::ResetOnAccept, FaultKind::ResetBeforeRequest, FaultKind::ResetAfterRequest];
    for kind in cases {
        for (emulator, client) in both() {
            // The client's library sometimes retries a lost connection by itself.
            emulator.fault(Fault::new(kind.clone()).times(10));
            let error = fails(&client).await;
            assert!(emulator.stats().faults > 0, "{error}");
            emulator.clear_faults();
            // A pooled connection may have been reset unnoticed: start over.
            let client = Client::new(&emulator);
            assert_eq!(client.get(GET).await.status, 200, "after {kind:?}: {error}");
        }
    }
}

#[tokio::test]
async fn a_reset_is_a_tcp_reset() {
    use tokio::io::AsyncReadExt as _;
    let [(emulator, _), _] = both();
    emulator.fault(Fault::new(FaultKind::ResetOnAccept));
    // The reset may already have arrived when the connection is set up.
    let error = match tokio::net::TcpStream::connect(emulator.address()).await {
        Ok(mut stream) => stream.read_u8().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn bodies_are_truncated_emptied_and_replaced() {
    for (emulator, client) in both() {
        emulator.fault(Fault::new(FaultKind::TruncatedBody));
        let error = fails(&client).await;
        assert!(!error.is_empty());

        emulator.fault(Fault::new(FaultKind::EmptyBody));
        let answer = client.get(GET).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));

        emulator.fault(Fault::new(FaultKind::NotJson));
        let answer = client.get(GET).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, Value::Null));
        assert!(answer.text.starts_with("<!DOCTYPE html>"));

        emulator.fault(Fault::new(FaultKind::WrongShape));
        let answer = client.get(GET).await;
        assert_eq!(answer.json(), json!({ "value": [true, 7] }));

        emulator.fault(Fault::new(FaultKind::WrongContentType));
        let answer = client.get(GET).await;
        assert_eq!(answer.headers["content-type"], "text/html");
        assert!(answer.json()["key"]["kid"].is_string());

        emulator.fault(Fault::new(FaultKind::HugeBody { bytes: 1_000_003 }));
        let answer = client.get(GET).await;
        assert_eq!(answer.text.len(), 1_000_003);
        assert!(answer.json()["value"].is_string());
    }
}

#[tokio::test]
async fn a_wrong_signature_has_the_right_form() {
    for (emulator, client) in both() {
        emulator.fault(Fault::new(FaultKind::WrongSignature));
        let jwk = client.get(GET).await.json()["key"].clone();
        let decode = |value: &Value| URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap();
        let point = [&[4], &*decode(&jwk["x"]), &*decode(&jwk["y"])].concat();
        let public = signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point);
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"message");
        for valid in [false, true] {
            let body = json!({ "alg": "ES256", "value": URL_SAFE_NO_PAD.encode(hash) });
            let answer = client.post(SIGN, body).await;
            let signature = decode(&answer.json()["value"]);
            assert_eq!(signature.len(), 64);
            assert_eq!(public.verify(b"message", &signature).is_ok(), valid);
        }
    }
}

#[tokio::test]
async fn slow_responses_take_the_configured_time() {
    let delay = Duration::from_millis(300);
    for (emulator, client) in both() {
        for fault in [Fault::latency(delay), Fault::slow_body(delay)] {
            emulator.fault(fault);
            let started = Instant::now();
            assert!(client.get(GET).await.json()["key"].is_object());
            assert!(started.elapsed() >= delay, "{:?}", started.elapsed());
        }
        emulator.fault(Fault::new(FaultKind::Hang));
        let hanging = client.request(Method::GET, GET, &Value::Null).timeout(delay).send().await;
        assert!(hanging.unwrap_err().is_timeout());
    }
}

#[tokio::test]
async fn connections_are_closed_after_each_response() {
    for (emulator, client) in both() {
        emulator.fault(Fault::new(FaultKind::CloseConnection).forever());
        // Over HTTP/2 a request may already be in flight when the client receives the GOAWAY.
        let mut requests = 0;
        while emulator.stats().connections < 4 {
            assert_eq!(client.get(GET).await.status, 200);
            requests += 1;
            assert!(requests < 50, "{:?}", emulator.stats());
        }
        assert_eq!(emulator.stats().get_key, requests);
    }
}

#[tokio::test]
async fn links_between_pages_point_to_another_server() {
    for (emulator, client) in both() {
        emulator.fault(Fault::next_link("https://evil.example/keys"));
        // The fault is not for this operation, but for a list.
        assert_eq!(client.get(GET).await.status, 200);
        let page = client.get("/keys?api-version=7.4").await.json();
        assert_eq!(page["nextLink"], "https://evil.example/keys");
        assert_eq!(page["value"].as_array().unwrap().len(), 1);
    }
}
