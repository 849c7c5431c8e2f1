//! `akv key list`.

use akv_core::KeyItem;
use clap::Args;
use serde_json::{Value, json};

use super::attributes_json;
use crate::{
    exit::Result,
    output::{Show, counters_json},
    settings::SettingsArguments,
    text::moment,
};

#[derive(Args, Debug)]
pub(crate) struct List {
    /// The vault, `vault:myVault:`, or a key, to list its versions.
    vault_or_key: String,
    #[command(flatten)]
    settings: SettingsArguments,
}

impl List {
    pub(super) async fn run(self, show: Show) -> Result<()> {
        let client = self.settings.client()?;
        let reference = client.reference(&self.vault_or_key)?;
        let vault = client.vault(&reference.vault())?;
        let list = match reference.key_name() {
            Some(name) => vault.versions(name)?,
            None => vault.list(),
        };
        let mut items = list.all().await?;
        // The service lists versions in no particular order.
        if reference.key_name().is_some() {
            items.sort_by_key(|item| item.attributes().created());
        }
        let keys: Vec<Value> = items.iter().map(item_json).collect();
        let value = json!({ "keys": keys, "counters": counters_json(client.counters()) });
        show.result(&value, |out| {
            items.iter().try_for_each(|item| writeln!(out, "{}", line(item)))
        })?;
        show.counters(&client);
        Ok(())
    }
}

fn item_json(item: &KeyItem) -> Value {
    let mut value = json!({
        "reference": item.reference().to_string(),
        "name": item.name(),
        "version": item.version(),
    });
    if let (Value::Object(value), Value::Object(more)) =
        (&mut value, attributes_json(item.attributes()))
    {
        value.extend(more);
    }
    value
}

fn line(item: &KeyItem) -> String {
    let attributes = item.attributes();
    let mut line = item.reference().to_string();
    if let Some(time) = attributes.created() {
        line += &format!("  {}", moment(time));
    }
    if let Some(time) = attributes.expires() {
        line += &format!("  expires {}", moment(time));
    }
    if !attributes.enabled() {
        line += "  disabled";
    }
    if attributes.managed() {
        line += "  managed by its certificate";
    }
    line
}
