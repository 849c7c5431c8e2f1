//! The provider reads the files that `akv` writes.

use akv_tests::modules;

use crate::{World, openssl};

#[test]
fn configuration_and_key_files_work_in_openssl() {
    let world = World::with_keys();
    let module = modules::provider().expect("the provider's module");
    world.write("a#b$c's.pem", world.vault.ca_pem());
    world.write("token", world.vault.token());
    let line = "config -o o.cnf --access-token-file token --endpoint";
    let task = world.bare(line).arg(world.vault.endpoint()).arg("--module").arg(module);
    task.args(["--ca-file", "a#b$c's.pem"]).ok().unwrap();
    let provider = |line: &str| {
        let task = openssl(world.folder.path(), line).env("OPENSSL_CONF", world.path("o.cnf"));
        task.ok().expect("success of openssl with the provider")
    };
    for (key, options) in [("rsa", ""), ("rsa", "--pkcs8"), ("p256", ""), ("p256", "--pkcs8")] {
        world.ok(&format!("pem vault:v-1:{key} {options} --force -o site.key"));
        world.vault.reset_stats();
        provider("dgst -sha256 -sign site.key -out signature ca.pem");
        assert_eq!(world.vault.stats().requests, 1, "{key} {options}");
        world.ok(&format!("verify vault:v-1:{key} ca.pem -s signature"));
    }
}
