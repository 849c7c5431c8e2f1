// Changing what may be changed of a key.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { newName, services } from "./scene.js";

describe("updating", () => {
  for (const [service, client] of Object.entries(services)) {
    test(`attributes and tags [${service}]`, async () => {
      const name = newName();
      const made = await client.createRsaKey(name, { tags: { a: "1" } });
      const soon = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_600_000);
      const wanted = {
        enabled: false,
        notBefore: soon,
        expiresOn: new Date(soon.getTime() + 3_600_000),
        tags: { b: "2" },
      };
      const keyOps = ["sign", "verify"];
      const changed = await client.updateKeyProperties(name, { ...wanted, keyOps });
      const { enabled, notBefore, expiresOn, tags } = changed.properties;
      assert.deepEqual({ enabled, notBefore, expiresOn, tags }, wanted);
      assert.deepEqual([changed.id, changed.keyOperations], [made.id, ["sign", "verify"]]);
      assert.deepEqual(changed.properties.createdOn, made.properties.createdOn);
    });

    test(`an old version [${service}]`, async () => {
      const name = newName();
      const [old, current] = [await client.createEcKey(name), await client.createEcKey(name)];
      const { version } = old.properties;
      await client.updateKeyProperties(name, version, { tags: { old: "yes" } });
      assert.deepEqual((await client.getKey(name, { version })).properties.tags, { old: "yes" });
      const found = await client.getKey(name);
      assert.deepEqual([found.id, found.properties.tags], [current.id, undefined]);
    });

    test(`what is not named stays [${service}]`, async () => {
      const name = newName();
      await client.createEcKey(name, { tags: { a: "1" }, enabled: false });
      const changed = await client.updateKeyProperties(name, { enabled: true });
      assert.deepEqual([changed.properties.enabled, changed.properties.tags], [true, { a: "1" }]);
    });
  }
});
