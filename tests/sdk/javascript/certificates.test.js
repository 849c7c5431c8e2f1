// Certificates of a vault and their keys.

import assert from "node:assert/strict";
import { X509Certificate, createHash, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import {
  all,
  certificate,
  certificates,
  newName,
  pages,
  refused,
  remote,
  scene,
  vault,
} from "./scene.js";

const message = Buffer.from("message");

const policy = (options) => ({
  issuerName: "Self",
  subject: "CN=www.example.org",
  subjectAlternativeNames: { dnsNames: ["www.example.org", "example.org"] },
  validityInMonths: 6,
  keyType: "EC",
  keyCurveName: "P-256",
  ...options,
});

async function create(name, options, settings) {
  const creating = certificates.beginCreateCertificate(name, policy(options), {
    intervalInMs: 10,
    ...settings,
  });
  return (await creating).pollUntilDone();
}

describe("certificates", () => {
  for (const keySize of [2048, 3072, 4096]) {
    test(`creating with an rsa key [${keySize}]`, async () => {
      const made = await create(newName(), { keyType: "RSA", keySize, keyCurveName: undefined });
      const parsed = new X509Certificate(made.cer);
      assert.equal(parsed.publicKey.asymmetricKeyDetails.modulusLength, keySize);
      assert.equal(parsed.subject, "CN=www.example.org");
      assert.equal(parsed.subjectAltName, "DNS:www.example.org, DNS:example.org");
      assert.ok(parsed.verify(parsed.publicKey), "it is signed by its own key");
      const thumbprint = Buffer.from(made.properties.x509Thumbprint).toString("hex");
      assert.equal(thumbprint, parsed.fingerprint.replaceAll(":", "").toLowerCase());
      assert.deepEqual(made.properties.expiresOn, new Date(parsed.validTo));
    });
  }

  for (const [keyCurveName, known] of [
    ["P-256", "prime256v1"],
    ["P-384", "secp384r1"],
    ["P-521", "secp521r1"],
  ]) {
    test(`creating with an ec key [${keyCurveName}]`, async () => {
      const made = await create(newName(), { keyCurveName });
      const parsed = new X509Certificate(made.cer);
      assert.equal(parsed.publicKey.asymmetricKeyDetails.namedCurve, known);
      assert.equal(made.policy.keyCurveName, keyCurveName);
    });
  }

  test("reading what was created", async () => {
    const name = newName();
    const made = await create(name, {}, { tags: { a: "1" } });
    const found = await certificates.getCertificate(name);
    assert.deepEqual([found.id, found.cer], [made.id, made.cer]);
    assert.deepEqual(found.properties.tags, { a: "1" });
    const { version } = made.properties;
    const old = await certificates.getCertificateVersion(name, version);
    assert.deepEqual([old.id, old.cer], [made.id, made.cer]);
    const known = await certificates.getCertificatePolicy(name);
    assert.deepEqual([known.issuerName, known.subject], ["Self", "CN=www.example.org"]);
    assert.deepEqual([known.keyType, known.keyCurveName], ["EC", "P-256"]);
    assert.equal(known.validityInMonths, 6);
    const operation = await certificates.getCertificateOperation(name);
    const { certificateOperation } = operation.getOperationState();
    assert.deepEqual([certificateOperation.status, certificateOperation.name], ["completed", name]);
  });

  test("listing", async () => {
    const name = newName();
    const names = [0, 1, 2].map((number) => `${name}-${number}`);
    for (const name of names) await create(name);
    const listed = certificates.listPropertiesOfCertificates();
    const { sizes, items } = await pages(listed, { maxPageSize: 2 });
    assert.ok(sizes.length > 1, `${sizes}`);
    const found = items.map((item) => item.name).filter((found) => found.startsWith(name));
    assert.deepEqual(found, names);
  });

  test("listing versions", async () => {
    const name = newName();
    const made = [await create(name), await create(name)].map((made) => made.properties.version);
    const found = await all(certificates.listPropertiesOfCertificateVersions(name));
    assert.deepEqual(found.map((item) => item.version).sort(), made.sort());
  });

  for (const kind of ["rsa", "ec"]) {
    for (const form of ["pem", "pfx"]) {
      test(`importing [${kind}-${form}]`, async () => {
        const name = newName();
        const content = readFileSync(certificate(kind, form));
        const options = form === "pem"
          ? { policy: { contentType: "application/x-pem-file" } }
          : { password: scene.password };
        const imported = await certificates.importCertificate(name, content, options);
        const original = new X509Certificate(readFileSync(certificate(kind, "pem")));
        assert.deepEqual(Buffer.from(imported.cer), original.raw);
        // The key of the certificate is the vault's now.
        const key = await vault.getKey(name);
        assert.ok(key.properties.managed);
        const digest = createHash("sha256").update(message).digest();
        const algorithm = kind === "rsa" ? "RS256" : "ES256";
        const { result } = await (await remote(key)).sign(algorithm, digest);
        const publicKey = { key: original.publicKey, dsaEncoding: "ieee-p1363" };
        assert.ok(verify("sha256", message, publicKey, result));
      });
    }
  }

  test("a wrong password", async () => {
    const content = readFileSync(certificate("rsa", "pfx"));
    const importing = certificates.importCertificate(newName(), content, { password: "wrong" });
    await assert.rejects(importing, { statusCode: 400 });
  });

  test("an unknown certificate", async () => {
    const unknown = certificates.getCertificate(newName());
    await assert.rejects(unknown, refused(404, "CertificateNotFound"));
  });
});
