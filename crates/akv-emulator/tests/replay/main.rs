//! Sends every recorded request of the real service to the emulator: status, error codes and
//! messages, header names and the shape of the body must match the recording.

mod certificates;
#[path = "../common/mod.rs"]
mod common;
mod compare;
mod documented;
mod prepare;
mod recording;
mod reported;

use akv_emulator::Emulator;
use common::Client;
use compare::check;
use prepare::prepare;
use recording::recordings;

async fn replay(folder: &str, suffix: &str, number: usize) {
    let emulator = Emulator::builder().start().unwrap();
    let mut failures = Vec::new();
    let recordings = recordings(folder);
    assert_eq!(recordings.len(), number, "recordings in {folder}");
    for (index, recording) in recordings.iter().enumerate() {
        // A separate vault for each.
        let mut client = Client::named(&emulator, &format!("replay{index}.{suffix}"));
        if recording.status == 401 {
            client.token.clear();
        }
        let (path, body) = prepare(&client, &emulator, recording).await;
        let answer = client.call(recording.method.clone(), &path, body).await;
        for problem in check(recording, &answer) {
            failures.push(format!("{folder}/{}: {problem}", recording.file));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn a_vault_answers_as_recorded() {
    replay("vault", "vault.azure.net", 91).await;
}

#[tokio::test]
async fn a_managed_hsm_answers_as_recorded() {
    replay("mhsm", "managedhsm.azure.net", 59).await;
}
