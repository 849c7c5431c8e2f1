// What the service tells of a key.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { parseKeyVaultKeyIdentifier } from "@azure/keyvault-keys";

import { newName, services } from "./scene.js";

describe("reading", () => {
  for (const [service, client] of Object.entries(services)) {
    test(`the current version and an old one [${service}]`, async () => {
      const name = newName();
      const old = await client.createRsaKey(name, { tags: { version: "old" } });
      await client.createRsaKey(name, { tags: { version: "new" } });
      assert.deepEqual((await client.getKey(name)).properties.tags, { version: "new" });
      const found = await client.getKey(name, { version: old.properties.version });
      assert.deepEqual(found.properties.tags, { version: "old" });
      assert.deepEqual([found.id, found.key.n], [old.id, old.key.n]);
    });

    test(`the properties [${service}]`, async () => {
      const name = newName();
      await client.createEcKey(name);
      const { id, properties } = await client.getKey(name);
      const { version, recoveryLevel, recoverableDays } = properties;
      const identifier = parseKeyVaultKeyIdentifier(id);
      assert.deepEqual([identifier.name, identifier.version], [name, version]);
      assert.equal(new URL(identifier.vaultUrl).origin, client.vaultUrl);
      assert.match(version, /^[0-9a-f]{32}$/);
      assert.ok(properties.enabled && !properties.managed && properties.exportable === false);
      assert.deepEqual([properties.notBefore, properties.expiresOn], [undefined, undefined]);
      assert.match(recoveryLevel, /Recoverable/);
      assert.ok(recoverableDays >= 7 && recoverableDays <= 90);
    });
  }
});
