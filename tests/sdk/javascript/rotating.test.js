// New versions by the key's own policy.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { newName, refused, services, vault } from "./scene.js";

// A Managed HSM writes the names in lower case.
const actions = (policy) =>
  policy.lifetimeActions.map(({ action, timeAfterCreate, timeBeforeExpiry }) => [
    action.toLowerCase(),
    timeAfterCreate,
    timeBeforeExpiry,
  ]);

describe("rotating", () => {
  for (const [service, client] of Object.entries(services)) {
    test(`a rotated key is another of the same kind [${service}]`, async () => {
      const name = newName();
      const old = await client.createRsaKey(name, { keySize: 3072, tags: { kept: "yes" } });
      const rotated = await client.rotateKey(name);
      assert.notEqual(rotated.properties.version, old.properties.version);
      assert.deepEqual([rotated.keyType, rotated.key.n.length], [old.keyType, 384]);
      assert.notDeepEqual(rotated.key.n, old.key.n);
      assert.deepEqual(rotated.properties.tags, { kept: "yes" });
      assert.equal((await client.getKey(name)).id, rotated.id);
    });

    test(`a policy is kept [${service}]`, async () => {
      const name = newName();
      await client.createEcKey(name);
      const lifetimeActions = [{ action: "Rotate", timeAfterCreate: "P60D" }];
      const wanted = { lifetimeActions, expiresIn: "P90D" };
      const changed = await client.updateKeyRotationPolicy(name, wanted);
      for (const policy of [changed, await client.getKeyRotationPolicy(name)]) {
        assert.equal(policy.expiresIn, "P90D");
        assert.deepEqual(actions(policy)[0], ["rotate", "P60D", undefined]);
        assert.ok(policy.createdOn <= policy.updatedOn);
        assert.ok(policy.id.endsWith(`keys/${name}/rotationpolicy`));
      }
    });

    for (const [expiresIn, timeAfterCreate] of [["P27D", "P7D"], ["P90D", "P6D"]]) {
      const what = `${service}-${expiresIn}-${timeAfterCreate}`;
      test(`too short times are refused [${what}]`, async () => {
        const name = newName();
        await client.createEcKey(name);
        const lifetimeActions = [{ action: "Rotate", timeAfterCreate }];
        const update = client.updateKeyRotationPolicy(name, { lifetimeActions, expiresIn });
        await assert.rejects(update, refused(400, "BadParameter"));
      });
    }
  }

  test("rotation follows the policy", async () => {
    const name = newName();
    await vault.createEcKey(name);
    await vault.updateKeyRotationPolicy(name, { lifetimeActions: [], expiresIn: "P90D" });
    const { properties } = await vault.rotateKey(name);
    assert.equal(properties.expiresOn - properties.createdOn, 90 * 86_400_000);
  });

  test("a vault's key starts with a notification", async () => {
    const name = newName();
    await vault.createEcKey(name);
    const policy = await vault.getKeyRotationPolicy(name);
    assert.deepEqual(actions(policy), [["notify", undefined, "P30D"]]);
  });
});
