// Deleted keys can be had back until they are purged.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { newName, refused, services } from "./scene.js";

async function makeAndDelete(client) {
  const name = newName();
  const made = await client.createEcKey(name);
  return { name, made, told: await (await client.beginDeleteKey(name)).pollUntilDone() };
}

describe("deleting", () => {
  for (const [service, client] of Object.entries(services)) {
    test(`a deleted key is gone from the keys [${service}]`, async () => {
      const { name, made, told } = await makeAndDelete(client);
      assert.deepEqual([told.name, told.key.x], [name, made.key.x]);
      assert.ok(told.properties.recoveryId.endsWith(`/deletedkeys/${name}`));
      assert.ok(told.properties.deletedOn < told.properties.scheduledPurgeDate);
      await assert.rejects(client.getKey(name), refused(404, "KeyNotFound"));
      const found = await client.getDeletedKey(name);
      assert.deepEqual(found.properties.deletedOn, told.properties.deletedOn);
    });

    test(`the name of a deleted key is taken [${service}]`, async () => {
      const { name } = await makeAndDelete(client);
      await assert.rejects(client.createEcKey(name), (error) => {
        refused(409, "Conflict")(error);
        assert.equal(error.details.error.innerError.code, "ObjectIsDeletedButRecoverable");
        return true;
      });
    });

    test(`recovering [${service}]`, async () => {
      const { name, made } = await makeAndDelete(client);
      const recovered = await (await client.beginRecoverDeletedKey(name)).pollUntilDone();
      assert.equal(recovered.name, name);
      assert.equal((await client.getKey(name)).id, made.id);
      await assert.rejects(client.getDeletedKey(name), refused(404, "KeyNotFound"));
    });

    test(`purging [${service}]`, async () => {
      const { name, made } = await makeAndDelete(client);
      await client.purgeDeletedKey(name);
      for (const read of ["getKey", "getDeletedKey", "purgeDeletedKey"]) {
        await assert.rejects(client[read](name), refused(404, "KeyNotFound"), read);
      }
      assert.notDeepEqual((await client.createEcKey(name)).key.x, made.key.x);
    });
  }
});
