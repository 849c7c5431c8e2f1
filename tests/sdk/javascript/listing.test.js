// Lists, which come in pages.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { all, newName, pages, services } from "./scene.js";

// The service gives 25 at a time.
const MANY = 27;

const sorted = (items) => [...items].sort();

async function makeKeys(client, name, count) {
  const names = Array.from({ length: count }, (_, number) => `${name}-${number}`);
  for (const name of names) await client.createEcKey(name);
  return names;
}

describe("listing", () => {
  for (const [service, client] of Object.entries(services)) {
    test(`keys [${service}]`, async () => {
      const name = newName();
      const made = await makeKeys(client, name, MANY);
      const { sizes, items } = await pages(client.listPropertiesOfKeys());
      assert.ok(sizes.length > 1 && sizes.every((size) => size <= 25), `${sizes}`);
      const names = items.map((key) => key.name);
      assert.deepEqual(sorted(names.filter((key) => key.startsWith(name))), sorted(made));
      assert.equal(new Set(names).size, names.length, "each key once");
    });

    test(`versions [${service}]`, async () => {
      const name = newName();
      const made = [];
      for (let number = 0; number < MANY; number += 1) {
        made.push((await client.createEcKey(name)).properties.version);
      }
      const { sizes, items } = await pages(client.listPropertiesOfKeyVersions(name));
      assert.deepEqual(sizes, [25, MANY - 25]);
      assert.deepEqual(sorted(items.map((key) => key.version)), sorted(made));
    });

    test(`deleted keys [${service}]`, async () => {
      const name = newName();
      const made = await makeKeys(client, name, 4);
      for (const key of made) await (await client.beginDeleteKey(key)).pollUntilDone();
      const { sizes, items } = await pages(client.listDeletedKeys(), { maxPageSize: 2 });
      assert.ok(sizes.length > 1 && sizes.every((size) => size <= 2), `${sizes}`);
      const found = items.filter((key) => key.name.startsWith(name));
      assert.deepEqual(sorted(found.map((key) => key.name)), sorted(made));
      for (const { name, properties } of found) {
        assert.ok(properties.scheduledPurgeDate > properties.deletedOn);
        assert.ok(properties.recoveryId.endsWith(`/deletedkeys/${name}`));
      }
      const left = await all(client.listPropertiesOfKeys());
      assert.ok(!left.some((key) => made.includes(key.name)));
    });
  }
});
