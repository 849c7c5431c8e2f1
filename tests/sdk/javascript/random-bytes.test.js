// Random numbers of a Managed HSM.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { hsm, refused } from "./scene.js";

describe("random bytes", () => {
  for (const count of [1, 32, 128]) {
    test(`as many as wanted [${count}]`, async () => {
      const [one, other] = [await hsm.getRandomBytes(count), await hsm.getRandomBytes(count)];
      assert.deepEqual([one.length, other.length], [count, count]);
      if (count > 1) assert.notDeepEqual(one, other);
    });
  }

  for (const count of [-1, 0, 129]) {
    test(`too few or too many are refused [${count}]`, async () => {
      await assert.rejects(hsm.getRandomBytes(count), refused(400, "BadParameter"));
    });
  }
});
