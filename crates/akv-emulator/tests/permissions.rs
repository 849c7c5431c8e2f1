//! Permissions of identities.

mod common;

use akv_emulator::{AccessModel, Application, Curve, Emulator, NewKey, Operation, Permission};
use common::{Client, refused};
use reqwest::Method;
use serde_json::{Value, json};

const API: &str = "?api-version=7.4";
const TENANT: &str = "11111111-2222-3333-4444-555555555555";

fn sign() -> Value {
    json!({ "alg": "ES256", "value": "A".repeat(43) })
}

#[tokio::test]
async fn each_identity_has_its_own_permissions() {
    let vault = Emulator::builder().named_token("robot", "beep").start().unwrap();
    vault.register(Application::new(TENANT, "app").secret("s3cret")).unwrap();
    vault.create_key(NewKey::ec("web", Curve::P256)).unwrap();
    vault.create_key(NewKey::ec("mail", Curve::P256)).unwrap();
    vault.permit(Permission::of("app").allow([Operation::GetKey]));
    vault.permit(Permission::of("app").allow([Operation::Sign]).key("web"));
    vault.permit(Permission::of("robot").allow([Operation::ListKeys]));
    vault.permit(Permission::of("user-assigned").allow([Operation::Sign]));
    let base = Client::new(&vault);
    let with = |token: String| Client { token, ..base.clone() };

    // An application gets its token from the authority.
    let form = "grant_type=client_credentials&client_id=app&client_secret=s3cret\
                &scope=https%3A%2F%2Fvault.azure.net%2F.default";
    let url = format!("{}/{TENANT}/oauth2/v2.0/token", vault.authority());
    let answer = base.http.post(url).body(form).send().await.unwrap().text().await.unwrap();
    let granted: Value = serde_json::from_str(&answer).unwrap();
    let app = with(granted["access_token"].as_str().unwrap().to_owned());
    assert_eq!(app.post(&format!("/keys/web/sign{API}"), sign()).await.status, 200);
    assert_eq!(app.get(&format!("/keys/mail{API}")).await.status, 200);
    let refusal = app.post(&format!("/keys/mail/sign{API}"), sign()).await;
    refused(&refusal, 403, "Forbidden", "ForbiddenByPolicy");
    let who = format!("'appid=app;oid=app;iss=https://sts.windows.net/{TENANT}/'");
    assert!(refusal.text.contains(&who), "{}", refusal.text);
    assert!(refusal.text.contains("does not have keys sign permission"), "{}", refusal.text);
    let refusal = app.get(&format!("/keys{API}")).await;
    assert!(refusal.text.contains("does not have keys list permission"), "{}", refusal.text);
    // Without permission to sign, the error does not reveal whether the key exists.
    let refusal = app.post(&format!("/keys/none/sign{API}"), sign()).await;
    refused(&refusal, 403, "Forbidden", "ForbiddenByPolicy");

    // A token that was named on the command line.
    let robot = with("beep".to_owned());
    assert_eq!(robot.get(&format!("/keys{API}")).await.status, 200);
    assert_eq!(robot.get(&format!("/keys/web{API}")).await.status, 403);

    // Managed identities: a user-assigned one by its client id, and the machine's own.
    let imds = async |more: &str| {
        let path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=";
        let url = format!("{}{path}https%3A%2F%2Fvault.azure.net{more}", vault.imds_endpoint());
        let answer = base.http.get(url).header("metadata", "true").send().await.unwrap();
        let granted: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        with(granted["access_token"].as_str().unwrap().to_owned())
    };
    let assigned = imds("&client_id=user-assigned").await;
    assert_eq!(assigned.post(&format!("/keys/mail/sign{API}"), sign()).await.status, 200);
    assert_eq!(assigned.get(&format!("/keys/mail{API}")).await.status, 403);
    let own = imds("").await;
    assert_eq!(own.get(&format!("/keys{API}")).await.status, 200, "has none: may do everything");
    assert_eq!(vault.stats().forbidden, 5);
    vault.clear_permissions();
    assert_eq!(robot.get(&format!("/keys/web{API}")).await.status, 200);
}

#[tokio::test]
async fn refusals_have_the_text_of_the_access_model() {
    let vault = Emulator::builder().start().unwrap();
    vault.permit(Permission::of("*"));
    vault.set_access_model(AccessModel::Roles);
    let client = Client::named(&vault, "my.vault.azure.net");
    for (path, action, object) in [
        ("/keys/Web/sign", "vaults/keys/sign/action", "vaults/my/keys/web'"),
        ("/keys/web/unwrapKey", "vaults/keys/unwrap/action", "vaults/my/keys/web'"),
        ("/keys/restore", "vaults/keys/restore/action", "vaults/my'"),
        (
            "/certificates/web/import",
            "vaults/certificates/import/action",
            "vaults/my/certificates/web'",
        ),
    ] {
        let answer = client.post(&format!("{path}{API}"), sign()).await;
        refused(&answer, 403, "Forbidden", "ForbiddenByRbac");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        let action = format!("Action: 'Microsoft.KeyVault/{action}'\r\n");
        assert!(message.contains(&action), "{message}");
        assert!(message.contains(object), "{message}");
    }
    let hsm = Client::named(&vault, "my.managedhsm.azure.net");
    for (path, told) in [
        ("/keys/web/sign", "Microsoft.KeyVault/managedHsm/keys/sign/action on /keys/web"),
        ("/rng", "Microsoft.KeyVault/managedHsm/rng/action on /"),
    ] {
        let answer = hsm.post(&format!("{path}{API}"), sign()).await;
        refused(&answer, 403, "AccessDenied", "");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        let expected = format!("Not authorized to access {told} (Activity ID: ");
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[tokio::test]
async fn a_permission_applies_to_its_vault() {
    let vault = Emulator::builder().start().unwrap();
    vault.permit(Permission::of("*").vault_host("closed.vault.azure.net"));
    let (open, closed) = ("open.vault.azure.net", "closed.vault.azure.net");
    assert_eq!(Client::named(&vault, open).get(&format!("/keys{API}")).await.status, 200);
    let client = Client::named(&vault, closed);
    let answer = client.call(Method::GET, &format!("/keys{API}"), Value::Null).await;
    refused(&answer, 403, "Forbidden", "ForbiddenByPolicy");
    assert!(answer.text.contains("on key vault 'closed;location=emulator'"), "{}", answer.text);
}
