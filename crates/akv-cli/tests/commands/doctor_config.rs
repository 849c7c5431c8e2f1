//! `akv doctor` and the configuration of OpenSSL: its settings, and why it does not load the
//! module. `openssl` itself shows the failure that the doctor explains.

use akv_tests::{Output, Task, modules};

use crate::{
    World,
    doctor::{Diagnosis, diagnose},
};

/// A vault, a key file, and configurations for the vault.
struct Scene {
    world: World,
    modules: String,
}

impl Scene {
    fn new() -> Self {
        let world = World::with_keys();
        world.write("token", world.vault.token());
        world.ok("pem vault:my-vault:p256 -o key.pem");
        let modules = modules::folder().unwrap().to_str().unwrap().to_owned();
        Self { world, modules }
    }

    /// The module's section, without the module itself.
    fn settings(&self, engine: bool) -> String {
        let path = |name| self.world.path(name).display().to_string();
        let endpoint = self.world.vault.endpoint().to_owned();
        let all = [
            ("credential", "access-token".to_owned()),
            ("endpoint", endpoint),
            ("ca-file", path("ca.pem")),
            ("access-token-file", path("token")),
            ("timeout", "7s".to_owned()),
        ];
        let face = |name: &str| match engine {
            true => name.replace('-', "_").to_uppercase(),
            false => name.to_owned(),
        };
        all.iter().map(|(name, value)| format!("{} = {value}\n", face(name))).collect()
    }

    /// A configuration that loads the provider.
    fn provider(&self) -> String {
        format!(
            "openssl_conf = init\n[init]\nproviders = all\n[all]\ndefault = usual\n\
             akv_provider = akv\n[usual]\nactivate = 1\n[akv]\nmodule = {}/akv_provider.so\n\
             activate = 1\n{}",
            self.modules,
            self.settings(false)
        )
    }

    fn engine(&self) -> String {
        format!(
            "openssl_conf = init\n[init]\nengines = all\n[all]\ne_akv = akv\n[akv]\n\
             engine_id = e_akv\ndynamic_path = {}/e_akv.so\n{}",
            self.modules,
            self.settings(true)
        )
    }

    /// `akv` with only the configuration in its environment.
    fn doctor(&self, more: &[&str]) -> Task {
        self.world
            .bare("doctor vault:my-vault:p256 --openssl openssl --modules")
            .arg(&self.modules)
            .args(more)
            .env("OPENSSL_CONF", self.world.path("o.cnf"))
            .env("IMDS_ENDPOINT", "http://127.0.0.1:1")
    }

    fn with(&self, configuration: &str, more: &[&str]) -> Diagnosis {
        self.world.write("o.cnf", configuration);
        diagnose(self.doctor(more))
    }

    /// The same with an environment that points at the vault, regardless of the configuration.
    fn with_environment(&self, configuration: &str) -> Diagnosis {
        self.world.write("o.cnf", configuration);
        let doctor = self.doctor(&["--no-sign"]);
        diagnose(
            doctor
                .env("AKV_ENDPOINT", self.world.vault.endpoint())
                .env("AKV_CA_FILE", self.world.path("ca.pem"))
                .env("AZURE_CLI_ACCESS_TOKEN", self.world.vault.token()),
        )
    }

    /// Runs `openssl` on the key file with the configuration.
    fn openssl(&self) -> Output {
        let task = Task::new("openssl").args(["pkey", "-noout", "-in"]);
        let task = task.arg(self.world.path("key.pem"));
        task.env("OPENSSL_CONF", self.world.path("o.cnf")).run().unwrap()
    }
}

