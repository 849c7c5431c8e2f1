//! Node: `privateKeyEngine` and `privateKeyIdentifier`.

use akv_emulator::Persona;
use akv_tests::Server;
use anyhow::{Context as _, Result};

use crate::stage::{LIMIT, Stage, VaultKey};

/// Servers of Node 12 ignore the two options, contexts do not.
const SERVER: &str = "\
const [certificate, identifier] = process.argv.slice(2);
const context = require('tls').createSecureContext({
  cert: require('fs').readFileSync(certificate),
  privateKeyEngine: 'e_akv',
  privateKeyIdentifier: identifier,
});
const options = { SNICallback: (name, callback) => callback(null, context) };
const server = require('https').createServer(options, (request, response) => response.end('signed'));
server.listen(0, '127.0.0.1', () => console.log('port', server.address().port));
";

const KEY_FILE_SERVER: &str = "\
const [certificate, file] = process.argv.slice(2);
const read = require('fs').readFileSync;
const options = { cert: read(certificate), key: read(file) };
const server = require('https').createServer(options, (request, response) => response.end('signed'));
server.listen(0, '127.0.0.1', () => console.log('port', server.address().port));
";

fn serves(script: &str, name: impl Fn(&Stage, &VaultKey) -> Result<String>) -> Result<()> {
    let stage = Stage::open(Persona::Vault)?;
    // Node 12 looks up `openssl_conf`, later versions `nodejs_conf`.
    let config = format!("nodejs_conf = openssl_init\n{}", stage.site.read("hosts.cnf")?);
    let config = stage.write("node.cnf", &config)?;
    let script = stage.write("server.js", script)?;
    for key in stage.keys() {
        let task = stage.root.task("node").env("OPENSSL_CONF", &config);
        let task = task.args([&script, &key.certificate, &name(&stage, key)?]);
        let (server, port) =
            Server::start(task, LIMIT, |line| line.strip_prefix("port ").map(str::to_owned))?;
        let address = format!("127.0.0.1:{port}");
        for _ in 0..3 {
            stage.shake_hands(&address, key).with_context(|| server.output())?;
        }
    }
    Ok(())
}

#[test]
fn serves_with_engine_and_key_string() -> Result<()> {
    serves(SERVER, |_, key| Ok(format!("engine:e_akv:{}", key.reference)))
}

#[test]
fn serves_with_a_key_file() -> Result<()> {
    serves(KEY_FILE_SERVER, |stage, key| stage.key_file(key))
}