#[test]
fn the_settings_are_those_of_the_modules_section() {
    let scene = Scene::new();
    let timeout = |diagnosis: &Diagnosis| {
        let settings = diagnosis.check("settings");
        let all = settings["settings"].as_array().unwrap();
        let found = all.iter().find(|set| set["name"] == "timeout").unwrap();
        let file = settings["lines"].to_string().contains("o.cnf");
        (found["value"].as_str().unwrap().to_owned(), file)
    };
    for configuration in [scene.provider(), scene.engine()] {
        let diagnosis = scene.with(&configuration, &[]);
        diagnosis.finds_no_cause();
        assert_eq!(timeout(&diagnosis), ("7s".to_owned(), true), "{:#}", diagnosis.value);
        // The environment takes precedence, as in the module itself.
        let other = diagnose(scene.doctor(&[]).env("AKV_TIMEOUT", "8s"));
        assert_eq!(timeout(&other), ("8s".to_owned(), true), "{:#}", other.value);
    }
    // In a separate file, under the name that Node.js looks up.
    let node = scene.provider().replace("openssl_conf", "nodejs_conf");
    scene.world.write("node.cnf", node);
    let include = format!("# ours\n.include {}\n", scene.world.path("node.cnf").display());
    scene.with(&include, &["--config-name", "nodejs_conf"]).finds_no_cause();
    scene.with_environment(&include).has_cause("openssl-config", &["`openssl_conf = …`"]);
}

#[test]
fn every_reason_for_not_loading_the_module_is_named() {
    let scene = Scene::new();
    let good = scene.provider();
    scene.with(&good, &[]).finds_no_cause();
    assert!(scene.openssl().status.success(), "{}", scene.openssl().describe());
    let own = format!("{}/akv_provider.so", scene.modules);
    for (from, to, id, words) in [
        ("openssl_conf = init\n", "", "openssl-config", &["`openssl_conf = …`", "[akv]"][..]),
        ("[init]", "[other]", "openssl-config", &["openssl_conf = init", "does not exist"]),
        ("providers = all\n", "", "openssl-config", &["[init] has no line `providers"]),
        ("akv_provider = akv\n", "", "openssl-config", &["[akv] is not listed in [all]"]),
        ("akv_provider = akv\n", "akv_provider = it\n", "openssl-config", &["[it]"]),
        ("so\nactivate = 1\n", "so\n", "openssl-config", &["[akv] does not activate"]),
        (&own, "/nowhere/akv_provider.so", "openssl-module", &["/nowhere/akv_provider.so"]),
        (&own, "no_such/akv_provider.so", "openssl-module", &["no_such/akv_provider.so"]),
        ("7s", "soon", "openssl-config", &["cannot use it", "soon"]),
    ] {
        assert!(good.contains(from), "{from}");
        let diagnosis = scene.with_environment(&good.replacen(from, to, 1));
        let causes = diagnosis.value["causes"].as_array().unwrap();
        let cause = causes.iter().find(|cause| cause["id"] == id);
        let text = cause.unwrap_or_else(|| panic!("{from}: {:#}", diagnosis.value)).to_string();
        for word in words.iter().chain(&["DECODER routines::unsupported"]) {
            assert!(text.contains(word), "{word}: {text}");
        }
        // The error that a user gets.
        let output = scene.openssl();
        assert!(!output.status.success(), "{from}: {}", output.describe());
        if to != "soon" {
            assert!(output.stderr.contains("DECODER routines"), "{from}: {}", output.describe());
        }
    }
}

#[test]
fn lines_without_effect_are_reported() {
    let scene = Scene::new();
    let odd = scene.provider() + "time-out = 3s\n.include gone.cnf\n";
    let odd = odd.replace("default = usual\n", "");
    let diagnosis = scene.with_environment(&odd);
    let notes = diagnosis.check("config").to_string();
    for note in ["sets time-out, which is not a setting", "gone.cnf", "activates no other provider"]
    {
        assert!(notes.contains(note), "{note}: {notes}");
    }
    // The configuration does not mention the modules.
    let nothing = scene.with_environment("openssl_conf = init\n[init]\n");
    let note = nothing.check("config");
    assert_eq!(note["state"], "note", "{note:#}");
    assert!(note.to_string().contains("DECODER routines::unsupported"), "{note:#}");
}
